/* admin_status.c - the verb `status`
 *
 * The shape of its answer is the contract of drover(1); new keys come last in their map.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "broker/io/admin_verbs.h"

#ifndef HOST_NAME_MAX
#define HOST_NAME_MAX 64
#endif

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

static void write_quarantine(const struct request *request, const char *service)
{
    const struct host *host = request->admin->host;
    char artefact[HOST_HASH_SIZE];
    const char *why = "";
    unsigned count = 0;
    while (host_quarantine_report(host, service, count, artefact, &why))
        count++;
    drover_write_string(request->writer, "quarantine");
    drover_write_array(request->writer, count);
    for (unsigned i = 0; i < count; i++) {
        (void)host_quarantine_report(host, service, i, artefact, &why);
        drover_write_map(request->writer, 2);
        put_text(request->writer, "artefact", artefact);
        put_text(request->writer, "why", why);
    }
}

static void write_rollout(const struct request *request, const char *service)
{
    struct drover_writer *writer = request->writer;
    struct host_rollout_report report = {.state = "none", .artefact = "", .stable = "", .watch = ""};
    (void)host_rollout_report(request->admin->host, service, &report);
    drover_write_string(writer, "rollout");
    drover_write_map(writer, 7);
    put_text(writer, "state", report.state);
    put_number(writer, "active", report.active);
    put_number(writer, "candidate", report.candidate);
    put_text_or_nil(writer, "artefact", report.artefact);
    put_text_or_nil(writer, "stable", report.stable);
    put_text_or_nil(writer, "watch", report.watch);
    write_quarantine(request, service);
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

    drover_write_map(writer, 15);
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
    write_rollout(request, service->name);
}

/* Absolute, for who asks from another folder. */
static void write_path(struct drover_writer *writer, const char *path)
{
    char folder[PATH_MAX];
    drover_write_string(writer, "path");
    if (path[0] == '/' || getcwd(folder, sizeof(folder)) == NULL)
        drover_write_string(writer, path);
    else
        drover_write_format(writer, "%s/%s", folder, path);
}

static void write_configuration(const struct request *request)
{
    const struct admin *admin = request->admin;
    drover_write_string(request->writer, "configuration");
    drover_write_map(request->writer, 2);
    write_path(request->writer, admin->configuration);
    put_bool(request->writer, "changed", admin->configuration_changed);
}

static void write_broker(const struct request *request)
{
    struct drover_writer *writer = request->writer;
    drover_write_string(writer, "broker");
    drover_write_map(writer, 7);
    put_text(writer, "version", DROVER_VERSION);
    drover_write_string(writer, "incarnation");
    drover_write_format(writer, "%016llx", (unsigned long long)request->admin->incarnation);
    put_number(writer, "uptime_s", (request->now_ms - request->admin->started_ms) / 1000);
    put_number(writer, "pid", (uint64_t)getpid());
    put_number(writer, "sessions", request->figures->core.sessions);
    write_configuration(request);
    put_number(writer, "events", request->admin->history->last);
}

enum drover_status verb_status(const struct request *request)
{
    const struct roster *roster = request->admin->roster;
    const struct roster_entry *only = NULL;
    if (request->service != NULL && (only = roster_find(roster, request->service)) == NULL)
        return request_unknown_service(request);
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
