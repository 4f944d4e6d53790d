/* reload.c - now and then a service gets a new generation of workers, beside the old one; see sim.h
 *
 * The host's part of a reload: start the candidate's workers, wait until all are ready, ask each for something (or for
 * nothing), wait a while, switch, close the words of the old ones; now and then not at once, so that calls can be given
 * back to them. Whatever dies or fails before the switch ends the attempt, and callers must notice nothing of it.
 */
#include "tests/sim/sim.h"

enum { SETTLE_MS = 500, PROBATION_MS = 800 };

/* The names of generations begin anew with each life of a service. */
static uint64_t name_of(const struct sim_service *service, uint64_t generation)
{
    return service->life << 32 | generation;
}

void reload_begin(struct sim *sim, struct sim_service *service)
{
    if (service->candidate != 0 || service->previous != 0 || service->removed)
        return;
    service->candidate = ++service->generations;
    service->candidate_passed = 0;
    sim_trace(sim, "host: %s: generation %llu is tried", service->name, (unsigned long long)service->candidate);
    for (size_t i = 0; i < service->workers_wanted; i++)
        host_launch(sim, service, service->candidate);
}

/* Its workers go one by one; what they were asked nobody waits for. */
static void give_up(struct sim *sim, struct sim_service *service)
{
    const uint64_t generation = service->candidate;
    sim_trace(sim, "host: %s: generation %llu has failed", service->name, (unsigned long long)generation);
    service->candidate = 0;
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->service == service && host_is_of(worker, generation))
            worker_die(sim, worker, "since its generation has failed");
    }
}

void reload_worker_lost(struct sim *sim, struct sim_worker *worker)
{
    if (worker->service->candidate != 0 && host_is_of(worker, worker->service->candidate))
        give_up(sim, worker->service);
}

void reload_worker_ready(struct sim *sim, struct sim_worker *worker)
{
    struct drover_error error = {0};
    if (worker->service->candidate == 0 || !host_is_of(worker, worker->service->candidate))
        return;
    worker->any = sim_chance(sim, 500);
    worker->testing = true;
    /* It may have been said to be ready in the moment in which its word was closed. */
    const enum drover_status status =
        core_probe(sim->core, sim->now_ms, worker->number, worker->any ? NULL : SIM_PROBE, NULL, SIM_ASK_MS, &error);
    if (status != DROVER_OK && !worker->closed)
        sim_fail(sim, "core_probe of worker %llu: %s", (unsigned long long)worker->number, error.text);
    if (status == DROVER_OK)
        return;
    worker->testing = false;
    give_up(sim, worker->service);
}

/* ---- the switch, and the way back ---- */

static void retire_all_but_active(struct sim *sim, const struct sim_service *service)
{
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->service == service && !host_is_of(worker, service->active) && worker->state != SIM_DEAD)
            host_retire(sim, worker);
    }
}

static void serve(struct sim *sim, struct sim_service *service, uint64_t generation)
{
    service->active = generation;
    sim->switches++;
    sim_trace(sim, "host: %s: generation %llu serves", service->name, (unsigned long long)generation);
    host_say_generation(sim, service);
}

static bool is_alive(const struct sim *sim, const struct sim_service *service, uint64_t generation)
{
    for (const struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->service == service && host_is_of(worker, generation) && worker->state == SIM_READY &&
            !worker->closed)
            return true;
    }
    return false;
}

/* Calls have gone to the new generation for a while. What serves from now on is decided for good. */
static void decide(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    if (service->previous == 0 || event->number != name_of(service, service->active) || sim->stopped)
        return;
    if (sim_chance(sim, 500) && is_alive(sim, service, service->previous)) {
        sim_trace(sim, "host: %s: generation %llu does badly", service->name, (unsigned long long)service->active);
        sim->rollbacks++;
        serve(sim, service, service->previous);
    }
    service->previous = 0;
    retire_all_but_active(sim, service);
}

/* Calls go to the candidate from now on. What the old ones have begun they end, the rest comes back. */
static void switch_over(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    if (service->candidate == 0 || event->number != name_of(service, service->candidate) || sim->stopped)
        return;
    const uint64_t former = service->active;
    serve(sim, service, service->candidate);
    service->candidate = 0;
    if (sim_chance(sim, 500)) {
        retire_all_but_active(sim, service);
        return;
    }
    service->previous = former;
    sim_later(sim, sim_draw(sim, PROBATION_MS), decide, service, name_of(service, service->active));
}

void reload_probed(struct sim *sim, struct sim_worker *worker, enum drover_status status)
{
    struct sim_service *service = worker->service;
    if (service->candidate == 0 || !host_is_of(worker, service->candidate))
        return;
    if (status != DROVER_OK)
        give_up(sim, service);
    else if (++service->candidate_passed == service->workers_wanted)
        sim_later(sim, sim_draw(sim, SETTLE_MS), switch_over, service, name_of(service, service->candidate));
}

void reload_broker_lost(struct sim_service *service)
{
    service->candidate = service->previous = 0;
}
