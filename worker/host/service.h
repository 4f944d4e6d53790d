/* service.h - a service: its generations of replicas, its state, the reason it is not ready */
#ifndef DROVER_HOST_SERVICE_H
#define DROVER_HOST_SERVICE_H

#include "worker/host/state.h"

/* The service of a name, or NULL. */
struct service *service_find(const struct host *host, const char *name);

/* Make the service when it is new. Start what `options` says beside what runs, which is told to drain; what has to be
 * obtained first is started when it is there. Errors: RESOURCE_EXHAUSTED; then nothing has changed. */
DROVER_MUST_CHECK enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t now_ms,
                                                 struct drover_error *error);

/* By hand: get the driver again, if it is one that is obtained, and then start the workers afresh. */
void service_restart(struct service *service, uint64_t now_ms);

/* By hand: stop, until a restart. */
void service_drain(struct service *service, uint64_t now_ms);

/* The driver is in the store: tell (HOST_OBTAINED), and start it unless it is what runs already. */
void service_obtained(struct service *service, uint64_t now_ms);

/* It is not, or not yet; what runs goes on. */
void service_not_obtained(struct service *service, const char *reason);

/* The bytes of a driver that was obtained are not what they were: get it again, once until one of its workers is ready,
 * and start it from that. */
void service_driver_damaged(struct service *service, uint64_t now_ms);
void service_worker_ready(struct service *service);

/* The host ends: stop what runs, and what is under way. */
void service_stop(struct service *service, uint64_t now_ms);

/* Remember why something went wrong. Ignored for a retired generation. */
void service_set_reason(const struct generation *generation, const char *text);

/* Work the state out again, tell it when it changed, drop retired generations that have ended. */
void service_update(struct service *service);

/* Replica `index`, counted over the current generation and then the retired ones; NULL beyond the last. */
struct replica *service_replica(const struct service *service, unsigned index);

/* Release a service without any child. Returns NULL. */
struct service *service_free(struct service *service);

#endif
