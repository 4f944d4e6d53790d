/* host.c - keeps the workers of services alive on this machine
 *
 * START: host_new() makes the epoll set with the descriptor for SIGCHLD. OPERATION: host_step() forks what was
 * announced before, takes what the descriptors have, runs what is due, hunts orphans; then every service tells what
 * changed. END: host_stop() sends all replicas down the ladder; when the last has ended, whatever else is a child of
 * this process is killed too.
 */
#include "worker/host/host.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utlist.h>

#include "worker/host/child.h"
#include "worker/host/event.h"
#include "worker/host/helper.h"
#include "worker/host/obtaining.h"
#include "worker/host/orphans.h"
#include "worker/host/replica.h"
#include "worker/host/service.h"
#include "worker/store/store.h"

#define REPLICAS_MAX 64
#define EVENTS_A_STEP 64
#define READ_A_STEP ((size_t)64 * 1024) /* octets of one pipe: the rest waits for the next step */
#define SWEEP_AGAIN_MS UINT64_C(50)
#define SWEEPS_IN_VAIN 5 /* in a row, before it is believed: a process in the middle of exec shows no environment */
#define SWEEP_LIMIT_MS UINT64_C(5000) /* a process that the kernel holds fast must not hold us */
#define FREE_ROUNDS 100
#define FREE_ROUND_MS 10

/* Set-up and end */

/* Every death of a child arrives here, also of those that were adopted. */
static int open_child_signal(void)
{
    sigset_t set;
    const struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGCHLD, &action, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool open_descriptors(struct host *host)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = POLL_SIGNAL};
    host->signal_fd = open_child_signal();
    host->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return host->signal_fd >= 0 && host->epoll_fd >= 0 &&
           epoll_ctl(host->epoll_fd, EPOLL_CTL_ADD, host->signal_fd, &event) == 0 && orphans_adopt();
}

static bool copy_option(char **to, const char *text)
{
    *to = text != NULL ? strdup(text) : NULL;
    return text == NULL || *to != NULL;
}

static bool copy_options(struct host *host, const struct host_options *options)
{
    return copy_option(&host->endpoint, options->endpoint) &&
           copy_option(&host->worker_program, options->worker_program) &&
           copy_option(&host->helpers, options->helpers) && copy_option(&host->store_path, options->store) &&
           copy_option(&host->library_folder, options->library_folder);
}

enum drover_status host_new(const struct host_options *options, struct host **ret_host, struct drover_error *error)
{
    struct host *host = calloc(1, sizeof(*host));
    if (host == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "host: no memory");
    host->epoll_fd = host->signal_fd = -1;
    host->next_number = host->next_serial = 1;
    host->sweep_due_ms = host->sweep_end_ms = UINT64_MAX;

    enum drover_status status = DROVER_OK;
    if (!copy_options(host, options))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "host: no memory");
    else if (!open_descriptors(host))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "host: cannot watch child processes: %s",
                                  strerror(errno));
    if (status != DROVER_OK) {
        (void)host_free(host);
        return status;
    }
    *ret_host = host;
    return DROVER_OK;
}

/* Orphans: who is whose */

static bool is_worker(const void *context, pid_t pid)
{
    const struct host *host = context;
    const struct child *child;
    DL_FOREACH (host->children, child) {
        if (child->process.pid == pid)
            return true;
    }
    const struct helper *helper;
    DL_FOREACH (host->running, helper) {
        if (helper->pid == pid)
            return true;
    }
    return false;
}

static bool is_alive(const void *context, uint64_t number)
{
    const struct host *host = context;
    return child_find(host, number) != NULL || helper_find(host, number) != NULL;
}

static unsigned sweep(const struct host *host, bool all)
{
    const struct orphans_view view = {.context = host, .is_worker = is_worker, .is_alive = is_alive, .all = all};
    return orphans_sweep(&view);
}

static void sweep_soon(struct host *host, uint64_t now_ms)
{
    host->sweep_due_ms = now_ms;
    host->sweeps_left = SWEEPS_IN_VAIN;
}

static void free_children(struct host *host)
{
    struct child *child, *next;
    DL_FOREACH_SAFE (host->children, child, next) {
        process_destroy(&child->process);
        (void)child_free(host, child);
    }
    struct helper *helper, *next_helper;
    DL_FOREACH_SAFE (host->running, helper, next_helper) {
        (void)helper_destroy(host, helper);
    }
    for (int round = 0; round < FREE_ROUNDS && sweep(host, true) > 0; round++)
        (void)poll(NULL, 0, FREE_ROUND_MS);
}

/* Remove what helpers that were ended have left in the store. What fails here is done by the next helper. */
static void tidy_store(const struct host *host)
{
    struct store *store = NULL;
    struct drover_error ignored = {0};
    if (!host->cut_short || store_open(host->store_path, NULL, &store, &ignored) != DROVER_OK)
        return;
    (void)!store_sweep(store, NULL, &ignored);
    (void)store_free(store);
}

struct host *host_free(struct host *host)
{
    struct service *service, *next;
    if (host == NULL)
        return NULL;
    if (host->epoll_fd >= 0)
        free_children(host);
    LL_FOREACH_SAFE(host->services, service, next)
    {
        (void)service_free(service);
    }
    tidy_store(host);
    (void)store_free(host->store);
    if (host->epoll_fd >= 0)
        close(host->epoll_fd);
    if (host->signal_fd >= 0)
        close(host->signal_fd);
    free(host->endpoint);
    free(host->worker_program);
    free(host->helpers);
    free(host->store_path);
    free(host->library_folder);
    free(host);
    return NULL;
}

/* Services */

static void update_services(struct host *host)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        service_update(service);
    }
}

enum drover_status host_set_service(struct host *host, const struct host_service *service, uint64_t now_ms,
                                    struct drover_error *error)
{
    if (service->replicas < 1 || service->replicas > REPLICAS_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "service '%s': %u replicas (allowed: 1 to %d)",
                                service->name, service->replicas, REPLICAS_MAX);
    if (host->stopping)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s': drover is stopping", service->name);
    const enum drover_status status = service_set(host, service, now_ms, error);
    update_services(host);
    return status;
}

typedef void by_hand_fn(struct service *service, uint64_t now_ms);

static enum drover_status by_hand(struct host *host, const char *name, by_hand_fn *act, uint64_t now_ms,
                                  struct drover_error *error)
{
    struct service *service = service_find(host, name);
    if (service == NULL)
        return drover_error_set(error, DROVER_NOT_FOUND, "service '%s' is not known (see drover status)", name);
    if (host->stopping)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s': drover is stopping", name);
    act(service, now_ms);
    update_services(host);
    return DROVER_OK;
}

enum drover_status host_restart(struct host *host, const char *service, uint64_t now_ms, struct drover_error *error)
{
    return by_hand(host, service, service_restart, now_ms, error);
}

enum drover_status host_drain(struct host *host, const char *service, uint64_t now_ms, struct drover_error *error)
{
    return by_hand(host, service, service_drain, now_ms, error);
}

/* What the core learnt */

static void tell_worker(struct host *host, uint64_t worker, enum supervise_event event, uint64_t now_ms)
{
    struct child *child = child_find(host, worker);
    if (child == NULL)
        return;
    replica_event(child->replica, event, now_ms);
    if (event == SUPERVISE_ON_READY)
        service_worker_ready(child->service);
    update_services(host);
}

void host_worker_ready(struct host *host, uint64_t worker, uint64_t now_ms)
{
    tell_worker(host, worker, SUPERVISE_ON_READY, now_ms);
}

void host_worker_hung(struct host *host, uint64_t worker, uint64_t now_ms)
{
    tell_worker(host, worker, SUPERVISE_ON_HUNG, now_ms);
}

void host_worker_drained(struct host *host, uint64_t worker, uint64_t now_ms)
{
    tell_worker(host, worker, SUPERVISE_ON_DRAINED, now_ms);
}

/* The worker may have ended before its words arrived: its replica still wants them for the reason. */
void host_worker_config_error(struct host *host, uint64_t worker, const char *text, uint64_t now_ms)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        for (unsigned i = 0; service->current != NULL && i < service->current->count; i++)
            if (service->current->replicas[i].last_number == worker)
                replica_config_error(&service->current->replicas[i], text, now_ms);
    }
    update_services(host);
}

/* Walks over all replicas */

typedef void visit_fn(struct replica *replica, uint64_t now_ms);

static void visit_generation(struct generation *generation, visit_fn *visit, uint64_t now_ms)
{
    for (unsigned i = 0; i < generation->count; i++)
        visit(&generation->replicas[i], now_ms);
}

static void visit_all(struct host *host, visit_fn *visit, uint64_t now_ms)
{
    struct service *service;
    struct generation *retired;
    LL_FOREACH (host->services, service) {
        if (service->current != NULL)
            visit_generation(service->current, visit, now_ms);
        LL_FOREACH (service->retired, retired) {
            visit_generation(retired, visit, now_ms);
        }
    }
}

static void tick(struct replica *replica, uint64_t now_ms)
{
    if (replica->machine.due_ms <= now_ms)
        replica_event(replica, SUPERVISE_ON_TICK, now_ms);
}

/* One step */

static void take_signal(struct host *host, uint64_t now_ms)
{
    struct signalfd_siginfo ignored;
    while (read(host->signal_fd, &ignored, sizeof(ignored)) == (ssize_t)sizeof(ignored))
        ;
    sweep_soon(host, now_ms);
}

static void take_event(struct host *host, const struct epoll_event *event, uint64_t now_ms)
{
    const enum poll_kind kind = (enum poll_kind)(event->data.u64 % POLL_KINDS);
    const uint64_t number = event->data.u64 / POLL_KINDS;
    struct child *child = child_find(host, number);
    struct helper *helper = kind == POLL_HELPER ? helper_find(host, number) : NULL;
    if (kind == POLL_SIGNAL)
        take_signal(host, now_ms);
    else if (helper != NULL)
        helper_check(host, helper, now_ms);
    else if (child == NULL)
        return; /* it died earlier in this step */
    else if (kind == POLL_PIDFD)
        replica_check_death(child->replica, now_ms);
    else
        child_read(host, child, kind == POLL_STDOUT ? CAPTURE_STDOUT : CAPTURE_STDERR, READ_A_STEP);
}

static void take_events(struct host *host, uint64_t now_ms)
{
    struct epoll_event events[EVENTS_A_STEP];
    const int count = epoll_wait(host->epoll_fd, events, EVENTS_A_STEP, 0);
    for (int i = 0; i < count; i++)
        take_event(host, &events[i], now_ms);
}

static bool has_ended(const struct host *host)
{
    const struct service *service;
    const struct child *child;
    DL_FOREACH (host->children, child) {
        if (child->replica != NULL)
            return false;
    }
    LL_FOREACH (host->services, service) {
        for (unsigned i = 0; service->current != NULL && i < service->current->count; i++)
            if (service->current->replicas[i].machine.state != SUPERVISE_STOPPED)
                return false;
    }
    return host->running == NULL;
}

/* When the last worker has ended there is nobody to whom a child could still belong. */
static void sweep_when_due(struct host *host, uint64_t now_ms)
{
    const bool last = host->stopping && has_ended(host);
    if (last && host->sweep_end_ms == UINT64_MAX) {
        host->sweep_end_ms = now_ms + SWEEP_LIMIT_MS;
        sweep_soon(host, now_ms);
    }
    if (now_ms < host->sweep_due_ms)
        return;

    const bool found = sweep(host, last) > 0;
    host->sweeps_left = found ? SWEEPS_IN_VAIN : host->sweeps_left - 1;
    host->swept = last && (!found || now_ms >= host->sweep_end_ms);
    host->sweep_due_ms = host->swept || host->sweeps_left == 0 ? UINT64_MAX : now_ms + SWEEP_AGAIN_MS;
}

void host_step(struct host *host, uint64_t now_ms)
{
    visit_all(host, replica_launch, now_ms);
    take_events(host, now_ms);
    visit_all(host, tick, now_ms);
    obtaining_step_all(host, now_ms);
    sweep_when_due(host, now_ms);
    update_services(host);
}

int host_fd(const struct host *host)
{
    return host->epoll_fd;
}

static uint64_t earliest(const struct generation *generation, uint64_t due_ms)
{
    for (unsigned i = 0; i < generation->count; i++) {
        const struct replica *replica = &generation->replicas[i];
        if (replica->launch_pending)
            return 0;
        if (replica->machine.due_ms < due_ms)
            due_ms = replica->machine.due_ms;
    }
    return due_ms;
}

uint64_t host_deadline_ms(const struct host *host)
{
    uint64_t due_ms = obtaining_next_ms(host);
    const struct service *service;
    const struct generation *retired;
    if (host->events.first != NULL)
        return 0;
    due_ms = host->sweep_due_ms < due_ms ? host->sweep_due_ms : due_ms;
    LL_FOREACH (host->services, service) {
        if (service->current != NULL)
            due_ms = earliest(service->current, due_ms);
        LL_FOREACH (service->retired, retired) {
            due_ms = earliest(retired, due_ms);
        }
    }
    return due_ms;
}

/* Events */

static void describe_child(const struct event_slot *slot, struct host_event *event)
{
    const struct child *child = slot->child;
    event->worker = child->number;
    event->generation = child->generation;
    event->started = child->started;
    event->artefact = child->artefact;
    if (slot->kind == HOST_EXPECT)
        memcpy(event->token, child->token, sizeof(event->token));
}

bool host_next_event(struct host *host, struct host_event *ret_event)
{
    struct event_slot *slot = event_pop(&host->events);
    if (slot == NULL)
        return false;
    *ret_event = (struct host_event){
        .kind = slot->kind, .service = slot->service->name, .state = slot->service->state, .reason = ""};
    if (slot->child != NULL)
        describe_child(slot, ret_event);
    else if (slot->kind == HOST_OBTAINED)
        ret_event->obtained = &slot->service->obtaining->finding.obtained;
    else
        ret_event->reason = slot->service->reason;
    if (slot->kind == HOST_LOST)
        (void)child_free(host, slot->child);
    return true;
}

/* The end */

void host_stop(struct host *host, uint64_t now_ms)
{
    struct service *service;
    if (host->stopping)
        return;
    host->stopping = true;
    sweep_soon(host, now_ms); /* a host without workers ends with the next step */
    LL_FOREACH (host->services, service) {
        service_stop(service, now_ms);
    }
    update_services(host);
}

bool host_is_empty(const struct host *host)
{
    return has_ended(host) && (!host->stopping || host->swept);
}
