/* service.c - a service: what is wanted of it, what was done to it by hand, its state, the reason it is not ready
 *
 * The reason is the last thing that went wrong. That of workers stays when they are back (`drover status` shows it as
 * last_error) until all of them have been ready for 5 minutes, or a restart by hand, or a new generation; that of a
 * change stays until the next one.
 */
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

/* From now on what the driver comes from is another one, as far as anybody knows: whether the bytes are, is seen when
 * they have been obtained. */
static void renew_source(struct service *service)
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
        renew_source(service);
    if (before == NULL)
        rolling_init(service);
    rolling_adopt_rules(service);
    watching_set(service, before, now_ms);
    (void)wanted_unref(before);
}

/* Its workers take what is new as they run, or a generation is made that has it. */
static void change(struct service *service, const struct wanted *before, uint64_t group, uint64_t now_ms)
{
    const struct rollout_hash configuration = wanted_configuration(service->wanted);
    struct generation *current = service->current;
    if (before != NULL && current != NULL) {
        const struct rollout_hash present = wanted_configuration(current->wanted);
        if (current->wanted == before && rollout_hash_equal(&present, &configuration))
            generation_adopt(current, service->wanted);
    }
    rolling_change(service, false, group, now_ms);
}

static bool is_of_configuration(const struct wanted *wanted, const struct rollout_hash *configuration)
{
    const struct rollout_hash own = wanted_configuration(wanted);
    return rollout_hash_equal(&own, configuration);
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
        change(service, before, group, now_ms);
    (void)wanted_unref(before);
    return DROVER_OK;
}

/* The new settings have been taken, or a new generation has to have them. */
static void end_tuning(struct service *service, uint64_t now_ms)
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
    renew_source(service);
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
    rolling_keep(service, runnable);
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

/* --- by hand -------------------------------------------------------------------------------------------------------
 */

static void clear_reasons(struct service *service)
{
    service->reason[0] = '\0';
    service->change_reason[0] = '\0';
}

/* What calls depend on: what serves, or is the first that is to. */
static struct generation *lead(const struct service *service)
{
    if (service->current != NULL)
        return service->current;
    return service->candidate;
}

/* Nothing serves yet: what is under way begins again. */
static void restart_first(struct service *service, uint64_t now_ms)
{
    if (service->rollout.state == ROLLOUT_OBTAINING && service->obtaining != NULL) {
        obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
        return;
    }
    if (service->candidate != NULL)
        generation_event(service->candidate, SUPERVISE_ON_RESTART, now_ms);
    if (service->wanted->service.origin != NULL || service->candidate == NULL) {
        renew_source(service);
        rolling_change(service, service->candidate == NULL, 0, now_ms);
    }
}

void service_restart(struct service *service, uint64_t now_ms)
{
    const bool was_paused = service->paused;
    clear_reasons(service);
    service->paused = false;
    service->asked = true;
    if (service->current == NULL) {
        restart_first(service, now_ms);
        return;
    }
    const enum rollout_state state = service->rollout.state;
    const bool at_rest = state == ROLLOUT_SERVING || state == ROLLOUT_PROBATION;
    const bool can_wait = at_rest || state == ROLLOUT_OBTAINING; /* for what is there now, which may take over anyway */
    if (was_paused || !can_wait || generation_census(service->current).ready == 0)
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
    else
        service->restarting = true;
    if (at_rest && service->wanted->service.origin != NULL)
        renew_source(service);
    if (at_rest)
        rolling_change(service, false, 0, now_ms);
}

void service_drain(struct service *service, uint64_t now_ms)
{
    service->paused = true;
    service->restarting = false;
    if (service->current != NULL)
        rolling_event(service, ROLLOUT_ON_CALL_OFF, now_ms);
    else if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_STOP, now_ms);
    struct generation *generation = lead(service);
    if (generation != NULL)
        generation_event(generation, SUPERVISE_ON_DRAIN, now_ms);
    (void)snprintf(service->reason, sizeof(service->reason), "stopped by hand ('drover restart %s' starts it)",
                   service->name);
}

void service_reload(struct service *service, bool force, uint64_t now_ms)
{
    service->asked = true;
    if (service->wanted->service.origin != NULL)
        renew_source(service);
    rolling_change(service, force, 0, now_ms);
}

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

/* --- state and reason ----------------------------------------------------------------------------------------------
 */

void service_set_reason(const struct generation *generation, const char *text)
{
    struct service *service = generation->service;
    if (generation == lead(service))
        (void)snprintf(service->reason, sizeof(service->reason), "%s", text);
}

static enum host_service_state judge_replicas(const struct census *census, unsigned count)
{
    if (census->ready == count)
        return HOST_SERVICE_READY;
    if (census->ready > 0)
        return HOST_SERVICE_DEGRADED;
    if (census->wanted == 0)
        return HOST_SERVICE_STOPPED;
    return census->looping == census->wanted ? HOST_SERVICE_CRASHLOOP : HOST_SERVICE_STARTING;
}

/* What is said when nothing runs and nothing is to: the driver is on its way, cannot be had, or nobody wants it. */
static enum host_service_state judge_obtaining(const struct service *service)
{
    const struct obtaining *obtaining = service->obtaining;
    const enum rollout_state state = service->rollout.state;
    if (obtaining != NULL && obtain_is_busy(&obtaining->machine))
        return HOST_SERVICE_BUILDING;
    if (obtaining != NULL && obtaining->quarantine)
        return HOST_SERVICE_QUARANTINED;
    return state == ROLLOUT_WAITING ? HOST_SERVICE_STARTING : HOST_SERVICE_STOPPED;
}

static enum host_service_state judge(const struct service *service)
{
    const struct generation *generation = lead(service);
    enum host_service_state state = HOST_SERVICE_STOPPED;
    if (generation != NULL) {
        const struct census census = generation_census(generation);
        state = judge_replicas(&census, generation->count);
    }
    return state == HOST_SERVICE_STOPPED ? judge_obtaining(service) : state;
}

/* Of two reasons that of the workers counts as long as there are any, and something is wrong with them. */
const char *service_reason(const struct service *service)
{
    const bool fine = service->state == HOST_SERVICE_READY || lead(service) == NULL;
    if (service->reason[0] != '\0' && (!fine || service->change_reason[0] == '\0'))
        return service->reason;
    return service->change_reason;
}

static void forget_old_reason(struct service *service)
{
    const struct generation *current = service->current;
    if (current != NULL && generation_census(current).healthy == current->count)
        service->reason[0] = '\0';
}

void service_update(struct service *service, uint64_t now_ms)
{
    rolling_step(service, now_ms);
    end_tuning(service, now_ms);
    forget_old_reason(service);
    const enum host_service_state before = service->state;
    service->state = judge(service);
    const char *reason = service_reason(service);
    if (service->state == before && strcmp(reason, service->told_reason) == 0)
        return;
    (void)snprintf(service->told_reason, sizeof(service->told_reason), "%s", reason);
    event_push(&service->host->events, &service->state_event);
}

/* --- walks ---------------------------------------------------------------------------------------------------------
 */

void service_visit(const struct service *service, service_visit_fn *visit, void *context)
{
    struct generation *retired, *next;
    if (service->current != NULL)
        visit(service->current, context);
    if (service->candidate != NULL)
        visit(service->candidate, context);
    LL_FOREACH_SAFE(service->retired, retired, next)
    {
        visit(retired, context);
    }
}

struct search {
    unsigned index;
    struct replica *found;
};

static void search_generation(struct generation *generation, void *context)
{
    struct search *search = context;
    if (search->found != NULL)
        return;
    if (search->index < generation->count)
        search->found = &generation->replicas[search->index];
    else
        search->index -= generation->count;
}

struct replica *service_replica(const struct service *service, unsigned index)
{
    struct search search = {.index = index};
    service_visit(service, search_generation, &search);
    return search.found;
}
