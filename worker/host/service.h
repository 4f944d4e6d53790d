/* service.h - a service: its generations of replicas, its state, the reason it is not ready */
#ifndef DROVER_HOST_SERVICE_H
#define DROVER_HOST_SERVICE_H

#include "worker/host/state.h"

/* The service of a name, or NULL. */
struct service *service_find(const struct host *host, const char *name);

/* Start what `options` says beside what runs, which is told to drain. Makes the service when it is new. Errors:
 * RESOURCE_EXHAUSTED; then nothing has changed. */
DROVER_MUST_CHECK enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t now_ms,
                                                 struct drover_error *error);

/* Give every replica of the current generation an event. */
void service_event(struct service *service, enum supervise_event event, uint64_t now_ms);

/* Give every replica of every generation of every service an event. */
void service_event_to_all(struct host *host, enum supervise_event event, uint64_t now_ms);

/* Remember why something went wrong. Ignored for a retired generation. */
void service_set_reason(const struct generation *generation, const char *text);

/* Work the state out again, tell it when it changed, drop retired generations that have ended. */
void service_update(struct service *service);

/* Replica `index`, counted over the current generation and then the retired ones; NULL beyond the last. */
struct replica *service_replica(const struct service *service, unsigned index);

/* Release a service without any child. Returns NULL. */
struct service *service_free(struct service *service);

#endif
