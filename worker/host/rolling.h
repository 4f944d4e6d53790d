/* rolling.h - the generations of a service: the rules of worker/rollout tied to drivers and workers
 *
 * Whatever happens to a generation is remembered where it happens (a death in generation.h, an answer in testing.h, a
 * driver that is obtained in the service); rolling_step() tells the machine, and carries out what it says. So no rule
 * is applied in the middle of something else.
 */
#ifndef DROVER_HOST_ROLLING_H
#define DROVER_HOST_ROLLING_H

#include "worker/host/state.h"

/* Set the machine up with what the service remembers (host->memory), as far as that can still be run as `wanted`. */
void rolling_init(struct service *service);

/* The times of service->wanted count from now on. */
void rolling_adopt_rules(struct service *service);

/* service->wanted is to serve, from service->source; with `forced` though it does already, or is in quarantine. */
void rolling_change(struct service *service, bool forced, uint64_t group, uint64_t now_ms);

/* Apply an event that has no more to say than that: ROLLBACK, CALL_OFF, STOP. */
void rolling_event(struct service *service, enum rollout_event event, uint64_t now_ms);

void rolling_unquarantine(struct service *service, const struct rollout_hash *artefact, uint64_t now_ms);

/* service->wanted was asked for anew: what failed with this configuration alone may be tried again. */
void rolling_forgive(struct service *service, uint64_t now_ms);

/* What serves has taken these settings as it runs. */
void rolling_reconfigured(struct service *service, const struct rollout_hash *configuration, uint64_t now_ms);

/* All of a group can switch, or one cannot. */
void rolling_release(struct service *service, uint64_t group, uint64_t now_ms);
void rolling_abandon(struct service *service, uint64_t group, const char *reason, uint64_t now_ms);

/* Tell the machine what has happened, until nothing more does. */
void rolling_step(struct service *service, uint64_t now_ms);

/* When a time of it is due. */
uint64_t rolling_next_ms(const struct service *service);

#endif
