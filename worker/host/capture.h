/* capture.h - what workers print, by line
 *
 * Pure: bytes, times and numbers are parameters. A `struct capture_stream` cuts the bytes of one pipe into lines and
 * puts them into a `struct capture_log`, the memory of one replica: the last 100 lines, whatever wrote them.
 *
 * A line ends with LF (a CR before it is dropped), is kept to its first 8 KiB and made printable. A replica that
 * writes more than 1000 lines in a second has the rest of that second dropped; the number follows as a line of its
 * own: "N lines dropped".
 */
#ifndef DROVER_HOST_CAPTURE_H
#define DROVER_HOST_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_LINE_MAX 8192 /* octets */
#define CAPTURE_LINES_KEPT 100
#define CAPTURE_LINES_PER_SECOND 1000

enum capture_source {
    CAPTURE_STDOUT,
    CAPTURE_STDERR,
    CAPTURE_SOURCES,
};

struct capture_line {
    uint64_t serial; /* increases over the whole host */
    uint64_t wall_ms;
    int64_t pid;
    enum capture_source source;
    char *text; /* owned by the log */
};

/* A ring: line i of `count` is lines[(first + i) % CAPTURE_LINES_KEPT]. */
struct capture_log {
    struct capture_line lines[CAPTURE_LINES_KEPT];
    unsigned first, count;
    uint64_t second;  /* of the rate limit */
    unsigned written; /* in this second */
    uint64_t dropped; /* not told yet */
};

/* One pipe. `{0}` is empty. */
struct capture_stream {
    char line[CAPTURE_LINE_MAX];
    size_t size;
    bool open;     /* a line has begun */
    bool too_long; /* what comes until its end is dropped */
};

/* Who writes, and when; `next_serial` is counted up. */
struct capture_origin {
    int64_t pid;
    enum capture_source source;
    uint64_t wall_ms;
    uint64_t *next_serial;
};

/* Take bytes of a pipe. */
void capture_feed(struct capture_stream *stream, struct capture_log *log, const struct capture_origin *origin,
                  const char *data, size_t size);

/* The pipe has ended: what is left is a line, and lines that were dropped are told. */
void capture_finish(struct capture_stream *stream, struct capture_log *log, const struct capture_origin *origin);

/* The oldest line with a serial above `after`, or the newest with one below `before`; NULL when there is none.
 * Borrowed until the next line. */
const struct capture_line *capture_next(const struct capture_log *log, uint64_t after);
const struct capture_line *capture_previous(const struct capture_log *log, uint64_t before);

/* The text of the last line that is not empty, of `pid` and on standard error; "" when there is none. Borrowed until
 * the next line. */
const char *capture_last_error(const struct capture_log *log, int64_t pid);

/* Release the lines. `{0}` is allowed. */
void capture_log_done(struct capture_log *log);

/* "stdout" or "stderr". */
const char *capture_source_name(enum capture_source source);

#endif
