/* report.c - what `drover status` and `drover logs` show of a host */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/host.h"
#include "worker/host/obtaining.h"
#include "worker/host/runnable.h"
#include "worker/host/service.h"
#include "worker/host/watching.h"

/* A reply must fit into a frame: of more than this the oldest lines are left out. */
#define LOGS_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define LINE_OVERHEAD ((size_t)128)

const char *host_service_state_name(enum host_service_state state)
{
    static const char *const names[] = {
        [HOST_SERVICE_STARTING] = "starting",       [HOST_SERVICE_READY] = "ready",
        [HOST_SERVICE_DEGRADED] = "degraded",       [HOST_SERVICE_CRASHLOOP] = "crashloop",
        [HOST_SERVICE_STOPPED] = "stopped",         [HOST_SERVICE_BUILDING] = "building",
        [HOST_SERVICE_QUARANTINED] = "quarantined",
    };
    assert((size_t)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

bool host_worker_report(const struct host *host, const char *name, unsigned index,
                        struct host_worker_report *ret_report)
{
    const struct service *service = service_find(host, name);
    const struct replica *replica = service != NULL ? service_replica(service, index) : NULL;
    if (replica == NULL)
        return false;

    const struct supervise *machine = &replica->machine;
    *ret_report = (struct host_worker_report){
        .worker = replica->last_number,
        .pid = replica->child != NULL ? replica->child->process.pid : 0,
        .generation = replica->generation->number,
        .state = supervise_state_word(machine->state),
        .artefact = replica->generation->runnable->artefact,
        .restarts = machine->launches > 0 ? machine->launches - 1 : 0,
        .sandbox = replica->child != NULL ? process_layers(&replica->child->process) : "",
    };
    return true;
}

bool host_service_report(const struct host *host, const char *name, enum host_service_state *ret_state,
                         uint64_t *ret_generation, const char **ret_reason)
{
    const struct service *service = service_find(host, name);
    if (service == NULL)
        return false;
    *ret_state = service->state;
    *ret_generation = service->current != NULL ? service->current->number : service->rollout.last_number;
    *ret_reason = service_reason(service);
    return true;
}

const char *host_service_progress(const struct host *host, const char *name)
{
    const struct service *service = service_find(host, name);
    return service != NULL && service->obtaining != NULL ? service->obtaining->progress : "";
}

/* Versions */

bool host_rollout_report(const struct host *host, const char *name, struct host_rollout_report *ret_report)
{
    const struct service *service = service_find(host, name);
    if (service == NULL)
        return false;
    const struct rollout *rollout = &service->rollout;
    const struct rollout_memory *memory = &rollout->memory;
    *ret_report = (struct host_rollout_report){
        .state = rollout_state_word(rollout->state),
        .active = rollout->active.number,
        .candidate = rollout->candidate.number,
        .artefact = service->current != NULL ? service->current->runnable->artefact : "",
        .watch = watching_report(service),
        .quarantined = memory->quarantine_count,
    };
    for (unsigned i = memory->stable_count; i > 0; i--)
        if (rollout_memory_quarantined(memory, &memory->stable[i - 1]) == NULL)
            (void)rollout_hash_text(&memory->stable[i - 1].artefact, ret_report->stable);
    return true;
}

bool host_quarantine_report(const struct host *host, const char *name, unsigned index,
                            char ret_artefact[HOST_HASH_SIZE], const char **ret_why)
{
    const struct service *service = service_find(host, name);
    if (service == NULL || index >= service->rollout.memory.quarantine_count)
        return false;
    const struct rollout_quarantine *entry = &service->rollout.memory.quarantine[index];
    (void)rollout_hash_text(&entry->artefact, ret_artefact);
    *ret_why = entry->why;
    return true;
}

bool host_is_changing(const struct host *host, const char *name)
{
    const struct service *service = service_find(host, name);
    if (service == NULL)
        return false;
    const enum rollout_state state = service->rollout.state;
    const bool at_rest = state == ROLLOUT_EMPTY || state == ROLLOUT_SERVING || state == ROLLOUT_PROBATION;
    return !at_rest || service->news != NO_NEWS || service->tuning.wanted != NULL || service->rollout.has_pending;
}

/* What is left when a host stops */

static void describe_generation(struct generation *generation, void *context)
{
    FILE *out = context;
    for (unsigned i = 0; i < generation->count; i++) {
        const struct replica *replica = &generation->replicas[i];
        if (replica->machine.state != SUPERVISE_STOPPED)
            (void)fprintf(out, "worker %d of '%s' (%s); ",
                          replica->child != NULL ? (int)replica->child->process.pid : 0, generation->service->name,
                          supervise_state_word(replica->machine.state));
    }
}

void host_describe_rest(const struct host *host, char *buffer, size_t size)
{
    const struct service *service;
    const struct helper *helper;
    buffer[0] = '\0';
    FILE *out = fmemopen(buffer, size, "w");
    if (out == NULL)
        return;
    LL_FOREACH (host->services, service) {
        service_visit(service, describe_generation, out);
    }
    DL_FOREACH (host->running, helper) {
        (void)fprintf(out, "helper %d (%u signals sent); ", (int)helper->pid, helper->signals);
    }
    (void)fclose(out);
}

/* Logs: lines of several replicas, merged by their serial numbers */

struct found {
    const struct capture_line *line; /* NULL when there is none */
    const struct service *service;
    unsigned replica;
};

static void look_forward(const struct service *service, uint64_t after, struct found *best)
{
    for (unsigned i = 0; i < service->log_count; i++) {
        const struct capture_line *line = capture_next(&service->logs[i], after);
        if (line != NULL && (best->line == NULL || line->serial < best->line->serial))
            *best = (struct found){.line = line, .service = service, .replica = i};
    }
}

static void look_back(const struct service *service, uint64_t before, struct found *best)
{
    for (unsigned i = 0; i < service->log_count; i++) {
        const struct capture_line *line = capture_previous(&service->logs[i], before);
        if (line != NULL && (best->line == NULL || line->serial > best->line->serial))
            *best = (struct found){.line = line, .service = service, .replica = i};
    }
}

typedef void look_fn(const struct service *service, uint64_t serial, struct found *best);

static struct found find_line(const struct host *host, const char *name, uint64_t serial, look_fn *look)
{
    struct found best = {0};
    const struct service *service;
    LL_FOREACH (host->services, service) {
        if (name == NULL || strcmp(service->name, name) == 0)
            look(service, serial, &best);
    }
    return best;
}

static void write_line(const struct found *found, struct drover_writer *writer)
{
    const struct capture_line *line = found->line;
    drover_write_map(writer, 7);
    drover_write_string(writer, "serial");
    drover_write_uint64(writer, line->serial);
    drover_write_string(writer, "service");
    drover_write_string(writer, found->service->name);
    drover_write_string(writer, "replica");
    drover_write_uint64(writer, found->replica);
    drover_write_string(writer, "pid");
    drover_write_int64(writer, line->pid);
    drover_write_string(writer, "stream");
    drover_write_string(writer, capture_source_name(line->source));
    drover_write_string(writer, "time_ms");
    drover_write_uint64(writer, line->wall_ms);
    drover_write_string(writer, "line");
    drover_write_string(writer, line->text);
}

void host_write_logs(const struct host *host, const char *service, uint64_t after, struct drover_writer *writer)
{
    size_t size = 0, count = 0;
    uint64_t first = UINT64_MAX;
    for (;;) { /* from the newest back, as far as there is room: each round finds another line */
        const struct found found = find_line(host, service, first, look_back);
        if (found.line == NULL || found.line->serial <= after)
            break;
        size += LINE_OVERHEAD + strlen(found.service->name) + strlen(found.line->text);
        if (size > LOGS_SIZE_MAX)
            break;
        first = found.line->serial;
        count++;
    }
    drover_write_array(writer, count);
    for (uint64_t last = first - 1; count > 0; count--) {
        const struct found found = find_line(host, service, last, look_forward);
        assert(found.line != NULL);
        write_line(&found, writer);
        last = found.line->serial;
    }
}
