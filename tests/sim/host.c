/* host.c - keeps the workers of every service alive, and now and then does to them what operators do; see sim.h */
#include <string.h>

#include "tests/sim/sim.h"

void host_token(uint64_t worker, uint8_t *token)
{
    memset(token, 0xa5, WIRE_TOKEN_SIZE);
    memcpy(token, &worker, sizeof(worker));
}

/* ---- launch ---- */

static void draw_temper(struct sim *sim, struct sim_worker *worker)
{
    static const unsigned slow[] = {0, 0, 2, 20, 400};
    worker->concurrency = 1 + sim_draw(sim, 8);
    worker->slow_ms = slow[sim_draw(sim, sizeof(slow) / sizeof(slow[0]))];
    worker->error = sim_chance(sim, 300) ? 200 : 0;
    worker->remote = sim_chance(sim, 100);
    worker->reconfigures = sim_chance(sim, 700);
    worker->refuse = sim_chance(sim, 300) ? 300 : 0;
    if (sim->trouble == 0)
        return;
    worker->die = sim_chance(sim, 500) ? 20 : 0;
    worker->hang = sim_chance(sim, 100) ? 5 : 0;
    worker->twice = sim_chance(sim, 200) ? 50 : 0;
    worker->lie = sim_chance(sim, 100) ? 20 : 0;
    worker->give_back = sim_chance(sim, 200) ? 50 : 0;
}

bool host_is_of(const struct sim_worker *worker, uint64_t generation)
{
    return worker->life == worker->service->life && worker->generation == generation;
}

/* Which generation serves: the host says so, the core never guesses. */
void host_say_generation(struct sim *sim, const struct sim_service *service)
{
    core_switch(sim->core, sim->now_ms, service->name, service->active);
    broker_finish_step(sim);
}

void host_launch(struct sim *sim, struct sim_service *service, uint64_t generation)
{
    struct sim_worker *worker = sim_allocate(sizeof(*worker));
    worker->number = ++sim->worker_count;
    worker->service = service;
    worker->generation = generation;
    worker->life = service->life;
    worker->settings = worker->wanted = service->settings;
    worker->next = sim->workers;
    sim->workers = worker;
    draw_temper(sim, worker);
    struct core_expected expected = {
        .worker = worker->number, .generation = generation, .service = service->name, .artefact = "a"};
    struct drover_error error = {0};
    host_token(worker->number, expected.token);
    sim_trace(sim, "host: launches worker %llu of %s, generation %llu, concurrency %llu",
              (unsigned long long)worker->number, service->name, (unsigned long long)generation,
              (unsigned long long)worker->concurrency);
    if (core_expect_worker(sim->core, &expected, &error) != DROVER_OK)
        sim_fail(sim, "core_expect_worker: %s", error.text);
    broker_finish_step(sim);
    worker_start(sim, worker);
}

static void launch(struct sim *sim, const struct sim_event *event)
{
    struct sim_service *service = event->subject;
    if (event->number == sim->incarnation && !sim->stopped && !service->removed)
        host_launch(sim, service, service->active);
}

void host_launch_all(struct sim *sim, struct sim_service *service)
{
    for (size_t i = 0; i < service->workers_wanted; i++)
        sim_later(sim, sim_draw(sim, 50), launch, service, sim->incarnation);
}

/* ---- death ---- */

static void report_lost(struct sim *sim, const struct sim_event *event)
{
    struct sim_worker *worker = event->subject;
    if (event->number != sim->incarnation)
        return;
    const uint64_t started = worker->closed ? worker->closed_at : worker->word;
    sim_trace(sim, "host: worker %llu is lost, begun %llu%s", (unsigned long long)worker->number,
              (unsigned long long)started, worker->remote ? " (not known)" : "");
    core_worker_lost(sim->core, sim->now_ms, worker->number, worker->remote ? UINT64_MAX : started);
    broker_finish_step(sim);
    reload_worker_lost(sim, worker);
    if (host_is_of(worker, worker->service->active))
        sim_later(sim, sim_draw(sim, 200), launch, worker->service, sim->incarnation);
}

void host_worker_died(struct sim *sim, struct sim_worker *worker)
{
    sim_later(sim, sim_draw(sim, 100), report_lost, worker, sim->incarnation);
}

static void kill_worker(struct sim *sim, const struct sim_event *event)
{
    worker_die(sim, event->subject, "by the host's hand");
}

void host_broker_lost(struct sim *sim)
{
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        worker->state = SIM_DEAD;
        worker->testing = worker->setting = false; /* who would have told is gone */
    }
}

/* ---- what the core says of workers ---- */

static struct sim_worker *find_worker(struct sim *sim, uint64_t number)
{
    struct sim_worker *worker = sim->workers;
    while (worker != NULL && worker->number != number)
        worker = worker->next;
    if (worker == NULL)
        sim_fail(sim, "the core speaks of worker %llu, which never was", (unsigned long long)number);
    return worker;
}

/* A worker that does its work must not be taken for a hung one. */
static void check_hung(struct sim *sim, const struct sim_worker *worker, const char *text)
{
    const bool cut_off = worker->connection == NULL || !worker->connection->open;
    if (worker->state != SIM_DEAD && !worker->stopped && !worker->stuck && !cut_off)
        sim_fail(sim, "worker %llu, which works, is said to be hung: %s", (unsigned long long)worker->number, text);
}

static void check_drained(struct sim *sim, const struct sim_worker *worker)
{
    struct core_worker_stats stats;
    if (!core_worker_stats(sim->core, worker->number, &stats) || stats.in_flight != 0)
        sim_fail(sim, "worker %llu is said to be drained, but has calls", (unsigned long long)worker->number);
    if (!worker->closed && !worker->left && !worker->gave_back)
        sim_fail(sim, "worker %llu is said to be drained, but was not asked to", (unsigned long long)worker->number);
}

/* The host acts a little later, as its own thread does; never inside a step of the core. */
static void ask(struct sim *sim, const struct sim_event *event)
{
    struct sim_worker *worker = event->subject;
    if (event->number != sim->incarnation || worker->state == SIM_DEAD || sim->stopped)
        return;
    reload_worker_ready(sim, worker);
    broker_finish_step(sim);
}

static void hear_answer(struct sim *sim, const struct sim_event *event)
{
    struct sim_worker *worker = event->subject;
    if (event->number == sim->incarnation && worker->state != SIM_DEAD && !sim->stopped)
        reload_probed(sim, worker, worker->probed);
}

static void probed(struct sim *sim, struct sim_worker *worker, enum drover_status status)
{
    if (!worker->testing)
        sim_fail(sim, "worker %llu is said to have been tested, but was not asked", (unsigned long long)worker->number);
    if (status == DROVER_OK && !worker->answered)
        sim_fail(sim, "worker %llu is said to have passed, but has not answered", (unsigned long long)worker->number);
    worker->testing = false;
    worker->probed = status;
    sim_later(sim, sim_draw(sim, 3), hear_answer, worker, sim->incarnation);
}

void host_effect(struct sim *sim, const struct effect *effect, const char *text)
{
    struct sim_worker *worker = find_worker(sim, effect->worker);
    if (worker == NULL)
        return;
    sim_trace(sim, "  broker: worker %llu: event %d %s", (unsigned long long)effect->worker, (int)effect->kind, text);
    if (effect->kind == EFFECT_WORKER_HUNG) {
        check_hung(sim, worker, text);
        sim_later(sim, sim_draw(sim, 2000), kill_worker, worker, 0);
    } else if (effect->kind == EFFECT_WORKER_DRAINED) {
        check_drained(sim, worker);
        sim_later(sim, sim_draw(sim, 50), kill_worker, worker, 0);
    } else if (effect->kind == EFFECT_WORKER_READY) {
        sim_later(sim, sim_draw(sim, 3), ask, worker, sim->incarnation);
    } else if (effect->kind == EFFECT_PROBED) {
        probed(sim, worker, (enum drover_status)effect->call);
    } else if (effect->kind == EFFECT_RECONFIGURED) {
        change_settings_ended(sim, worker, effect->call == 1);
    } else {
        sim_fail(sim, "worker %llu: unexpected event: %s", (unsigned long long)worker->number, text);
    }
}

/* ---- what operators and accidents do ---- */

static struct sim_worker *draw_worker(struct sim *sim)
{
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->state == SIM_READY && sim_chance(sim, 300))
            return worker;
    }
    return NULL;
}

static void report_closed(struct sim *sim, const struct sim_event *event)
{
    const struct sim_worker *worker = event->subject;
    if (event->number != sim->incarnation)
        return;
    sim_trace(sim, "host: worker %llu is closed at %llu", (unsigned long long)worker->number,
              (unsigned long long)worker->closed_at);
    core_worker_closed(sim->core, sim->now_ms, worker->number, worker->closed_at);
    broker_finish_step(sim);
}

/* Of one on another machine nobody can close the word: it goes when its calls have ended, or is killed. */
void host_retire(struct sim *sim, struct sim_worker *worker)
{
    if (worker->remote) {
        sim_later(sim, 30000, kill_worker, worker, 0);
        return;
    }
    if (worker->closed)
        return;
    worker->closed = true;
    worker->closed_at = worker->word;
    sim_later(sim, sim_draw(sim, 3), report_closed, worker, sim->incarnation);
}

static void drain(struct sim *sim, struct sim_worker *worker)
{
    if (worker->closed || worker->remote)
        return;
    host_retire(sim, worker);
    if (sim_chance(sim, 500) && host_is_of(worker, worker->service->active))
        sim_later(sim, 0, launch, worker->service, sim->incarnation); /* the next generation */
}

static void refuse(struct sim *sim)
{
    struct sim_service *service = &sim->services[sim_draw(sim, sim->service_count)];
    if (service->removed)
        return;
    service->refused = !service->refused && sim->quiet_ms == 0;
    sim_trace(sim, "host: %s is %s", service->name, service->refused ? "refused" : "open again");
    core_refuse_service(sim->core, sim->now_ms, service->name, service->refused ? "crash loop" : NULL);
    broker_finish_step(sim);
}

static void restart_broker(struct sim *sim)
{
    sim->restarts_left--;
    sim->restarted = true;
    broker_stop(sim);
    broker_start(sim);
    for (size_t i = 0; i < sim->service_count; i++) {
        sim->services[i].refused = false;
        reload_broker_lost(&sim->services[i]);
        host_say_generation(sim, &sim->services[i]);
        host_launch_all(sim, &sim->services[i]);
    }
}

static void trouble_worker(struct sim *sim, struct sim_worker *worker)
{
    const uint64_t what = sim_draw(sim, 10);
    if (what < 5) {
        drain(sim, worker);
    } else if (what < 8) {
        worker_die(sim, worker, "by accident");
    } else if (what < 9) {
        sim_trace(sim, "worker %llu is stopped", (unsigned long long)worker->number);
        worker->stopped = true;
    } else {
        network_drop(sim, worker->connection, sim_chance(sim, 500));
    }
}

static void change(struct sim *sim, struct sim_service *service)
{
    const uint64_t what = sim_draw(sim, 10);
    if (what < 5)
        reload_begin(sim, service);
    else if (what < 7 || !sim->removes)
        change_settings(sim, service);
    else
        change_remove(sim, service);
}

static void act(struct sim *sim, const struct sim_event *event)
{
    if (sim->quiet_ms != 0)
        return;
    struct sim_worker *worker = draw_worker(sim);
    if (worker != NULL && sim_chance(sim, sim->trouble * 8))
        trouble_worker(sim, worker);
    else if (sim_chance(sim, sim->reloads))
        change(sim, &sim->services[sim_draw(sim, sim->service_count)]);
    else if (sim_chance(sim, sim->trouble))
        refuse(sim);
    else if (sim->restarts_left > 0 && sim_chance(sim, 20))
        restart_broker(sim);
    sim_later(sim, 1 + sim_draw(sim, (uint64_t)sim->haste_ms * 20), act, event->subject, 0);
}

/* ---- the end ---- */

/* When all calls have ended, the last workers are sent home: the core must be as it was at the start. */
static void send_home(struct sim *sim, const struct sim_event *event)
{
    if (sim->quiet_ms == 0 || sim->now_ms < sim->quiet_ms + 120000) {
        sim_later(sim, 10000, send_home, event->subject, 0);
        return;
    }
    struct core_stats stats;
    core_stats(sim->core, &stats);
    if (stats.calls_open != 0) /* hung workers must have been reported and killed by now */
        sim_fail(sim, "%llu calls are open two minutes after the last was made", (unsigned long long)stats.calls_open);
    sim->stopped = true;
    for (struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next)
        worker_die(sim, worker, "at the end");
}

void host_start(struct sim *sim)
{
    for (size_t i = 0; i < sim->service_count; i++) {
        sim->services[i].active = sim->services[i].generations = sim->services[i].life = 1;
        host_say_generation(sim, &sim->services[i]);
        host_launch_all(sim, &sim->services[i]);
    }
    sim_later(sim, 50, act, NULL, 0);
    sim_later(sim, 10000, send_home, NULL, 0);
}
