/* engine.c - the engine's calls: taken over, given up, ended, handed out; see engine.h */
#include "client/lib/engine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

#define SOFTWARE "drover " DROVER_VERSION

static struct drover_text text_of(const char *string)
{
    return (struct drover_text){.data = string, .size = strlen(string)};
}

static void write_hello(struct engine *engine, const struct engine_options *options)
{
    struct wire_hello hello = {
        .role = options->admin ? WIRE_ROLE_ADMIN : WIRE_ROLE_CLIENT,
        .version_min = WIRE_VERSION,
        .version_max = WIRE_VERSION,
        .software = text_of(SOFTWARE),
        .name = {.data = options->name, .size = strnlen(options->name, WIRE_NAME_MAX)},
        .instance = options->instance,
    };

    wire_hello_encode(&hello, NULL, 0, engine->hello);
}

enum drover_status engine_new(const struct engine_options *options, struct engine **ret_engine,
                              struct drover_error *error)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL)
        goto fail;
    calls_init(&engine->calls);
    engine->options = *options;
    engine->options.name = NULL; /* stands in the HELLO only */
    engine->endpoint = strdup(options->endpoint);
    engine->options.endpoint = engine->endpoint;
    engine->hello = drover_writer_new();
    if (engine->endpoint == NULL || engine->hello == NULL)
        goto fail;
    write_hello(engine, options);
    if (!drover_writer_ok(engine->hello) || drover_document_parse("\x80", 1, &engine->document, error) != DROVER_OK)
        goto fail;
    *ret_engine = engine;
    return DROVER_OK;

fail:
    engine_free(engine);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "client of '%s': out of memory", options->endpoint);
}

static void drop_reply(struct engine *engine, struct call *call)
{
    if (call->reply.owner != NULL)
        engine->options.release(call->reply.owner);
    call->reply = (struct call_body){0};
}

struct engine *engine_free(struct engine *engine)
{
    if (engine == NULL)
        return NULL;
    for (struct call *call = calls_first(&engine->calls, CALL_DONE); call != NULL;
         call = calls_next(&engine->calls, call))
        drop_reply(engine, call);
    calls_done(&engine->calls);
    drover_document_free(engine->document);
    drover_writer_free(engine->hello);
    free(engine->endpoint);
    free(engine);
    return NULL;
}

bool engine_body_fits(const struct engine *engine, size_t size)
{
    return engine->max_body == 0 || size <= engine->max_body;
}

static enum drover_status check_name(const char *what, const char *name, struct drover_error *error)
{
    size_t size = name == NULL ? 0 : strnlen(name, WIRE_NAME_MAX + 1);

    if (size == 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "the name of the %s is empty", what);
    if (size > WIRE_NAME_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "%s '%.40s...': the name is longer than %d octets",
                                what, name, WIRE_NAME_MAX);
    return DROVER_OK;
}

static bool is_map(const uint8_t *data)
{
    return (*data & 0xF0) == 0x80 || *data == 0xDE || *data == 0xDF;
}

static enum drover_status check_metadata(const struct drover_request *request, struct drover_error *error)
{
    if (request->metadata == NULL || request->metadata_size == 0)
        return DROVER_OK;
    if (request->metadata_size > WIRE_METADATA_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "call '%s.%s': metadata of %zu octets (at most %d)",
                                request->service, request->method, request->metadata_size, WIRE_METADATA_MAX);
    if (!is_map(request->metadata))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "call '%s.%s': metadata is no msgpack map",
                                request->service, request->method);
    return DROVER_OK;
}

static enum drover_status check_room(const struct engine *engine, const struct drover_request *request,
                                     struct drover_error *error)
{
    uint64_t limit = engine->options.open_max;

    if (engine->open_max > 0 && engine->open_max < limit)
        limit = engine->open_max;
    if (engine_open(engine) >= limit)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "call '%s.%s': %zu calls are under way (at most %llu; receive their outcomes first)",
                                request->service, request->method, engine_open(engine), (unsigned long long)limit);
    if (!engine_body_fits(engine, request->body_size))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "call '%s.%s': body of %zu octets (the broker takes %llu; raise max_body)",
                                request->service, request->method, request->body_size,
                                (unsigned long long)engine->max_body);
    return DROVER_OK;
}

static enum drover_status check_request(const struct engine *engine, const struct drover_request *request,
                                        struct drover_error *error)
{
    enum drover_status status = check_name("service", request->service, error);

    if (status == DROVER_OK)
        status = check_name("method", request->method, error);
    if (status == DROVER_OK)
        status = check_metadata(request, error);
    if (status == DROVER_OK)
        status = check_room(engine, request, error);
    return status;
}

static void describe_call(struct engine *engine, struct call *call, const struct engine_request *submit,
                          uint64_t now_ms)
{
    const struct drover_request *request = submit->request;

    call->command = submit->command;
    call->service = text_of(request->service);
    call->method = text_of(request->method);
    if (request->metadata != NULL)
        call->metadata = (struct drover_text){.data = request->metadata, .size = request->metadata_size};
    call->has_body = request->body != NULL && request->body_size > 0;
    if (call->has_body)
        call->body = (struct drover_text){.data = request->body, .size = request->body_size};
    call->idempotent = request->idempotent;
    call->limit_ms = request->deadline_ms > 0 ? request->deadline_ms : engine->options.deadline_ms;
    call->deadline_ms = now_ms + call->limit_ms;
    call->service_deadline =
        engine->options.service_deadline && request->deadline_ms == 0 && submit->command == WIRE_CALL;
    call->opened_before = engine->opened;
}

static uint64_t queued_until(const struct engine *engine, const struct call *call)
{
    uint32_t connect_ms = engine->options.connect_ms;

    if (engine->state != SESSION_OPEN && connect_ms > 0 && connect_ms < call->limit_ms)
        return call->deadline_ms - call->limit_ms + connect_ms;
    return call->deadline_ms;
}

enum drover_status engine_submit(struct engine *engine, const struct engine_request *request, uint64_t now_ms,
                                 uint64_t *ret_call, struct drover_error *error)
{
    enum drover_status status;
    struct call *call;

    if (error != NULL) {
        drover_error_clear(error);
        error->outcome = DROVER_OUTCOME_NOT_STARTED;
        error->origin = DROVER_ORIGIN_CLIENT;
    }
    status = check_request(engine, request->request, error);
    if (status != DROVER_OK)
        return status;
    call = calls_add(&engine->calls);
    if (call == NULL)
        goto no_memory;
    describe_call(engine, call, request, now_ms);
    if (!request->borrow && !calls_copy_request(call)) {
        calls_remove(&engine->calls, call);
        goto no_memory;
    }
    calls_wake_at(&engine->calls, call, queued_until(engine, call));
    *ret_call = call->id;
    return DROVER_OK;

no_memory:
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "call '%s.%s': out of memory", request->request->service,
                            request->request->method);
}

void call_end(struct engine *engine, struct call *call, const struct drover_error *error)
{
    drover_error_copy(&call->error, error);
    /* "Not started" is about the last sending; of the one before nobody knows. */
    if (call->may_have_run && call->error.outcome == DROVER_OUTCOME_NOT_STARTED)
        call->error.outcome = DROVER_OUTCOME_UNKNOWN;
    calls_move(&engine->calls, call, CALL_DONE);
}

void call_fail(struct engine *engine, struct call *call, enum drover_status status, enum drover_outcome outcome,
               const char *format, ...)
{
    struct drover_error error = {.status = status, .outcome = outcome, .origin = DROVER_ORIGIN_CLIENT};
    va_list arguments;
    int size = snprintf(error.text, sizeof(error.text), "call '%.*s.%.*s': ", (int)call->service.size,
                        call->service.data, (int)call->method.size, call->method.data);

    if (size > 0 && (size_t)size < sizeof(error.text)) {
        va_start(arguments, format);
        vsnprintf(error.text + size, sizeof(error.text) - (size_t)size, format, arguments);
        va_end(arguments);
    }
    call_end(engine, call, &error);
}

void call_requeue(struct engine *engine, struct call *call)
{
    if (call->cancelled) {
        call_fail(engine, call, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, "given up before it was started");
        return;
    }
    calls_move(&engine->calls, call, CALL_QUEUED);
    calls_wake_at(&engine->calls, call, call->deadline_ms);
}

void call_lost(struct engine *engine, struct call *call)
{
    if (call->cancelled) {
        call_fail(engine, call, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN, "given up, and the session was lost");
    } else if (call->idempotent && !call->may_have_run) {
        call->may_have_run = true;
        call_requeue(engine, call);
    } else {
        call_fail(engine, call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN,
                  "the session with broker '%s' was lost while the call was under way", engine->endpoint);
    }
}

void engine_cancel(struct engine *engine, uint64_t id)
{
    struct call *call = calls_find(&engine->calls, id);

    if (call == NULL || call->cancelled || call->state == CALL_DONE)
        return;
    call->cancelled = true;
    if (call->state == CALL_SENT)
        calls_move(&engine->calls, call, CALL_CANCELLING);
    else
        call_fail(engine, call, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, "given up before it was sent");
}

static void expire_queued(struct engine *engine, struct call *call, uint64_t now_ms)
{
    bool answered = call->was_sent || engine->opened != call->opened_before || engine->state == SESSION_OPEN;

    if (answered && now_ms < call->deadline_ms) /* it was the time for connecting that is over */
        calls_wake_at(&engine->calls, call, call->deadline_ms);
    else if (answered)
        call_fail(engine, call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, "could not be sent within %u ms",
                  call->limit_ms);
    else
        call_fail(engine, call, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED,
                  "no answer from broker '%s' within %u ms (does drover-broker run there?)", engine->endpoint,
                  (unsigned)(call->wake_ms - (call->deadline_ms - call->limit_ms)));
}

/* The broker keeps the time of the call, and it lives. */
static bool is_left_to_broker(const struct engine *engine, const struct call *call, uint64_t now_ms)
{
    return call->service_deadline && call->state == CALL_SENT && now_ms - engine->heard_ms < call->limit_ms;
}

static void expire(struct engine *engine, struct call *call, uint64_t now_ms)
{
    if (call->state == CALL_QUEUED)
        expire_queued(engine, call, now_ms);
    else if (is_left_to_broker(engine, call, now_ms))
        calls_wake_at(&engine->calls, call, engine->heard_ms + call->limit_ms);
    else
        call_fail(engine, call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN,
                  "no outcome within %u ms, nor a verdict from broker '%s'", call->limit_ms, engine->endpoint);
}

void engine_tick(struct engine *engine, uint64_t now_ms)
{
    struct call *call;

    if (engine->state == SESSION_WELCOMED && now_ms >= engine->hello_at_ms)
        session_open(engine, now_ms);
    while ((call = calls_soonest(&engine->calls)) != NULL && call->wake_ms <= now_ms)
        expire(engine, call, now_ms);
}

bool engine_take(struct engine *engine, uint64_t id, struct engine_outcome *ret_outcome)
{
    struct call *call = id == 0 ? calls_first(&engine->calls, CALL_DONE) : calls_find(&engine->calls, id);

    if (call == NULL || call->state != CALL_DONE)
        return false;
    if (call->from_broker && call->session == engine->session)
        session_count_read(engine, call->reply.size);
    ret_outcome->call = call->id;
    ret_outcome->body = call->reply;
    drover_error_copy(&ret_outcome->error, &call->error);
    call->reply = (struct call_body){0};
    calls_remove(&engine->calls, call);
    return true;
}

bool engine_is_active(const struct engine *engine)
{
    return engine_open(engine) > engine_ready(engine);
}

size_t engine_open(const struct engine *engine)
{
    return engine->calls.size - calls_count(&engine->calls, CALL_FREE);
}

size_t engine_ready(const struct engine *engine)
{
    return calls_count(&engine->calls, CALL_DONE);
}
