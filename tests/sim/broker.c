/* broker.c - the core under test, what it is fed and what it wants done; see sim.h */
#include <string.h>

#include "tests/sim/sim.h"

static uint64_t core_random(void *context)
{
    uint64_t *state = context;
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 4;
}

void broker_start(struct sim *sim)
{
    struct drover_error error = {0};
    const struct core_settings settings = {
        .bodies = &heap_bodies,
        .random = core_random,
        .context = &sim->core_random,
        .software = "drover sim",
        .incarnation = ++sim->incarnation,
        .owner_uid = 1,
    };
    sim->core_random ^= sim->incarnation << 40;
    if (core_new(&settings, sim->now_ms, &sim->core, &error) != DROVER_OK)
        sim_fail(sim, "core_new: %s", error.text);
    for (size_t i = 0; i < sim->service_count && sim->failed == NULL; i++) {
        if (sim->services[i].removed)
            continue;
        if (core_set_service(sim->core, &sim->services[i].limits, &error) != DROVER_OK)
            sim_fail(sim, "core_set_service: %s", error.text);
    }
    sim->told = 0;
}

/* It was killed: nobody is told anything. Its workers do not outlive it. */
void broker_stop(struct sim *sim)
{
    sim_trace(sim, "broker: killed");
    sim->core = core_free(sim->core);
    for (struct sim_connection *connection = sim->connections; connection != NULL; connection = connection->next)
        network_drop(sim, connection, true);
    host_broker_lost(sim);
    for (size_t i = 0; i < sim->client_count; i++)
        client_broker_lost(sim, &sim->clients[i]);
}

/* ---- after each step ---- */

static void trace_send(struct sim *sim, const struct effect *effect, const struct wire_header *header)
{
    if (!sim->tracing)
        return;
    const struct sim_connection *connection = network_find(sim, effect->peer);
    const bool to_worker = connection != NULL && connection->worker != NULL;
    sim_trace(sim, "  broker -> %s %llu: %s call %llx%s%s %s", to_worker ? "worker" : "client",
              (unsigned long long)(to_worker ? connection->worker->number : effect->peer),
              wire_command_info(header->command)->name, (unsigned long long)header->call,
              header->flags & FIELD_STATUS ? " " : "",
              header->flags & FIELD_STATUS ? drover_status_name(header->status) : "",
              header->flags & FIELD_STATUS ? drover_outcome_name(header->outcome) : "");
}

static void act_on_send(struct sim *sim, const struct effects *effects, struct effect *effect)
{
    struct wire_header header;
    const uint8_t *octets = effects_octets(effects, effect);
    if (wire_header_decode(octets, effect->size, &header) != WIRE_DECODED) {
        sim_fail(sim, "the core wants to send a header that cannot be read");
        return;
    }
    trace_send(sim, effect, &header);
    const struct sim_connection *connection = network_find(sim, effect->peer);
    if (connection != NULL && connection->client != NULL)
        ledger_told(sim, connection, &header, &effect->body);
    else if (connection != NULL && connection->worker != NULL && header.command == WIRE_CALL &&
             !drover_text_equals(header.method, SIM_PROBE) && !drover_text_equals(header.method, WIRE_NO_METHOD))
        ledger_leased(sim, &header, &effect->body, connection->worker);
    network_deliver(sim, effect->peer, octets, effect->size, &effect->body);
}

static void act(struct sim *sim, struct effects *effects)
{
    for (size_t i = 0; i < effects->count && sim->failed == NULL; i++) {
        struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_SEND)
            act_on_send(sim, effects, effect);
        else
            host_effect(sim, effect, (const char *)effects_octets(effects, effect));
    }
    effects_clear(effects, &heap_bodies);
}

/* The core's own count of outcomes is that of the ledger. */
static void check_figures(struct sim *sim)
{
    struct core_stats core;
    core_stats(sim->core, &core);
    for (size_t i = 0; i < sim->service_count; i++) {
        struct core_service_stats stats;
        if (core_service_stats(sim->core, sim->services[i].name, &stats) == sim->services[i].removed)
            sim_fail(sim, "%s is %s", sim->services[i].name, sim->services[i].removed ? "still there" : "not there");
        if (sim->services[i].removed)
            continue;
        if (stats.queued_bytes > sim->services[i].limits.queue_bytes)
            sim_fail(sim, "%s holds %llu bytes, more than its limit", stats.name,
                     (unsigned long long)stats.queued_bytes);
    }
    if (core.calls != sim->told)
        sim_fail(sim, "the core counts %llu outcomes, but told %llu", (unsigned long long)core.calls,
                 (unsigned long long)sim->told);
}

void broker_finish_step(struct sim *sim)
{
    struct effects *effects = core_effects(sim->core);
    sim->steps++;
    if (effects->failed)
        sim_fail(sim, "an effect is lost");
    act(sim, effects);
    const char *fault = core_check(sim->core);
    if (fault != NULL)
        sim_fail(sim, "%s", fault);
    check_figures(sim);
}

void broker_expire(struct sim *sim)
{
    core_expire(sim->core, sim->now_ms);
    if (core_next_ms(sim->core) <= sim->now_ms)
        sim_fail(sim, "the core's clock stands still");
    broker_finish_step(sim);
}

void broker_receive(struct sim *sim, struct sim_message *source)
{
    struct wire_header header;
    const struct sim_connection *connection = source->connection;
    struct core_message message = {.peer = connection->peer,
                                   .back = connection->worker != NULL,
                                   .address = source->address,
                                   .header = source->header,
                                   .header_size = source->size,
                                   .body = &source->body};
    const bool decoded = wire_header_decode(source->header, source->size, &header) == WIRE_DECODED;
    if (decoded && header.command == WIRE_CALL && connection->client != NULL)
        ledger_arrived(sim, connection, &header);
    if (decoded && sim->tracing)
        sim_trace(sim, "%s %llu -> broker: %s call %llx %s", connection->worker != NULL ? "worker" : "client",
                  (unsigned long long)(connection->worker != NULL ? connection->worker->number : connection->peer),
                  wire_command_info(header.command)->name, (unsigned long long)header.call,
                  header.flags & FIELD_STATUS ? drover_status_name(header.status) : "");
    core_receive(sim->core, sim->now_ms, &message);
    if (source->body.present)
        sim_fail(sim, "the core left a body behind");
    broker_finish_step(sim);
}
