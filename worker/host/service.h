/* service.h - a service: what is wanted of it, what was done to it by hand, its state, the reason it is not ready */
#ifndef DROVER_HOST_SERVICE_H
#define DROVER_HOST_SERVICE_H

#include "worker/host/state.h"

/* The service of a name, or NULL. */
struct service *service_find(const struct host *host, const char *name);

/* Make the service when it is new. See host_set_service(). Errors: RESOURCE_EXHAUSTED, FAILED_PRECONDITION; then
 * nothing has changed. */
DROVER_MUST_CHECK enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t group,
                                                 uint64_t now_ms, struct drover_error *error);

/* From now on what the driver comes from is another one, as far as anybody knows: whether the bytes are, is seen when
 * they have been obtained. */
void service_renew_source(struct service *service);

/* By hand: look for a changed driver, and restart the workers in any case; out of a stop, too. */
void service_restart(struct service *service, uint64_t now_ms);

/* By hand: stop, until a restart. */
void service_drain(struct service *service, uint64_t now_ms);

/* By hand: look for a changed driver; with `force` it takes over though nothing has changed. */
void service_reload(struct service *service, bool force, uint64_t now_ms);

/* Where its driver comes from may have changed. */
void service_source_changed(struct service *service, uint64_t now_ms);

/* The driver that was asked for is in the store: tell (HOST_OBTAINED), and let the rollout go on. */
void service_obtained(struct service *service, uint64_t now_ms);

/* It is not, for good (`refused`) or not yet; what runs goes on. */
void service_not_obtained(struct service *service, const char *reason, bool refused);

/* The bytes of a driver that was obtained are not what they were: get it again, once until one of its workers is ready,
 * and start it from that. */
void service_driver_damaged(struct service *service, uint64_t now_ms);
void service_worker_ready(struct service *service);

/* Drain what runs and forget the rest; service_update() tells when nothing is left. */
void service_remove(struct service *service, uint64_t now_ms);

/* The host ends: stop what runs, and what is under way. */
void service_stop(struct service *service, uint64_t now_ms);

/* Remember why something went wrong with the workers of a generation. Ignored where calls do not depend on it. */
void service_set_reason(const struct generation *generation, const char *text);

/* Why the service is not what it should be, in one line; "" when it is. Borrowed. */
const char *service_reason(const struct service *service);

/* What calls depend on: what serves, or is the first that is to. NULL: nothing. */
struct generation *service_lead(const struct service *service);

/* New settings that workers were given as they run have been taken, or not: go on with that. */
void service_end_tuning(struct service *service, uint64_t now_ms);

/* Let the rollout go on, work the state out again, tell what changed. */
void service_update(struct service *service, uint64_t now_ms);

/* Is nothing left of one that was removed? */
bool service_is_gone(const struct service *service);

/* Call `visit` for each generation: what serves, a candidate, retired ones. */
typedef void service_visit_fn(struct generation *generation, void *context);
void service_visit(const struct service *service, service_visit_fn *visit, void *context);

/* Replica `index`, counted over the generations in that order; NULL beyond the last. */
struct replica *service_replica(const struct service *service, unsigned index);

/* Release a service without any child. Returns NULL. */
struct service *service_free(struct service *service);

#endif
