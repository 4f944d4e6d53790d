/* job.h - one build on its way: what its parts share */
#ifndef DROVER_BUILD_JOB_H
#define DROVER_BUILD_JOB_H

#include "worker/build/build.h"
#include "worker/build/plan.h"
#include "worker/build/sdk.h"
#include "worker/build/words.h"
#include "worker/store/store.h"

struct job {
    const struct build_request *request;
    const struct build_watcher *watcher;
    struct build_result *result;
    struct store *store;
    struct store_tmp *tmp;
    char *root; /* the folder of the build: work/ below the temporary folder; links are resolved */
    struct sandbox sandbox;
    struct sdk sdk;
    enum build_system system;
    struct words sources, package_flags;
    struct plan_tools tools;
    uint64_t deadline_ms; /* of sys_now_ms(): of the commands */
    bool is_the_source;   /* what failed will fail again as long as the source is the same */
};

/* Copy the source, read the manifest, choose system and names, and compute the keys in `job->result->record`. Errors as
 * build_driver(). */
DROVER_MUST_CHECK enum drover_status job_prepare(struct job *job, struct drover_error *error);

/* Run the plan, take the artefact and publish both it and the record. Fills in the result. Errors as build_driver();
 * the record of a failure that will come again is published, too. */
DROVER_MUST_CHECK enum drover_status job_run(struct job *job, struct drover_error *error);

#endif
