/* deadline.h - ends the program when its time is over
 *
 * libgit2 1.5 waits for a silent server for ever and calls nobody meanwhile; so a thread of its own watches the clock,
 * tells the error and ends the process. What is lost by that is nothing that counts: entries of the store are published
 * by one rename, and what the mirror has of half-written files is removed by the next run.
 */
#ifndef DROVER_FETCH_DEADLINE_H
#define DROVER_FETCH_DEADLINE_H

#include <stdint.h>

#include "worker/fetch/report.h"

/* Start the clock. `report` and `shown`, the URL for messages, are borrowed until the end of the process. Called once.
 * Errors: RESOURCE_EXHAUSTED (no thread). */
DROVER_MUST_CHECK enum drover_status deadline_start(struct report *report, const char *shown, uint64_t deadline_ms,
                                                    struct drover_error *error);

/* Say what the program is doing from now on, for the message: "while ...". `what` must be a constant. */
void deadline_stage(const char *what);

#endif
