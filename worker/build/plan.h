/* plan.h - with which commands a source is built
 *
 * A plan is made from the manifest and the names of files; nothing is run. All paths in it begin with the folder of the
 * build, so that the plan for the folder "" says everything that decides what comes out, and nothing of where.
 *
 *     ROOT/source    the copy of the source       ROOT/build    what cmake and cc make
 *     ROOT/sdk       headers and library          ROOT/bin      the compiler, with the flags that make builds
 * reproducible ROOT/home, ROOT/tmp                         of the commands
 */
#ifndef DROVER_BUILD_PLAN_H
#define DROVER_BUILD_PLAN_H

#include <drover/status.h>

#include "worker/build/digest.h"
#include "worker/build/manifest.h"
#include "worker/build/words.h"

#define PLAN_STEPS_MAX 2

/* Where paths below the build's folder seem to be, in whatever the compiler writes. */
#define PLAN_SEEMING_ROOT "/drover"

/* The programs that a plan may name; NULL: not there. */
struct plan_tools {
    char *cc, *cmake, *make, *ninja;
    char *command; /* the first word of the manifest's command, if that is no path */
};

struct plan_input {
    const struct manifest *manifest;
    enum build_system system;
    const struct words *sources;       /* of SYSTEM_CC: the names of C files */
    const struct words *package_flags; /* of SYSTEM_CC: what pkg-config says of the manifest's packages */
    const struct plan_tools *tools;
    const char *path; /* the folders of programs, as in PATH */
};

struct plan {
    struct words steps[PLAN_STEPS_MAX]; /* the first word is the path of the program */
    size_t step_count;
    struct words environment;
    char *directory; /* in which the steps are run */
    char *results;   /* the folder in which the artefact is looked for */
    char *artefact;  /* its path below `results`, or NULL: whatever program is there */
};

/* How the source in `folder` is built: as the manifest says, or by what is there. `label` names the folder in
 * messages. Errors: FAILED_PRECONDITION (nothing that can be built), and those of opendir(3). */
DROVER_MUST_CHECK enum drover_status plan_choose(const struct manifest *manifest, const char *folder, const char *label,
                                                 enum build_system *ret, struct drover_error *error);

/* Make the plan for a build in `root`; release it with plan_done() in any case. Errors: FAILED_PRECONDITION (a program
 * is missing), RESOURCE_EXHAUSTED (no memory). */
DROVER_MUST_CHECK enum drover_status plan_make(const struct plan_input *input, const char *root, struct plan *ret,
                                               struct drover_error *error);
void plan_done(struct plan *plan);

/* Add the plan to a key. */
void plan_identify(const struct plan *plan, struct digest *digest);

#endif
