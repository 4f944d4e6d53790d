/* caller.c - see caller.h */
#include "tests/support/caller.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/sys/sys.h"

struct caller_record {
    uint64_t call;
    bool has_ended;
    struct caller_end end;
};

static _Noreturn void DROVER_PRINTF(1, 2) give_up(const char *format, ...)
{
    va_list arguments;

    fputs("caller: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

void caller_init(struct caller *caller, const char *endpoint)
{
    const struct drover_client_options options = {.broker = endpoint};
    struct drover_error error = {0};

    *caller = (struct caller){0};
    if (drover_client_new(&options, &caller->client, &error) != DROVER_OK)
        give_up("no client: %s", error.text);
}

void caller_done(struct caller *caller)
{
    drover_client_free(caller->client);
    free(caller->records);
    *caller = (struct caller){0};
}

/* The request as the library wants it; the caller frees the writer. */
static struct drover_writer *encode(const struct caller_request *request, struct drover_request *ret)
{
    struct drover_writer *body = drover_writer_new();

    drover_write_map(body, request->key != NULL ? 1 : 0);
    if (request->key != NULL) {
        drover_write_string(body, request->key);
        if (request->string != NULL)
            drover_write_string(body, request->string);
        else
            drover_write_uint64(body, request->number);
    }
    *ret = (struct drover_request){.service = request->service,
                                   .method = request->method,
                                   .body = drover_writer_data(body),
                                   .body_size = drover_writer_size(body),
                                   .deadline_ms = request->deadline_ms,
                                   .idempotent = request->idempotent};
    return body;
}

static struct caller_record *new_record(struct caller *caller)
{
    if (caller->sent == caller->capacity) {
        caller->capacity = caller->capacity == 0 ? 16 : caller->capacity * 2;
        caller->records = realloc(caller->records, caller->capacity * sizeof(*caller->records));
        if (caller->records == NULL)
            give_up("no memory for %zu calls", caller->capacity);
    }
    struct caller_record *record = &caller->records[caller->sent];
    *record = (struct caller_record){.end = {.index = caller->sent, .sent_us = sys_now_us()}};
    caller->sent++;
    return record;
}

void caller_send(struct caller *caller, const struct caller_request *request)
{
    struct drover_request encoded;
    struct drover_error error = {0};
    struct drover_writer *body = encode(request, &encoded);
    struct caller_record *record = new_record(caller);

    if (drover_client_send(caller->client, &encoded, &record->call, &error) != DROVER_OK)
        give_up("call %zu: %s", caller->sent, error.text);
    drover_writer_free(body);
}

/* Outcomes mostly come in the order of the calls, so the youngest are looked at last. */
static struct caller_record *find(struct caller *caller, uint64_t call)
{
    for (size_t i = caller->sent; i > 0; i--)
        if (caller->records[i - 1].call == call)
            return &caller->records[i - 1];
    give_up("an outcome for call %llx, which was never sent", (unsigned long long)call);
}

static void count(struct caller *caller, const struct caller_end *end)
{
    caller->ended++;
    if (end->error.status == DROVER_OK) {
        caller->ok++;
        caller->last_ok_us = end->ended_us;
    } else if (end->error.outcome == DROVER_OUTCOME_UNKNOWN) {
        caller->unknown++;
    } else if (end->error.outcome == DROVER_OUTCOME_NOT_STARTED) {
        caller->not_started++;
    } else {
        caller->answered++;
    }
}

bool caller_take(struct caller *caller, int timeout_ms, struct caller_end *ret)
{
    struct drover_reply reply;

    if (drover_client_receive(caller->client, timeout_ms, &reply) != 1)
        return false;
    struct caller_record *record = find(caller, reply.call);
    if (record->has_ended)
        give_up("call %zu has a second outcome: %s (%s) after %s (%s)", record->end.index,
                drover_status_name(reply.error.status), reply.error.text, drover_status_name(record->end.error.status),
                record->end.error.text);
    record->has_ended = true;
    record->end.error = reply.error;
    record->end.ended_us = sys_now_us();
    count(caller, &record->end);
    if (ret != NULL)
        *ret = record->end;
    drover_reply_done(&reply);
    return true;
}

void caller_take_until(struct caller *caller, size_t ended)
{
    while (caller->ended < ended)
        if (!caller_take(caller, CALLER_PATIENCE_MS, NULL))
            give_up("%zu of %zu calls have no outcome", caller->sent - caller->ended, caller->sent);
}

void caller_take_all(struct caller *caller)
{
    caller_take_until(caller, caller->sent);
    if (drover_client_open(caller->client) != 0)
        give_up("the library has open calls that nobody made");
}

const struct caller_end *caller_end_of(const struct caller *caller, size_t index)
{
    if (index >= caller->sent || !caller->records[index].has_ended)
        give_up("call %zu has not ended", index);
    return &caller->records[index].end;
}

void caller_await_octet(struct caller *caller, int fd)
{
    const uint64_t until_ms = sys_now_ms() + CALLER_PATIENCE_MS;
    struct pollfd items[] = {{.fd = fd, .events = POLLIN}, {.fd = drover_client_fd(caller->client), .events = POLLIN}};
    char octet;

    while ((items[0].revents & POLLIN) == 0) {
        while (caller_take(caller, 0, NULL))
            ;
        const int timeout_ms = drover_client_timeout_ms(caller->client);
        if (sys_now_ms() > until_ms)
            give_up("waited in vain for a sign of a driver");
        (void)poll(items, 2, timeout_ms < 0 || timeout_ms > 1000 ? 1000 : timeout_ms);
    }
    if (read(fd, &octet, 1) != 1)
        give_up("no sign of a driver");
}

void caller_cancel(struct caller *caller, size_t index)
{
    drover_client_cancel(caller->client, caller->records[index].call);
}

enum drover_status caller_call(struct caller *caller, const struct caller_request *request,
                               struct drover_error *ret_error)
{
    struct drover_request encoded;
    struct drover_reply reply = {0};
    struct drover_writer *body = encode(request, &encoded);

    *ret_error = (struct drover_error){0};
    const enum drover_status status = drover_client_call(caller->client, &encoded, &reply, ret_error);
    if (status == DROVER_OK)
        drover_reply_done(&reply);
    drover_writer_free(body);
    return status;
}

/* A call that must succeed; the caller releases both. */
static struct drover_document *ask(struct caller *caller, const struct caller_request *request,
                                   struct drover_reply *reply)
{
    struct drover_request encoded;
    struct drover_error error = {0};
    struct drover_document *document = NULL;
    struct drover_writer *body = encode(request, &encoded);

    if (drover_client_call(caller->client, &encoded, reply, &error) != DROVER_OK ||
        drover_document_parse(reply->body, reply->body_size, &document, &error) != DROVER_OK)
        give_up("%s.%s: %s: %s", request->service, request->method, drover_status_name(error.status), error.text);
    drover_writer_free(body);
    return document;
}

uint64_t caller_ask_number(struct caller *caller, const struct caller_request *request, const char *key)
{
    struct drover_reply reply = {0};
    struct drover_document *document = ask(caller, request, &reply);
    uint64_t number = 0;

    if (!drover_value_uint64(drover_value_get(drover_document_root(document), key), &number))
        give_up("%s.%s: the reply has no number '%s'", request->service, request->method, key);
    drover_document_free(document);
    drover_reply_done(&reply);
    return number;
}

void caller_ask_text(struct caller *caller, const struct caller_request *request, const char *key, char *text,
                     size_t size)
{
    struct drover_reply reply = {0};
    struct drover_document *document = ask(caller, request, &reply);
    const struct drover_text found = drover_value_get_text(drover_document_root(document), key, "");

    snprintf(text, size, "%.*s", (int)found.size, found.data);
    drover_document_free(document);
    drover_reply_done(&reply);
}

pid_t caller_ask_pid(struct caller *caller, const char *service)
{
    const struct caller_request request = {.service = service, .method = "whoami"};

    return (pid_t)caller_ask_number(caller, &request, "pid");
}
