/* call.c - records of calls in chunks that never move; see call.h */
#include <stdlib.h>
#include <string.h>

#include "broker/core/ask.h"
#include "broker/core/call.h"
#include "broker/core/care.h"
#include "broker/core/generation.h"

#define SERIAL_BITS 40
#define SERIAL_MASK ((UINT64_C(1) << SERIAL_BITS) - 1)
#define SLOTS_MAX (UINT32_C(1) << 24)

static bool add_chunk(struct calls *calls)
{
    if ((calls->chunk_count + 1) * CALLS_CHUNK > SLOTS_MAX)
        return false;
    struct call **chunks = realloc(calls->chunks, (calls->chunk_count + 1) * sizeof(*chunks));
    if (chunks == NULL)
        return false;
    calls->chunks = chunks;
    struct call *chunk = calloc(CALLS_CHUNK, sizeof(*chunk));
    if (chunk == NULL)
        return false;
    chunks[calls->chunk_count] = chunk;
    for (unsigned i = CALLS_CHUNK; i-- > 0;) {
        chunk[i].slot = (uint32_t)(calls->chunk_count * CALLS_CHUNK + i);
        chunk[i].timer.owner = TIMER_CALL;
        chunk[i].client_next = calls->free;
        calls->free = &chunk[i];
    }
    calls->chunk_count++;
    return true;
}

void call_renumber(struct core *core, struct call *call)
{
    core->calls.serial = (core->calls.serial + 1) & SERIAL_MASK;
    call->serial = core->calls.serial;
}

struct call *call_new(struct core *core)
{
    struct calls *calls = &core->calls;
    if (calls->free == NULL && !add_chunk(calls))
        return NULL;
    struct call *call = calls->free;
    calls->free = call->client_next;
    calls->open++;
    call->client_next = NULL;
    call_renumber(core, call);
    return call;
}

/* The bytes of a call whose outcome is told count no more. */
static void release_body(struct core *core, struct call *call)
{
    if (call->body.present)
        core->settings.bodies->release(&call->body);
    if (call->service != NULL)
        call->service->bytes -= call->size;
    call->size = 0;
}

void call_free(struct core *core, struct call *call)
{
    timers_cancel(&core->timers, &call->timer.timer);
    release_body(core, call);
    if (call->text != call->inline_text)
        free(call->text);
    const uint32_t slot = call->slot;
    memset(call, 0, offsetof(struct call, inline_text));
    call->slot = slot;
    call->timer.owner = TIMER_CALL;
    call->client_next = core->calls.free;
    core->calls.free = call;
    core->calls.open--;
}

bool call_keep_text(struct call *call, const struct wire_header *header)
{
    const size_t size = header->method.size + header->metadata.size;
    call->text = size <= sizeof(call->inline_text) ? call->inline_text : malloc(size);
    if (call->text == NULL)
        return false;
    memcpy(call->text, header->method.data, header->method.size);
    if (header->metadata.size > 0)
        memcpy(call->text + header->method.size, header->metadata.data, header->metadata.size);
    call->method_size = (uint16_t)header->method.size;
    call->metadata_size = (uint16_t)header->metadata.size;
    return true;
}

struct drover_text call_method(const struct call *call)
{
    return (struct drover_text){.data = call->text, .size = call->method_size};
}

struct drover_text call_metadata(const struct call *call)
{
    return (struct drover_text){.data = call->text + call->method_size, .size = call->metadata_size};
}

uint64_t call_number(const struct call *call)
{
    return (uint64_t)call->slot << SERIAL_BITS | call->serial;
}

struct call *call_find(const struct core *core, uint64_t number)
{
    const uint64_t slot = number >> SERIAL_BITS;
    if (slot >= core->calls.chunk_count * CALLS_CHUNK)
        return NULL;
    struct call *call = &core->calls.chunks[slot / CALLS_CHUNK][slot % CALLS_CHUNK];
    return call->state != CALL_FREE && call->serial == (number & SERIAL_MASK) ? call : NULL;
}

bool call_never_was(const struct core *core, uint64_t number)
{
    return number >> SERIAL_BITS >= core->calls.chunk_count * CALLS_CHUNK ||
           (number & SERIAL_MASK) > core->calls.serial;
}

void call_detach(struct core *core, struct call *call)
{
    if (call->client == NULL)
        return;
    DL_DELETE2(call->client->calls, call, client_prev, client_next);
    call->client->calls_open--;
    call->client = NULL;
    release_body(core, call); /* what nobody waits for is never sent to a worker again */
}

enum drover_outcome call_outcome(const struct call *call)
{
    return call->worker != NULL || call->repeated ? DROVER_OUTCOME_UNKNOWN : DROVER_OUTCOME_NOT_STARTED;
}

static void count_outcome(struct service *service, const struct wire_header *header)
{
    service->calls++;
    if (header->command == WIRE_REPLY)
        return;
    service->failed++;
    if (header->outcome != DROVER_OUTCOME_ANSWERED)
        service->unanswered++;
}

/* A call that its client gave up is not lost. */
static bool is_lost(const struct wire_header *header)
{
    return header->command == WIRE_ERROR && header->outcome == DROVER_OUTCOME_UNKNOWN &&
           header->status != DROVER_CANCELLED;
}

void call_tell(struct core *core, struct call *call, struct wire_header *header, struct body *body)
{
    struct session *client = call->client;
    if (call->question != QUESTION_NONE)
        ask_ended(core, call, header);
    if (client == NULL) {
        if (body != NULL && body->present)
            core->settings.bodies->release(body);
        return;
    }
    count_outcome(call->service, header);
    if (call->worker != NULL)
        generation_count(call->worker, is_lost(header));
    header->session = client->id;
    header->call = call->client_call;
    const size_t size = body != NULL && body->present ? body->size : 0;
    effects_send(&core->effects, client->peer, header, body, core->settings.bodies);
    call_detach(core, call);
    care_sent(core, client, size);
}

void call_tell_error(struct core *core, struct call *call, const struct drover_error *error)
{
    struct wire_header header = {.command = WIRE_ERROR};
    wire_header_set_error(&header, error);
    call_tell(core, call, &header, NULL);
}
