/* byhand.c - what is done to a service by hand: restart, drain, reload */
#include <stdio.h>

#include "worker/host/generation.h"
#include "worker/host/obtaining.h"
#include "worker/host/rolling.h"
#include "worker/host/service.h"
#include "worker/host/wanted.h"

static void clear_reasons(struct service *service)
{
    service->reason[0] = '\0';
    service->change_reason[0] = '\0';
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
        service_renew_source(service);
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
    if (was_paused)
        rolling_event(service, ROLLOUT_ON_RESUME, now_ms);
    const enum rollout_state state = service->rollout.state;
    const bool at_rest = state == ROLLOUT_SERVING || state == ROLLOUT_PROBATION;
    const bool can_wait = at_rest || state == ROLLOUT_OBTAINING; /* for what is there now, which may take over anyway */
    if (was_paused || !can_wait || generation_census(service->current).ready == 0)
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
    else
        service->restarting = true;
    if (at_rest && service->wanted->service.origin != NULL)
        service_renew_source(service);
    if (at_rest)
        rolling_change(service, false, 0, now_ms);
}

void service_drain(struct service *service, uint64_t now_ms)
{
    service->paused = true;
    service->restarting = false;
    if (service->current != NULL)
        rolling_event(service, ROLLOUT_ON_CALL_OFF, now_ms);
    else if (service->rollout.candidate.group != 0)
        rolling_abandon(service, service->rollout.candidate.group, "it is stopped by hand", now_ms);
    else if (service->obtaining != NULL)
        obtaining_event(service->obtaining, OBTAIN_ON_STOP, now_ms);
    struct generation *generation = service_lead(service);
    if (generation != NULL)
        generation_event(generation, SUPERVISE_ON_DRAIN, now_ms);
    (void)snprintf(service->reason, sizeof(service->reason), "stopped by hand ('drover restart %s' starts it)",
                   service->name);
}

void service_reload(struct service *service, bool force, uint64_t now_ms)
{
    service->asked = true;
    if (service->wanted->service.origin != NULL)
        service_renew_source(service);
    rolling_change(service, force, 0, now_ms);
}
