/* admin.c - one function a verb, in a table; see admin.h
 *
 * The shape of `status` is the contract of drover(1).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/io/admin.h"
#include "common/base/text.h"

#ifndef HOST_NAME_MAX
#define HOST_NAME_MAX 64
#endif

/* A request on its way through a verb. */
struct request {
    const struct admin *admin;
    const struct figures *figures;
    const struct drover_value *map;
    char *service; /* key `service` of the request, or NULL */
    uint64_t now_ms;
    struct drover_writer *writer;
    struct drover_error *error;
};

static enum drover_status unknown_service(const struct request *request)
{
    return drover_error_set(request->error, DROVER_NOT_FOUND, "service '%s' is not configured here", request->service);
}

static void put_text(struct drover_writer *writer, const char *key, const char *text)
{
    drover_write_string(writer, key);
    drover_write_string(writer, text);
}

static void put_number(struct drover_writer *writer, const char *key, uint64_t number)
{
    drover_write_string(writer, key);
    drover_write_uint64(writer, number);
}

/* ---- status ---- */

static struct core_service_stats service_figures(const struct figures *figures, const char *service)
{
    for (size_t i = 0; i < figures->service_count; i++) {
        if (strcmp(figures->names[i], service) == 0)
            return figures->services[i];
    }
    return (struct core_service_stats){0};
}

static uint64_t worker_in_flight(const struct figures *figures, uint64_t worker)
{
    for (size_t i = 0; i < figures->worker_count; i++) {
        if (figures->workers[i].worker == worker)
            return figures->workers[i].in_flight;
    }
    return 0;
}

static void write_worker(const struct request *request, const struct host_worker_report *report, const char *host)
{
    struct drover_writer *writer = request->writer;
    drover_write_map(writer, 8);
    put_number(writer, "pid", (uint64_t)report->pid);
    put_text(writer, "host", host);
    put_text(writer, "state", report->state);
    put_number(writer, "generation", report->generation);
    put_text(writer, "artefact", report->artefact);
    put_number(writer, "restarts", report->restarts);
    put_number(writer, "in_flight", worker_in_flight(request->figures, report->worker));
    put_text(writer, "sandbox", report->sandbox);
}

static void write_workers(const struct request *request, const char *service)
{
    struct host_worker_report report;
    char host[HOST_NAME_MAX + 1] = "";
    unsigned count = 0;
    (void)gethostname(host, sizeof(host) - 1);
    while (host_worker_report(request->admin->host, service, count, &report))
        count++;
    drover_write_string(request->writer, "workers");
    drover_write_array(request->writer, count);
    for (unsigned i = 0; i < count; i++) {
        (void)host_worker_report(request->admin->host, service, i, &report);
        write_worker(request, &report, host);
    }
}

/* Nothing is null. */
static void put_text_or_nil(struct drover_writer *writer, const char *key, const char *text)
{
    drover_write_string(writer, key);
    if (text[0] != '\0')
        drover_write_string(writer, text);
    else
        drover_write_nil(writer);
}

static void write_service(const struct request *request, const struct roster_entry *entry)
{
    struct drover_writer *writer = request->writer;
    const struct config_service *service = entry->service;
    const struct core_service_stats figures = service_figures(request->figures, service->name);
    enum host_service_state state = HOST_SERVICE_STOPPED;
    uint64_t generation = 0;
    const char *reason = "";
    (void)host_service_report(request->admin->host, service->name, &state, &generation, &reason);

    drover_write_map(writer, 14);
    put_text(writer, "name", service->name);
    put_text(writer, "interface", service->interface);
    put_text(writer, "driver", service->driver);
    put_text(writer, "kind", reference_kind_name(service->resolution.kind));
    put_text(writer, "state", host_service_state_name(state));
    put_number(writer, "generation", generation);
    put_number(writer, "replicas", service->replicas);
    put_number(writer, "queued", figures.queued);
    put_number(writer, "calls", figures.calls);
    put_number(writer, "failed", figures.failed);
    put_number(writer, "unanswered", figures.unanswered);
    write_workers(request, service->name);
    put_text_or_nil(writer, "progress", host_service_progress(request->admin->host, service->name));
    put_text_or_nil(writer, "last_error", reason);
}

static void write_broker(const struct request *request)
{
    struct drover_writer *writer = request->writer;
    drover_write_string(writer, "broker");
    drover_write_map(writer, 5);
    put_text(writer, "version", DROVER_VERSION);
    drover_write_string(writer, "incarnation");
    drover_write_format(writer, "%016llx", (unsigned long long)request->admin->incarnation);
    put_number(writer, "uptime_s", (request->now_ms - request->admin->started_ms) / 1000);
    put_number(writer, "pid", (uint64_t)getpid());
    put_number(writer, "sessions", request->figures->core.sessions);
}

static enum drover_status verb_status(const struct request *request)
{
    const struct roster *roster = request->admin->roster;
    const struct roster_entry *only = NULL;
    if (request->service != NULL && (only = roster_find(roster, request->service)) == NULL)
        return unknown_service(request);
    drover_write_map(request->writer, 2);
    write_broker(request);
    drover_write_string(request->writer, "services");
    drover_write_array(request->writer, only != NULL ? 1 : roster->count);
    for (size_t i = 0; i < roster->count; i++) {
        if (only == NULL || only == &roster->entries[i])
            write_service(request, &roster->entries[i]);
    }
    return DROVER_OK;
}

/* ---- logs ---- */

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
        return unknown_service(request);
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

/* ---- by hand ---- */

/* The service of a request that must name one. */
static enum drover_status need_service(const struct request *request, struct roster_entry **ret)
{
    if (request->service == NULL)
        return drover_error_set(request->error, DROVER_INVALID_ARGUMENT, "the request names no service");
    *ret = roster_find(request->admin->roster, request->service);
    return *ret != NULL ? DROVER_OK : unknown_service(request);
}

/* A driver from a repository may be held to another commit by now ('drover lock update'): then it is another one. */
static enum drover_status verb_restart(const struct request *request)
{
    const struct admin *admin = request->admin;
    struct roster_entry *entry = NULL;
    bool changed = false;
    if (need_service(request, &entry) != DROVER_OK || lockkeeper_refresh(admin->keeper, request->error) != DROVER_OK ||
        roster_look_up(entry, admin->keeper, &changed, request->error) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    if (!changed)
        return host_restart(admin->host, request->service, request->now_ms, request->error);
    const struct host_service service = roster_host_service(admin->roster, entry);
    return host_set_service(admin->host, &service, request->now_ms, request->error);
}

static enum drover_status verb_drain(const struct request *request)
{
    struct roster_entry *entry = NULL;
    if (need_service(request, &entry) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    return host_drain(request->admin->host, request->service, request->now_ms, request->error);
}

static const struct {
    const char *name;
    enum drover_status (*run)(const struct request *request);
} verbs[] = {
    {"status", verb_status},
    {"logs", verb_logs},
    {"restart", verb_restart},
    {"drain", verb_drain},
};

static enum drover_status run_verb(const struct request *request, const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(request);
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
