/* control.c - the loop, the signals, the start and the end; see control.h */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/io/absent.h"
#include "broker/io/control_parts.h"
#include "broker/io/log.h"
#include "broker/io/tell.h"
#include "common/sys/sys.h"

enum { DATA_END_MS = 10000 }; /* what the data thread gets to send what it holds */

/* ---- signals ---- */

static void begin_stop(struct control *control)
{
    if (control->stopping) { /* asked twice: whoever did has no patience for the ladder */
        log_line(LOG_LEVEL_WARNING, "stopping at once");
        control->failed = true;
        return;
    }
    control->stopping = true;
    change_stop(control->change);
    ending_begin(&control->ending, sys_now_ms());
    log_line(LOG_LEVEL_INFO, "stopping: what runs may finish");
    order_send(control->pair, order_new(ORDER_STOP));
    host_stop(control->options->host, sys_now_ms());
}

static void take_signals(struct control *control)
{
    struct signalfd_siginfo info;
    while (read(control->options->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGHUP)
            begin_stop(control);
        else if (!control->stopping)
            reloader_run(&control->reloader, sys_now_ms());
    }
}

/* ---- the loop ---- */

static int sleep_ms(const struct control *control)
{
    const uint64_t host_ms = host_deadline_ms(control->options->host), ending_ms = ending_due_ms(&control->ending);
    const uint64_t next_ms = host_ms < ending_ms ? host_ms : ending_ms;
    const uint64_t now_ms = sys_now_ms();
    if (next_ms == UINT64_MAX)
        return -1;
    if (next_ms <= now_ms)
        return 0;
    return next_ms - now_ms < INT_MAX ? (int)(next_ms - now_ms) : INT_MAX;
}

static bool goes_on(const struct control *control)
{
    return !control->failed && !control->gave_up && !(control->stopping && host_is_empty(control->options->host));
}

/* The PAIR's descriptor is edge-triggered, so it is emptied before every sleep. */
static void turn(struct control *control)
{
    struct epoll_event events[8];
    take_signals(control);
    control_take_notices(control);
    host_step(control->options->host, sys_now_ms());
    control_take_events(control);
    change_turn(control->change, sys_now_ms());
    if (!control->stopping)
        reloader_turn(&control->reloader, sys_now_ms());
    control_take_notices(control);
    control->gave_up = !ending_step(&control->ending, control->options->host, sys_now_ms());
    if (goes_on(control))
        (void)epoll_wait(control->epoll, events, 8, sleep_ms(control));
}

static int watch(const struct control *control, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(control->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static enum drover_status open_loop(struct control *control, struct drover_error *error)
{
    int descriptor = -1;
    size_t size = sizeof(descriptor);
    control->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (control->epoll < 0 || zmq_getsockopt(control->pair, ZMQ_FD, &descriptor, &size) != 0 ||
        watch(control, descriptor) != 0 || watch(control, control->options->signals) != 0 ||
        watch(control, host_fd(control->options->host)) != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the control loop cannot be set up: %s",
                                strerror(errno));
    return DROVER_OK;
}

static enum drover_status start_services(struct control *control, struct drover_error *error)
{
    const struct roster *roster = control->options->roster;
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_entry *entry = &roster->entries[i];
        const struct host_service service = roster_host_service(roster, entry);
        tell_service(control->pair, entry->service);
        if (host_set_service(control->options->host, &service, 0, sys_now_ms(), error) != DROVER_OK)
            return error->status;
    }
    return DROVER_OK;
}

/* A file that cannot be watched is no reason not to run: a reload by hand reads it. */
static void watch_configuration(const struct control *control)
{
    struct drover_error error = {0};
    const char *path = control->options->roster->config->path;
    char *absolute = sys_absolute_path(path);
    if (host_watch_configuration(control->options->host, absolute != NULL ? absolute : path, sys_now_ms(), &error) !=
        DROVER_OK)
        log_line(LOG_LEVEL_WARNING, "the configuration file is not watched: %s", error.text);
    free(absolute);
}

static enum drover_status start(struct control *control, struct drover_error *error)
{
    const struct control_options *options = control->options;
    const struct change_options change = {
        .host = options->host, .pair = control->pair, .roster = options->roster, .history = &control->history};
    control->change = change_new(&change);
    if (control->change == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for the control loop");
    reloader_init(&control->reloader, options->roster, options->keeper, &control->history, control->change);
    absent_tell(options->roster, &control->history);
    if (open_loop(control, error) != DROVER_OK || start_services(control, error) != DROVER_OK)
        return error->status;
    watch_configuration(control);
    return DROVER_OK;
}

static void control_done(struct control *control)
{
    if (control->epoll >= 0)
        close(control->epoll);
    control->change = change_free(control->change);
    history_done(&control->history);
}

/* The data thread is stuck: nothing that it uses can be released. The workers go with this process. */
static _Noreturn void die(const struct control *control)
{
    log_line(LOG_LEVEL_ERROR, "the data thread does not end: the broker ends without it");
    (void)host_free(control->options->host);
    _exit(EX_SOFTWARE);
}

enum drover_status control_run(const struct control_options *options, struct drover_error *error)
{
    struct control control = {
        .options = options,
        .pair = data_pair(options->data),
        .admin = {.host = options->host,
                  .roster = options->roster,
                  .keeper = options->keeper,
                  .history = &control.history,
                  .reloader = &control.reloader,
                  .incarnation = data_incarnation(options->data),
                  .started_ms = sys_now_ms()},
        .epoll = -1,
    };
    history_init(&control.history);
    enum drover_status status = start(&control, error);
    while (status == DROVER_OK && goes_on(&control))
        turn(&control);
    order_send(control.pair, order_new(ORDER_QUIT));
    if (!data_join(options->data, DATA_END_MS))
        die(&control);
    control_done(&control);
    if (status == DROVER_OK && control.gave_up)
        status = drover_error_set(error, DROVER_INTERNAL, "something that runs could not be stopped");
    else if (status == DROVER_OK && control.failed && !control.stopping)
        status = drover_error_set(error, DROVER_INTERNAL, "the data thread has failed");
    return status;
}
