/* frames.c - what the engine sends next; see engine.h */
#include "client/lib/engine_private.h"

/* Tell the broker what was read before it takes this client for one that does not read. */
#define REPORT_COUNT 256
#define REPORT_BYTES (UINT64_C(1) << 20)

static void add_read(const struct engine *engine, struct wire_header *header)
{
    header->flags |= FIELD_READ;
    header->read_count = engine->read_count;
    header->read_bytes = engine->read_bytes;
}

static void fill_plain(struct engine *engine, enum wire_command command, struct engine_frame *ret_frame)
{
    *ret_frame = (struct engine_frame){.header = {.command = command, .session = engine->session}};
    add_read(engine, &ret_frame->header);
}

static void fill_hello(struct engine *engine, struct engine_frame *ret_frame)
{
    *ret_frame = (struct engine_frame){
        .header = {.command = WIRE_HELLO},
        .body = {.data = drover_writer_data(engine->hello), .size = drover_writer_size(engine->hello)},
        .has_body = true,
    };
}

static void fill_call(struct engine *engine, const struct call *call, uint64_t now_ms, struct engine_frame *ret_frame)
{
    uint64_t left_ms = call->deadline_ms > now_ms ? call->deadline_ms - now_ms : 1;
    struct wire_header *header = &ret_frame->header;

    fill_plain(engine, call->command, ret_frame);
    header->call = call->id;
    header->flags |= FIELD_TARGET;
    if (!call->service_deadline)
        header->flags |= FIELD_DEADLINE;
    if (call->metadata.size > 0)
        header->flags |= FIELD_METADATA;
    if (call->idempotent && call->command == WIRE_CALL)
        header->flags |= WIRE_IDEMPOTENT;
    header->deadline_ms = (uint32_t)left_ms;
    header->service = call->service;
    header->method = call->method;
    header->metadata = call->metadata;
    ret_frame->body = call->body;
    ret_frame->has_body = call->has_body;
}

/* The next call that may go out. Those that turn out to be too large for the broker end here. */
static struct call *next_call(struct engine *engine)
{
    struct call *call;

    while ((call = calls_first(&engine->calls, CALL_QUEUED)) != NULL && !engine_body_fits(engine, call->body.size))
        call_fail(engine, call, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_NOT_STARTED,
                  "body of %zu octets (the broker takes %llu; raise max_body)", call->body.size,
                  (unsigned long long)engine->max_body);
    if (call == NULL)
        return NULL;
    /* All that is neither queued nor free is an outcome that the broker counts as unread, now or soon. */
    size_t unread = engine_open(engine) - calls_count(&engine->calls, CALL_QUEUED);
    return engine->open_max == 0 || unread < engine->open_max ? call : NULL;
}

static bool report_is_due(const struct engine *engine)
{
    return engine->read_count - engine->reported_count >= REPORT_COUNT ||
           engine->read_bytes - engine->reported_bytes >= REPORT_BYTES;
}

static bool waits_for_broker(const struct engine *engine)
{
    return calls_count(&engine->calls, CALL_SENT) + calls_count(&engine->calls, CALL_CANCELLING) > 0;
}

static enum frame_kind choose_open(struct engine *engine, uint64_t now_ms, struct call **ret_call)
{
    if (engine->pong_due)
        return FRAME_PONG;
    *ret_call = calls_first(&engine->calls, CALL_CANCELLING);
    if (*ret_call != NULL)
        return FRAME_CANCEL;
    *ret_call = next_call(engine);
    if (*ret_call != NULL)
        return FRAME_CALL;
    if (report_is_due(engine))
        return FRAME_REPORT;
    if (waits_for_broker(engine) && now_ms >= engine->traffic_ms + engine->ping_ms)
        return FRAME_PING;
    return FRAME_NONE;
}

static enum frame_kind choose(struct engine *engine, uint64_t now_ms, struct call **ret_call)
{
    if (engine->state == SESSION_OPEN)
        return choose_open(engine, now_ms, ret_call);
    if (engine->state == SESSION_NONE && engine_is_active(engine) && now_ms >= engine->hello_at_ms)
        return FRAME_HELLO;
    return FRAME_NONE;
}

bool engine_next_frame(struct engine *engine, uint64_t now_ms, struct engine_frame *ret_frame)
{
    struct call *call = NULL;

    engine->next = choose(engine, now_ms, &call);
    engine->next_call = call == NULL ? 0 : call->id;
    switch (engine->next) {
    case FRAME_NONE:
        return false;
    case FRAME_HELLO:
        fill_hello(engine, ret_frame);
        return true;
    case FRAME_CANCEL:
        fill_plain(engine, WIRE_CANCEL, ret_frame);
        ret_frame->header.call = call->id;
        return true;
    case FRAME_CALL:
        fill_call(engine, call, now_ms, ret_frame);
        return true;
    case FRAME_PONG:
        fill_plain(engine, WIRE_PONG, ret_frame);
        ret_frame->header.call = engine->pong_call;
        return true;
    case FRAME_REPORT:
        fill_plain(engine, WIRE_PONG, ret_frame);
        return true;
    case FRAME_PING:
        fill_plain(engine, WIRE_PING, ret_frame);
        return true;
    }
    return false;
}

static void call_was_sent(struct engine *engine, struct call *call)
{
    call->session = engine->session;
    call->was_sent = true;
    calls_move(&engine->calls, call, CALL_SENT);
    calls_wake_at(&engine->calls, call, call->deadline_ms + ENGINE_VERDICT_MS);
}

void engine_frame_sent(struct engine *engine, uint64_t now_ms)
{
    struct call *call = calls_find(&engine->calls, engine->next_call);

    engine->blocked = false;
    engine->traffic_ms = now_ms;
    if (engine->next == FRAME_HELLO) {
        engine->greetings++;
        engine->hello_at_ms = now_ms + ENGINE_HELLO_MS;
    } else if (engine->next != FRAME_NONE) {
        engine->reported_count = engine->read_count;
        engine->reported_bytes = engine->read_bytes;
    }
    if (engine->next == FRAME_PONG)
        engine->pong_due = false;
    if (engine->next == FRAME_CALL && call != NULL)
        call_was_sent(engine, call);
    else if (engine->next == FRAME_CANCEL && call != NULL)
        calls_move(&engine->calls, call, CALL_SENT);
    engine->next = FRAME_NONE;
}

bool engine_is_blocked(const struct engine *engine)
{
    return engine->blocked && engine_is_active(engine);
}

uint64_t engine_wake_ms(const struct engine *engine)
{
    const struct call *call = calls_soonest(&engine->calls);
    uint64_t wake_ms = call == NULL ? UINT64_MAX : call->wake_ms;
    uint64_t own_ms = UINT64_MAX;

    if (engine->state == SESSION_OPEN && waits_for_broker(engine))
        own_ms = engine->traffic_ms + engine->ping_ms;
    else if (engine->state != SESSION_OPEN && engine_is_active(engine) && !engine->blocked)
        own_ms = engine->hello_at_ms;
    return own_ms < wake_ms ? own_ms : wake_ms;
}

bool engine_leave(struct engine *engine, struct engine_frame *ret_frame)
{
    if (engine->state != SESSION_OPEN)
        return false;
    fill_plain(engine, WIRE_BYE, ret_frame);
    return true;
}
