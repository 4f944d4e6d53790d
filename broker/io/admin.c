/* admin.c - one function a verb, in a table; see admin.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/io/admin_change.h"
#include "broker/io/admin_verbs.h"

/* ---- logs and events: what is after the last one that the asker has ---- */

/* The serial of the last line that was written: where the next request goes on. */
static uint64_t last_serial(const void *data, size_t size, uint64_t after)
{
    struct drover_document *document = NULL;
    uint64_t last = after;
    if (drover_document_parse(data, size, &document, NULL) != DROVER_OK)
        return after;
    const struct drover_value *lines = drover_document_root(document);
    for (size_t i = 0; i < drover_value_count(lines); i++) {
        uint64_t serial = 0;
        if (drover_value_uint64(drover_value_get(drover_value_at(lines, i), "serial"), &serial) && serial > last)
            last = serial;
    }
    drover_document_free(document);
    return last;
}

static enum drover_status verb_logs(const struct request *request)
{
    uint64_t after = 0;
    if (request->service != NULL && roster_find(request->admin->roster, request->service) == NULL)
        return request_unknown_service(request);
    (void)drover_value_uint64(drover_value_get(request->map, "after"), &after);
    struct drover_writer *lines = drover_writer_new();
    if (lines == NULL)
        return drover_error_set(request->error, DROVER_RESOURCE_EXHAUSTED, "no memory for the log lines");
    host_write_logs(request->admin->host, request->service, after, lines);
    drover_write_map(request->writer, 2);
    drover_write_string(request->writer, "lines");
    drover_write_raw(request->writer, drover_writer_data(lines), drover_writer_size(lines));
    put_number(request->writer, "next", last_serial(drover_writer_data(lines), drover_writer_size(lines), after));
    const bool good = drover_writer_ok(lines);
    drover_writer_free(lines);
    return good ? DROVER_OK
                : drover_error_set(request->error, DROVER_RESOURCE_EXHAUSTED, "no memory for the log lines");
}

/* Events of services that are not configured any more are told too. */
static enum drover_status verb_events(const struct request *request)
{
    const struct history *history = request->admin->history;
    uint64_t after = 0;
    if (request->service != NULL && roster_find(request->admin->roster, request->service) == NULL &&
        !history_knows(history, request->service))
        return request_unknown_service(request);
    (void)drover_value_uint64(drover_value_get(request->map, "after"), &after);
    drover_write_map(request->writer, 2);
    drover_write_string(request->writer, "events");
    const uint64_t next = history_write(history, request->service, after, request->writer);
    put_number(request->writer, "next", next);
    return DROVER_OK;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    enum drover_status (*run)(const struct request *request);
    bool remembered; /* as an event: it changes something */
} verbs[] = {
    {"status", verb_status, false},
    {"logs", verb_logs, false},
    {"events", verb_events, false},
    {"restart", verb_restart, true},
    {"drain", verb_drain, true},
    {"rollback", verb_rollback, true},
    {"unquarantine", verb_unquarantine, true},
    {"reload", verb_reload, true},
    {"change", verb_change, false},
    {"plan", verb_plan, false},
};

/* What comes of it is told by whoever finds out. Requests for services that do not exist are nobody's business. */
static void remember(const struct request *request, const char *what, const char *verb, const char *why)
{
    char text[HISTORY_TEXT_MAX + 1];
    if (request->service != NULL && roster_find(request->admin->roster, request->service) == NULL)
        return;
    (void)snprintf(text, sizeof(text), "%s, by hand%s%s", verb, why[0] != '\0' ? ": " : "", why);
    history_add(request->admin->history, request->service, 0, what, text);
}

static enum drover_status run_remembered(const struct request *request, size_t verb)
{
    remember(request, "asked", verbs[verb].name, "");
    const enum drover_status status = verbs[verb].run(request);
    if (status != DROVER_OK)
        remember(request, "refused", verbs[verb].name, request->error->text);
    return status;
}

static enum drover_status run_verb(const struct request *request, const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].remembered ? run_remembered(request, i) : verbs[i].run(request);
    }
    return drover_error_set(request->error, DROVER_UNIMPLEMENTED, "this broker (%s) has no verb '%.64s'",
                            DROVER_VERSION, name);
}

/* ---- the frame around them ---- */

static enum drover_status run_request(const struct admin *admin, const struct notice *notice, uint64_t now_ms,
                                      struct drover_writer *writer, struct drover_error *error)
{
    struct drover_document *document = NULL;
    struct drover_text name = {0};
    if (drover_document_parse(notice->data, notice->size, &document, error) != DROVER_OK)
        return error->status;
    struct request request = {.admin = admin,
                              .figures = &notice->figures,
                              .map = drover_document_root(document),
                              .now_ms = now_ms,
                              .writer = writer,
                              .error = error};
    if (drover_value_text(drover_value_get(request.map, "service"), &name))
        request.service = drover_text_dup(name);
    const enum drover_status status = run_verb(&request, notice->text);
    free(request.service);
    drover_document_free(document);
    return status;
}

struct order *admin_answer(const struct admin *admin, const struct notice *notice, uint64_t now_ms)
{
    struct order *order = order_new(ORDER_ANSWER_ADMIN);
    struct drover_writer *writer = drover_writer_new();
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;
    order->peer = notice->peer;
    order->session = notice->session;
    order->call = notice->call;
    if (writer != NULL)
        status = run_request(admin, notice, now_ms, writer, &order->error);
    if (status == DROVER_OK && drover_writer_ok(writer)) {
        order->size = drover_writer_size(writer);
        order->data = malloc(order->size + 1);
        if (order->data != NULL)
            memcpy(order->data, drover_writer_data(writer), order->size);
    }
    if (order->data == NULL && order->error.status == DROVER_OK)
        (void)drover_error_set(&order->error, DROVER_RESOURCE_EXHAUSTED, "no memory for the answer");
    order->error.outcome = order->error.status == DROVER_OK ? DROVER_OUTCOME_ANSWERED : DROVER_OUTCOME_NOT_STARTED;
    order->error.origin = DROVER_ORIGIN_BROKER;
    drover_writer_free(writer);
    return order;
}
