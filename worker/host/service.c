/* service.c - a service: its beginning and end, what is wanted of it, and how its driver is obtained */
#include "worker/host/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "common/sys/sys.h"
#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/grouping.h"
#include "worker/host/note.h"
#include "worker/host/obtaining.h"
#include "worker/host/rolling.h"
#include "worker/host/runnable.h"
#include "worker/host/tuning.h"
#include "worker/host/versions.h"
#include "worker/host/wanted.h"
#include "worker/host/watching.h"

struct service *service_find(const struct host *host, const char *name)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        if (strcmp(service->name, name) == 0)
            return service;
    }
    return NULL;
}

/* --- beginning and end ---------------------------------------------------------------------------------------------
 */

static void init_slot(struct service *service, struct event_slot *slot, enum host_event_kind kind)
{
    *slot = (struct event_slot){.kind = kind, .service = service};
}

static struct service *service_new(struct host *host, const char *name)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->host = host;
    service->name = strdup(name);
    service->number = ++host->next_service;
    service->state = HOST_SERVICE_STOPPED;
    init_slot(service, &service->state_event, HOST_SERVICE_STATE);
    init_slot(service, &service->obtained_event, HOST_OBTAINED);
    init_slot(service, &service->switch_event, HOST_SWITCH);
    init_slot(service, &service->count_event, HOST_COUNT);
    return service->name != NULL ? service : service_free(service);
}

static void free_generations(struct service *service)
{
    struct generation *generation, *next;
    LL_FOREACH_SAFE(service->retired, generation, next)
    {
        (void)generation_free(generation);
    }
    (void)generation_free(service->candidate);
    (void)generation_free(service->current);
}

static void free_versions(struct service *service)
{
    struct runnable *runnable, *next;
    struct configuration *configuration, *after;
    LL_FOREACH_SAFE(service->runnables, runnable, next)
    {
        (void)runnable_unref(runnable);
    }
    LL_FOREACH_SAFE(service->configurations, configuration, after)
    {
        (void)wanted_unref(configuration->wanted);
        free(configuration);
    }
}

struct service *service_free(struct service *service)
{
    if (service == NULL)
        return NULL;
    struct event_slot *const slots[] = {&service->state_event, &service->obtained_event, &service->switch_event,
                                        &service->count_event};
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
        event_remove(&service->host->events, slots[i]);
    (void)obtaining_free(service->obtaining, 0);
    for (unsigned i = 0; i < service->log_count; i++)
        capture_log_done(&service->logs[i]);
    free(service->logs);
    tuning_end(service);
    free_generations(service);
    free_versions(service);
    (void)wanted_unref(service->wanted);
    free(service->name);
    free(service);
    return NULL;
}

/* --- what is wanted ------------------------------------------------------------------------------------------------
 */

/* Logs outlive generations: a replica writes on where the one before it in the same place stopped. */
static bool grow_logs(struct service *service, unsigned count)
{
    if (count <= service->log_count)
        return true;
    struct capture_log *logs = realloc(service->logs, count * sizeof(*logs));
    if (logs == NULL)
        return false;
    memset(&logs[service->log_count], 0, (count - service->log_count) * sizeof(*logs));
    service->logs = logs;
    service->log_count = count;
    return true;
}

void service_renew_source(struct service *service)
{
    sys_random(service->source.octets, sizeof(service->source.octets));
}

/* Takes the reference. */
static void want(struct service *service, struct wanted *wanted, uint64_t now_ms)
{
    struct wanted *before = service->wanted;
    const bool same = before != NULL && wanted_same_origin(before, wanted);
    service->wanted = wanted;
    if (!same)
        service_renew_source(service);
    if (before == NULL)
        rolling_init(service);
    rolling_adopt_rules(service);
    watching_set(service, before, now_ms);
    (void)wanted_unref(before);
}

static bool is_of_configuration(const struct wanted *wanted, const struct rollout_hash *configuration)
{
    const struct rollout_hash own = wanted_configuration(wanted);
    return rollout_hash_equal(&own, configuration);
}

/* Where only limits and times are new what serves has them at once. */
static void change(struct service *service, uint64_t group, uint64_t now_ms)
{
    const struct rollout_hash configuration = wanted_configuration(service->wanted);
    struct generation *current = service->current;
    if (current != NULL && is_of_configuration(current->wanted, &configuration))
        generation_adopt(current, service->wanted);
    rolling_change(service, false, group, now_ms);
}

enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t group, uint64_t now_ms,
                               struct drover_error *error)
{
    struct service *known = service_find(host, options->name);
    if (known != NULL && known->removed)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "service '%s' is still being removed: try again",
                                options->name);
    struct service *service = known != NULL ? known : service_new(host, options->name);
    struct wanted *wanted = wanted_new(options);
    if (service == NULL || wanted == NULL || !grow_logs(service, options->replicas)) {
        (void)wanted_unref(wanted);
        if (known == NULL)
            (void)service_free(service);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory to start it", options->name);
    }
    if (known == NULL)
        LL_APPEND(host->services, service);
    const bool tunes = known != NULL && group == 0 && tuning_is_possible(service, wanted);
    struct wanted *before = service->wanted != NULL ? wanted_ref(service->wanted) : NULL;
    want(service, wanted, now_ms);
    const struct rollout_hash configuration = wanted_configuration(wanted);
    if (before != NULL && (group != 0 || !is_of_configuration(before, &configuration)))
        rolling_forgive(service, now_ms);
    if (tunes)
        tuning_begin(service, wanted, &configuration);
    else
        change(service, group, now_ms);
    (void)wanted_unref(before);
    return DROVER_OK;
}

/* The new settings have been taken, or a new generation has to have them. */
void service_end_tuning(struct service *service, uint64_t now_ms)
{
    const enum answer answer = tuning_judge(service);
    if (answer != ANSWERED_WELL && answer != ANSWERED_BADLY)
        return;
    const struct rollout_hash configuration = service->tuning.configuration;
    const bool newest = service->tuning.wanted == service->wanted;
    if (answer == ANSWERED_WELL)
        generation_adopt(service->current, service->tuning.wanted);
    tuning_end(service);
    if (answer == ANSWERED_WELL) {
        note_tell(service, service->current->number, "reconfigured", "its workers have taken new settings as they run");
        rolling_reconfigured(service, &configuration, now_ms);
    }
    if (answer == ANSWERED_BADLY || !newest)
        rolling_change(service, false, 0, now_ms);
}

/* --- drivers that are obtained -------------------------------------------------------------------------------------
 */

void service_source_changed(struct service *service, uint64_t now_ms)
{
    const struct host_origin *origin = &service->wanted->origin;
    const struct rollout *rollout = &service->rollout;
    const uint64_t group = groups_of(service);
    service_renew_source(service);
    note_tell(service, 0, "changed", "%s", origin->path != NULL ? origin->path : origin->url);
    service->source_waits = group != 0 && (rollout->state != ROLLOUT_OBTAINING || rollout->candidate.group != group);
    if (!service->paused && !service->removed && !service->source_waits)
        rolling_change(service, false, group, now_ms);
}

/* It is made anew from what its source is now. */
static void repaired(struct service *service, const struct runnable *runnable, uint64_t now_ms)
{
    service->repairing = false;
    if (service->current == NULL)
        return;
    if (rollout_hash_equal(&runnable->hash, &service->current->runnable->hash))
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
    else
        service_source_changed(service, now_ms);
}

void service_obtained(struct service *service, uint64_t now_ms)
{
    struct runnable *runnable = runnable_of_finding(service->host, &service->obtaining->finding);
    event_push(&service->host->events, &service->obtained_event);
    if (runnable == NULL) {
        service_not_obtained(service, "no memory to start it ('drover restart' tries again)", true);
        return;
    }
    if (service->repairing) {
        repaired(service, runnable, now_ms);
        (void)runnable_unref(runnable);
        return;
    }
    service->version.artefact = runnable->hash;
    service->news = IS_OBTAINED;
    versions_keep(service, runnable);
}

void service_not_obtained(struct service *service, const char *reason, bool refused)
{
    (void)snprintf(service->change_reason, sizeof(service->change_reason), "%s", reason);
    if (!refused || service->repairing)
        return;
    (void)snprintf(service->news_reason, sizeof(service->news_reason), "%s", reason);
    service->news = IS_NOT_OBTAINED;
}

/* What is in the store is compared with its name and made again, once: a store that damages all goes the way of any
 * driver that cannot be started. */
void service_driver_damaged(struct service *service, uint64_t now_ms)
{
    const enum rollout_state state = service->rollout.state;
    const bool at_rest = state == ROLLOUT_SERVING || state == ROLLOUT_PROBATION || state == ROLLOUT_STARTING;
    if (service->obtaining == NULL || service->repaired || !at_rest)
        return;
    service->repaired = service->repairing = true;
    obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
}

void service_worker_ready(struct service *service)
{
    service->repaired = false;
}

/* --- the end -------------------------------------------------------------------------------------------------------
 */

void service_remove(struct service *service, uint64_t now_ms)
{
    service->removed = true;
    watching_end(service);
    tuning_end(service);
    rolling_event(service, ROLLOUT_ON_STOP, now_ms);
    service->obtaining = obtaining_free(service->obtaining, now_ms);
    event_remove(&service->host->events, &service->obtained_event);
    (void)snprintf(service->reason, sizeof(service->reason), "it is not configured any more");
}

bool service_is_gone(const struct service *service)
{
    const struct child *child;
    DL_FOREACH (service->host->children, child) {
        if (child->service == service)
            return false;
    }
    return service->removed && service->current == NULL && service->candidate == NULL && service->retired == NULL;
}

static void stop_generation(struct generation *generation, void *context)
{
    const uint64_t *now_ms = context;
    generation_event(generation, SUPERVISE_ON_STOP, *now_ms);
}

void service_stop(struct service *service, uint64_t now_ms)
{
    watching_end(service);
    if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_STOP, now_ms);
    rolling_event(service, ROLLOUT_ON_STOP, now_ms);
    service_visit(service, stop_generation, &now_ms);
    (void)snprintf(service->reason, sizeof(service->reason), "drover is stopping");
}
