/* standing.c - how a service stands: its state, the reason it is not what it should be, its generations in order
 *
 * The reason is the last thing that went wrong. That of workers stays when they are back (`drover status` shows it as
 * last_error) until all of them have been ready for 5 minutes, or a restart by hand, or a new generation; that of a
 * change stays until the next one.
 */
#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/obtaining.h"
#include "worker/host/rolling.h"
#include "worker/host/service.h"

struct generation *service_lead(const struct service *service)
{
    if (service->current != NULL)
        return service->current;
    return service->candidate;
}

void service_set_reason(const struct generation *generation, const char *text)
{
    struct service *service = generation->service;
    if (generation == service_lead(service))
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
    const struct generation *generation = service_lead(service);
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
    const bool fine = service->state == HOST_SERVICE_READY || service_lead(service) == NULL;
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
    service_end_tuning(service, now_ms);
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
