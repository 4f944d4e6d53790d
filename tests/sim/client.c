/* client.c - programs that call: most behave, some go, come back, change their mind; see sim.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

const char client_program[] = "sim.seeds";
const bool client_sends_again = false;

/* ---- its calls ---- */

static void note_open(struct sim_client *client, uint32_t number)
{
    client->open = sim_grow(client->open, &client->open_room, client->open_count + 1, sizeof(*client->open));
    client->open[client->open_count++] = number;
}

static void note_closed(struct sim_client *client, uint32_t number)
{
    for (size_t i = 0; i < client->open_count; i++) {
        if (client->open[i] != number)
            continue;
        client->open[i] = client->open[--client->open_count];
        return;
    }
}

/* What was sent in another session than this one (0: in any) will get no verdict, and nobody waits for one. */
static void excuse_all_but(struct sim *sim, struct sim_client *client, uint64_t session)
{
    for (size_t i = client->open_count; i-- > 0;) {
        const uint32_t number = client->open[i];
        if (session != 0 && sim->records[number].session == session)
            continue;
        ledger_excuse(sim, number);
        note_closed(client, number);
    }
}

/* ---- what it sends ---- */

static void send_header(struct sim *sim, struct sim_client *client, struct wire_header *header, struct body *body)
{
    if (client->reports_read && header->command != WIRE_HELLO) {
        header->flags |= FIELD_READ;
        header->read_count = client->read_count;
        header->read_bytes = client->read_bytes;
    }
    network_send(sim, client->connection, client->address, header, body);
}

static void send_hello(struct sim *sim, struct sim_client *client)
{
    const struct wire_hello hello = {
        .role = WIRE_ROLE_CLIENT, .version_min = 1, .version_max = 1, .name = {"sim", 3}, .instance = client->index};
    struct wire_header header = {.command = WIRE_HELLO};
    drover_writer_clear(sim->writer);
    wire_hello_encode(&hello, NULL, 0, sim->writer);
    struct body body = heap_body_new(drover_writer_data(sim->writer), drover_writer_size(sim->writer));
    client->greeted = true;
    send_header(sim, client, &header, &body);
}

static void say(struct sim *sim, struct sim_client *client, enum wire_command command, uint64_t call)
{
    struct wire_header header = {.command = command, .session = client->session, .call = call};
    send_header(sim, client, &header, NULL);
}

static void send_call(struct sim *sim, struct sim_client *client)
{
    const uint32_t number = ledger_draw_call(sim, client);
    struct sim_record *record = &sim->records[number];
    record->session = client->session;
    uint8_t metadata[SIM_METADATA_SIZE];
    ledger_metadata(number, metadata);
    const char *service = ledger_service(sim, number);
    struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET | FIELD_METADATA | FIELD_DEADLINE | (record->by_flag ? WIRE_IDEMPOTENT : 0u),
        .session = client->session,
        .call = ledger_call(number),
        .deadline_ms = (uint32_t)record->deadline_ms,
        .service = {service, strlen(service)},
        .method = {ledger_method(sim, number), 3},
        .metadata = {(const char *)metadata, sizeof(metadata)},
    };
    struct body body = {.present = false};
    if (record->body_size > 0)
        body = heap_body_new(sim_zeros, record->body_size);
    note_open(client, number);
    send_header(sim, client, &header, &body);
}

/* ---- coming and going ---- */

static void connect_again(struct sim *sim, struct sim_client *client)
{
    excuse_all_but(sim, client, 0);
    client->session = 0;
    client->greeted = false;
    client->connection = network_connect(sim, client, NULL);
    client->reports_read = !sim_chance(sim, 100);
    if (sim_chance(sim, 300)) /* another process */
        (void)snprintf(client->address, sizeof(client->address), "localhost:1000:1000:%llu",
                       (unsigned long long)sim_draw(sim, 40));
}

static void leave(struct sim *sim, struct sim_client *client)
{
    sim_trace(sim, "client %u leaves", client->index);
    if (sim_chance(sim, 500))
        say(sim, client, WIRE_BYE, 0);
    network_drop(sim, client->connection, sim_chance(sim, 500));
    connect_again(sim, client);
}

void client_broker_lost(struct sim *sim, struct sim_client *client)
{
    /* The connection is made again by the socket, unnoticed: the session number lives on until somebody says no. What
     * was open keeps its number too, and is told unknown by the client itself. */
    const uint64_t session = client->session;
    const bool greeted = client->greeted;
    connect_again(sim, client);
    client->session = greeted ? 0 : session;
}

/* ---- what it does ---- */

static void cancel_one(struct sim *sim, struct sim_client *client)
{
    if (client->open_count > 0 && !sim_chance(sim, 200))
        say(sim, client, WIRE_CANCEL, ledger_call(client->open[sim_draw(sim, client->open_count)]));
    else if (sim->record_count > 0) /* one that ended, or of somebody else */
        say(sim, client, WIRE_CANCEL, ledger_call((uint32_t)sim_draw(sim, sim->record_count)));
}

static void do_something(struct sim *sim, struct sim_client *client)
{
    if (client->session == 0 && !sim_chance(sim, 50)) {
        if (!client->greeted)
            send_hello(sim, client);
    } else if (sim_chance(sim, sim->trouble)) {
        if (sim_chance(sim, 700))
            leave(sim, client);
        else /* HELLO again ends the session that was */
            send_hello(sim, client);
    } else if (sim_chance(sim, 60)) {
        cancel_one(sim, client);
    } else if (sim_chance(sim, 30)) {
        say(sim, client, WIRE_PING, 0);
    } else {
        const uint64_t burst = sim_chance(sim, 50) ? 1 + sim_draw(sim, 60) : 1;
        for (uint64_t i = 0; i < burst; i++)
            send_call(sim, client);
    }
}

static void fall_silent(struct sim *sim)
{
    if (sim->quiet_ms != 0)
        return;
    sim_trace(sim, "all calls are made");
    sim->quiet_ms = sim->now_ms;
}

static void act(struct sim *sim, const struct sim_event *event)
{
    struct sim_client *client = event->subject;
    if (sim->record_count >= sim->calls_wanted) {
        fall_silent(sim);
        return;
    }
    do_something(sim, client);
    const bool sleeps = sim_chance(sim, 1);
    sim_later(sim, sleeps ? 70000 : sim_draw(sim, UINT64_C(2) * sim->haste_ms), act, client, 0);
}

void client_start(struct sim *sim, struct sim_client *client)
{
    client->index = (uint32_t)(client - sim->clients);
    (void)snprintf(client->address, sizeof(client->address), "localhost:1000:1000:%u", client->index);
    client->connection = network_connect(sim, client, NULL);
    client->reports_read = !sim_chance(sim, 100);
    sim_later(sim, sim_draw(sim, 30), act, client, 0);
}

/* ---- what comes ---- */

static void outcome_came(struct sim *sim, struct sim_client *client, const struct wire_header *header,
                         const struct body *body)
{
    if (header->call != 0)
        note_closed(client, client_record(sim, client, header->call));
    if (header->session != client->session)
        return;
    client->read_count++;
    client->read_bytes += body->present ? body->size : 0;
}

static void session_lost(struct sim *sim, struct sim_client *client, const struct wire_header *header)
{
    if (header->call != 0)
        note_closed(client, client_record(sim, client, header->call));
    if (header->session != client->session || client->session == 0)
        return;
    client->session = 0;
    if (!client->greeted)
        send_hello(sim, client);
}

uint32_t client_record(const struct sim *sim, const struct sim_client *client, uint64_t call)
{
    const uint64_t number = call - ledger_call(0);
    return number < sim->record_count && sim->records[number].client == client ? (uint32_t)number : SIM_NONE;
}

void client_free(struct sim_client *client)
{
    free(client->open);
}

void client_receive(struct sim *sim, struct sim_client *client, struct sim_message *message,
                    const struct wire_header *header)
{
    switch ((int)header->command) {
    case WIRE_WELCOME:
        excuse_all_but(sim, client, header->session);
        client->session = header->session;
        client->greeted = false;
        client->read_count = client->read_bytes = 0;
        return;
    case WIRE_REPLY:
    case WIRE_ERROR:
        outcome_came(sim, client, header, &message->body);
        return;
    case WIRE_PING:
        say(sim, client, WIRE_PONG, 0);
        return;
    case WIRE_HELLO_FIRST:
        session_lost(sim, client, header);
        return;
    case WIRE_REFUSED:
        network_drop(sim, client->connection, false);
        connect_again(sim, client);
        return;
    default: /* PONG and what a client does not know */
        return;
    }
}
