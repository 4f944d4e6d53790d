/* wanted.h - what is wanted of a service: a copy of what the host was told, shared by its generations
 *
 * What `service`, `origin` and `sandbox` point to is owned. Nothing of it changes.
 */
#ifndef DROVER_HOST_WANTED_H
#define DROVER_HOST_WANTED_H

#include "worker/host/host.h"
#include "worker/host/launch.h"

struct wanted {
    unsigned references;
    struct host_service service;
    struct host_origin origin;     /* what service.origin points to, if that is not NULL */
    struct launch_sandbox sandbox; /* likewise */
};

/* A copy with one reference; NULL when there is no memory. */
struct wanted *wanted_new(const struct host_service *service);

/* One reference more; returns its argument. */
struct wanted *wanted_ref(struct wanted *wanted);

/* One less: the last one releases it. NULL is allowed. Returns NULL. */
struct wanted *wanted_unref(struct wanted *wanted);

#endif
