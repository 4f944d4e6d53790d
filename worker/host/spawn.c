/* spawn.c - children of the host; see spawn.h
 *
 * Between fork and exec the child calls async-signal-safe functions only: other threads of the parent may have held
 * any lock.
 */
#include "worker/host/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE_FD 3
#define HELPER_NICENESS 10 /* about a tenth of a processor that is wanted by others, too */

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* refused for SIGKILL, SIGSTOP and those of the C library */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* No handler of this process may run in the child, so no signal gets through until it has reset them. */
static pid_t fork_quietly(spawn_child *child, void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        reset_signals();
        child(argument, parent);
        _exit(SPAWN_NOT_EXECUTED);
    }
    const int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return pid;
}

pid_t spawn_fork(spawn_child *child, void *argument, int *ret_pidfd)
{
    const pid_t pid = fork_quietly(child, argument);
    if (pid < 0)
        return -1;
    (void)setpgid(pid, pid); /* whoever comes first: both do it */
    const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0) {
        *ret_pidfd = pidfd;
        return pid;
    }
    const int code = errno; /* a child whose death could not be noticed is not kept */
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = code;
    return -1;
}

/* Helpers */

/* Out of the way of the standard ones first, which the parent may have closed. */
static bool place_descriptors(const struct spawn *spawn)
{
    const int output = fcntl(spawn->output, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    const int errors = fcntl(spawn->errors, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0)
        nothing = fcntl(nothing, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    return output >= 0 && errors >= 0 && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
           dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 &&
           close_range(FIRST_FREE_FD, ~0U, 0) == 0;
}

static void run_helper(void *argument, pid_t parent)
{
    const struct spawn *spawn = argument;
    (void)setpriority(PRIO_PROCESS, 0, HELPER_NICENESS); /* calls come first; nothing is lost where that is refused */
    /* The signal would miss a parent that has died already: look after it is set. */
    if (prctl(PR_SET_PDEATHSIG, spawn->death_signal) == 0 && getppid() == parent && place_descriptors(spawn) &&
        chdir(spawn->directory) == 0)
        execve(spawn->program, spawn->arguments, spawn->environment);
}

pid_t spawn(const struct spawn *spawn, int *ret_pidfd)
{
    struct spawn copy = *spawn;
    return spawn_fork(run_helper, &copy, ret_pidfd);
}
