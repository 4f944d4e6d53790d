/* log.h - the log of a build: what its commands print, by line, bounded, and why it failed
 *
 * The folder in which the build runs is cut out of each line, so that a log reads as if it had been built where the
 * source is, and the same build gives the same log.
 */
#ifndef DROVER_BUILD_LOG_H
#define DROVER_BUILD_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

#define LOG_LINE_MAX ((size_t)8 * 1024)
#define LOG_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct build_log;

/* Start the log in the new file `path`. `root` (absolute) is cut out of lines. Each line is handed to `line` (may be
 * NULL), too, printable and ended by NUL. Errors: those of open(2). */
DROVER_MUST_CHECK enum drover_status build_log_new(const char *path, const char *root,
                                                   void (*line)(const char *line, void *context), void *context,
                                                   struct build_log **ret, struct drover_error *error);

/* Write what is left. Errors: RESOURCE_EXHAUSTED, INTERNAL (something could not be written, now or before). */
DROVER_MUST_CHECK enum drover_status build_log_end(struct build_log *log, struct drover_error *error);

struct build_log *build_log_free(struct build_log *log);

/* Take output of a command. False when it is more than LOG_BYTES_MAX; what goes beyond is dropped. */
bool build_log_feed(struct build_log *log, const char *data, size_t size);

/* A line of our own. */
void build_log_say(struct build_log *log, const char *format, ...) DROVER_PRINTF(2, 3);

/* A command has ended: an unfinished line is one. */
void build_log_break(struct build_log *log);

/* Cut the build's folder out of a text of the same kind. */
void build_log_cut(const struct build_log *log, char *text);

/* The line that tells best what went wrong: the compiler's first error with its file and line, or what comes nearest.
 * "" when nothing was printed. Borrowed. */
const char *build_log_reason(const struct build_log *log);

#endif
