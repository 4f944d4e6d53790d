/* core_rig.c - a core in virtual time with peers of a few words; see core_rig.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/core_rig.h"
#include "tests/support/heap_body.h"

static void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "core_rig: %s: %s\n", what, why);
    abort();
}

static uint64_t next_random(void *context)
{
    uint64_t *state = context;
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return *state;
}

void rig_new_with(struct rig *rig, size_t sessions_max)
{
    struct drover_error error = {0};
    *rig = (struct rig){.now_ms = 1000};
    const struct core_settings settings = {
        .bodies = &heap_bodies,
        .random = next_random,
        .context = &rig->random,
        .software = "drover test",
        .incarnation = 1,
        .owner_uid = RIG_OWNER_UID,
        .sessions_max = sessions_max,
    };
    if (core_new(&settings, rig->now_ms, &rig->core, &error) != DROVER_OK)
        give_up("core_new", error.text);
}

void rig_new(struct rig *rig)
{
    rig_new_with(rig, 0);
}

size_t rig_end(struct rig *rig)
{
    rig->core = core_free(rig->core);
    while (rig->first != NULL) {
        struct rig_effect *effect = rig->first;
        rig->first = effect->next;
        free(effect->octets);
        free(effect->body);
        free(effect);
    }
    rig->last = NULL;
    return heap_bodies_live();
}

/* ---- steps ---- */

static void keep(struct rig *rig, const struct effects *effects, struct effect *from)
{
    struct rig_effect *effect = calloc(1, sizeof(*effect));
    if (effect == NULL || (effect->octets = malloc(from->size + 1)) == NULL)
        give_up("effect", "no memory");
    effect->kind = from->kind;
    effect->peer = from->peer;
    effect->session = from->session;
    effect->call = from->call;
    effect->worker = from->worker;
    memcpy(effect->octets, effects_octets(effects, from), from->size);
    effect->octets[from->size] = '\0';
    if (from->kind == EFFECT_SEND && wire_header_decode(effect->octets, from->size, &effect->header) != WIRE_DECODED)
        give_up("effect", "the core sent a header that cannot be decoded");
    if (from->body.present) {
        effect->body_size = from->body.size;
        effect->body = malloc(from->body.size + 1);
        if (effect->body == NULL)
            give_up("effect", "no memory");
        memcpy(effect->body, heap_bodies.data(&from->body), from->body.size);
    }
    if (rig->last != NULL)
        rig->last->next = effect;
    else
        rig->first = effect;
    rig->last = effect;
}

static void finish_step(struct rig *rig)
{
    struct effects *effects = core_effects(rig->core);
    if (effects->failed)
        give_up("effects", "no memory");
    for (size_t i = 0; i < effects->count; i++)
        keep(rig, effects, &effects->items[i]);
    effects_clear(effects, &heap_bodies);
    const char *fault = core_check(rig->core);
    if (fault != NULL)
        give_up("core_check", fault);
}

static void receive(struct rig *rig, struct core_message *message, struct body *body)
{
    message->body = body;
    core_receive(rig->core, rig->now_ms, message);
    if (body->present)
        give_up("core_receive", "the body was not taken");
    finish_step(rig);
}

static void send_from(struct rig *rig, uint64_t peer, const char *address, const struct wire_header *header,
                      struct body *body)
{
    uint8_t octets[WIRE_HEADER_MAX];
    const size_t size = wire_header_encode(header, octets, sizeof(octets));
    if (size == 0)
        give_up("rig_send", "the header does not fit");
    struct core_message message = {
        .peer = peer, .back = peer >= RIG_WORKER_PEERS, .address = address, .header = octets, .header_size = size};
    receive(rig, &message, body);
}

static struct body zeros(size_t size)
{
    if (size == SIZE_MAX)
        return (struct body){.present = false};
    char *bytes = calloc(1, size + 1);
    if (bytes == NULL)
        give_up("body", "no memory");
    struct body body = heap_body_new(bytes, size);
    free(bytes);
    return body;
}

void rig_send(struct rig *rig, uint64_t peer, const struct wire_header *header, size_t body_size)
{
    struct body body = zeros(body_size);
    send_from(rig, peer, NULL, header, &body);
}

void rig_send_raw(struct rig *rig, uint64_t peer, const void *octets, size_t size, bool too_many)
{
    struct body body = {.present = false};
    struct core_message message = {.peer = peer, .header = octets, .header_size = size, .too_many = too_many};
    receive(rig, &message, &body);
}

void rig_advance(struct rig *rig, uint64_t ms)
{
    const uint64_t until_ms = rig->now_ms + ms;
    uint64_t next_ms = 0;
    while ((next_ms = core_next_ms(rig->core)) <= until_ms) {
        rig->now_ms = next_ms > rig->now_ms ? next_ms : rig->now_ms;
        core_expire(rig->core, rig->now_ms);
        finish_step(rig);
    }
    rig->now_ms = until_ms;
}

void rig_lost(struct rig *rig, uint64_t worker, uint64_t started)
{
    core_worker_lost(rig->core, rig->now_ms, worker, started);
    finish_step(rig);
}

void rig_closed(struct rig *rig, uint64_t worker, uint64_t started)
{
    core_worker_closed(rig->core, rig->now_ms, worker, started);
    finish_step(rig);
}

void rig_refuse(struct rig *rig, const char *service, const char *reason)
{
    core_refuse_service(rig->core, rig->now_ms, service, reason);
    finish_step(rig);
}

void rig_stop(struct rig *rig)
{
    core_stop(rig->core, rig->now_ms);
    finish_step(rig);
}

void rig_gone(struct rig *rig, uint64_t peer)
{
    core_peer_gone(rig->core, rig->now_ms, peer);
    finish_step(rig);
}

void rig_switch(struct rig *rig, const char *service, uint64_t generation)
{
    core_switch(rig->core, rig->now_ms, service, generation);
    finish_step(rig);
}

void rig_remove(struct rig *rig, const char *service)
{
    core_remove_service(rig->core, rig->now_ms, service);
    finish_step(rig);
}

enum drover_status rig_probe(struct rig *rig, uint64_t worker, const char *method, uint64_t deadline_ms)
{
    struct drover_error error = {0};
    const enum drover_status status = core_probe(rig->core, rig->now_ms, worker, method, NULL, deadline_ms, &error);
    finish_step(rig);
    return status;
}

enum drover_status rig_reconfigure(struct rig *rig, uint64_t worker, size_t size, uint64_t deadline_ms)
{
    static const char zeros[256];
    struct drover_error error = {0};
    struct body body = {.present = false};
    if (size > 0)
        body = heap_body_new(zeros, size);
    const enum drover_status status = core_reconfigure(rig->core, rig->now_ms, worker, &body, deadline_ms, &error);
    finish_step(rig);
    return status;
}

/* ---- services, workers, clients ---- */

struct core_service rig_service_like(const char *name)
{
    return (struct core_service){.name = name,
                                 .interface = name,
                                 .deadline_ms = 1000,
                                 .queue_calls = 16,
                                 .queue_bytes = UINT64_C(64) * 1024,
                                 .max_body = UINT64_C(16) * 1024,
                                 .retry = true};
}

void rig_service(struct rig *rig, const char *name)
{
    const struct core_service service = rig_service_like(name);
    struct drover_error error = {0};
    if (core_set_service(rig->core, &service, &error) != DROVER_OK)
        give_up("core_set_service", error.text);
}

static void token_of(uint64_t worker, uint8_t *token)
{
    memset(token, 0x5a, WIRE_TOKEN_SIZE);
    memcpy(token, &worker, sizeof(worker));
}

/* The first generation serves from its first worker on. */
static void switch_to_first(struct rig *rig, const char *service)
{
    struct core_service_stats stats;
    if (core_service_stats(rig->core, service, &stats) && stats.generation == 0)
        core_switch(rig->core, rig->now_ms, service, 1);
}

void rig_expect(struct rig *rig, uint64_t worker, const char *service)
{
    static const uint8_t empty_map[] = {0x80};
    struct core_expected expected = {.worker = worker,
                                     .generation = rig->generation != 0 ? rig->generation : 1,
                                     .service = service,
                                     .artefact = "00ff",
                                     .settings = empty_map,
                                     .settings_size = sizeof(empty_map)};
    struct drover_error error = {0};
    token_of(worker, expected.token);
    switch_to_first(rig, service);
    if (core_expect_worker(rig->core, &expected, &error) != DROVER_OK)
        give_up("core_expect_worker", error.text);
    finish_step(rig);
}

static struct rig_peer say_hello(struct rig *rig, uint64_t peer, const char *address, const struct wire_hello *hello)
{
    static const struct wire_method methods[] = {{"get", true}, {"put", false}};
    struct drover_writer *writer = drover_writer_new();
    wire_hello_encode(hello, methods, hello->role == WIRE_ROLE_WORKER ? 2 : 0, writer);
    struct body body = heap_body_new(drover_writer_data(writer), drover_writer_size(writer));
    drover_writer_free(writer);
    const struct rig_effect *before = rig->last;
    const struct wire_header header = {.command = WIRE_HELLO};
    send_from(rig, peer, address, &header, &body);
    struct rig_peer opened = {.peer = peer};
    for (const struct rig_effect *effect = before != NULL ? before->next : rig->first; effect != NULL;
         effect = effect->next) {
        if (effect->kind == EFFECT_SEND && effect->peer == peer && effect->header.command == WIRE_WELCOME)
            opened.session = effect->header.session;
    }
    return opened;
}

struct rig_peer rig_hello(struct rig *rig, uint64_t peer, enum wire_role role, const char *address)
{
    const struct wire_hello hello = {
        .role = role, .version_min = 1, .version_max = 1, .name = {"test", 4}, .instance = peer};
    return say_hello(rig, peer, address, &hello);
}

struct rig_peer rig_client(struct rig *rig, uint64_t peer)
{
    char address[80];
    (void)snprintf(address, sizeof(address), "localhost:%llu:1:%llu", (unsigned long long)peer,
                   (unsigned long long)peer);
    const struct rig_peer client = rig_hello(rig, peer, WIRE_ROLE_CLIENT, address);
    if (client.session == 0 || rig_take_command(rig, peer, WIRE_WELCOME) == NULL)
        give_up("rig_client", "no WELCOME");
    return client;
}

struct rig_peer rig_hello_worker(struct rig *rig, uint64_t peer, uint64_t worker, const char *interface,
                                 uint64_t concurrency)
{
    const uint64_t version = rig->version != 0 ? rig->version : 1;
    struct wire_hello hello = {.role = WIRE_ROLE_WORKER,
                               .version_min = version,
                               .version_max = version,
                               .interface = {interface, strlen(interface)},
                               .driver = {"test", 4},
                               .concurrency = concurrency,
                               .reconfigures = rig->reconfigures,
                               .has_token = true};
    token_of(worker, hello.token);
    struct rig_peer opened = say_hello(rig, peer, NULL, &hello);
    opened.worker = worker;
    return opened;
}

struct rig_peer rig_worker(struct rig *rig, uint64_t worker, const char *service, uint64_t concurrency)
{
    const uint64_t peer = RIG_WORKER_PEERS + worker;
    rig_expect(rig, worker, service);
    const struct rig_peer opened = rig_hello_worker(rig, peer, worker, service, concurrency);
    if (opened.session == 0 || rig_take_command(rig, peer, WIRE_WELCOME) == NULL)
        give_up("rig_worker", "no WELCOME");
    rig_say(rig, &opened, WIRE_READY, 0);
    if (rig_event(rig, EFFECT_WORKER_READY) == NULL)
        give_up("rig_worker", "not ready");
    return opened;
}

/* ---- what they say ---- */

void rig_say(struct rig *rig, const struct rig_peer *peer, enum wire_command command, uint64_t call)
{
    const struct wire_header header = {.command = command, .session = peer->session, .call = call};
    rig_send(rig, peer->peer, &header, SIZE_MAX);
}

void rig_call(struct rig *rig, const struct rig_peer *client, uint64_t call, const struct rig_request *request)
{
    static const struct rig_request plain = {.service = NULL};
    if (request == NULL)
        request = &plain;
    const char *service = request->service != NULL ? request->service : "echo";
    const char *method = request->method != NULL ? request->method : "put";
    const bool has_read = request->read_count > 0 || request->read_bytes > 0;
    const struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET | (request->has_deadline ? FIELD_DEADLINE : 0u) | (has_read ? FIELD_READ : 0u) |
                 (request->metadata_size > 0 ? FIELD_METADATA : 0u) | (request->idempotent ? WIRE_IDEMPOTENT : 0u),
        .session = client->session,
        .call = call,
        .deadline_ms = request->deadline_ms,
        .read_count = request->read_count,
        .read_bytes = request->read_bytes,
        .service = {service, strlen(service)},
        .method = {method, strlen(method)},
        .metadata = {request->metadata, request->metadata_size},
    };
    rig_send(rig, client->peer, &header, request->body_size > 0 ? request->body_size : SIZE_MAX);
}

void rig_reply(struct rig *rig, const struct rig_peer *worker, const struct rig_effect *given, size_t size)
{
    const struct wire_header header = {.command = WIRE_REPLY, .session = worker->session, .call = given->header.call};
    rig_send(rig, worker->peer, &header, size);
}

void rig_fail(struct rig *rig, const struct rig_peer *worker, const struct rig_effect *given, enum drover_status status,
              enum drover_outcome outcome)
{
    const struct wire_header header = {
        .command = WIRE_ERROR,
        .flags = FIELD_STATUS,
        .session = worker->session,
        .call = given->header.call,
        .status = status,
        .outcome = outcome,
        .origin = outcome == DROVER_OUTCOME_ANSWERED ? DROVER_ORIGIN_DRIVER : DROVER_ORIGIN_HOST,
        .text = {"said the worker", 15},
    };
    rig_send(rig, worker->peer, &header, SIZE_MAX);
}

/* ---- what came of it ---- */

static const struct rig_effect *take(struct rig *rig, enum effect_kind kind, uint64_t peer, enum wire_command command)
{
    for (struct rig_effect *effect = rig->first; effect != NULL; effect = effect->next) {
        if (effect->taken || effect->kind != kind)
            continue;
        if (kind == EFFECT_SEND && effect->peer != peer)
            continue;
        if (command != WIRE_NO_COMMAND && effect->header.command != command)
            continue;
        effect->taken = true;
        return effect;
    }
    return NULL;
}

const struct rig_effect *rig_take(struct rig *rig, uint64_t peer)
{
    return take(rig, EFFECT_SEND, peer, WIRE_NO_COMMAND);
}

const struct rig_effect *rig_take_command(struct rig *rig, uint64_t peer, enum wire_command command)
{
    return take(rig, EFFECT_SEND, peer, command);
}

const struct rig_effect *rig_event(struct rig *rig, enum effect_kind kind)
{
    return take(rig, kind, 0, WIRE_NO_COMMAND);
}

void rig_drop(struct rig *rig)
{
    for (struct rig_effect *effect = rig->first; effect != NULL; effect = effect->next)
        effect->taken = true;
}
