/* versions.h - what versions are made of: artefacts as they are run, and configurations, by their hashes
 *
 * A service keeps those of every version that it may start again: what serves, is to, has, or has proved stable.
 */
#ifndef DROVER_HOST_VERSIONS_H
#define DROVER_HOST_VERSIONS_H

#include "worker/host/state.h"

/* The artefact, or the configuration, of a hash; NULL when it is not kept. Borrowed. */
struct runnable *versions_runnable(const struct service *service, const struct rollout_hash *hash);
struct wanted *versions_wanted(const struct service *service, const struct rollout_hash *hash);

/* Keep an artefact; takes the reference. */
void versions_keep(struct service *service, struct runnable *runnable);

/* Keep a configuration, of which a reference is taken. False when there is no memory. */
bool versions_keep_configuration(struct service *service, const struct rollout_hash *hash, struct wanted *wanted);

/* Release what no version has any more. */
void versions_drop_unused(struct service *service);

/* Take from `memory` the stable versions that cannot be started as they are, without being obtained; what is needed of
 * the others is kept. */
void versions_forget_unstartable(struct service *service, struct rollout_memory *memory);

#endif
