/* call.h - running one call: what stands behind `struct drover_call`
 *
 * A runner is the scratch memory of one thread that runs calls: documents and writer are used again and again, so that
 * a call costs no allocation of its own. runner_run() turns a job that was started into its answer, and never fails
 * otherwise: whatever goes wrong is the job's error.
 *
 * Thread rule: a runner belongs to one thread.
 */
#ifndef DROVER_SDK_CALL_H
#define DROVER_SDK_CALL_H

#include "worker/sdk/job.h"
#include "worker/sdk/served.h"

struct runner {
    const struct served *served; /* borrowed */
    struct drover_document *request, *metadata;
    struct drover_writer *reply;
    /* Look at the socket while a method runs on its thread; NULL where another thread does that. */
    void (*look)(void *context);
    void *context;
};

/* Set up in place. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status runner_init(struct runner *runner, const struct served *served,
                                                 struct drover_error *error);

/* Release it. Zeroed runners are allowed. */
void runner_done(struct runner *runner);

/* Run the method that the job asks for, or none when it names none (a self-test), or let the driver take new settings;
 * the job has ended afterwards. */
void runner_run(struct runner *runner, struct job *job);

#endif
