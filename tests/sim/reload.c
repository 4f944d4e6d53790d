/* reload.c - now and then a service gets a new generation of workers, beside the old one; see sim.h
 *
 * The host's part of a reload: start the candidate's workers, wait until all are ready, ask each for something, wait a
 * while, switch, close the words of the old ones. Whatever dies before the switch ends the attempt, and callers must
 * notice nothing of it.
 */
#include "tests/sim/sim.h"

enum { PROBE_MS = 400, SETTLE_MS = 500 };

void reload_begin(struct sim *sim, struct sim_service *service)
{
    if (service->candidate != 0)
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
        if (worker->service == service && worker->generation == generation)
            worker_die(sim, worker, "since its generation has failed");
    }
}

void reload_worker_lost(struct sim *sim, struct sim_worker *worker)
{
    if (worker->generation == worker->service->candidate)
        give_up(sim, worker->service);
}

void reload_worker_ready(struct sim *sim, struct sim_worker *worker)
{
    struct drover_error error = {0};
    if (worker->generation != worker->service->candidate)
        return;
    /* It may have been said to be ready in the moment in which its word was closed. */
    const enum drover_status status =
        core_probe(sim->core, sim->now_ms, worker->number, SIM_PROBE, NULL, PROBE_MS, &error);
    if (status != DROVER_OK && !worker->closed)
        sim_fail(sim, "core_probe of worker %llu: %s", (unsigned long long)worker->number, error.text);
    if (status != DROVER_OK)
        give_up(sim, worker->service);
}

/* Calls go to the candidate from now on. What the old ones have begun they end, the rest comes back. */
static void switch_over(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    if (service->candidate != event->number || sim->stopped)
        return;
    service->active = service->candidate;
    service->candidate = 0;
    sim->switches++;
    sim_trace(sim, "host: %s: generation %llu serves", service->name, (unsigned long long)service->active);
    core_switch(sim->core, sim->now_ms, service->name, service->active);
    broker_finish_step(sim);
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->service == service && worker->generation != service->active && worker->state != SIM_DEAD)
            host_retire(sim, worker);
    }
}

void reload_probed(struct sim *sim, struct sim_worker *worker, enum drover_status status)
{
    struct sim_service *service = worker->service;
    if (worker->generation != service->candidate)
        return;
    if (status != DROVER_OK)
        give_up(sim, service);
    else if (++service->candidate_passed == service->workers_wanted)
        sim_later(sim, sim_draw(sim, SETTLE_MS), switch_over, service, service->candidate);
}

void reload_broker_lost(struct sim_service *service)
{
    service->candidate = 0;
}
