/* absent.c - see absent.h */
#include "broker/io/absent.h"

#include "broker/io/log.h"
#include "worker/host/recall.h"

/* Would the host have something to start? */
static bool is_remembered(const struct roster *roster, const struct roster_entry *entry, const char *memory)
{
    const struct host_service service = roster_host_service(roster, entry);
    return recall_has_stable(memory, &service);
}

/* A path that leads nowhere does not tell what was there. What has settings under a name of its own can only have been
 * a source directory. */
static bool settle(struct roster *roster, struct roster_entry *entry, const char *memory)
{
    static const enum reference_kind kinds[] = {REFERENCE_EXECUTABLE, REFERENCE_MODULE, REFERENCE_SOURCE};
    const enum reference_kind guess = entry->service->resolution.kind;
    if (is_remembered(roster, entry, memory))
        return true;
    for (size_t i = 0; entry->service->settings_name == NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        roster_set_kind(roster, entry, kinds[i]);
        if (is_remembered(roster, entry, memory))
            return true;
    }
    roster_set_kind(roster, entry, guess);
    return false;
}

bool absent_settle(struct roster *roster, const char *memory)
{
    bool good = true;
    for (size_t i = 0; i < roster->count; i++) {
        struct roster_entry *entry = &roster->entries[i];
        if (entry->service->resolution.obstacle != NULL)
            good = settle(roster, entry, memory) && good;
    }
    return good;
}

void absent_tell(const struct roster *roster, struct history *history)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct config_service *service = roster->entries[i].service;
        if (service->resolution.obstacle == NULL)
            continue;
        log_line(LOG_LEVEL_WARNING, "service '%s': %s; it begins with its last stable version", service->name,
                 service->resolution.obstacle);
        history_add(history, service->name, 0, "driver-absent", service->resolution.obstacle);
    }
}
