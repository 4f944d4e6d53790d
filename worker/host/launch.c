/* launch.c - one worker process: its page, its pipes, fork and exec of drover-launch, its report
 *
 * Between fork and exec the child calls async-signal-safe functions only: other threads of the parent may have held
 * any lock. So everything that needs memory (arguments, environment) is made before.
 *
 * The report comes through a pipe that the worker does not inherit: lines of JSON from drover-launch (layers.h), or a
 * struct launch_trouble when that could not be executed. Each was written at once, so a read never cuts one.
 *
 * Why not posix_spawn(): it can set neither the parent-death signal nor the working directory portably, and the
 * check that the parent is still the parent has to come after that signal is set.
 */
#include "worker/host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "worker/host/command.h"
#include "worker/host/spawn.h"

#define FIRST_FREE_FD 10 /* above every fixed number */
#define EXIT_NOT_EXECUTED 127
#define DESTROY_MS 2000
#define REPORT_SIZE 16384

enum launch_step { STEP_DESCRIPTORS, STEP_PARENT, STEP_DIRECTORY, STEP_EXEC };

/* What the child needs, complete before the fork. */
struct child_setup {
    const char *directory;
    const struct command *command;
    int output[CAPTURE_SOURCES], page, lifeline, report;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void process_init(struct process *process)
{
    *process = (struct process){.pidfd = -1, .output = {-1, -1}, .lifeline = -1, .report = -1, .page_fd = -1};
}

void process_done(struct process *process)
{
    if (process->page != NULL)
        munmap(process->page, STARTWORD_PAGE_SIZE);
    close_fd(&process->pidfd);
    close_fd(&process->output[CAPTURE_STDOUT]);
    close_fd(&process->output[CAPTURE_STDERR]);
    close_fd(&process->lifeline);
    close_fd(&process->report);
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

/* The child */

static _Noreturn void give_up(const struct child_setup *setup, enum launch_step step)
{
    const struct launch_trouble trouble = {.step = (int)step, .code = errno};
    const ssize_t written = write(setup->report, &trouble, sizeof(trouble));
    _exit(written == (ssize_t)sizeof(trouble) ? EXIT_NOT_EXECUTED : EXIT_NOT_EXECUTED - 1);
}

/* First all out of the way of the fixed numbers, then each to its place. */
static bool place_descriptors(struct child_setup *setup)
{
    int *const sources[] = {&setup->output[CAPTURE_STDOUT], &setup->output[CAPTURE_STDERR], &setup->page,
                            &setup->lifeline, &setup->report};
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
        dup2(setup->lifeline, LAUNCH_LIFELINE_FD) < 0 || dup2(setup->report, COMMAND_REPORT_FD) < 0)
        return false;
    setup->report = COMMAND_REPORT_FD;
    return close_range(COMMAND_REPORT_FD + 1, ~0U, 0) == 0;
}

static void run_child(void *argument, pid_t parent)
{
    struct child_setup *setup = argument;
    /* The signal would miss a parent that has died already: look after it is set. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up(setup, STEP_PARENT);
    if (getppid() != parent)
        _exit(EXIT_NOT_EXECUTED);
    if (!place_descriptors(setup))
        give_up(setup, STEP_DESCRIPTORS);
    if (chdir(setup->directory) != 0)
        give_up(setup, STEP_DIRECTORY);
    execve(setup->command->arguments[0], setup->command->arguments, setup->command->environment);
    give_up(setup, STEP_EXEC);
}

/* The parent */

/* The pipes of one launch; the ends at [1] of `lifeline` and [0] of the others are the host's. */
struct pipes {
    int output[CAPTURE_SOURCES][2], lifeline[2], report[2];
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
    close_pipe(pipes->report);
}

static bool open_pipes(struct pipes *pipes)
{
    memset(pipes, -1, sizeof(*pipes));
    if (pipe2(pipes->output[CAPTURE_STDOUT], O_CLOEXEC) == 0 && pipe2(pipes->output[CAPTURE_STDERR], O_CLOEXEC) == 0 &&
        pipe2(pipes->lifeline, O_CLOEXEC) == 0 && pipe2(pipes->report, O_CLOEXEC) == 0 &&
        fcntl(pipes->output[CAPTURE_STDOUT][0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(pipes->output[CAPTURE_STDERR][0], F_SETFL, O_NONBLOCK) == 0 &&
        fcntl(pipes->report[0], F_SETFL, O_NONBLOCK) == 0)
        return true;
    const int code = errno;
    close_pipes(pipes);
    errno = code;
    return false;
}

static bool start_child(struct process *process, struct child_setup *setup)
{
    struct pipes pipes;
    if (!open_pipes(&pipes))
        return false;
    setup->output[CAPTURE_STDOUT] = pipes.output[CAPTURE_STDOUT][1];
    setup->output[CAPTURE_STDERR] = pipes.output[CAPTURE_STDERR][1];
    setup->lifeline = pipes.lifeline[0];
    setup->report = pipes.report[1];
    setup->page = process->page_fd;

    const pid_t pid = spawn_fork(run_child, setup, &process->pidfd);
    if (pid < 0)
        goto fail;
    process->pid = pid;
    process->output[CAPTURE_STDOUT] = pipes.output[CAPTURE_STDOUT][0];
    process->output[CAPTURE_STDERR] = pipes.output[CAPTURE_STDERR][0];
    process->lifeline = pipes.lifeline[1];
    process->report = pipes.report[0];
    pipes.output[CAPTURE_STDOUT][0] = pipes.output[CAPTURE_STDERR][0] = pipes.lifeline[1] = pipes.report[0] = -1;
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
    struct drover_error why = {0};
    struct command command;
    struct child_setup setup = {.directory = plan->directory, .command = &command};

    if (command_make(plan, getpid(), &command, &why) != DROVER_OK)
        return drover_error_set(error, why.status, "cannot start %.200s: %s", plan->program, why.text);
    const bool started = start_child(process, &setup);
    const int code = errno;
    command_done(&command);
    if (started)
        return DROVER_OK;
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot start %s: no process: %s", plan->program,
                            strerror(code));
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

/* The report */

/* What went wrong before the child was drover-launch. */
static void describe_trouble(const struct launch_trouble *trouble, const struct launch_plan *plan,
                             struct drover_error *error)
{
    const char *why = strerror(trouble->code);

    switch ((enum launch_step)trouble->step) {
    case STEP_DIRECTORY:
        (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot start %s in directory %s: %s", plan->program,
                               plan->directory, why);
        return;
    case STEP_DESCRIPTORS:
    case STEP_PARENT:
        (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot prepare the start of %s: %s", plan->program, why);
        return;
    case STEP_EXEC:
        break;
    }
    (void)drover_error_set(error, DROVER_UNAVAILABLE, "cannot start %s with %s/drover-launch: %s", plan->program,
                           plan->helpers, why);
}

static enum drover_status status_of(const char *name)
{
    static const enum drover_status told[] = {DROVER_DATA_LOSS, DROVER_FAILED_PRECONDITION};
    for (size_t i = 0; name != NULL && i < sizeof(told) / sizeof(told[0]); i++)
        if (strcmp(drover_status_name(told[i]), name) == 0)
            return told[i];
    return DROVER_UNAVAILABLE;
}

static void note_line(struct process *process, const char *line, size_t size)
{
    json_t *report = json_loadb(line, size, 0, NULL);
    const char *summary = json_string_value(json_object_get(report, "summary"));
    const char *error = json_string_value(json_object_get(report, "error"));

    if (summary != NULL)
        (void)snprintf(process->layers, sizeof(process->layers), "%s", summary);
    if (error != NULL)
        (void)drover_error_set(&process->refusal, status_of(json_string_value(json_object_get(report, "status"))), "%s",
                               error);
    json_decref(report);
}

/* Take what has come by now. */
static void read_report(struct process *process)
{
    char text[REPORT_SIZE];
    const ssize_t size = process->report >= 0 ? read(process->report, text, sizeof(text)) : -1;

    if (size == 0)
        close_fd(&process->report); /* it has become the worker */
    if (size == (ssize_t)sizeof(process->trouble)) {
        memcpy(&process->trouble, text, sizeof(process->trouble));
        return;
    }
    for (const char *line = text; size > 0 && line < text + size;) {
        const char *end = memchr(line, '\n', (size_t)(text + size - line));
        if (end == NULL)
            return;
        note_line(process, line, (size_t)(end - line));
        line = end + 1;
    }
}

bool process_trouble(struct process *process, const struct launch_plan *plan, struct drover_error *error)
{
    read_report(process);
    if (process->trouble.code != 0)
        describe_trouble(&process->trouble, plan, error);
    else if (process->refusal.status != DROVER_OK)
        *error = process->refusal;
    else
        return false;
    return true;
}

const char *process_layers(struct process *process)
{
    if (process->layers[0] == '\0')
        read_report(process);
    return process->layers;
}

/* Signals */

static void send_signal(const struct process *process, int signal_number)
{
    (void)syscall(SYS_pidfd_send_signal, process->pidfd, signal_number, NULL, 0);
}

void process_signal(const struct process *process, int signal_number)
{
    if (process->pid == 0)
        return;
    send_signal(process, SIGCONT);
    send_signal(process, signal_number);
}

/* A group has no descriptor; its number is safe as long as the leader is not reaped, which ends `pid`. A process can
 * leave the group that it led for another one of its session. */
void process_signal_group(const struct process *process, int signal_number)
{
    if (process->pid == 0)
        return;
    const bool is_outside = getpgid(process->pid) != process->pid;
    (void)kill(-process->pid, SIGCONT);
    send_signal(process, SIGCONT);
    (void)kill(-process->pid, signal_number);
    if (is_outside || signal_number == SIGKILL) /* that one may come twice */
        send_signal(process, signal_number);
}

void process_destroy(struct process *process)
{
    int code, status;
    struct pollfd death = {.fd = process->pidfd, .events = POLLIN};
    if (process->pid == 0)
        return;
    process_signal_group(process, SIGKILL);
    (void)poll(&death, 1, DESTROY_MS);
    (void)process_reap(process, &code, &status);
}
