/* change.c - new settings without a restart, services that are removed and come back; see sim.h */
#include <string.h>

#include "tests/sim/sim.h"

/* ---- settings ---- */

static enum drover_status give_settings(struct sim *sim, struct sim_worker *worker, uint64_t settings)
{
    struct drover_error error = {0};
    struct body body = heap_body_new(&settings, sizeof(settings));
    const uint64_t before = worker->wanted;
    worker->wanted = settings;
    worker->setting = true;
    const enum drover_status status =
        core_reconfigure(sim->core, sim->now_ms, worker->number, &body, SIM_ASK_MS, &error);
    if (status != DROVER_OK) {
        worker->wanted = before;
        worker->setting = false;
    }
    if (status == DROVER_UNIMPLEMENTED && worker->reconfigures)
        sim_fail(sim, "worker %llu: %s", (unsigned long long)worker->number, error.text);
    broker_finish_step(sim);
    return status;
}

static bool may_take(const struct sim_worker *worker)
{
    return worker->state == SIM_READY && !worker->closed && !worker->setting;
}

void change_settings(struct sim *sim, struct sim_service *service)
{
    if (service->removed || service->candidate != 0)
        return;
    service->settings++;
    sim_trace(sim, "host: %s: settings %llu", service->name, (unsigned long long)service->settings);
    bool cannot = false;
    for (struct sim_worker *worker = sim->workers; worker != NULL && sim->failed == NULL; worker = worker->next) {
        if (worker->service == service && host_is_of(worker, service->active) && may_take(worker))
            cannot |= give_settings(sim, worker, service->settings) == DROVER_UNIMPLEMENTED;
    }
    if (cannot)
        reload_begin(sim, service);
}

/* The host's own thread, a little later. */
static void try_another_way(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    if (event->number == sim->incarnation && !sim->stopped)
        reload_begin(sim, service);
}

void change_settings_ended(struct sim *sim, struct sim_worker *worker, bool taken)
{
    if (!worker->setting)
        sim_fail(sim, "worker %llu is said to have new settings, but was given none",
                 (unsigned long long)worker->number);
    if (taken && worker->settings != worker->wanted)
        sim_fail(sim, "worker %llu is said to have settings %llu, but has %llu", (unsigned long long)worker->number,
                 (unsigned long long)worker->wanted, (unsigned long long)worker->settings);
    worker->setting = false;
    sim->reconfigured += taken;
    if (!taken && host_is_of(worker, worker->service->active))
        sim_later(sim, 1 + sim_draw(sim, 3), try_another_way, worker->service, sim->incarnation);
}

/* ---- services ---- */

static void come_back(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    struct drover_error error = {0};
    if (sim->stopped)
        return;
    service->removed = false;
    service->refused = false;
    service->life++;
    service->active = service->generations = 1;
    sim_trace(sim, "host: %s is back", service->name);
    if (core_set_service(sim->core, &service->limits, &error) != DROVER_OK)
        sim_fail(sim, "core_set_service: %s", error.text);
    broker_finish_step(sim);
    host_say_generation(sim, service);
    host_launch_all(sim, service);
}

/* It is forgotten at once, its workers go when what they have begun is done. */
void change_remove(struct sim *sim, struct sim_service *service)
{
    if (service->removed)
        return;
    sim_trace(sim, "host: %s is removed", service->name);
    service->removed = true;
    service->candidate = service->previous = 0;
    sim->removals++;
    core_remove_service(sim->core, sim->now_ms, service->name);
    broker_finish_step(sim);
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->service == service && worker->state != SIM_DEAD)
            host_retire(sim, worker);
    }
    sim_later(sim, sim_draw(sim, 1000), come_back, service, 0);
}
