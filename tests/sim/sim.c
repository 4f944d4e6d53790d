/* sim.c - one run from one seed: time, chance, and the end; see sim.h */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/state.h"
#include "tests/sim/sim.h"

enum {
    SILENCE_MS = 150 * 1000, /* after the last call; every deadline and every hang is over then */
    END_MS = 400 * 1000,     /* after that at the latest nothing may be left */
    STEPS_MAX = 2000000,
};

/* ---- memory ---- */

void *sim_allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        abort();
    return memory;
}

void *sim_grow(void *memory, size_t *room, size_t needed, size_t item_size)
{
    if (needed <= *room)
        return memory;
    *room = *room == 0 ? 16 : *room * 2;
    memory = realloc(memory, *room * item_size);
    if (memory == NULL)
        abort();
    return memory;
}

/* ---- chance: splitmix64 (S. Vigna, public domain description) ---- */

static uint64_t next_random(void *context)
{
    uint64_t *state = context;
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t sim_draw(struct sim *sim, uint64_t below)
{
    return next_random(&sim->random) % below;
}

bool sim_chance(struct sim *sim, unsigned in_a_thousand)
{
    return sim_draw(sim, 1000) < in_a_thousand;
}

/* ---- time: a binary heap ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap_events(struct sim_event *a, struct sim_event *b)
{
    const struct sim_event event = *a;
    *a = *b;
    *b = event;
}

void sim_later(struct sim *sim, uint64_t delay_ms, sim_action *act, void *subject, uint64_t number)
{
    sim->events = sim_grow(sim->events, &sim->event_room, sim->event_count + 1, sizeof(*sim->events));
    size_t at = sim->event_count++;
    sim->events[at] = (struct sim_event){
        .at_ms = sim->now_ms + delay_ms, .order = sim->event_order++, .act = act, .subject = subject, .number = number};
    while (at > 0 && is_before(&sim->events[at], &sim->events[(at - 1) / 2])) {
        swap_events(&sim->events[at], &sim->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct sim_event pop_event(struct sim *sim)
{
    const struct sim_event first = sim->events[0];
    sim->events[0] = sim->events[--sim->event_count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sim->event_count; child++)
            least = is_before(&sim->events[child], &sim->events[least]) ? child : least;
        if (least == at)
            return first;
        swap_events(&sim->events[at], &sim->events[least]);
        at = least;
    }
}

/* ---- words ---- */

void sim_fail(struct sim *sim, const char *format, ...)
{
    if (sim->failed != NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sim->failure, sizeof(sim->failure), format, arguments);
    va_end(arguments);
    sim->failed = sim->failure;
    sim_trace(sim, "FAILED: %s", sim->failure);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    if (!sim->tracing)
        return;
    char *line = sim->trace[sim->traced++ % SIM_TRACE_LINES];
    const int used = snprintf(line, SIM_TRACE_WIDTH, "%10llu  ", (unsigned long long)sim->now_ms);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line + used, SIM_TRACE_WIDTH - (size_t)used, format, arguments);
    va_end(arguments);
    if (sim->verbose)
        (void)puts(line);
}

static void print_trace(const struct sim *sim)
{
    const uint64_t first = sim->traced > SIM_TRACE_LINES ? sim->traced - SIM_TRACE_LINES : 0;
    for (uint64_t i = first; i < sim->traced && !sim->verbose; i++)
        (void)puts(sim->trace[i % SIM_TRACE_LINES]);
}

/* ---- a run ---- */

static void choose_services(struct sim *sim)
{
    static const uint64_t queues[] = {10, 100, 1024};
    sim->service_count = 1 + sim_draw(sim, SIM_SERVICES_MAX);
    for (size_t i = 0; i < sim->service_count; i++) {
        struct sim_service *service = &sim->services[i];
        (void)snprintf(service->name, sizeof(service->name), "service%zu", i);
        service->limits = (struct core_service){.name = service->name,
                                                .interface = "sim",
                                                .deadline_ms = 200 + sim_draw(sim, 3000),
                                                .queue_calls = queues[sim_draw(sim, 3)],
                                                .queue_bytes = 16384 + sim_draw(sim, 400000),
                                                .max_body = 8192,
                                                .hang_ms = sim_chance(sim, 500) ? 0 : 1 + sim_draw(sim, 8000),
                                                .retry = !sim_chance(sim, 200)};
        service->workers_wanted = 1 + sim_draw(sim, 4);
    }
}

static void choose(struct sim *sim)
{
    static const uint32_t calls[] = {100, 200, 300, 300, 400, 2000};
    static const unsigned hastes[] = {4, 20, 100};
    static const unsigned jitters[] = {0, 2, 30};
    static const unsigned troubles[] = {0, 15, 60};
    sim->calls_wanted = calls[sim_draw(sim, sizeof(calls) / sizeof(calls[0]))];
    sim->haste_ms = hastes[sim_draw(sim, 3)];
    sim->jitter_ms = jitters[sim_draw(sim, 3)];
    sim->trouble = troubles[sim_draw(sim, 3)];
    sim->restarts_left = sim_chance(sim, 250) ? 1 + (unsigned)sim_draw(sim, 3) : 0;
    sim->reloads = sim_chance(sim, 600) ? 20 + (unsigned)sim_draw(sim, 200) : 0;
    sim->removes = sim_chance(sim, 400);
    sim->client_count = 1 + sim_draw(sim, SIM_CLIENTS_MAX);
    choose_services(sim);
}

/* The next thing that happens: an event, or the core's own clock. False when there is nothing any more. */
static bool step(struct sim *sim)
{
    const uint64_t core_ms = core_next_ms(sim->core);
    const uint64_t event_ms = sim->event_count > 0 ? sim->events[0].at_ms : UINT64_MAX;
    if (core_ms == UINT64_MAX && event_ms == UINT64_MAX)
        return false;
    if (core_ms <= event_ms) {
        sim->now_ms = core_ms > sim->now_ms ? core_ms : sim->now_ms;
        broker_expire(sim);
        return true;
    }
    const struct sim_event event = pop_event(sim);
    sim->now_ms = event.at_ms;
    event.act(sim, &event);
    return true;
}

/* Whatever a host asks a worker has one outcome, also when the worker is dead. */
static void check_questions(struct sim *sim)
{
    for (const struct sim_worker *worker = sim->workers; worker != NULL; worker = worker->next) {
        if (worker->testing || worker->setting)
            sim_fail(sim, "worker %llu was asked, and nothing was ever told of it", (unsigned long long)worker->number);
    }
}

/* Nothing is open, nobody is there, and the core waits for nothing. */
static void check_end(struct sim *sim)
{
    struct core_stats stats;
    core_stats(sim->core, &stats);
    if (stats.calls_open != 0 || stats.sessions != 0)
        sim_fail(sim, "at the end %llu calls are open and %llu sessions there", (unsigned long long)stats.calls_open,
                 (unsigned long long)stats.sessions);
    if (sim->core->principals != NULL)
        sim_fail(sim, "at the end a principal is left");
    if (sim->core->removed != NULL)
        sim_fail(sim, "at the end a removed service is left");
    check_questions(sim);
    if (heap_bodies_live() != 0)
        sim_fail(sim, "at the end %zu bodies are left", heap_bodies_live());
    for (size_t i = 0; i < sim->service_count; i++) {
        struct core_service_stats service;
        if (core_service_stats(sim->core, sim->services[i].name, &service) && service.queued_bytes != 0)
            sim_fail(sim, "at the end a service counts %llu bytes", (unsigned long long)service.queued_bytes);
    }
}

static void live(struct sim *sim)
{
    choose(sim);
    broker_start(sim);
    host_start(sim);
    for (size_t i = 0; i < sim->client_count; i++)
        client_start(sim, &sim->clients[i]);
    vandal_start(sim);
    while (sim->failed == NULL && step(sim)) {
        if (sim->steps > STEPS_MAX)
            sim_fail(sim, "it does not come to an end");
        if (sim->quiet_ms != 0 && sim->now_ms > sim->quiet_ms + SILENCE_MS + END_MS)
            sim_fail(sim, "something is still going on long after the last call");
    }
}

static void release(struct sim *sim)
{
    while (sim->event_count > 0) { /* after a failure: messages on their way */
        sim->now_ms = sim->events[0].at_ms;
        const struct sim_event event = pop_event(sim);
        if (event.number != SIM_NONE)
            continue;
        struct sim_connection *connection = ((struct sim_message *)event.subject)->connection;
        connection->open = false;
        connection->vanished = true;
        event.act(sim, &event);
    }
    sim->core = core_free(sim->core);
    while (sim->workers != NULL) {
        struct sim_worker *next = sim->workers->next;
        worker_free(sim->workers);
        sim->workers = next;
    }
    while (sim->connections != NULL) {
        struct sim_connection *next = sim->connections->next;
        free(sim->connections);
        sim->connections = next;
    }
    for (size_t i = 0; i < sim->client_count; i++)
        client_free(&sim->clients[i]);
    free(sim->records);
    free(sim->events);
    drover_writer_free(sim->writer);
    free(sim);
}

static struct sim_result run(uint64_t seed, bool tracing, bool verbose)
{
    struct sim_result result = {.failed = false};
    struct sim *sim = sim_allocate(sizeof(*sim));
    sim->seed = seed;
    sim->random = seed * UINT64_C(0x2545f4914f6cdd1d);
    sim->core_random = ~seed;
    sim->tracing = tracing || verbose;
    sim->verbose = verbose;
    sim->writer = drover_writer_new();
    sim->now_ms = 1 + sim_draw(sim, 1000000);
    live(sim);
    if (sim->failed == NULL)
        check_end(sim);
    ledger_close(sim, &result);
    result.steps = sim->steps;
    result.switches = sim->switches;
    result.rollbacks = sim->rollbacks;
    result.reconfigured = sim->reconfigured;
    result.removals = sim->removals;
    result.failed = sim->failed != NULL;
    if (result.failed && sim->tracing) {
        print_trace(sim);
        (void)printf("seed %llu FAILED: %s\n  again: %s --seed %llu --verbose\n", (unsigned long long)seed, sim->failed,
                     client_program, (unsigned long long)seed);
        (void)fflush(stdout);
    }
    release(sim);
    return result;
}

struct sim_result sim_run(uint64_t seed, bool verbose)
{
    const struct sim_result result = run(seed, false, verbose);
    if (result.failed && !verbose)
        (void)run(seed, true, false); /* the same again, with its events */
    return result;
}
