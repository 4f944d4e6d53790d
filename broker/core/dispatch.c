/* dispatch.c - from a frame to its handler: known, sender, state, body, then the table */
#include "broker/core/care.h"
#include "broker/core/handle.h"
#include "broker/core/session.h"

typedef void handler(struct core *core, struct session *session, const struct incoming *incoming);

/* A command without a line here does not compile (-Wswitch-enum); NULL: only the broker sends it. */
static handler *handler_of(enum wire_command command)
{
    switch (command) {
    case WIRE_HELLO:
        return handle_hello;
    case WIRE_READY:
        return handle_ready;
    case WIRE_CONFIG_ERROR:
        return handle_config_error;
    case WIRE_CALL:
        return handle_call;
    case WIRE_REPLY:
        return handle_reply;
    case WIRE_ERROR:
        return handle_error;
    case WIRE_CANCEL:
        return handle_cancel;
    case WIRE_PING:
        return handle_ping;
    case WIRE_PONG:
        return handle_pong;
    case WIRE_DRAINED:
        return handle_drained;
    case WIRE_ADMIN:
        return handle_admin;
    case WIRE_BYE:
        return handle_bye;
    case WIRE_WELCOME:
    case WIRE_REFUSED:
    case WIRE_HELLO_FIRST:
    case WIRE_DRAIN:
    case WIRE_RECONFIGURE:
    case WIRE_NO_COMMAND:
    case WIRE_COMMAND_END:
        return NULL;
    }
    return NULL;
}

/* An ERROR that names a call is that call's outcome. One that is open has another still to come: it is not named. */
static uint64_t name_call(const struct session *session, uint64_t number)
{
    for (const struct call *call = session->calls; call != NULL; call = call->client_next) {
        if (call->client_call == number)
            return 0;
    }
    return number;
}

void handle_breach(struct core *core, struct session *session, uint64_t call, struct drover_error *error)
{
    core->malformed++;
    if (session->malformed == 0 || core->now_ms - session->malformed_since_ms > CORE_MALFORMED_MS) {
        session->malformed = 0;
        session->malformed_since_ms = core->now_ms;
    }
    if (++session->malformed < CORE_MALFORMED_MAX) {
        struct wire_header header = {.command = WIRE_ERROR, .call = name_call(session, call)};
        error->outcome = DROVER_OUTCOME_NOT_STARTED;
        error->origin = DROVER_ORIGIN_BROKER;
        wire_header_set_error(&header, error);
        session_send(core, session, &header);
        if (header.call != 0)
            care_sent(core, session, 0);
        return;
    }
    struct drover_error last = {0};
    (void)drover_error_set(&last, DROVER_FAILED_PRECONDITION,
                           "%d frames against the protocol in %d s, the last: %.300s; the session is closed",
                           CORE_MALFORMED_MAX, CORE_MALFORMED_MS / 1000, error->text);
    session_refuse(core, session->peer, session->id, &last);
    if (session->worker != NULL)
        effects_worker(&core->effects, EFFECT_WORKER_HUNG, session->worker->number, last.text);
    session_ban(core, session);
}

/* Names the call only where the frame was the call itself: of any other call nobody here can say what became. */
static void say_hello_first(struct core *core, uint64_t peer, const struct wire_header *header)
{
    const bool is_call = header->command == WIRE_CALL || header->command == WIRE_ADMIN;
    struct wire_header answer = {
        .command = WIRE_HELLO_FIRST, .session = header->session, .call = is_call ? header->call : 0};
    effects_send(&core->effects, peer, &answer, NULL, core->settings.bodies);
}

/* The record of the sender; a frame that breaks the protocol gets one too, so that it can be counted. */
static struct session *find_or_new(struct core *core, const struct core_message *message)
{
    struct session *session = session_find(core, message->peer);
    if (session == NULL)
        session = session_new(core, message->peer, message->back);
    if (session == NULL) {
        struct drover_error error = {.retry_after_ms = 1000};
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED,
                               "the broker has its %zu sessions; come back in a second", core->settings.sessions_max);
        session_refuse(core, message->peer, 0, &error);
    }
    return session;
}

/* NULL when the header is a good one; else what is wrong, in `error`. */
static bool is_breach(const struct session *session, const struct wire_header *header,
                      const struct core_message *message, struct drover_error *error)
{
    const struct wire_command_info *info = wire_command_info(header->command);
    const bool hello = header->command == WIRE_HELLO;
    const unsigned role = session->role == WIRE_ROLE_ADMIN ? WIRE_ROLE_ADMIN | WIRE_ROLE_CLIENT : session->role;
    const bool has_body = message->body->present;
    if (message->too_many)
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s: more than two frames", info->name);
    else if (!hello && (info->senders & role) == 0)
        (void)drover_error_set(error, DROVER_FAILED_PRECONDITION, "%s is not for a %s to send", info->name,
                               wire_role_name(session->role));
    else if ((info->states & session->state) == 0)
        (void)drover_error_set(error, DROVER_FAILED_PRECONDITION, "%s is not accepted in state '%s'", info->name,
                               wire_state_name(session->state));
    else if (info->body == WIRE_NO_BODY && has_body)
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s has no body, but one came", info->name);
    else if (info->body == WIRE_BODY && !has_body)
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s came without its body", info->name);
    else if ((hello || header->command == WIRE_ADMIN) && message->body->size > WIRE_READ_BODY_MAX)
        (void)drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s has a body of %zu octets, at most %d are read",
                               info->name, message->body->size, WIRE_READ_BODY_MAX);
    else
        return false;
    return true;
}

static void handle_decoded(struct core *core, struct session *session, const struct wire_header *header,
                           struct core_message *message)
{
    const bool hello = header->command == WIRE_HELLO;
    if (!hello && (session == NULL || session->id == 0 || session->id != header->session)) {
        say_hello_first(core, message->peer, header);
        return;
    }
    if (session == NULL && (session = find_or_new(core, message)) == NULL)
        return;
    struct drover_error error = {0};
    if (is_breach(session, header, message, &error)) {
        handle_breach(core, session, header->call, &error);
        return;
    }
    care_read(session, header);
    const struct incoming incoming = {.header = header, .message = message, .body = message->body};
    handler_of(header->command)(core, session, &incoming);
}

static void handle_undecoded(struct core *core, enum wire_verdict verdict, const struct wire_header *header,
                             const struct core_message *message)
{
    struct drover_error error = {0};
    if (verdict == WIRE_OTHER_VERSION) {
        const unsigned version = ((const uint8_t *)message->header)[2];
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION,
                               "protocol version %u is not spoken here; this broker speaks version %d", version,
                               WIRE_VERSION);
        session_refuse(core, message->peer, 0, &error);
        return;
    }
    struct session *session = find_or_new(core, message);
    if (session == NULL)
        return;
    if (verdict == WIRE_UNKNOWN_COMMAND)
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "command %u is not known in version %d",
                               ((const uint8_t *)message->header)[3], WIRE_VERSION);
    else
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "a header of %zu octets that cannot be read",
                               message->header_size);
    handle_breach(core, session, verdict == WIRE_UNKNOWN_COMMAND ? header->call : 0, &error);
}

void core_receive(struct core *core, uint64_t now_ms, struct core_message *message)
{
    struct wire_header header = {.command = WIRE_NO_COMMAND};
    core->now_ms = now_ms;
    core->now_us = message->at_us != 0 ? message->at_us : now_ms * 1000;
    struct session *session = session_find(core, message->peer);
    if (session != NULL)
        session->heard_ms = now_ms;
    if (session == NULL || !session->ignored) {
        const enum wire_verdict verdict = wire_header_decode(message->header, message->header_size, &header);
        if (verdict == WIRE_DECODED)
            handle_decoded(core, session, &header, message);
        else if (verdict != WIRE_FOREIGN)
            handle_undecoded(core, verdict, &header, message);
    }
    if (message->body->present)
        core->settings.bodies->release(message->body);
}
