/* wanted.h - what is wanted of a service: a copy of what the host was told, shared by its generations
 *
 * What `service`, `origin` and `sandbox` point to is owned. Nothing of it changes.
 */
#ifndef DROVER_HOST_WANTED_H
#define DROVER_HOST_WANTED_H

#include "worker/host/host.h"
#include "worker/host/launch.h"
#include "worker/rollout/version.h"

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

/* The configuration of a version: a hash of all that its workers are made of but the driver's bytes. Limits and times,
 * which workers know nothing of, do not count. */
struct rollout_hash wanted_configuration(const struct wanted *wanted);

/* Is a version what this says: of this configuration, and not pinned to other bytes? */
bool wanted_fits(const struct wanted *wanted, const struct rollout_version *version);

/* Does the driver come from the same place, and has it to be the same there? */
bool wanted_same_origin(const struct wanted *a, const struct wanted *b);

bool wanted_differ_in_settings_only(const struct wanted *a, const struct wanted *b);

/* One less: the last one releases it. NULL is allowed. Returns NULL. */
struct wanted *wanted_unref(struct wanted *wanted);

#endif
