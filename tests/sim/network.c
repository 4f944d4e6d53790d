/* network.c - connections: order is kept within one, between them nothing is; see sim.h */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

struct sim_connection *network_connect(struct sim *sim, struct sim_client *client, struct sim_worker *worker)
{
    struct sim_connection *connection = sim_allocate(sizeof(*connection));
    connection->peer = ++sim->connection_count;
    connection->open = true;
    connection->client = client;
    connection->worker = worker;
    connection->next = sim->connections; /* the newest first: it is the most asked for */
    sim->connections = connection;
    return connection;
}

struct sim_connection *network_find(const struct sim *sim, uint64_t peer)
{
    struct sim_connection *connection = sim->connections;
    while (connection != NULL && connection->peer != peer)
        connection = connection->next;
    return connection;
}

void network_drop(struct sim *sim, struct sim_connection *connection, bool vanish)
{
    if (!connection->open)
        return;
    connection->open = false;
    connection->vanished = vanish;
    sim_trace(sim, "connection %llu is gone%s", (unsigned long long)connection->peer,
              vanish ? ", with all that was on its way" : "");
}

static struct sim_message *make_message(struct sim_connection *connection, const void *header, size_t size,
                                        struct body *body)
{
    struct sim_message *message = sim_allocate(sizeof(*message) + size);
    message->connection = connection;
    message->size = size;
    memcpy(message->header, header, size);
    if (body != NULL && body->present)
        message->body = body_take(body);
    return message;
}

static void free_message(struct sim_message *message)
{
    if (message->body.present)
        heap_bodies.release(&message->body);
    free(message);
}

/* Most messages take no time at all, as between processes of one machine; some take theirs. */
static uint64_t draw_delay(struct sim *sim)
{
    return sim->jitter_ms > 0 && sim_chance(sim, 400) ? sim_draw(sim, sim->jitter_ms) : 0;
}

/* Put a message on its way, not to arrive before the one that was sent before it. */
static void dispatch(struct sim *sim, struct sim_message *message, uint64_t *last_ms, sim_action *arrive)
{
    const uint64_t at_ms = sim->now_ms + draw_delay(sim);
    *last_ms = at_ms > *last_ms ? at_ms : *last_ms;
    sim_later(sim, *last_ms - sim->now_ms, arrive, message, SIM_NONE);
}

static void arrive_at_broker(struct sim *sim, const struct sim_event *event)
{
    struct sim_message *message = event->subject;
    if (message->connection->open || !message->connection->vanished)
        broker_receive(sim, message);
    free_message(message);
}

static void arrive_at_peer(struct sim *sim, const struct sim_event *event)
{
    struct sim_message *message = event->subject;
    struct sim_connection *connection = message->connection;
    struct wire_header header;
    if (!connection->open) {
        free_message(message);
        return;
    }
    if (wire_header_decode(message->header, message->size, &header) != WIRE_DECODED)
        sim_fail(sim, "the core sent a header that cannot be read");
    else if (connection->client != NULL)
        client_receive(sim, connection->client, message, &header);
    else if (connection->worker != NULL)
        worker_receive(sim, connection->worker, &header, &message->body);
    free_message(message);
}

void network_send(struct sim *sim, struct sim_connection *connection, const char *address,
                  const struct wire_header *header, struct body *body)
{
    uint8_t octets[WIRE_HEADER_MAX];
    const size_t size = wire_header_encode(header, octets, sizeof(octets));
    struct sim_message *message = make_message(connection, octets, size, body);
    message->address = address;
    dispatch(sim, message, &connection->to_broker_ms, arrive_at_broker);
}

void network_send_raw(struct sim *sim, struct sim_connection *connection, const void *header, size_t size)
{
    dispatch(sim, make_message(connection, header, size, NULL), &connection->to_broker_ms, arrive_at_broker);
}

static void report_gone(struct sim *sim, const struct sim_event *event)
{
    struct sim_connection *connection = event->subject;
    connection->gone_reported = false; /* it may be tried again, and fail again */
    if (event->number != sim->incarnation)
        return;
    sim_trace(sim, "broker: connection %llu cannot be reached", (unsigned long long)connection->peer);
    core_peer_gone(sim->core, sim->now_ms, connection->peer);
    broker_finish_step(sim);
}

void network_deliver(struct sim *sim, uint64_t peer, const void *header, size_t size, struct body *body)
{
    struct sim_connection *connection = network_find(sim, peer);
    if (connection == NULL) {
        sim_fail(sim, "a message to connection %llu, which never was", (unsigned long long)peer);
        return;
    }
    if (connection->open) {
        dispatch(sim, make_message(connection, header, size, body), &connection->to_peer_ms, arrive_at_peer);
        return;
    }
    if (!connection->gone_reported)
        sim_later(sim, sim_draw(sim, 3), report_gone, connection, sim->incarnation);
    connection->gone_reported = true;
}
