/* report.h - what drover-fetch tells: one JSON object a line on standard output
 *
 *     {"event":"progress","objects":N,"total_objects":N,"bytes":N,"percent":N}
 *     {"event":"done","url":...,"ref":...,"commit":...,"tree":...,"content":...,"path":...}
 *     {"event":"error","status":"NOT_FOUND","message":"..."}
 *
 * Progress comes at most five times a second. The last line is `done` or `error`, never both. Secrets that were
 * announced do not appear, whoever put them into a message.
 */
#ifndef DROVER_FETCH_REPORT_H
#define DROVER_FETCH_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>

#define REPORT_SECRETS_MAX 4

struct report {
    pthread_mutex_t writing;
    uint64_t next_progress_ms;
    unsigned last_percent;
    char *secrets[REPORT_SECRETS_MAX]; /* owned */
    unsigned secret_count;
};

struct report_result {
    const char *url, *ref, *commit, *subdir, *tree, *content, *path; /* subdir may be NULL */
};

void report_init(struct report *report);
void report_finish(struct report *report);

/* Never show `secret`, which is copied; NULL and what is as short as a word is ignored. False when there is no memory.
 */
DROVER_MUST_CHECK bool report_hide(struct report *report, const char *secret);

void report_progress(struct report *report, uint64_t objects, uint64_t total, uint64_t bytes, unsigned percent);
void report_done(struct report *report, const struct report_result *result);
void report_error(struct report *report, const struct drover_error *error);

/* Tell the error from another thread and end the process with the status that belongs to it, also when the other
 * threads are stuck, even in the writing of a line. */
_Noreturn void report_error_and_exit(struct report *report, const struct drover_error *error);

/* The exit status of the program. */
int report_exit_status(enum drover_status status);

#endif
