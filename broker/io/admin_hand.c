/* admin_hand.c - the verbs by which an administrator takes a service into his own hands: restart, drain, rollback,
 * unquarantine
 */
#include <string.h>

#include "broker/io/admin_verbs.h"

#define PREFIX_MIN 6 /* hex digits of an artefact that may stand for all of them */

/* A driver from a repository may be held to another commit by now ('drover lock update'): then it is another one. */
enum drover_status verb_restart(const struct request *request)
{
    const struct admin *admin = request->admin;
    struct roster_entry *entry = NULL;
    bool changed = false;
    if (request_need_service(request, &entry) != DROVER_OK ||
        lockkeeper_refresh(admin->keeper, request->error) != DROVER_OK ||
        roster_look_up(entry, admin->keeper, &changed, request->error) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    const struct host_service service = roster_host_service(admin->roster, entry);
    if (changed && host_set_service(admin->host, &service, 0, request->now_ms, request->error) != DROVER_OK)
        return request->error->status;
    return host_restart(admin->host, request->service, request->now_ms, request->error);
}

enum drover_status verb_drain(const struct request *request)
{
    struct roster_entry *entry = NULL;
    if (request_need_service(request, &entry) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    return host_drain(request->admin->host, request->service, request->now_ms, request->error);
}

enum drover_status verb_rollback(const struct request *request)
{
    struct roster_entry *entry = NULL;
    if (request_need_service(request, &entry) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    return host_rollback(request->admin->host, request->service, request->now_ms, request->error);
}

/* What `drover status` prints are the first digits of an artefact: they may be given for the whole. */
static enum drover_status find_in_quarantine(const struct request *request, struct drover_text digits,
                                             char ret_artefact[HOST_HASH_SIZE])
{
    char artefact[HOST_HASH_SIZE];
    const char *why = "";
    unsigned found = 0;
    if (digits.size < PREFIX_MIN)
        return drover_error_set(request->error, DROVER_INVALID_ARGUMENT,
                                "an artefact is named by its first %d hex digits or more", PREFIX_MIN);
    for (unsigned i = 0; host_quarantine_report(request->admin->host, request->service, i, artefact, &why); i++) {
        if (digits.size < HOST_HASH_SIZE && memcmp(artefact, digits.data, digits.size) == 0) {
            memcpy(ret_artefact, artefact, HOST_HASH_SIZE);
            found++;
        }
    }
    if (found == 1)
        return DROVER_OK;
    return drover_error_set(request->error, DROVER_FAILED_PRECONDITION, "service '%s': %s in quarantine begins with it",
                            request->service, found == 0 ? "no artefact" : "more than one artefact");
}

enum drover_status verb_unquarantine(const struct request *request)
{
    struct roster_entry *entry = NULL;
    struct drover_text digits = {0};
    char artefact[HOST_HASH_SIZE];
    if (request_need_service(request, &entry) != DROVER_OK)
        return request->error->status;
    const bool is_named = drover_value_text(drover_value_get(request->map, "artefact"), &digits);
    if (is_named && find_in_quarantine(request, digits, artefact) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    return host_unquarantine(request->admin->host, request->service, is_named ? artefact : NULL, request->now_ms,
                             request->error);
}
