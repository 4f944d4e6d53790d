/* generation.c - the switch from one generation of a service's workers to the next; see generation.h
 *
 * START: a service without a generation gives nothing to anybody. OPERATION: core_switch() moves the service from one
 * to another between two calls: what waits goes to the new workers, what the old ones have begun they end.  */
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/generation.h"
#include "broker/core/lease.h"

/* ---- tallies ---- */

static const struct tally *find_tally(const struct service *service, uint64_t generation)
{
    for (size_t i = 0; i < CORE_TALLIES; i++)
        if (service->tallies[i].generation == generation)
            return &service->tallies[i];
    return NULL;
}

/* That of the generation, or the oldest one's place. */
static struct tally *take_tally(struct service *service, uint64_t generation)
{
    struct tally *oldest = &service->tallies[0];
    for (size_t i = 0; i < CORE_TALLIES; i++) {
        struct tally *tally = &service->tallies[i];
        if (tally->generation == generation)
            return tally;
        if (tally->generation < oldest->generation)
            oldest = tally;
    }
    *oldest = (struct tally){.generation = generation};
    return oldest;
}

void generation_count(const struct worker *worker, bool lost)
{
    struct tally *tally = take_tally(worker->service, worker->generation);
    tally->calls++;
    tally->lost += lost;
}

bool core_generation_stats(const struct core *core, const char *name, uint64_t generation,
                           struct core_generation_stats *ret_stats)
{
    struct service *service = NULL;
    HASH_FIND_STR(core->services, name, service);
    const struct tally *tally = service != NULL ? find_tally(service, generation) : NULL;
    if (tally != NULL)
        *ret_stats = (struct core_generation_stats){.calls = tally->calls, .lost = tally->lost};
    return tally != NULL;
}

/* ---- the switch ---- */

void core_switch(struct core *core, uint64_t now_ms, const char *name, uint64_t generation)
{
    struct service *service = NULL;
    core->now_ms = now_ms;
    HASH_FIND_STR(core->services, name, service);
    if (service == NULL)
        return;
    service->generation = generation;
    lease_pump(core, service);
}
