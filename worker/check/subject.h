/* subject.h - the driver under check: one process of it, started as the host starts workers
 *
 * START: subject_start(); the one before is ended. OPERATION: its output is collected whenever somebody waits
 * (stage.h). END: subject_end().
 */
#ifndef DROVER_CHECK_SUBJECT_H
#define DROVER_CHECK_SUBJECT_H

#include <stdbool.h>

#include "worker/host/launch.h"

#define SUBJECT_OUTPUT_SIZE 1024

/* What is checked. Borrowed. */
struct subject_plan {
    const char *helpers;        /* folder of drover-launch */
    const char *library_folder; /* of libdrover-worker, or NULL */
    const char *worker;         /* of drover-worker, which hosts a module */
    const char *file;           /* absolute path of the driver */
    bool is_module;
    const char *artefact;  /* SHA-256 of the file */
    const char *directory; /* working directory */
};

struct subject {
    const struct subject_plan *plan;
    struct process process;
    bool ended;
    int code, status;                 /* of its end: si_code, si_status */
    char output[SUBJECT_OUTPUT_SIZE]; /* the last that it printed */
    size_t output_size;
    bool printed_binary; /* in any process so far */
};

void subject_init(struct subject *subject, const struct subject_plan *plan);

/* Start a process that connects to `endpoint`. Errors: as process_prepare() and process_launch(). */
DROVER_MUST_CHECK enum drover_status subject_start(struct subject *subject, const char *endpoint,
                                                   const uint8_t token[WIRE_TOKEN_SIZE], struct drover_error *error);

/* Kill it, if it runs, and release it. */
void subject_end(struct subject *subject);

/* Take what it has printed. */
void subject_read(struct subject *subject);

/* Look whether it has ended. */
bool subject_has_ended(struct subject *subject);

/* How it ended ("ended with exit status 1", "was killed by signal 11"), with its last line, into `text`; returns
 * `text`. */
const char *subject_end_text(struct subject *subject, char *text, size_t capacity);

/* Tell it to go. */
void subject_terminate(const struct subject *subject);

/* Stop it in its tracks, and let it go on. */
void subject_freeze(const struct subject *subject);
void subject_thaw(const struct subject *subject);

#endif
