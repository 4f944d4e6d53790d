/* session.c - the engine's session: what the broker says, and what its silence means; see engine.h */
#include "client/lib/engine_private.h"
#include "common/base/error.h"

typedef bool message_handler(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                             const struct call_body *body);

void session_count_read(struct engine *engine, size_t size)
{
    engine->read_count++;
    engine->read_bytes += size;
}

/* Call `act` for all that was sent in another session than the current one; with `all`, for all that was sent. */
static void lose_calls(struct engine *engine, bool all)
{
    static const enum call_state states[] = {CALL_SENT, CALL_CANCELLING};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        struct call *call = calls_first(&engine->calls, states[i]);
        while (call != NULL) {
            struct call *next = calls_next(&engine->calls, call);
            if (all || call->session != engine->session)
                call_lost(engine, call);
            call = next;
        }
    }
}

void session_open(struct engine *engine, uint64_t now_ms)
{
    engine->state = SESSION_OPEN;
    engine->opened++;
    engine->greetings = 0;
    engine->traffic_ms = now_ms;
    engine->pong_due = false;
    engine->read_count = engine->read_bytes = 0;
    engine->reported_count = engine->reported_bytes = 0;
    lose_calls(engine, false);
}

/* Without a session; HELLO goes out as soon as there is a call. */
static void close_session(struct engine *engine, uint64_t hello_at_ms)
{
    engine->state = SESSION_NONE;
    engine->hello_at_ms = hello_at_ms;
    engine->pong_due = false;
    engine->next = FRAME_NONE;
}

void engine_link_lost(struct engine *engine, uint64_t now_ms)
{
    close_session(engine, now_ms);
    engine->greetings = 0; /* they died with the connection */
    engine->blocked = true;
    lose_calls(engine, true);
}

static void refuse_queued(struct engine *engine, const struct drover_error *error)
{
    struct call *call;

    while ((call = calls_first(&engine->calls, CALL_QUEUED)) != NULL)
        call_end(engine, call, error);
}

/* No session now. Later, if `error` says when; else what waits ends with it, and the next call tries again. */
static void refuse(struct engine *engine, uint64_t now_ms, struct drover_error *error)
{
    uint64_t retry_ms = error->retry_after_ms;

    if (retry_ms > ENGINE_RETRY_MAX_MS)
        retry_ms = ENGINE_RETRY_MAX_MS;
    close_session(engine, now_ms + retry_ms);
    engine->greetings = 0;
    lose_calls(engine, true);
    if (error->status == DROVER_OK)
        error->status = DROVER_UNAVAILABLE;
    error->outcome = DROVER_OUTCOME_NOT_STARTED;
    if (retry_ms == 0)
        refuse_queued(engine, error);
}

static void use_limits(struct engine *engine, const struct wire_welcome *welcome)
{
    engine->session = welcome->session;
    engine->max_body = welcome->max_body;
    engine->open_max = welcome->open_max;
    engine->ping_ms = welcome->ping_ms > 0 ? welcome->ping_ms : ENGINE_PING_MS;
    if (engine->ping_ms > ENGINE_RETRY_MAX_MS)
        engine->ping_ms = ENGINE_RETRY_MAX_MS;
}

/* A session that this client cannot use is no session. */
static void refuse_welcome(struct engine *engine, uint64_t now_ms, const struct drover_error *why)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT};

    (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "the WELCOME of broker '%s' is of no use: %.300s",
                           engine->endpoint, why->text);
    refuse(engine, now_ms, &error);
}

static bool on_welcome(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                       const struct call_body *body)
{
    struct drover_error error = {0};
    struct wire_welcome welcome;

    (void)header;
    if (body == NULL || engine->greetings == 0)
        return false;
    if (drover_document_reparse(engine->document, body->data, body->size, &error) != DROVER_OK ||
        wire_welcome_decode(engine->document, &welcome, &error) != DROVER_OK) {
        refuse_welcome(engine, now_ms, &error);
        return false;
    }
    use_limits(engine, &welcome);
    engine->state = SESSION_WELCOMED;
    if (--engine->greetings == 0)
        session_open(engine, now_ms);
    return false;
}

static bool on_refused(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                       const struct call_body *body)
{
    struct drover_error error;

    (void)body;
    wire_header_get_error(header, &error);
    refuse(engine, now_ms, &error);
    return false;
}

/* The call that an outcome is for; NULL when it is late. */
static struct call *find_sent(const struct engine *engine, const struct wire_header *header)
{
    struct call *call = calls_find(&engine->calls, header->call);

    if (call == NULL || call->session != header->session ||
        (call->state != CALL_SENT && call->state != CALL_CANCELLING))
        return NULL;
    return call;
}

/* An outcome came. The broker counts it as unread until it is told otherwise, also if nobody waits for it any more. */
static struct call *match_outcome(struct engine *engine, const struct wire_header *header, const struct call_body *body)
{
    struct call *call = find_sent(engine, header);

    if (call != NULL)
        call->from_broker = true;
    else if (engine->state == SESSION_OPEN && header->call != 0)
        session_count_read(engine, body == NULL ? 0 : body->size);
    return call;
}

static bool on_reply(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                     const struct call_body *body)
{
    struct call *call = match_outcome(engine, header, body);

    (void)now_ms;
    if (call == NULL)
        return false;
    drover_error_clear(&call->error);
    call->error.origin = DROVER_ORIGIN_DRIVER;
    if (body != NULL)
        call->reply = *body;
    calls_move(&engine->calls, call, CALL_DONE);
    return body != NULL;
}

static bool on_error(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                     const struct call_body *body)
{
    struct call *call = match_outcome(engine, header, body);
    struct drover_error error;

    (void)now_ms;
    if (call == NULL)
        return false;
    wire_header_get_error(header, &error);
    if (error.status == DROVER_OK)
        drover_error_set(&error, DROVER_INTERNAL, "broker '%s' sent an error without a status", engine->endpoint);
    call->reply.size = body == NULL ? 0 : body->size; /* not kept, but counted when it is read */
    call_end(engine, call, &error);
    return false;
}

/* The call that is named was not started. Of one that was cancelled it is not said what CANCEL had found. */
static bool on_hello_first(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                           const struct call_body *body)
{
    struct call *call = find_sent(engine, header);

    (void)body;
    if (header->session == engine->session && engine->state == SESSION_OPEN)
        close_session(engine, now_ms);
    if (call != NULL && !call->cancelled)
        call_requeue(engine, call);
    return false;
}

static bool on_ping(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                    const struct call_body *body)
{
    (void)now_ms;
    (void)body;
    engine->pong_due = engine->state == SESSION_OPEN;
    engine->pong_call = header->call;
    return false;
}

/* The broker has told every outcome there was: what is still without one it has never looked at. */
static void recall_calls(struct engine *engine)
{
    static const enum call_state states[] = {CALL_SENT, CALL_CANCELLING};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        struct call *call = calls_first(&engine->calls, states[i]);
        while (call != NULL) {
            struct call *next = calls_next(&engine->calls, call);
            if (call->session == engine->session)
                call_requeue(engine, call);
            call = next;
        }
    }
}

static bool on_bye(struct engine *engine, uint64_t now_ms, const struct wire_header *header,
                   const struct call_body *body)
{
    (void)header;
    (void)body;
    recall_calls(engine);
    lose_calls(engine, true); /* of sessions before: nobody can say */
    close_session(engine, now_ms + ENGINE_HELLO_MS);
    engine->greetings = 0;
    return false;
}

static const struct {
    message_handler *handle;
    bool any_session; /* also when it bears another session than the present one */
} rows[WIRE_COMMAND_END] = {
    [WIRE_WELCOME] = {on_welcome, true},
    [WIRE_REFUSED] = {on_refused, true},
    [WIRE_HELLO_FIRST] = {on_hello_first, true},
    [WIRE_REPLY] = {on_reply, false},
    [WIRE_ERROR] = {on_error, false},
    [WIRE_PING] = {on_ping, false},
    [WIRE_BYE] = {on_bye, false},
};

bool engine_receive(struct engine *engine, uint64_t now_ms, const void *data, size_t size, const struct call_body *body)
{
    struct wire_header header;

    if (wire_header_decode(data, size, &header) != WIRE_DECODED)
        return false;
    if (header.session != engine->session && !rows[header.command].any_session)
        return false;
    engine->traffic_ms = engine->heard_ms = now_ms;
    if (rows[header.command].handle == NULL) /* PONG was heard; the rest is not for clients */
        return false;
    return rows[header.command].handle(engine, now_ms, &header, body);
}
