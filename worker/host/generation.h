/* generation.h - one artefact with one configuration, and its replicas */
#ifndef DROVER_HOST_GENERATION_H
#define DROVER_HOST_GENERATION_H

#include "worker/host/state.h"

/* A generation whose replicas are stopped. Takes references. NULL when there is no memory. */
struct generation *generation_new(struct service *service, uint64_t number, struct wanted *wanted,
                                  struct runnable *runnable);

/* No replica may have a process. NULL is allowed. Returns NULL. */
struct generation *generation_free(struct generation *generation);

/* The limits of `wanted`, which differs from what it was made for in nothing else, are its own from now on. */
void generation_adopt(struct generation *generation, struct wanted *wanted);

/* Apply an event to all replicas. */
void generation_event(struct generation *generation, enum supervise_event event, uint64_t now_ms);

/* Start the next replica that was never started, when those before it are ready: one by one. */
void generation_start_next(struct generation *generation, uint64_t now_ms);

/* Has every process ended, and is none planned? */
bool generation_has_ended(const struct generation *generation);

/* How many replicas are what. */
struct census {
    unsigned ready, healthy, wanted, looping;
};
struct census generation_census(const struct generation *generation);

/* Remember a death for the rollout; `why` begins with the artefact. */
void generation_note_death(struct generation *generation, enum rollout_death death, const char *why);

#endif
