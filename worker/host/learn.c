/* learn.c - what the broker's core learnt of workers and generations, and what is done by hand */
#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/child.h"
#include "worker/host/replica.h"
#include "worker/host/rolling.h"
#include "worker/host/service.h"
#include "worker/host/testing.h"
#include "worker/host/tuning.h"

static void tell_worker(struct host *host, uint64_t worker, enum supervise_event event, uint64_t now_ms)
{
    struct child *child = child_find(host, worker);
    if (child == NULL)
        return;
    replica_event(child->replica, event, now_ms);
    if (event == SUPERVISE_ON_READY)
        service_worker_ready(child->service);
    host_update(host, now_ms);
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
struct words {
    uint64_t worker;
    const char *text;
    uint64_t now_ms;
};

static void hear_words(struct generation *generation, void *context)
{
    const struct words *words = context;
    for (unsigned i = 0; i < generation->count; i++)
        if (generation->replicas[i].last_number == words->worker)
            replica_config_error(&generation->replicas[i], words->text, words->now_ms);
}

void host_worker_config_error(struct host *host, uint64_t worker, const char *text, uint64_t now_ms)
{
    struct words words = {.worker = worker, .text = text, .now_ms = now_ms};
    struct service *service;
    LL_FOREACH (host->services, service) {
        service_visit(service, hear_words, &words);
    }
    host_update(host, now_ms);
}

void host_worker_probed(struct host *host, uint64_t worker, enum drover_status status, const char *text,
                        uint64_t now_ms)
{
    struct child *child = child_find(host, worker);
    if (child != NULL)
        testing_take(child->replica, status, text);
    host_update(host, now_ms);
}

void host_worker_reconfigured(struct host *host, uint64_t worker, bool taken, const char *text, uint64_t now_ms)
{
    struct child *child = child_find(host, worker);
    if (child != NULL)
        tuning_take(child->replica, taken, text);
    host_update(host, now_ms);
}

void host_generation_counted(struct host *host, const char *name, uint64_t generation,
                             const struct host_tally *previous, const struct host_tally *fresh, uint64_t now_ms)
{
    struct service *service = service_find(host, name);
    if (service == NULL || service->rollout.active.number != generation)
        return;
    service->previous_tally = *previous;
    service->fresh_tally = *fresh;
    service->counted = true;
    host_update(host, now_ms);
}

/* --- by hand -------------------------------------------------------------------------------------------------------
 */

/* The service, if something can be done to it. */
static struct service *find(struct host *host, const char *name, struct drover_error *error)
{
    struct service *service = service_find(host, name);
    if (service == NULL || service->removed) {
        (void)drover_error_set(error, DROVER_NOT_FOUND, "service '%s' is not known (see drover status)", name);
        return NULL;
    }
    if (!host->stopping)
        return service;
    (void)drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s': drover is stopping", name);
    return NULL;
}

static enum drover_status done(struct host *host, uint64_t now_ms)
{
    host_update(host, now_ms);
    return DROVER_OK;
}

enum drover_status host_restart(struct host *host, const char *name, uint64_t now_ms, struct drover_error *error)
{
    struct service *service = find(host, name, error);
    if (service == NULL)
        return error->status;
    service_restart(service, now_ms);
    return done(host, now_ms);
}

enum drover_status host_drain(struct host *host, const char *name, uint64_t now_ms, struct drover_error *error)
{
    struct service *service = find(host, name, error);
    if (service == NULL)
        return error->status;
    service_drain(service, now_ms);
    return done(host, now_ms);
}

static enum drover_status refuse_stopped(const char *name, struct drover_error *error)
{
    return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                            "service '%s' was stopped by hand ('drover restart %s' starts it)", name, name);
}

enum drover_status host_reload(struct host *host, const char *name, bool force, uint64_t now_ms,
                               struct drover_error *error)
{
    struct service *service = find(host, name, error);
    if (service == NULL)
        return error->status;
    if (service->paused)
        return refuse_stopped(name, error);
    service_reload(service, force, now_ms);
    return done(host, now_ms);
}

/* There is something to go back to: a change under way, or an earlier version. */
enum drover_status host_rollback(struct host *host, const char *name, uint64_t now_ms, struct drover_error *error)
{
    struct service *service = find(host, name, error);
    if (service == NULL)
        return error->status;
    if (service->paused)
        return refuse_stopped(name, error);
    if (!rollout_can_go_back(&service->rollout))
        return drover_error_set(
            error, DROVER_FAILED_PRECONDITION,
            "service '%s' has nothing to go back to: no change is under way, and no earlier version "
            "has proved stable",
            name);
    rolling_event(service, ROLLOUT_ON_ROLLBACK, now_ms);
    return done(host, now_ms);
}

static bool is_quarantined(const struct rollout_memory *memory, const struct rollout_hash *artefact)
{
    for (unsigned i = 0; i < memory->quarantine_count; i++)
        if (artefact == NULL || rollout_hash_equal(&memory->quarantine[i].artefact, artefact))
            return true;
    return false;
}

enum drover_status host_unquarantine(struct host *host, const char *name, const char *artefact, uint64_t now_ms,
                                     struct drover_error *error)
{
    struct service *service = find(host, name, error);
    struct rollout_hash hash = {0};
    if (service == NULL)
        return error->status;
    if (artefact != NULL && (strlen(artefact) != ROLLOUT_HASH_TEXT_SIZE - 1 || !rollout_hash_read(artefact, &hash)))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "'%.80s' is no artefact (64 hex digits)", artefact);
    const struct rollout_hash *which = artefact != NULL ? &hash : NULL;
    if (!is_quarantined(&service->rollout.memory, which))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s' has no such version in quarantine",
                                name);
    rolling_unquarantine(service, which, now_ms);
    return done(host, now_ms);
}
