/* services.c - see services.h; the orders are described in core.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/queue.h"
#include "broker/core/services.h"

const char *services_refusal(const struct service *service)
{
    return service->removed ? "it has been removed" : service->refusal;
}

struct service *services_find(const struct core *core, const char *name)
{
    struct service *service = NULL;
    HASH_FIND_STR(core->services, name, service);
    return service;
}

/* ---- records ---- */

static void free_record(struct core *core, struct service *service)
{
    queue_done(core, service);
    free(service->name);
    free(service->interface);
    free(service->refusal);
    free(service);
}

static struct service *add_service(struct core *core, const struct core_service *wanted)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return NULL;
    service->name = strdup(wanted->name);
    service->interface = strdup(wanted->interface);
    service->retry_tokens = CORE_RETRY_TOKENS;
    if (service->name != NULL && service->interface != NULL)
        HASH_ADD_KEYPTR(hh, core->services, service->name, strlen(service->name), service);
    if (service->hh.tbl == NULL) {
        free_record(core, service);
        return NULL;
    }
    return service;
}

void services_worker_gone(struct core *core, struct service *service)
{
    if (!service->removed || service->workers != NULL)
        return;
    DL_DELETE2(core->removed, service, removed_prev, removed_next);
    core->forgotten_calls += service->calls;
    free_record(core, service);
}

void services_free_all(struct core *core)
{
    while (core->services != NULL) {
        struct service *service = core->services;
        HASH_DEL(core->services, service);
        free_record(core, service);
    }
    while (core->removed != NULL)
        services_worker_gone(core, core->removed);
}

/* ---- orders ---- */

/* The interface that new workers must have; those that are there have been looked at. */
static bool set_interface(struct service *service, const char *interface)
{
    if (strcmp(service->interface, interface) == 0)
        return true;
    char *copy = strdup(interface);
    if (copy == NULL)
        return false;
    free(service->interface);
    service->interface = copy;
    return true;
}

enum drover_status core_set_service(struct core *core, const struct core_service *wanted, struct drover_error *error)
{
    struct service *service = services_find(core, wanted->name);
    if (service == NULL)
        service = add_service(core, wanted);
    if (service == NULL || !set_interface(service, wanted->interface))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory", wanted->name);
    service->deadline_ms = wanted->deadline_ms;
    service->queue_calls = wanted->queue_calls;
    service->queue_bytes = wanted->queue_bytes;
    service->max_body = wanted->max_body;
    service->hang_ms = wanted->hang_ms;
    service->retry = wanted->retry;
    return DROVER_OK;
}

/* Everything that waits in a service's queue ends. */
static void refuse_queue(struct core *core, struct service *service, const char *text)
{
    struct call *call = NULL;
    while ((call = queue_pop(core, service)) != NULL) {
        struct drover_error error = {.origin = DROVER_ORIGIN_BROKER, .outcome = call_outcome(call)};
        (void)drover_error_set(&error, DROVER_UNAVAILABLE, "%s", text);
        queue_end(core, call, &error);
    }
}

static void refuse_service(struct core *core, struct service *service)
{
    char text[DROVER_ERROR_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "service '%s': %s", service->name, services_refusal(service));
    refuse_queue(core, service, text);
}

void core_refuse_service(struct core *core, uint64_t now_ms, const char *name, const char *reason)
{
    core->now_ms = now_ms;
    struct service *service = services_find(core, name);
    if (service == NULL)
        return;
    free(service->refusal);
    service->refusal = reason != NULL ? strdup(reason) : NULL;
    if (service->refusal != NULL)
        refuse_service(core, service);
}

void core_remove_service(struct core *core, uint64_t now_ms, const char *name)
{
    core->now_ms = now_ms;
    struct service *service = services_find(core, name);
    if (service == NULL)
        return;
    HASH_DEL(core->services, service); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
    DL_APPEND2(core->removed, service, removed_prev, removed_next);
    service->removed = true;
    service->generation = 0;
    refuse_service(core, service);
    services_worker_gone(core, service);
}

void core_stop(struct core *core, uint64_t now_ms)
{
    core->now_ms = now_ms;
    core->stopping = true;
    for (struct service *service = core->services; service != NULL; service = service->hh.next)
        refuse_queue(core, service, "the broker is stopping");
}
