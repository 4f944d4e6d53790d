/* library.c - clients as in client.c, but they are the client library's engine: its rules and the core's together
 *
 * Here the outcome of a call is the one that the library's user sees: exactly one for each call, whatever becomes of
 * sessions, connections and brokers, in time, and true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/engine.h"
#include "tests/sim/sim.h"

const char client_program[] = "sim.library";
const bool client_sends_again = true;

struct made {
    uint64_t call;
    uint32_t record;
};

struct sim_library {
    struct engine *engine;
    bool connected;
    uint64_t wake_ms; /* when the next look is due; UINT64_MAX: none */
    struct made *made;
    size_t made_count, made_room;
};

/* ---- bodies that the engine keeps until their outcome is taken ---- */

static void release_owner(void *owner)
{
    heap_bodies.release(owner);
    free(owner);
}

static struct call_body lend(struct body *body)
{
    if (!body->present)
        return (struct call_body){.data = NULL};
    struct body *kept = sim_allocate(sizeof(*kept));
    *kept = body_take(body);
    return (struct call_body){.data = heap_bodies.data(kept), .size = kept->size, .owner = kept};
}

/* ---- life ---- */

static void make_engine(struct sim *sim, struct sim_client *client)
{
    const struct engine_options options = {
        .endpoint = "sim",
        .name = "sim",
        .instance = sim_draw(sim, UINT64_MAX),
        .deadline_ms = 1000,
        .open_max = 1024,
        .connect_ms = sim_chance(sim, 500) ? 0 : (uint32_t)(1 + sim_draw(sim, 500)),
        .release = release_owner,
    };
    struct drover_error error = {0};
    if (engine_new(&options, &client->library->engine, &error) != DROVER_OK)
        sim_fail(sim, "engine_new: %s", error.text);
}

void client_free(struct sim_client *client)
{
    if (client->library == NULL)
        return;
    engine_free(client->library->engine);
    free(client->library->made);
    free(client->library);
}

uint32_t client_record(const struct sim *sim, const struct sim_client *client, uint64_t call)
{
    (void)sim;
    for (size_t i = client->library->made_count; i-- > 0;) {
        if (client->library->made[i].call == call)
            return client->library->made[i].record;
    }
    return SIM_NONE;
}

/* ---- the loop around the engine ---- */

static void look(struct sim *sim, struct sim_client *client);

static void wake(struct sim *sim, const struct sim_event *event)
{
    struct sim_client *client = event->subject;
    if (client->library->wake_ms <= sim->now_ms)
        client->library->wake_ms = UINT64_MAX;
    look(sim, client);
}

static void send_frames(struct sim *sim, struct sim_client *client)
{
    struct engine *engine = client->library->engine;
    struct engine_frame frame;
    while (client->library->connected && sim->failed == NULL && engine_next_frame(engine, sim->now_ms, &frame)) {
        struct body body = {.present = false};
        if (frame.has_body)
            body = heap_body_new(frame.body.data, frame.body.size);
        network_send(sim, client->connection, client->address, &frame.header, &body);
        engine_frame_sent(engine, sim->now_ms);
    }
}

/* What the user sees. A late outcome is one that comes after the deadline and the time for the broker's verdict. */
static void take_outcomes(struct sim *sim, struct sim_client *client)
{
    struct engine_outcome outcome;
    while (engine_take(client->library->engine, 0, &outcome)) {
        const uint32_t number = client_record(sim, client, outcome.call);
        const struct sim_record *record = &sim->records[number];
        const bool answered = outcome.error.status == DROVER_OK;
        sim_trace(sim, "client %u sees call %llx end: %s, %s %s", client->index,
                  (unsigned long long)ledger_call(number), drover_status_name(outcome.error.status),
                  drover_outcome_name(outcome.error.outcome), outcome.error.text);
        if (sim->now_ms > record->made_ms + record->deadline_ms + ENGINE_VERDICT_MS)
            sim_fail(sim, "call %llx ends %llu ms after its deadline", (unsigned long long)ledger_call(number),
                     (unsigned long long)(sim->now_ms - record->made_ms - record->deadline_ms));
        ledger_ended(sim, number, outcome.error.outcome, answered ? outcome.body.data : NULL, outcome.body.size);
        if (answered && outcome.body.owner == NULL)
            sim_fail(sim, "call %llx is answered without its answer", (unsigned long long)ledger_call(number));
        if (outcome.body.owner != NULL)
            release_owner(outcome.body.owner);
    }
}

/* All that is due now; then sleep until the engine wants to be looked at again. */
static void look(struct sim *sim, struct sim_client *client)
{
    struct sim_library *library = client->library;
    engine_tick(library->engine, sim->now_ms);
    send_frames(sim, client);
    take_outcomes(sim, client);
    const uint64_t wake_ms = engine_wake_ms(library->engine);
    if (wake_ms == UINT64_MAX || wake_ms >= library->wake_ms)
        return;
    library->wake_ms = wake_ms > sim->now_ms ? wake_ms : sim->now_ms + 1;
    sim_later(sim, library->wake_ms - sim->now_ms, wake, client, 0);
}

void client_receive(struct sim *sim, struct sim_client *client, struct sim_message *message,
                    const struct wire_header *header)
{
    (void)header;
    struct call_body body = lend(&message->body);
    const bool kept = engine_receive(client->library->engine, sim->now_ms, message->header, message->size,
                                     body.owner != NULL ? &body : NULL);
    if (!kept && body.owner != NULL)
        release_owner(body.owner);
    look(sim, client);
}

/* ---- connections ---- */

static void reconnect(struct sim *sim, const struct sim_event *event)
{
    struct sim_client *client = event->subject;
    if (client->library->connected)
        return;
    client->connection = network_connect(sim, client, NULL);
    client->library->connected = true;
    look(sim, client);
}

/* The socket may notice that its connection broke, or make another one without a word. */
static void lose_connection(struct sim *sim, struct sim_client *client)
{
    network_drop(sim, client->connection, sim_chance(sim, 500));
    if (!client->library->connected)
        return;
    client->library->connected = false;
    if (sim_chance(sim, 300)) {
        client->connection = network_connect(sim, client, NULL);
        client->library->connected = true;
        return;
    }
    engine_link_lost(client->library->engine, sim->now_ms);
    sim_later(sim, sim_draw(sim, 200), reconnect, client, 0);
    look(sim, client);
}

void client_broker_lost(struct sim *sim, struct sim_client *client)
{
    lose_connection(sim, client);
}

/* The program ends, and another one takes its place. What was open is nobody's any more. */
static void leave(struct sim *sim, struct sim_client *client)
{
    struct sim_library *library = client->library;
    struct engine_frame frame;
    sim_trace(sim, "client %u leaves", client->index);
    if (library->connected && engine_leave(library->engine, &frame))
        network_send(sim, client->connection, client->address, &frame.header, NULL);
    for (size_t i = 0; i < library->made_count; i++) {
        if (sim->records[library->made[i].record].ended == 0)
            ledger_excuse(sim, library->made[i].record);
    }
    library->engine = engine_free(library->engine);
    library->made_count = 0;
    network_drop(sim, client->connection, false);
    client->connection = network_connect(sim, client, NULL);
    library->connected = true;
    make_engine(sim, client);
}

/* ---- what it does ---- */

static void submit(struct sim *sim, struct sim_client *client)
{
    struct sim_library *library = client->library;
    const uint32_t number = ledger_draw_call(sim, client);
    const struct sim_record *record = &sim->records[number];
    uint8_t metadata[SIM_METADATA_SIZE];
    struct drover_error error;
    ledger_metadata(number, metadata);
    const struct drover_request request = {
        .service = ledger_service(sim, number),
        .method = ledger_method(sim, number),
        .body = sim_zeros,
        .body_size = record->body_size,
        .metadata = metadata,
        .metadata_size = sizeof(metadata),
        .deadline_ms = (uint32_t)record->deadline_ms,
        .idempotent = record->by_flag,
    };
    const struct engine_request call = {.command = WIRE_CALL, .request = &request};
    library->made = sim_grow(library->made, &library->made_room, library->made_count + 1, sizeof(*library->made));
    struct made *made = &library->made[library->made_count];
    made->record = number;
    if (engine_submit(library->engine, &call, sim->now_ms, &made->call, &error) == DROVER_OK)
        library->made_count++;
    else
        ledger_ended(sim, number, error.outcome, NULL, 0);
}

static void do_something(struct sim *sim, struct sim_client *client)
{
    const struct sim_library *library = client->library;
    if (sim_chance(sim, sim->trouble / 2)) {
        if (sim_chance(sim, 300))
            leave(sim, client);
        else
            lose_connection(sim, client);
    } else if (sim_chance(sim, 60) && library->made_count > 0) {
        const size_t recent = library->made_count < 20 ? library->made_count : 20;
        engine_cancel(library->engine, library->made[library->made_count - 1 - sim_draw(sim, recent)].call);
    } else {
        const uint64_t burst = sim_chance(sim, 50) ? 1 + sim_draw(sim, 60) : 1;
        for (uint64_t i = 0; i < burst; i++)
            submit(sim, client);
    }
}

static void act(struct sim *sim, const struct sim_event *event)
{
    struct sim_client *client = event->subject;
    if (sim->record_count >= sim->calls_wanted) {
        if (sim->quiet_ms == 0)
            sim->quiet_ms = sim->now_ms;
        return;
    }
    do_something(sim, client);
    look(sim, client);
    sim_later(sim, sim_chance(sim, 1) ? 70000 : sim_draw(sim, UINT64_C(2) * sim->haste_ms), act, client, 0);
}

void client_start(struct sim *sim, struct sim_client *client)
{
    client->index = (uint32_t)(client - sim->clients);
    (void)snprintf(client->address, sizeof(client->address), "localhost:1000:1000:%u", client->index);
    client->library = sim_allocate(sizeof(*client->library));
    client->library->wake_ms = UINT64_MAX;
    client->library->connected = true;
    client->connection = network_connect(sim, client, NULL);
    make_engine(sim, client);
    sim_later(sim, sim_draw(sim, 30), act, client, 0);
}
