/* orphans.h - processes that a dead worker left behind
 *
 * A worker's own children may leave its process group (setsid). This process is a subreaper: when their parent dies
 * they become its children, and are found in the kernel's list of them. Whose they were is told by the variable
 * LAUNCH_ENV_NUMBER in the environment they were started with.
 *
 * What is not found: an orphan that was started with an empty environment, or has overwritten it, is left alone until
 * the host stops; it might belong to a living worker or, in a container, to somebody else.
 */
#ifndef DROVER_HOST_ORPHANS_H
#define DROVER_HOST_ORPHANS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the host knows. */
struct orphans_view {
    const void *context;
    /* Is this the process of a worker? Those are reaped elsewhere. */
    bool (*is_worker)(const void *context, pid_t pid);
    /* Does the worker of this number live? */
    bool (*is_alive)(const void *context, uint64_t number);
    bool all; /* kill every child that is no worker */
};

/* Become the process to which orphans are given. False when the kernel refuses. */
bool orphans_adopt(void);

/* Reap what has died, kill what belongs to a dead worker. Returns how many were reaped or killed: sweep again soon
 * until that is 0, since what is killed leaves orphans in turn. Never blocks. */
unsigned orphans_sweep(const struct orphans_view *view);

#endif
