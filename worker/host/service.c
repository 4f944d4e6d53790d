/* service.c - a service: its generations of replicas, its state, the reason it is not ready
 *
 * The reason is the last thing that went wrong. It stays when the workers are back (`drover status` shows it as
 * last_error) until all of them have been ready for 5 minutes, or a restart by hand, or a new generation.
 */
#include "worker/host/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/event.h"
#include "worker/host/replica.h"

#define DRAIN_LIMIT_MS UINT64_C(10000)

struct service *service_find(const struct host *host, const char *name)
{
    struct service *service;
    LL_FOREACH (host->services, service) {
        if (strcmp(service->name, name) == 0)
            return service;
    }
    return NULL;
}

/* Generations */

static struct generation *generation_free(struct generation *generation)
{
    if (generation == NULL)
        return NULL;
    free(generation->interface);
    free(generation->driver);
    free(generation->kind);
    free(generation->program);
    free(generation->builtin);
    free(generation->artefact);
    free(generation->directory);
    free(generation->replicas);
    free(generation);
    return NULL;
}

/* Always room for a whole hash, so that it can be corrected in place. */
static char *copy_artefact(const char *artefact)
{
    char *copy = calloc(1, ARTEFACT_SIZE);
    if (copy != NULL)
        (void)snprintf(copy, ARTEFACT_SIZE, "%s", artefact);
    return copy;
}

static bool copy_strings(struct generation *generation, const struct host_service *options, const struct host *host)
{
    const char *program = options->program != NULL ? options->program : host->worker_program;
    generation->interface = strdup(options->interface);
    generation->driver = strdup(options->driver);
    generation->kind = strdup(options->kind);
    generation->program = strdup(program);
    generation->builtin = options->builtin != NULL ? strdup(options->builtin) : NULL;
    generation->artefact = copy_artefact(options->artefact);
    generation->directory = strdup(options->directory);
    return generation->interface && generation->driver && generation->kind && generation->program &&
           generation->artefact && generation->directory && (options->builtin == NULL || generation->builtin != NULL);
}

static struct generation *generation_new(const struct host *host, const struct host_service *options)
{
    const struct supervise_rules rules = {
        .restart_min_ms = options->restart_min_ms,
        .restart_max_ms = options->restart_max_ms,
        .ready_limit_ms = options->ready_limit_ms,
        .drain_limit_ms = options->drain_limit_ms != 0 ? options->drain_limit_ms : DRAIN_LIMIT_MS,
    };
    struct generation *generation = calloc(1, sizeof(*generation));
    if (generation == NULL)
        return NULL;
    generation->count = options->replicas;
    generation->replicas = calloc(options->replicas, sizeof(*generation->replicas));
    if (generation->replicas == NULL || !copy_strings(generation, options, host))
        return generation_free(generation);
    generation->pinned = options->pinned;
    if (stat(generation->program, &generation->seen) != 0)
        generation->seen = (struct stat){0}; /* starting it will say why */
    for (unsigned i = 0; i < generation->count; i++) {
        generation->replicas[i].generation = generation;
        generation->replicas[i].index = i;
        supervise_init(&generation->replicas[i].machine, &rules);
    }
    return generation;
}

static bool generation_has_ended(const struct generation *generation)
{
    for (unsigned i = 0; i < generation->count; i++)
        if (generation->replicas[i].machine.state != SUPERVISE_STOPPED)
            return false;
    return true;
}

static void generation_event(struct generation *generation, enum supervise_event event, uint64_t now_ms)
{
    for (unsigned i = 0; i < generation->count; i++)
        replica_event(&generation->replicas[i], event, now_ms);
}

/* Services */

static struct service *service_new(struct host *host, const char *name)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->host = host;
    service->name = strdup(name);
    service->state = HOST_SERVICE_STOPPED;
    service->state_event.kind = HOST_SERVICE_STATE;
    service->state_event.service = service;
    return service->name != NULL ? service : service_free(service);
}

struct service *service_free(struct service *service)
{
    if (service == NULL)
        return NULL;
    for (unsigned i = 0; i < service->log_count; i++)
        capture_log_done(&service->logs[i]);
    free(service->logs);
    while (service->retired != NULL) {
        struct generation *newest = service->retired;
        service->retired = newest->next;
        (void)generation_free(newest);
    }
    (void)generation_free(service->current);
    free(service->name);
    free(service);
    return NULL;
}

/* Logs outlive generations: a replica writes on where the one before it in the same place stopped. */
static bool grow_logs(struct service *service, unsigned count)
{
    if (count <= service->log_count)
        return true;
    struct capture_log *logs = realloc(service->logs, count * sizeof(*logs));
    if (logs == NULL)
        return false;
    memset(&logs[service->log_count], 0, (count - service->log_count) * sizeof(*logs));
    service->logs = logs;
    service->log_count = count;
    return true;
}

/* The generation before drains at its leisure; any older one has had its time. */
static void retire_current(struct service *service, uint64_t now_ms)
{
    struct generation *older;
    LL_FOREACH (service->retired, older) {
        generation_event(older, SUPERVISE_ON_STOP, now_ms);
    }
    if (service->current == NULL)
        return;
    generation_event(service->current, SUPERVISE_ON_DRAIN, now_ms);
    LL_PREPEND(service->retired, service->current);
    service->current = NULL;
}

static void clear_reason(struct service *service)
{
    service->changed |= service->reason[0] != '\0';
    service->reason[0] = '\0';
}

enum drover_status service_set(struct host *host, const struct host_service *options, uint64_t now_ms,
                               struct drover_error *error)
{
    struct service *known = service_find(host, options->name);
    struct service *service = known != NULL ? known : service_new(host, options->name);
    struct generation *generation = generation_new(host, options);
    if (service == NULL || generation == NULL || !grow_logs(service, options->replicas))
        goto fail;

    if (known == NULL)
        LL_APPEND(host->services, service);
    retire_current(service, now_ms);
    generation->service = service;
    generation->number = ++service->last_generation;
    service->current = generation;
    clear_reason(service);
    generation_event(generation, SUPERVISE_ON_RESTART, now_ms);
    return DROVER_OK;

fail:
    (void)generation_free(generation);
    if (known == NULL)
        (void)service_free(service);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory to start it", options->name);
}

void service_event(struct service *service, enum supervise_event event, uint64_t now_ms)
{
    if (event == SUPERVISE_ON_RESTART)
        clear_reason(service);
    generation_event(service->current, event, now_ms);
}

void service_event_to_all(struct host *host, enum supervise_event event, uint64_t now_ms)
{
    struct service *service;
    struct generation *retired;
    LL_FOREACH (host->services, service) {
        generation_event(service->current, event, now_ms);
        LL_FOREACH (service->retired, retired) {
            generation_event(retired, event, now_ms);
        }
    }
}

void service_set_reason(const struct generation *generation, const char *text)
{
    struct service *service = generation->service;
    if (generation != service->current || strcmp(service->reason, text) == 0)
        return;
    (void)snprintf(service->reason, sizeof(service->reason), "%s", text);
    service->changed = true;
}

/* How many replicas of the current generation are what. */
struct census {
    unsigned ready, healthy, wanted, looping;
};

static struct census count_replicas(const struct generation *generation)
{
    struct census census = {0};
    for (unsigned i = 0; i < generation->count; i++) {
        const struct supervise *machine = &generation->replicas[i].machine;
        census.ready += machine->state == SUPERVISE_READY;
        census.healthy += machine->state == SUPERVISE_READY && machine->healthy;
        census.wanted += machine->wanted;
        census.looping += machine->wanted && machine->looping;
    }
    return census;
}

static enum host_service_state judge(const struct census *census, unsigned count)
{
    if (census->ready == count)
        return HOST_SERVICE_READY;
    if (census->ready > 0)
        return HOST_SERVICE_DEGRADED;
    if (census->wanted == 0)
        return HOST_SERVICE_STOPPED;
    return census->looping == census->wanted ? HOST_SERVICE_CRASHLOOP : HOST_SERVICE_STARTING;
}

static void drop_ended_generations(struct service *service)
{
    struct generation **link = &service->retired;
    while (*link != NULL) {
        struct generation *generation = *link;
        if (!generation_has_ended(generation)) {
            link = &generation->next;
            continue;
        }
        *link = generation->next;
        (void)generation_free(generation);
    }
}

void service_update(struct service *service)
{
    const struct census census = count_replicas(service->current);
    const enum host_service_state state = judge(&census, service->current->count);
    if (census.healthy == service->current->count)
        clear_reason(service);
    if (state != service->state || service->changed)
        event_push(&service->host->events, &service->state_event);
    service->state = state;
    service->changed = false;
    drop_ended_generations(service);
}

struct replica *service_replica(const struct service *service, unsigned index)
{
    if (index < service->current->count)
        return &service->current->replicas[index];
    index -= service->current->count;
    for (struct generation *generation = service->retired; generation != NULL; generation = generation->next) {
        if (index < generation->count)
            return &generation->replicas[index];
        index -= generation->count;
    }
    return NULL;
}
