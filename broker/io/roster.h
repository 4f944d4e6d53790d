/* roster.h - the services of a configuration, as the host is to run them
 *
 * For each service: what the configuration and the lock file say, put into the host's words. A roster owns its
 * configuration and holds no pointer into itself, so that one can take the place of another by assignment.
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
    char obtained[HOST_COMMIT_SIZE];                        /* what was obtained last; "" for nothing yet */
    struct launch_sandbox sandbox;
    char *folder; /* which its workers may write to */
    char *grants; /* JSON */
    char *obstacle;
    const char **built, **read, **write;
    char **built_texts;
};

struct roster {
    struct config *config;
    const char *worker_program; /* borrowed */
    struct roster_entry *entries;
    size_t count;
    char worker_artefact[HOST_HASH_SIZE]; /* of drover-worker, for built-in drivers; "" when it cannot be read */
    char file_hash[HOST_HASH_SIZE];       /* of the configuration file, as it was when it was read; "" when not known */
    char *allow;
    const char **fetch; /* words for drover-fetch */
};

/* Takes `*config` (set to NULL), also when it fails; roster_done() in any case. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status roster_init(struct roster *roster, struct config **config,
                                                 const struct lockkeeper *keeper, const char *worker_program,
                                                 struct drover_error *error);
void roster_done(struct roster *roster);

/* For `file_hash`: SHA-256 of a regular file, "" when it is none or cannot be read (a pipe can be read only once).
 * Taken before the file is read otherwise, it is the older one if the file changes in between. */
void roster_hash_file(const char *path, char ret_hash[HOST_HASH_SIZE]);

/* NULL when there is no such service. */
struct roster_entry *roster_find(const struct roster *roster, const char *service);

/* Look the entry up in the lock file again. `*ret_changed`: it is held to another commit than before. Errors:
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status roster_look_up(struct roster_entry *entry, const struct lockkeeper *keeper,
                                                    bool *ret_changed, struct drover_error *error);

/* Its driver, which comes from a path, turns out to be of this kind. */
void roster_set_kind(struct roster *roster, struct roster_entry *entry, enum reference_kind kind);

/* The driver of an entry was obtained. */
void roster_note(struct roster_entry *entry, const struct host_obtained *obtained);

/* The commit that a driver from a repository is at: what it is held to, else what was obtained; "" when not known. */
const char *roster_commit(const struct roster_entry *entry);

/* What the host needs to know of an entry. Borrowed. */
struct host_service roster_host_service(const struct roster *roster, const struct roster_entry *entry);

#endif
