/* sandbox.h - in what a build's commands are locked up
 *
 * The work is done by drover-launch, which stands beside this program. A build never runs as root where that can be
 * avoided: it becomes the user 'drover-build', or 'nobody'.
 */
#ifndef DROVER_BUILD_SANDBOX_H
#define DROVER_BUILD_SANDBOX_H

#include <stdbool.h>

#include <drover/status.h>

#include "worker/build/copy.h"
#include "worker/build/plan.h"
#include "worker/build/run.h"
#include "worker/launch/profile.h"

/* Part of each build's key: another profile may let another artefact come out. */
#define SANDBOX_PROFILE "1"

struct sandbox {
    enum sandbox_policy policy;
    char *launcher;     /* NULL: not used */
    char user[64];      /* whom to become; "": nobody else */
    struct owner owner; /* the same */
    char layers[256];   /* what took hold, for people: "user, landlock, seccomp" */
};

/* Decide how builds below the folder `place` are locked up; `launcher` is the path of drover-launch. Release `ret` with
 * sandbox_done() in any case. Errors: PERMISSION_DENIED (the policy requires what there is not). */
DROVER_MUST_CHECK enum drover_status sandbox_choose(enum sandbox_policy policy, const char *launcher, const char *place,
                                                    struct sandbox *ret, struct drover_error *error);
void sandbox_done(struct sandbox *sandbox);

/* Run one step of a plan in `root`, as run_command() does. `run` has all but what the sandbox decides: arguments,
 * owner, report. The layers that drover-launch reports are kept in `sandbox`. Errors: those of run_command(), and
 * PERMISSION_DENIED (the sandbox could not be made), FAILED_PRECONDITION (the program cannot be executed in it). */
DROVER_MUST_CHECK enum drover_status sandbox_run(struct sandbox *sandbox, const struct words *step, const char *root,
                                                 struct run *run, struct run_result *ret, struct drover_error *error);

#endif
