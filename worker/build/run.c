/* run.c - runs one command, bounded (run.h)
 *
 * START: fork; the child makes itself a group of its own, takes its limits and becomes the program, or writes why not
 * into a pipe that closes on exec. OPERATION: what it prints is read until it is dead, its time is over, its output is
 * refused or the caller cancels. END: the group is killed, then whatever was adopted from it, until no child is left.
 *
 * The program has one thread, so the child may use any function.
 */
#include "worker/build/run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/trouble.h"

#define EXIT_NOT_EXECUTED 127
#define OPEN_FILES_MAX 1024
#define READ_SIZE 16384
#define SWEEP_MS 5000
#define SHORT_MS 10000
#define SHORT_BYTES ((size_t)64 * 1024)

struct child {
    pid_t pid;
    int pidfd, output, trouble;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- the child -----------------------------------------------------------------------------------------------------
 */

static bool limit(int resource, uint64_t value)
{
    struct rlimit now;
    if (value == 0)
        return true;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0)
        return false;
    const rlim_t most = now.rlim_max < value ? now.rlim_max : (rlim_t)value;
    const struct rlimit wanted = {.rlim_cur = most, .rlim_max = most};
    return setrlimit((__rlimit_resource_t)resource, &wanted) == 0;
}

static bool take_limits(const struct run_limits *limits)
{
    const struct rlimit none = {0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && limit(RLIMIT_NOFILE, OPEN_FILES_MAX) &&
           limit(RLIMIT_AS, limits->memory_bytes) && limit(RLIMIT_FSIZE, limits->file_bytes) &&
           limit(RLIMIT_CPU, limits->cpu_s) && limit(RLIMIT_NPROC, limits->processes);
}

static bool become(const struct owner *owner)
{
    if (owner->uid == (uid_t)-1)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(owner->gid, owner->gid, owner->gid) == 0 &&
           setresuid(owner->uid, owner->uid, owner->uid) == 0;
}

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* refused for SIGKILL, SIGSTOP and those of the C library */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool place_descriptors(const struct run *run, int output, int trouble)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return false;
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return false;
    (void)trouble; /* closes on exec, which tells that there was none */
    return run->report < 0 || fcntl(run->report, F_SETFD, 0) == 0;
}

static _Noreturn void be_child(const struct run *run, pid_t parent, int output, int trouble)
{
    (void)setpgid(0, 0);
    reset_signals();
    errno = 0;
    if (place_descriptors(run, output, trouble) && chdir(run->directory) == 0 && become(&run->owner) &&
        take_limits(&run->limits)) {
        /* After the last change of uid, which would clear it. It misses a parent that has died already. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EXIT_NOT_EXECUTED);
        execve(run->arguments->items[0], run->arguments->items, run->environment->items);
    }
    const int code = errno;
    _exit(write(trouble, &code, sizeof(code)) == (ssize_t)sizeof(code) ? EXIT_NOT_EXECUTED : EXIT_NOT_EXECUTED - 1);
}

/* --- the parent ----------------------------------------------------------------------------------------------------
 */

/* Kill what descends from us and is our child by now; adopted ones belong to the main thread. */
static void kill_children(void)
{
    char path[64];
    char *word = NULL;
    size_t capacity = 0;
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    if (!children)
        return;
    /* None of them was reaped, so none of the numbers has been given to another process. */
    while (getdelim(&word, &capacity, ' ', children) > 0) {
        const pid_t pid = (pid_t)strtol(word, NULL, 10);
        if (pid > 0)
            (void)kill(pid, SIGKILL);
    }
    free(word);
    (void)fclose(children);
}

/* Until there is no child any more: the children of the dead come to us, and die then. */
static void sweep(void)
{
    const uint64_t end = sys_now_ms() + SWEEP_MS;
    for (;;) {
        kill_children();
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if ((pid < 0 && errno == ECHILD) || sys_now_ms() >= end)
            return;
        (void)poll(NULL, 0, 1); /* what was killed is on its way out */
    }
}

static bool start(const struct run *run, struct child *child)
{
    int output[2] = {-1, -1}, trouble[2] = {-1, -1};
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(trouble, O_CLOEXEC) != 0 || fcntl(output[0], F_SETFL, O_NONBLOCK) != 0)
        goto fail;
    const pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        be_child(run, parent, output[1], trouble[1]);
    if (child->pid < 0)
        goto fail;
    (void)setpgid(child->pid, child->pid);
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd < 0) {
        const int code = errno;
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
        errno = code;
        goto fail;
    }
    close_fd(&output[1]);
    close_fd(&trouble[1]);
    child->output = output[0];
    child->trouble = trouble[0];
    return true;

fail:;
    const int code = errno;
    close_fd(&output[0]);
    close_fd(&output[1]);
    close_fd(&trouble[0]);
    close_fd(&trouble[1]);
    errno = code;
    return false;
}

/* Take what there is to read. False when the output was refused; at its end it is closed. */
static bool take_output(const struct run *run, struct child *child)
{
    char buffer[READ_SIZE];
    while (child->output >= 0) {
        const ssize_t size = read(child->output, buffer, sizeof(buffer));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return true;
        if (size <= 0) {
            close_fd(&child->output);
            return true;
        }
        if (!run->output(buffer, (size_t)size, run->context))
            return false;
        if ((size_t)size < sizeof(buffer))
            return true; /* time for a look at the clock */
    }
    return true;
}

/* Until the command is dead or has to be ended. */
static enum run_end watch(const struct run *run, struct child *child)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = child->pidfd, .events = POLLIN},
                               {.fd = child->output, .events = POLLIN},
                               {.fd = run->cancel, .events = POLLIN}};
        const uint64_t now = sys_now_ms();
        if (now >= run->deadline_ms)
            return RUN_LATE;
        const uint64_t left = run->deadline_ms - now;
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), left < 60000 ? (int)left : 60000) < 0)
            continue;
        if (fds[2].revents)
            return RUN_CANCELLED;
        if (fds[1].revents && !take_output(run, child))
            return RUN_REFUSED;
        if (fds[0].revents)
            return RUN_EXITED;
    }
}

/* Kill its group, reap it and see how it ended by itself. */
static void finish(const struct child *child, struct run_result *result)
{
    siginfo_t info = {0};
    /* The group's number is safe to use as long as its leader is not reaped. */
    (void)kill(-child->pid, SIGKILL);
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED) != 0 && errno == EINTR)
        ;
    result->code = info.si_status;
    if (result->end == RUN_EXITED && info.si_code != CLD_EXITED)
        result->end = RUN_SIGNALLED;
    sweep();
}

enum drover_status run_command(const struct run *run, struct run_result *ret, struct drover_error *error)
{
    struct child child = {.pidfd = -1, .output = -1, .trouble = -1};
    struct run_result result;
    int code = 0;
    if (run->arguments->no_memory || run->environment->no_memory)
        return trouble_memory(error);
    if (!start(run, &child))
        return trouble_errno(error, errno, "no process for '%s'", run->arguments->items[0]);
    result.end = watch(run, &child);
    finish(&child, &result);
    if (result.end == RUN_EXITED || result.end == RUN_SIGNALLED) {
        while (child.output >= 0 && result.end != RUN_REFUSED) {
            struct pollfd rest = {.fd = child.output, .events = POLLIN};
            if (poll(&rest, 1, 0) <= 0)
                break;
            if (!take_output(run, &child))
                result.end = RUN_REFUSED;
        }
    }
    const bool executed = read(child.trouble, &code, sizeof(code)) != (ssize_t)sizeof(code);
    close_fd(&child.pidfd);
    close_fd(&child.output);
    close_fd(&child.trouble);
    if (!executed)
        return trouble_errno(error, code, "'%s' cannot be run in '%s'", run->arguments->items[0], run->directory);
    *ret = result;
    return DROVER_OK;
}

/* --- short commands ------------------------------------------------------------------------------------------------
 */

struct kept {
    char *text;
    size_t size;
};

static bool keep(const char *data, size_t size, void *context)
{
    struct kept *kept = context;
    if (size > SHORT_BYTES - kept->size)
        return false;
    memcpy(kept->text + kept->size, data, size);
    kept->size += size;
    return true;
}

static const char *last_line(char *text)
{
    for (size_t size = strlen(text); size > 0 && text[size - 1] == '\n'; size--)
        text[size - 1] = '\0';
    char *line = strrchr(text, '\n');
    return line ? line + 1 : text;
}

enum drover_status run_for_output(const struct words *arguments, const struct words *environment, char **ret_output,
                                  struct drover_error *error)
{
    struct run_result result = {.end = RUN_EXITED};
    char line[160];
    struct kept kept = {.text = malloc(SHORT_BYTES + 1)};
    if (!kept.text)
        return trouble_memory(error);
    const struct run run = {.arguments = arguments,
                            .environment = environment,
                            .directory = "/",
                            .owner = {.uid = (uid_t)-1},
                            .deadline_ms = sys_now_ms() + SHORT_MS,
                            .cancel = -1,
                            .report = -1,
                            .output = keep,
                            .context = &kept};
    enum drover_status status = run_command(&run, &result, error);
    kept.text[kept.size] = '\0';
    if (status == DROVER_OK && (result.end != RUN_EXITED || result.code != 0)) {
        const char *last = last_line(kept.text);
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s' failed: %s", arguments->items[0],
                                  text_printable(last, strlen(last), line, sizeof(line)));
    }
    if (status == DROVER_OK)
        *ret_output = kept.text;
    else
        free(kept.text);
    return status;
}
