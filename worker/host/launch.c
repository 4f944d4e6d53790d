/* launch.c - one worker process: its page, its pipes, fork and exec
 *
 * Between fork and exec the child calls async-signal-safe functions only: other threads of the parent may have held
 * any lock. So everything that needs memory (arguments, environment) is made before.
 *
 * Why not posix_spawn(): it can set neither the parent-death signal nor the working directory portably, and the
 * check that the parent is still the parent has to come after that signal is set.
 */
#include "worker/host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"

#define FIRST_FREE_FD 10 /* above every fixed number */
#define TROUBLE_FD 5
#define EXIT_NOT_EXECUTED 127
#define OWN_VARIABLES 4
#define DESTROY_MS 2000

enum launch_step { STEP_DESCRIPTORS, STEP_PARENT, STEP_DIRECTORY, STEP_EXEC };

struct launch_trouble {
    int step; /* enum launch_step */
    int code; /* errno */
};

/* What the child needs, complete before the fork. */
struct child_setup {
    const char *program, *directory;
    char **arguments, **environment;
    pid_t parent;
    int output[CAPTURE_SOURCES], page, lifeline, trouble;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void process_init(struct process *process)
{
    *process = (struct process){.pidfd = -1, .output = {-1, -1}, .lifeline = -1, .trouble = -1, .page_fd = -1};
}

void process_done(struct process *process)
{
    if (process->page != NULL)
        munmap(process->page, STARTWORD_PAGE_SIZE);
    close_fd(&process->pidfd);
    close_fd(&process->output[CAPTURE_STDOUT]);
    close_fd(&process->output[CAPTURE_STDERR]);
    close_fd(&process->lifeline);
    close_fd(&process->trouble);
    close_fd(&process->page_fd);
    process_init(process);
}

/* The page */

/* A worker that could shrink the page would make the host die of SIGBUS. */
static bool size_and_seal(int fd)
{
    return ftruncate(fd, STARTWORD_PAGE_SIZE) == 0 &&
           fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

enum drover_status process_prepare(struct process *process, const uint8_t token[WIRE_TOKEN_SIZE],
                                   struct drover_error *error)
{
    int fd = memfd_create("drover-startword", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory file for its start word: %s",
                                strerror(errno));

    void *page = MAP_FAILED;
    if (size_and_seal(fd))
        page = mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        const int code = errno;
        close(fd);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no page for its start word: %s", strerror(code));
    }

    process->page_fd = fd;
    process->page = page;
    process->page->magic = STARTWORD_MAGIC;
    memcpy(process->page->token, token, WIRE_TOKEN_SIZE);
    atomic_store(&process->page->word, 0);
    return DROVER_OK;
}

/* The environment */

static bool is_own_variable(const char *entry)
{
    return strncmp(entry, "DROVER_", strlen("DROVER_")) == 0;
}

static size_t count_variables(char **variables)
{
    size_t count = 0;
    while (variables != NULL && variables[count] != NULL)
        count++;
    return count;
}

/* Own entries come first, and are the only ones that were allocated. */
static char **free_environment(char **environment)
{
    for (size_t i = 0; environment != NULL && i < OWN_VARIABLES; i++)
        free(environment[i]);
    free(environment);
    return NULL;
}

static char **make_environment(const struct launch_plan *plan)
{
    char **environment = calloc(OWN_VARIABLES + count_variables(environ) + 1, sizeof(*environment));
    if (environment == NULL)
        return NULL;

    environment[0] = text_format("%s=%" PRIu64, LAUNCH_ENV_NUMBER, plan->number);
    environment[1] = text_format("%s=%s", WORKER_ENV_ENDPOINT, plan->endpoint);
    environment[2] = text_format("%s=%d", WORKER_ENV_PAGE, LAUNCH_PAGE_FD);
    environment[3] = text_format("%s=%d", WORKER_ENV_LIFELINE, LAUNCH_LIFELINE_FD);
    for (size_t i = 0; i < OWN_VARIABLES; i++)
        if (environment[i] == NULL)
            return free_environment(environment);

    size_t used = OWN_VARIABLES;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (!is_own_variable(*entry))
            environment[used++] = *entry;
    return environment;
}

/* The child */

static _Noreturn void give_up(const struct child_setup *setup, enum launch_step step)
{
    const struct launch_trouble trouble = {.step = (int)step, .code = errno};
    const ssize_t written = write(setup->trouble, &trouble, sizeof(trouble));
    _exit(written == (ssize_t)sizeof(trouble) ? EXIT_NOT_EXECUTED : EXIT_NOT_EXECUTED - 1);
}

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* refused for SIGKILL, SIGSTOP and those of the C library */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First all out of the way of the fixed numbers, then each to its place. */
static bool place_descriptors(struct child_setup *setup)
{
    int *const sources[] = {&setup->output[CAPTURE_STDOUT], &setup->output[CAPTURE_STDERR], &setup->page,
                            &setup->lifeline, &setup->trouble};
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        const int moved = fcntl(*sources[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        if (moved < 0)
            return false;
        *sources[i] = moved;
    }
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || (nothing != STDIN_FILENO && dup2(nothing, STDIN_FILENO) < 0))
        return false;
    if (nothing == STDIN_FILENO && fcntl(nothing, F_SETFD, 0) < 0)
        return false;
    if (dup2(setup->output[CAPTURE_STDOUT], STDOUT_FILENO) < 0 ||
        dup2(setup->output[CAPTURE_STDERR], STDERR_FILENO) < 0 || dup2(setup->page, LAUNCH_PAGE_FD) < 0 ||
        dup2(setup->lifeline, LAUNCH_LIFELINE_FD) < 0 || dup3(setup->trouble, TROUBLE_FD, O_CLOEXEC) < 0)
        return false;
    setup->trouble = TROUBLE_FD;
    return close_range(TROUBLE_FD + 1, ~0U, 0) == 0;
}

static _Noreturn void run_child(struct child_setup *setup)
{
    (void)setpgid(0, 0);
    reset_signals();
    /* The signal would miss a parent that has died already: look after it is set. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up(setup, STEP_PARENT);
    if (getppid() != setup->parent)
        _exit(EXIT_NOT_EXECUTED);
    if (!place_descriptors(setup))
        give_up(setup, STEP_DESCRIPTORS);
    if (chdir(setup->directory) != 0)
        give_up(setup, STEP_DIRECTORY);
    execve(setup->program, setup->arguments, setup->environment);
    give_up(setup, STEP_EXEC);
}

/* The parent */

/* The pipes of one launch; the ends at [1] of `lifeline` and [0] of the others are the host's. */
struct pipes {
    int output[CAPTURE_SOURCES][2], lifeline[2], trouble[2];
};

static void close_pipe(int ends[2])
{
    close_fd(&ends[0]);
    close_fd(&ends[1]);
}

static void close_pipes(struct pipes *pipes)
{
    close_pipe(pipes->output[CAPTURE_STDOUT]);
    close_pipe(pipes->output[CAPTURE_STDERR]);
    close_pipe(pipes->lifeline);
    close_pipe(pipes->trouble);
}

static bool open_pipes(struct pipes *pipes)
{
    memset(pipes, -1, sizeof(*pipes));
    if (pipe2(pipes->output[CAPTURE_STDOUT], O_CLOEXEC) == 0 && pipe2(pipes->output[CAPTURE_STDERR], O_CLOEXEC) == 0 &&
        pipe2(pipes->lifeline, O_CLOEXEC) == 0 && pipe2(pipes->trouble, O_CLOEXEC) == 0 &&
        fcntl(pipes->output[CAPTURE_STDOUT][0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(pipes->output[CAPTURE_STDERR][0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(pipes->trouble[0], F_SETFL, O_NONBLOCK) == 0)
        return true;
    const int code = errno;
    close_pipes(pipes);
    errno = code;
    return false;
}

/* No handler of this process may run in the child, so no signal gets through until it has reset them. */
static pid_t fork_quietly(struct child_setup *setup)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    setup->parent = getpid();
    const pid_t pid = fork();
    if (pid == 0)
        run_child(setup);
    const int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return pid;
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* A child whose death could not be noticed is not kept. */
static void discard_child(pid_t pid)
{
    const int code = errno;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = code;
}

static bool start_child(struct process *process, struct child_setup *setup)
{
    struct pipes pipes;
    if (!open_pipes(&pipes))
        return false;
    setup->output[CAPTURE_STDOUT] = pipes.output[CAPTURE_STDOUT][1];
    setup->output[CAPTURE_STDERR] = pipes.output[CAPTURE_STDERR][1];
    setup->lifeline = pipes.lifeline[0];
    setup->trouble = pipes.trouble[1];
    setup->page = process->page_fd;

    const pid_t pid = fork_quietly(setup);
    if (pid < 0)
        goto fail;
    (void)setpgid(pid, pid); /* whoever comes first: both do it */
    process->pidfd = open_pidfd(pid);
    if (process->pidfd < 0) {
        discard_child(pid);
        goto fail;
    }
    process->pid = pid;
    process->output[CAPTURE_STDOUT] = pipes.output[CAPTURE_STDOUT][0];
    process->output[CAPTURE_STDERR] = pipes.output[CAPTURE_STDERR][0];
    process->lifeline = pipes.lifeline[1];
    process->trouble = pipes.trouble[0];
    pipes.output[CAPTURE_STDOUT][0] = pipes.output[CAPTURE_STDERR][0] = pipes.lifeline[1] = pipes.trouble[0] = -1;
    close_pipes(&pipes);
    close_fd(&process->page_fd);
    return true;

fail:;
    const int code = errno;
    close_pipes(&pipes);
    errno = code;
    return false;
}

enum drover_status process_launch(struct process *process, const struct launch_plan *plan, struct drover_error *error)
{
    char option[] = "--builtin";
    char *program = strdup(plan->program);
    char *builtin = plan->builtin != NULL ? strdup(plan->builtin) : NULL;
    char **environment = make_environment(plan);
    char *arguments[] = {program, plan->builtin != NULL ? option : NULL, builtin, NULL};
    struct child_setup setup = {
        .program = program, .directory = plan->directory, .arguments = arguments, .environment = environment};
    enum drover_status status = DROVER_OK;

    if (program == NULL || environment == NULL || (plan->builtin != NULL && builtin == NULL))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot start %s: no memory", plan->program);
    else if (!start_child(process, &setup))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot start %s: no process: %s", plan->program,
                                  strerror(errno));
    free(program);
    free(builtin);
    (void)free_environment(environment);
    return status;
}

/* While the dead leader is not reaped its number cannot be given to another process or group. */
bool process_reap(struct process *process, int *ret_code, int *ret_status)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return false;
    (void)kill(-process->pid, SIGKILL);
    (void)waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG);
    process->pid = 0;
    *ret_code = info.si_code;
    *ret_status = info.si_status;
    return true;
}

bool process_trouble(const struct process *process, const struct launch_plan *plan, struct drover_error *error)
{
    struct launch_trouble trouble;
    if (process->trouble < 0 || read(process->trouble, &trouble, sizeof(trouble)) != (ssize_t)sizeof(trouble))
        return false;
    const char *why = strerror(trouble.code);
    switch ((enum launch_step)trouble.step) {
    case STEP_DIRECTORY:
        (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot start %s in directory %s: %s", plan->program,
                               plan->directory, why);
        return true;
    case STEP_DESCRIPTORS:
    case STEP_PARENT:
        (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot prepare the start of %s: %s", plan->program, why);
        return true;
    case STEP_EXEC:
        break;
    }
    (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot start %s: %s", plan->program, why);
    return true;
}

void process_signal(const struct process *process, int signal_number)
{
    if (process->pid == 0)
        return;
    (void)syscall(SYS_pidfd_send_signal, process->pidfd, signal_number, NULL, 0);
    (void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGCONT, NULL, 0);
}

/* A group has no descriptor; its number is safe as long as the leader is not reaped, which ends `pid`. */
void process_signal_group(const struct process *process, int signal_number)
{
    if (process->pid == 0)
        return;
    (void)kill(-process->pid, signal_number);
    (void)kill(-process->pid, SIGCONT);
}

void process_destroy(struct process *process)
{
    int code, status;
    struct pollfd death = {.fd = process->pidfd, .events = POLLIN};
    if (process->pid == 0)
        return;
    (void)kill(-process->pid, SIGKILL);
    (void)poll(&death, 1, DESTROY_MS);
    (void)process_reap(process, &code, &status);
}
