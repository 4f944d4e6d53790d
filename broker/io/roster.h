/* roster.h - the services of the configuration, as the host is to run them
 *
 * For each service: what the configuration and the lock file say, put into the host's words.
 */
#ifndef DROVER_IO_ROSTER_H
#define DROVER_IO_ROSTER_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

#include "broker/io/lockkeeper.h"
#include "common/config/config.h"
#include "worker/host/host.h"
#include "worker/host/launch.h"

/* One service. `service` is borrowed from the configuration; the rest is owned. */
struct roster_entry {
    const struct config_service *service;
    struct host_origin origin;                              /* not for a built-in driver */
    char commit[HOST_COMMIT_SIZE], content[HOST_HASH_SIZE]; /* what the lock file holds it to; "" for nothing */
    struct launch_sandbox sandbox;
    char *folder; /* which its workers may write to */
    char *grants; /* JSON */
    char *obstacle;
    const char **built, **read, **write;
    char **built_texts;
};

struct roster {
    const struct config *config;
    const char *worker_program; /* borrowed */
    struct roster_entry *entries;
    size_t count;
    char worker_artefact[HOST_HASH_SIZE]; /* of drover-worker, for built-in drivers; "" when it cannot be read */
    char *allow;
    const char *fetch[12]; /* words for drover-fetch */
};

/* Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status roster_init(struct roster *roster, const struct config *config,
                                                 const struct lockkeeper *keeper, const char *worker_program,
                                                 struct drover_error *error);
void roster_done(struct roster *roster);

/* NULL when there is no such service. */
struct roster_entry *roster_find(const struct roster *roster, const char *service);

/* Look the entry up in the lock file again. `*ret_changed`: it is held to another commit than before. Errors:
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status roster_look_up(struct roster_entry *entry, const struct lockkeeper *keeper,
                                                    bool *ret_changed, struct drover_error *error);

/* What the host needs to know of an entry. Borrowed. */
struct host_service roster_host_service(const struct roster *roster, const struct roster_entry *entry);

#endif
