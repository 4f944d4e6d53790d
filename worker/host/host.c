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
#include "worker/host/generation.h"
#include "worker/host/grouping.h"
#include "worker/host/helper.h"
#include "worker/host/note.h"
#include "worker/host/obtaining.h"
#include "worker/host/orphans.h"
#include "worker/host/remember.h"
#include "worker/host/replica.h"
#include "worker/host/rolling.h"
#include "worker/host/service.h"
#include "worker/host/watching.h"
#include "worker/store/store.h"
#include "worker/watch/watch.h"

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
           copy_option(&host->library_folder, options->library_folder) && copy_option(&host->memory, options->memory) &&
           copy_option(&host->unwatched, options->unwatched);
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
    groups_free(host);
    notes_free(host);
    tidy_store(host);
    (void)store_free(host->store);
    (void)watch_free(host->watch);
    if (host->epoll_fd >= 0)
        close(host->epoll_fd);
    if (host->signal_fd >= 0)
        close(host->signal_fd);
    free(host->endpoint);
    free(host->worker_program);
    free(host->helpers);
    free(host->store_path);
    free(host->library_folder);
    free(host->memory);
    free(host->unwatched);
    free(host);
    return NULL;
}

/* Services */

static void drop_removed(struct host *host)
{
    struct service **link = &host->services;
    while (*link != NULL) {
        struct service *service = *link;
        if (!service_is_gone(service)) {
            link = &service->next;
            continue;
        }
        struct note *note = note_new(HOST_REMOVED, service->name);
        if (note != NULL)
            note_push(host, note);
        *link = service->next;
        (void)service_free(service);
    }
}

/* A group is judged when all of its services have gone on, and what comes of that may let one go on again. */
void host_update(struct host *host, uint64_t now_ms)
{
    struct service *service;
    host->stale = false;
    do {
        LL_FOREACH (host->services, service) {
            service_update(service, now_ms);
        }
    } while (groups_step(host, now_ms));
    drop_removed(host);
}

enum drover_status host_set_service(struct host *host, const struct host_service *service, uint64_t group,
                                    uint64_t now_ms, struct drover_error *error)
{
    if (service->replicas < 1 || service->replicas > REPLICAS_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "service '%s': %u replicas (allowed: 1 to %d)",
                                service->name, service->replicas, REPLICAS_MAX);
    if (host->stopping)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s': drover is stopping", service->name);
    if (group != 0 && !groups_reserve(host, group))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory", service->name);
    const enum drover_status status = service_set(host, service, group, now_ms, error);
    if (status != DROVER_OK)
        return status;
    if (group != 0)
        groups_join(host, group, service_find(host, service->name));
    else
        host_update(host, now_ms);
    host->stale = group != 0;
    return DROVER_OK;
}

void host_remove_service(struct host *host, const char *name, uint64_t now_ms)
{
    struct service *service = service_find(host, name);
    struct drover_error ignored = {0};
    if (service == NULL || service->removed)
        return;
    groups_leave(host, service);
    service_remove(service, now_ms);
    if (host->memory != NULL && remember_forget(host->memory, name, &ignored) != DROVER_OK)
        note_tell(service, 0, "not-forgotten", "%s", ignored.text);
    host_update(host, now_ms);
}

enum drover_status host_watch_configuration(struct host *host, const char *path, uint64_t now_ms,
                                            struct drover_error *error)
{
    return watching_configuration(host, path, now_ms, error);
}

/* Walks over all replicas */

typedef void visit_fn(struct replica *replica, uint64_t now_ms);

struct visit {
    visit_fn *visit;
    uint64_t now_ms;
};

static void visit_generation(struct generation *generation, void *context)
{
    const struct visit *visit = context;
    for (unsigned i = 0; i < generation->count; i++)
        visit->visit(&generation->replicas[i], visit->now_ms);
}

static void visit_all(struct host *host, visit_fn *function, uint64_t now_ms)
{
    struct visit visit = {.visit = function, .now_ms = now_ms};
    struct service *service;
    LL_FOREACH (host->services, service) {
        service_visit(service, visit_generation, &visit);
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
        return; /* it died earlier in this step; or the watch, at which every step looks */
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

static void look_whether_ended(struct generation *generation, void *context)
{
    bool *ended = context;
    *ended = *ended && generation_has_ended(generation);
}

static bool has_ended(const struct host *host)
{
    const struct service *service;
    const struct child *child;
    bool ended = host->running == NULL;
    DL_FOREACH (host->children, child) {
        ended = ended && child->replica == NULL;
    }
    LL_FOREACH (host->services, service) {
        service_visit(service, look_whether_ended, &ended);
    }
    return ended;
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
    watching_step(host, now_ms);
    obtaining_step_all(host, now_ms);
    sweep_when_due(host, now_ms);
    host_update(host, now_ms);
}

int host_fd(const struct host *host)
{
    return host->epoll_fd;
}

static void find_earliest(struct generation *generation, void *context)
{
    uint64_t *due_ms = context;
    for (unsigned i = 0; i < generation->count; i++) {
        const struct replica *replica = &generation->replicas[i];
        if (replica->launch_pending)
            *due_ms = 0;
        else if (replica->machine.due_ms < *due_ms)
            *due_ms = replica->machine.due_ms;
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t host_deadline_ms(const struct host *host)
{
    const struct service *service;
    if (host->events.first != NULL || host->stale)
        return 0;
    uint64_t due_ms = earlier(earlier(obtaining_next_ms(host), watching_next_ms(host)), host->sweep_due_ms);
    LL_FOREACH (host->services, service) {
        due_ms = earlier(due_ms, rolling_next_ms(service));
        service_visit(service, find_earliest, &due_ms);
    }
    return due_ms;
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
    host_update(host, now_ms);
}

bool host_is_empty(const struct host *host)
{
    return has_ended(host) && (!host->stopping || host->swept);
}
