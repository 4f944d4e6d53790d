/* roster.c - see roster.h */
#include <stdlib.h>
#include <string.h>

#include "broker/io/roster.h"
#include "common/base/text.h"
#include "common/sys/sys.h"

/* A restart by hand waits for calls as long as they may run: what exceeds `hang` is hung, and is killed for that. */
enum { DRAIN_GRACE_MS = 10000 };

/* Several services may have the same program: hash it once. */
static const struct roster_entry *same_program(const struct roster *roster, size_t before, const char *program)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(roster->entries[i].program, program) == 0)
            return &roster->entries[i];
    }
    return NULL;
}

static char *judge(const struct roster_entry *entry, const struct drover_error *error)
{
    const char *pin = entry->service->sha256;
    if (error->status != DROVER_OK)
        return strdup(error->text);
    if (pin == NULL || strcmp(pin, entry->artefact) == 0)
        return NULL;
    return text_format("%.12s: '%s' has SHA-256 %s, but sha256 pins it to %s: it is not run", entry->artefact,
                       entry->program, entry->artefact, pin);
}

static void fill(struct roster *roster, size_t index, const char *worker_program)
{
    struct roster_entry *entry = &roster->entries[index];
    struct drover_error error = {0};
    entry->service = &roster->config->services[index];
    const bool builtin = entry->service->resolution.kind == REFERENCE_BUILTIN;
    entry->builtin = builtin ? entry->service->resolution.target : NULL;
    entry->program = builtin ? worker_program : entry->service->resolution.target;
    const struct roster_entry *same = same_program(roster, index, entry->program);
    if (same != NULL && same->artefact[0] != '\0')
        memcpy(entry->artefact, same->artefact, sizeof(entry->artefact));
    else if (sys_hash_file(entry->program, entry->artefact, &error) != DROVER_OK)
        entry->artefact[0] = '\0';
    entry->quarantine = judge(entry, &error);
}

enum drover_status roster_init(struct roster *roster, const struct config *config, const char *worker_program,
                               struct drover_error *error)
{
    *roster = (struct roster){.config = config, .count = config->service_count};
    roster->entries = calloc(roster->count + 1, sizeof(*roster->entries));
    if (roster->entries == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for %zu services", roster->count);
    for (size_t i = 0; i < roster->count; i++)
        fill(roster, i, worker_program);
    return DROVER_OK;
}

void roster_done(struct roster *roster)
{
    for (size_t i = 0; roster->entries != NULL && i < roster->count; i++)
        free(roster->entries[i].quarantine);
    free(roster->entries);
    *roster = (struct roster){0};
}

const struct roster_entry *roster_find(const struct roster *roster, const char *service)
{
    for (size_t i = 0; i < roster->count; i++) {
        if (strcmp(roster->entries[i].service->name, service) == 0)
            return &roster->entries[i];
    }
    return NULL;
}

struct host_service roster_host_service(const struct roster *roster, const struct roster_entry *entry)
{
    const struct config_service *service = entry->service;
    return (struct host_service){
        .name = service->name,
        .interface = service->interface,
        .driver = service->resolution.name,
        .kind = reference_kind_name(service->resolution.kind),
        .program = entry->program,
        .builtin = entry->builtin,
        .artefact = entry->artefact,
        .pinned = service->sha256 != NULL,
        .directory = roster->config->directory,
        .replicas = (unsigned)service->replicas,
        .restart_min_ms = service->restart_min_ms,
        .restart_max_ms = service->restart_max_ms,
        .ready_limit_ms = service->start_limit_ms,
        .drain_limit_ms = service->hang_ms + DRAIN_GRACE_MS,
    };
}
