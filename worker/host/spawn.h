/* spawn.h - children of the host: the fork that workers and helpers share, and the whole of it for helpers
 *
 * What a helper gets: a process group of its own, no signal blocked or ignored, a signal when its parent ends,
 * /dev/null as standard input, `output` and `errors` as standard output and error, and nothing else that was open.
 */
#ifndef DROVER_HOST_SPAWN_H
#define DROVER_HOST_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/* Exit status of a child that could not become the program. */
#define SPAWN_NOT_EXECUTED 127

struct spawn {
    const char *program; /* absolute path */
    char *const *arguments, *const *environment;
    const char *directory; /* working directory */
    int output, errors;
    int death_signal; /* what it gets when the thread that called spawn() ends */
};

/* What a child does; when it returns, the child ends with SPAWN_NOT_EXECUTED. It has a process group of its own and no
 * signal blocked or ignored. Until it executes something it may call async-signal-safe functions only: other threads of
 * the parent may have held any lock. */
typedef void spawn_child(void *argument, pid_t parent);

/* Fork. Returns the child's number and a descriptor for it, or -1 with errno: then there is no child. */
pid_t spawn_fork(spawn_child *child, void *argument, int *ret_pidfd);

/* Start a helper, which gives way to everything else: a compiler must not delay calls. Returns its number and a
 * descriptor for it, or -1 with errno: then there is no child. */
pid_t spawn(const struct spawn *spawn, int *ret_pidfd);

#endif
