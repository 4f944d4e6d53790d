/* roots.h - what a collection must not remove: what the lock file names, and what services remember to go back to */
#ifndef DROVER_STORE_ROOTS_H
#define DROVER_STORE_ROOTS_H

#include "worker/store/store.h"

/* Zeroed at first. It owns the names. */
struct roots {
    struct store_root *items;
    size_t count, room;
};

/* What cannot be understood ends a collection: without it too much would be removed. So each of these fails with one
 * line that says what to do about it. */

/* Add what a lock file names. Errors: those of lockfile_read(). */
DROVER_MUST_CHECK enum drover_status roots_add_lock(struct roots *roots, const char *path, struct drover_error *error);

/* Add the artefact of each version that a service remembers as stable: a folder of files as worker/rollout/stable.h
 * has them, one a service. Without the folder there are none. Errors: INVALID_ARGUMENT (mistakes in a file),
 * PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status roots_add_versions(struct roots *roots, const char *folder,
                                                        struct drover_error *error);

void roots_done(struct roots *roots);

#endif
