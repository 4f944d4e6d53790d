/* progress.h - shows how far a long piece of work is: a bar on a terminal, lines elsewhere, nothing with --json
 *
 * Goes to standard error. The words are those of who works; only the numbers are looked at.
 */
#ifndef DROVER_CLI_PROGRESS_H
#define DROVER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRESS_LINE_SIZE 160

struct progress {
    FILE *out;
    bool quiet, bar;
    unsigned next_percent; /* the next line is due at this */
    bool shown;            /* there is a bar that has to be cleared */
};

struct progress_state {
    unsigned percent;
    uint64_t objects, total_objects, bytes;
};

/* `is_terminal`: draw a bar. */
void progress_init(struct progress *progress, FILE *out, bool quiet, bool is_terminal);

void progress_show(struct progress *progress, const struct progress_state *state);

/* Print a line of text above the bar. */
void progress_line(struct progress *progress, const char *line);

/* Show what goes on at this moment, in place of the bar; on a terminal only. */
void progress_now(struct progress *progress, const char *text);

/* Clear the bar. */
void progress_done(struct progress *progress);

/* "1.2 MiB" into `buffer` of PROGRESS_SIZE_TEXT; returns it. */
#define PROGRESS_SIZE_TEXT 24
const char *progress_size(uint64_t bytes, char *buffer);

#endif
