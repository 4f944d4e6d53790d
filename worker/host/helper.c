/* helper.c - one helper program under way */
#include "worker/host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utlist.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/host/obtaining.h"
#include "worker/host/spawn.h"
#include "worker/host/state.h"

#define READ_SIZE 16384
#define READ_A_STEP ((size_t)256 * 1024) /* octets of one pipe: the rest waits for the next step */
#define DESTROY_MS 2000

/* --- release -------------------------------------------------------------------------------------------------------
 */

static void close_fd(const struct host *host, int *fd)
{
    if (*fd < 0)
        return;
    (void)epoll_ctl(host->epoll_fd, EPOLL_CTL_DEL, *fd, NULL);
    close(*fd);
    *fd = -1;
}

static struct helper *helper_free(struct host *host, struct helper *helper)
{
    close_fd(host, &helper->pidfd);
    close_fd(host, &helper->output);
    close_fd(host, &helper->errors);
    json_decref(helper->result);
    capture_log_done(&helper->log);
    free(helper->line);
    free(helper);
    return NULL;
}

struct helper *helper_find(const struct host *host, uint64_t number)
{
    struct helper *helper;
    DL_FOREACH (host->running, helper) {
        if (helper->number == number)
            return helper;
    }
    return NULL;
}

/* --- start ---------------------------------------------------------------------------------------------------------
 */

static bool is_own_variable(const char *entry)
{
    return strncmp(entry, "DROVER_", strlen("DROVER_")) == 0;
}

/* The host's environment without DROVER_*, and in front a number by which what the helper leaves behind is told. The
 * first entry and the list itself are for the caller to free(). */
static char **make_environment(uint64_t number)
{
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **environment = calloc(count + 2, sizeof(*environment));
    char *own = text_format("%s=%" PRIu64, LAUNCH_ENV_NUMBER, number);
    if (environment == NULL || own == NULL) {
        free(environment);
        free(own);
        return NULL;
    }
    size_t used = 0;
    environment[used++] = own;
    for (size_t i = 0; i < count; i++)
        if (!is_own_variable(environ[i]))
            environment[used++] = environ[i];
    return environment;
}

static void free_environment(char **environment)
{
    if (environment != NULL)
        free(environment[0]);
    free(environment);
}

static void close_pipe(int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    ends[0] = ends[1] = -1;
}

static bool open_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool start_process(struct helper *helper, const struct helper_plan *plan)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1};
    char **environment = make_environment(helper->number);
    if (environment == NULL)
        errno = ENOMEM;
    if (environment != NULL && open_pipe(output) && open_pipe(errors)) {
        const struct spawn process = {.program = plan->program,
                                      .arguments = plan->arguments,
                                      .environment = environment,
                                      .directory = "/",
                                      .output = output[1],
                                      .errors = errors[1],
                                      .death_signal = SIGTERM}; /* it ends what it has started, then itself */
        helper->pid = spawn(&process, &helper->pidfd);
    }
    const int code = errno;
    if (helper->pid > 0) {
        helper->output = output[0];
        helper->errors = errors[0];
        output[0] = errors[0] = -1;
    }
    close_pipe(output);
    close_pipe(errors);
    free_environment(environment);
    errno = code;
    return helper->pid > 0;
}

static bool watch(const struct host *host, const struct helper *helper, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = helper->number * POLL_KINDS + POLL_HELPER};
    return epoll_ctl(host->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

enum drover_status helper_start(struct host *host, struct obtaining *owner, const struct helper_plan *plan,
                                struct helper **ret, struct drover_error *error)
{
    struct helper *helper = calloc(1, sizeof(*helper));
    if (helper == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot start %s: no memory", plan->program);
    helper->number = host->next_number++;
    helper->owner = owner;
    helper->pid = -1;
    helper->pidfd = helper->output = helper->errors = -1;
    helper->due_ms = plan->deadline_ms;
    const bool started = start_process(helper, plan);
    const bool watched = started && watch(host, helper, helper->pidfd) && watch(host, helper, helper->output) &&
                         watch(host, helper, helper->errors);
    const int code = errno;
    if (started)
        DL_APPEND(host->running, helper);
    if (watched) {
        *ret = helper;
        return DROVER_OK;
    }
    (void)(started ? helper_destroy(host, helper) : helper_free(host, helper));
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "cannot start %s: %s", plan->program, strerror(code));
}

/* --- what it says --------------------------------------------------------------------------------------------------
 */

static void take_event(struct helper *helper, json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "event"));
    if (name != NULL && (strcmp(name, "done") == 0 || strcmp(name, "error") == 0)) {
        json_decref(helper->result);
        helper->result = json_incref(event);
    } else if (name != NULL && helper->owner != NULL) {
        obtaining_progress(helper->owner, event);
    }
    json_decref(event);
}

/* What is no JSON was not meant for us. */
static void take_line(struct helper *helper)
{
    json_t *event = helper->line_dropped ? NULL : json_loadb(helper->line, helper->line_size, 0, NULL);
    if (event != NULL)
        take_event(helper, event);
    helper->line_size = 0;
    helper->line_dropped = false;
}

static bool make_room(struct helper *helper, size_t size)
{
    const size_t needed = helper->line_size + size;
    if (needed <= helper->line_capacity)
        return true;
    if (needed > HELPER_LINE_MAX)
        return false;
    char *line = realloc(helper->line, needed * 2);
    if (line == NULL)
        return false;
    helper->line = line;
    helper->line_capacity = needed * 2;
    return true;
}

static void take_output(struct helper *helper, const char *data, size_t size)
{
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        const size_t part = end != NULL ? (size_t)(end - data) : size;
        if (!helper->line_dropped && make_room(helper, part)) {
            memcpy(helper->line + helper->line_size, data, part);
            helper->line_size += part;
        } else {
            helper->line_dropped = true;
        }
        if (end == NULL)
            return;
        take_line(helper);
        data += part + 1;
        size -= part + 1;
    }
}

static void take_errors(struct host *host, struct helper *helper, const char *data, size_t size)
{
    const struct capture_origin origin = {
        .pid = helper->pid, .source = CAPTURE_STDERR, .wall_ms = sys_wall_ms(), .next_serial = &host->next_serial};
    capture_feed(&helper->error_stream, &helper->log, &origin, data, size);
    if (helper->owner != NULL)
        obtaining_errors(helper->owner, &origin, data, size);
}

static void read_pipe(struct host *host, struct helper *helper, int *fd)
{
    char buffer[READ_SIZE];
    for (size_t taken = 0; *fd >= 0 && taken < READ_A_STEP;) {
        const ssize_t size = read(*fd, buffer, sizeof(buffer));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            return;
        if (size <= 0) {
            close_fd(host, fd);
            return;
        }
        if (fd == &helper->output)
            take_output(helper, buffer, (size_t)size);
        else
            take_errors(host, helper, buffer, (size_t)size);
        taken += (size_t)size;
    }
}

/* --- its end -------------------------------------------------------------------------------------------------------
 */

/* A group has no descriptor; its number is safe as long as the leader is not reaped. */
static void signal_group(const struct helper *helper, int number)
{
    (void)kill(-helper->pid, number);
    (void)kill(-helper->pid, SIGCONT);
}

/* What is left of its group goes before its number does. */
static bool reap(const struct helper *helper, siginfo_t *info)
{
    memset(info, 0, sizeof(*info));
    if (waitid(P_PID, (id_t)helper->pid, info, WEXITED | WNOHANG | WNOWAIT) != 0 || info->si_pid != helper->pid)
        return false;
    (void)kill(-helper->pid, SIGKILL);
    return waitid(P_PID, (id_t)helper->pid, info, WEXITED | WNOHANG) == 0;
}

void helper_check(struct host *host, struct helper *helper, uint64_t now_ms)
{
    siginfo_t info;
    read_pipe(host, helper, &helper->output);
    read_pipe(host, helper, &helper->errors);
    if (!reap(helper, &info))
        return;
    read_pipe(host, helper, &helper->output); /* its last words */
    read_pipe(host, helper, &helper->errors);
    const struct helper_end end = {.result = helper->result,
                                   .late = helper->late,
                                   .code = info.si_code,
                                   .status = info.si_status,
                                   .last_error = capture_last_error(&helper->log, helper->pid)};
    struct obtaining *owner = helper->owner;
    DL_DELETE(host->running, helper);
    if (owner != NULL)
        obtaining_ended(owner, &end, now_ms);
    else
        host->cut_short = true;
    (void)helper_free(host, helper);
}

static void end_by_signal(struct helper *helper, uint64_t now_ms)
{
    signal_group(helper, helper->signals == 0 ? SIGTERM : SIGKILL);
    helper->due_ms = helper->signals == 0 ? now_ms + HELPER_GRACE_MS : UINT64_MAX;
    helper->signals++;
}

void helper_tick(struct helper *helper, uint64_t now_ms)
{
    if (now_ms < helper->due_ms)
        return;
    helper->late = true;
    end_by_signal(helper, now_ms);
}

void helper_cancel(struct helper *helper, uint64_t now_ms)
{
    helper->owner = NULL;
    if (helper->signals == 0)
        end_by_signal(helper, now_ms);
}

struct helper *helper_destroy(struct host *host, struct helper *helper)
{
    siginfo_t info;
    struct pollfd death = {.fd = helper->pidfd, .events = POLLIN};
    (void)kill(-helper->pid, SIGKILL);
    (void)poll(&death, 1, DESTROY_MS);
    (void)reap(helper, &info);
    if (helper->owner != NULL)
        helper->owner->helper = NULL;
    DL_DELETE(host->running, helper);
    host->cut_short = true;
    return helper_free(host, helper);
}
