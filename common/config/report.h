/* report.h - the mistakes that were found in a file: collected in any order, listed by line
 *
 * A report never fails: an allocation that fails is remembered in `no_memory`, which its owner looks at in the end.
 */
#ifndef DROVER_CONFIG_REPORT_H
#define DROVER_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/config.h"

/* Where in the file: counted from 1, columns in characters. */
struct place {
    unsigned line, column;
};

struct mistake;

struct report {
    struct mistake *items;
    size_t count, capacity;
    size_t unlisted; /* found beyond CONFIG_MESSAGES_MAX */
    size_t passed_over;
    bool no_memory;
};

/* Add a mistake: the text is what stands behind `FILE:LINE:COLUMN: `. */
void report_mistake(struct report *report, struct place place, const char *format, ...) DROVER_PRINTF(3, 4);

/* The mistake that was added last is listed, but does not keep the file from being taken. */
void report_pass_over(struct report *report);

/* Was nothing wrong so far, but for what is passed over? */
bool report_is_clean(const struct report *report);

/* The messages in the order of lines, each beginning with `path` and its place. Sets `no_memory` when they cannot be
 * made. */
void report_list(struct report *report, const char *path, struct config_messages *ret_messages);

void report_done(struct report *report);

/* `size` octets of untrusted text for a message: made printable, and cut with "..." when they do not fit into `buffer`
 * of `capacity` octets. Returns `buffer`. */
const char *report_cut(const char *data, size_t size, char *buffer, size_t capacity);

/* At most this much of a text of the file is shown in a message. */
#define REPORT_QUOTE_SIZE 81

/* The same with a `buffer` of REPORT_QUOTE_SIZE. */
const char *report_quote(const char *data, size_t size, char *buffer);

#endif
