/* control.c - see control.h */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/io/admin.h"
#include "broker/io/control.h"
#include "broker/io/ending.h"
#include "broker/io/log.h"
#include "broker/io/orders.h"
#include "common/sys/sys.h"

enum {
    LAUNCHES = 64,
    DATA_END_MS = 10000, /* what the data thread gets to send what it holds */
};

/* When a worker was launched, for the log; kept for the latest ones. */
struct launch {
    uint64_t worker;
    uint64_t at_us;
};

struct control {
    const struct control_options *options;
    void *pair;
    struct admin admin;
    int epoll;
    struct launch launches[LAUNCHES]; /* by worker number */
    struct ending ending;
    bool stopping, failed, gave_up;
};

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

static void note_launch(struct control *control, uint64_t worker)
{
    control->launches[worker % LAUNCHES] = (struct launch){.worker = worker, .at_us = sys_now_us()};
}

static void log_ready(const struct control *control, uint64_t worker)
{
    const struct launch *launch = &control->launches[worker % LAUNCHES];
    if (launch->worker == worker)
        log_line(LOG_LEVEL_INFO, "worker %llu is ready after %.1f ms", (unsigned long long)worker,
                 (double)(sys_now_us() - launch->at_us) / 1000);
}

/* ---- orders to the data thread ---- */

static void order_service(struct control *control, const struct config_service *service)
{
    struct order *order = order_new(ORDER_SET_SERVICE);
    order->service = copy_text(service->name);
    order->text = copy_text(service->interface);
    order->limits = (struct core_service){.deadline_ms = service->deadline_ms,
                                          .queue_calls = service->queue_calls,
                                          .queue_bytes = service->queue_bytes,
                                          .max_body = service->max_body,
                                          .hang_ms = service->hang_ms,
                                          .retry = service->retry};
    order_send(control->pair, order);
}

static void order_refusal(struct control *control, const char *service, const char *reason)
{
    struct order *order = order_new(ORDER_REFUSE_SERVICE);
    order->service = copy_text(service);
    order->text = reason != NULL ? copy_text(reason) : NULL;
    order_send(control->pair, order);
}

static void order_expected(struct control *control, const struct host_event *event)
{
    const struct roster_entry *entry = roster_find(control->options->roster, event->service);
    struct order *order = order_new(ORDER_EXPECT_WORKER);
    order->worker = event->worker;
    order->generation = event->generation;
    order->service = copy_text(event->service);
    order->text = copy_text(event->artefact);
    memcpy(order->token, event->token, sizeof(order->token));
    if (entry->service->settings_size > 0) {
        order->data = malloc(entry->service->settings_size);
        if (order->data == NULL)
            abort();
        memcpy(order->data, entry->service->settings, entry->service->settings_size);
        order->size = entry->service->settings_size;
    }
    order_send(control->pair, order);
}

/* A generation is given calls as soon as one of its workers is about to come: the one before is being stopped. */
static void order_switch(struct control *control, const struct host_event *event)
{
    struct order *order = order_new(ORDER_SWITCH);
    order->service = copy_text(event->service);
    order->generation = event->generation;
    order_send(control->pair, order);
}

static void order_end(struct control *control, enum order_kind kind, const struct host_event *event)
{
    struct order *order = order_new(kind);
    order->worker = event->worker;
    order->started = event->started;
    order_send(control->pair, order);
}

/* ---- events of the host ---- */

static void log_state(const struct control *control, const struct host_event *event, bool refused)
{
    const bool ready = event->state == HOST_SERVICE_READY; /* what went wrong before is told already */
    if (control->stopping)
        return;
    log_line(refused ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "service '%s' is %s%s%s", event->service,
             host_service_state_name(event->state), ready || event->reason[0] == '\0' ? "" : ": ",
             ready ? "" : event->reason);
}

static void service_state(struct control *control, const struct host_event *event)
{
    const bool refused = event->state == HOST_SERVICE_CRASHLOOP || event->state == HOST_SERVICE_STOPPED ||
                         event->state == HOST_SERVICE_QUARANTINED;
    const char *reason = event->reason[0] != '\0' ? event->reason : "it is stopped";
    log_state(control, event, refused);
    order_refusal(control, event->service, refused ? reason : NULL);
}

static void note_obtained(const struct control *control, const struct host_event *event)
{
    const struct config_service *service = roster_find(control->options->roster, event->service)->service;
    const struct host_obtained *obtained = event->obtained;
    const bool fetched = obtained->commit[0] != '\0';
    log_line(LOG_LEVEL_INFO, "service '%s' has driver %.12s%s%s", service->name, obtained->artefact,
             fetched ? " of commit " : "", obtained->commit);
    lockkeeper_note(control->options->keeper, service, obtained);
}

static void take_events(struct control *control)
{
    struct host_event event;
    while (host_next_event(control->options->host, &event)) {
        switch (event.kind) {
        case HOST_EXPECT:
            order_expected(control, &event);
            order_switch(control, &event);
            note_launch(control, event.worker);
            break;
        case HOST_CLOSED:
            order_end(control, ORDER_WORKER_CLOSED, &event);
            break;
        case HOST_LOST:
            order_end(control, ORDER_WORKER_LOST, &event);
            break;
        case HOST_SERVICE_STATE:
            service_state(control, &event);
            break;
        case HOST_OBTAINED:
            note_obtained(control, &event);
            break;
        }
    }
}

/* ---- notices of the data thread ---- */

static void take_notice(struct control *control, const struct notice *notice)
{
    struct host *host = control->options->host;
    const uint64_t now_ms = sys_now_ms();
    switch (notice->kind) {
    case NOTICE_WORKER_READY:
        log_ready(control, notice->worker);
        host_worker_ready(host, notice->worker, now_ms);
        break;
    case NOTICE_WORKER_CONFIG_ERROR:
        host_worker_config_error(host, notice->worker, notice->text, now_ms);
        break;
    case NOTICE_WORKER_HUNG:
        log_line(LOG_LEVEL_WARNING, "worker %llu is replaced: %s", (unsigned long long)notice->worker, notice->text);
        host_worker_hung(host, notice->worker, now_ms);
        break;
    case NOTICE_WORKER_DRAINED:
        host_worker_drained(host, notice->worker, now_ms);
        break;
    case NOTICE_PROBED:
        log_line(LOG_LEVEL_DEBUG, "worker %llu answered its self-test: %s %s", (unsigned long long)notice->worker,
                 drover_status_name((enum drover_status)notice->call), notice->text);
        break;
    case NOTICE_ADMIN:
        order_send(control->pair, admin_answer(&control->admin, notice, now_ms));
        break;
    case NOTICE_FAILED:
        control->failed = true;
        break;
    }
}

static void take_notices(struct control *control)
{
    struct notice *notice = NULL;
    while ((notice = notice_receive(control->pair)) != NULL) {
        take_notice(control, notice);
        notice_free(notice);
    }
}

/* ---- signals ---- */

static void begin_stop(struct control *control)
{
    if (control->stopping) { /* asked twice: whoever did has no patience for the ladder */
        log_line(LOG_LEVEL_WARNING, "stopping at once");
        control->failed = true;
        return;
    }
    control->stopping = true;
    ending_begin(&control->ending, sys_now_ms());
    log_line(LOG_LEVEL_INFO, "stopping: what runs may finish");
    order_send(control->pair, order_new(ORDER_STOP));
    host_stop(control->options->host, sys_now_ms());
}

/* SIGHUP too: there is no reload of the configuration yet, and no worker must outlive a broker that hangs up. */
static void take_signals(struct control *control)
{
    struct signalfd_siginfo info;
    while (read(control->options->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        begin_stop(control);
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
    take_notices(control);
    host_step(control->options->host, sys_now_ms());
    take_events(control);
    take_notices(control);
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
        order_service(control, entry->service);
        if (host_set_service(control->options->host, &service, sys_now_ms(), error) != DROVER_OK)
            return error->status;
    }
    return DROVER_OK;
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
                  .incarnation = data_incarnation(options->data),
                  .started_ms = sys_now_ms()},
        .epoll = -1,
    };
    enum drover_status status = open_loop(&control, error);
    if (status == DROVER_OK)
        status = start_services(&control, error);
    while (status == DROVER_OK && goes_on(&control))
        turn(&control);
    order_send(control.pair, order_new(ORDER_QUIT));
    if (!data_join(options->data, DATA_END_MS))
        die(&control);
    if (control.epoll >= 0)
        close(control.epoll);
    if (status == DROVER_OK && control.gave_up)
        status = drover_error_set(error, DROVER_INTERNAL, "something that runs could not be stopped");
    else if (status == DROVER_OK && control.failed && !control.stopping)
        status = drover_error_set(error, DROVER_INTERNAL, "the data thread has failed");
    return status;
}
