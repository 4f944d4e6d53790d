/* roster.h - the services of the configuration, as the control thread keeps them
 *
 * For each service: what the configuration says, what its driver is made of, and why it is not run, if it is not.
 */
#ifndef DROVER_IO_ROSTER_H
#define DROVER_IO_ROSTER_H

#include <stddef.h>

#include <drover/status.h>

#include "common/config/config.h"
#include "worker/host/host.h"

/* One service. All strings are owned by the roster or borrowed from the configuration that it was made from. */
struct roster_entry {
    const struct config_service *service;
    const char *program; /* what is executed */
    const char *builtin; /* "userprovider/json", or NULL */
    char artefact[65];   /* SHA-256 of the program; "" when it cannot be read */
    char *quarantine;    /* why it must not run, or NULL */
};

struct roster {
    const struct config *config;
    struct roster_entry *entries;
    size_t count;
};

/* Hash every program that the configuration names and compare it with its pin. A program that cannot be read or differs
 * from its pin is quarantined, the others run. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status roster_init(struct roster *roster, const struct config *config,
                                                 const char *worker_program, struct drover_error *error);
void roster_done(struct roster *roster);

/* NULL when there is no such service. */
const struct roster_entry *roster_find(const struct roster *roster, const char *service);

/* What the host needs to know of an entry. Borrowed. */
struct host_service roster_host_service(const struct roster *roster, const struct roster_entry *entry);

#endif
