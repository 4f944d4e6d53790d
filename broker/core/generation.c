/* generation.c - the switch from one generation of a service's workers to the next; see generation.h
 *
 * START: a service without a generation gives nothing to anybody. OPERATION: core_switch() moves the service from one
 * to another between two calls: what waits goes to the new workers, what the old ones have begun they end. core_probe()
 * asks a worker that need not serve yet.
 */
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

/* ---- probes ---- */

static void release(struct core *core, struct body *body)
{
    if (body != NULL && body->present)
        core->settings.bodies->release(body);
}

static struct call *new_probe(struct core *core, struct service *service, const char *method, uint64_t deadline_ms)
{
    const struct wire_header header = {.method = {.data = method, .size = strlen(method)}};
    struct call *call = call_new(core);
    if (call == NULL)
        return NULL;
    call->probe = true;
    if (!call_keep_text(call, &header)) {
        call_free(core, call);
        return NULL;
    }
    call->service = service;
    call->deadline_ms = deadline_ms;
    call->deadline_at_ms = core->now_ms + deadline_ms;
    call->hang_ms = (service->hang_ms > deadline_ms ? service->hang_ms : deadline_ms) + CORE_HANG_GRACE_MS;
    timers_set(&core->timers, &call->timer.timer, call->deadline_at_ms);
    return call;
}

enum drover_status core_probe(struct core *core, uint64_t now_ms, uint64_t number, const char *method,
                              struct body *body, uint64_t deadline_ms, struct drover_error *error)
{
    struct worker *worker = NULL;
    core->now_ms = now_ms;
    HASH_FIND(hh, core->workers, &number, sizeof(number), worker);
    if (worker == NULL || !worker->ready || worker->closed) {
        release(core, body);
        return drover_error_set(error, DROVER_NOT_FOUND, "worker %llu is not ready", (unsigned long long)number);
    }
    struct call *call = new_probe(core, worker->service, method, deadline_ms);
    if (call == NULL) {
        release(core, body);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory for a self-test",
                                worker->service->name);
    }
    if (body != NULL)
        call->body = body_take(body);
    lease_start(core, worker, call);
    return DROVER_OK;
}

void generation_probe_ended(struct core *core, struct call *call, const struct wire_header *header)
{
    const bool answered = header->command == WIRE_REPLY;
    call->probe = false;
    release(core, &call->body);
    effects_probed(&core->effects, call->worker->number, answered ? DROVER_OK : header->status,
                   answered ? (struct drover_text){.data = "", .size = 0} : header->text);
}
