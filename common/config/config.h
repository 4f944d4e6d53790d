/* config.h - the configuration file: one pass that finds every mistake
 *
 * Source of the contract: the "Configuration" section of docs/man/drover.yaml.5.scd. The file is YAML 1.2 (core
 * scalars); anchors, aliases and tags are refused. Every message is `FILE:LINE:COLUMN: what is wrong (way out)`.
 *
 * Pure: takes bytes, opens nothing; what it needs from outside comes in through `struct config_sources`. What a key
 * means is one row of options.def in this folder.
 */
#ifndef DROVER_CONFIG_H
#define DROVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#include "common/config/reference.h"

#define CONFIG_SIZE_MAX (4U << 20)   /* bytes of a file */
#define CONFIG_MESSAGES_MAX 1000     /* mistakes that are listed; the rest is counted */
#define CONFIG_FILES_MAX 12          /* files that a service's settings may name beyond what is granted */
#define CONFIG_SECRET_MAX (1U << 20) /* bytes of one value after ${env:} and ${file:} */

/* What is done where a part of a worker's sandbox does not hold on the system. */
enum config_sandbox {
    CONFIG_SANDBOX_BEST_EFFORT, /* the worker is run with what holds */
    CONFIG_SANDBOX_REQUIRED,    /* it is not run */
    CONFIG_SANDBOX_OFF,         /* no sandbox is tried */
};

/* Whom a worker may reach besides its broker. */
enum config_network {
    CONFIG_NETWORK_NONE,
    CONFIG_NETWORK_LOOPBACK,
    CONFIG_NETWORK_OUTBOUND,
};

/* One service of the file. Strings are owned by the config. */
struct config_service {
    char *name;
    char *interface;                        /* defaults to the name */
    char *driver;                           /* the reference as written */
    unsigned line, column;                  /* of the driver's value, for messages about it */
    struct reference_resolution resolution; /* what the reference means; all NULL when there was no disk to ask */
    void *settings;                         /* msgpack map: the section named after the driver; NULL for none */
    size_t settings_size;
    char *settings_name; /* of a section whose name only the driver's manifest can explain (kinds source and git): the
                            driver must turn out to be called so. NULL: the name is right, or it was 'config' */
    char *sha256;        /* 64 lower-case hex digits, or NULL */
    uint64_t replicas;
    uint64_t deadline_ms;
    uint64_t queue_calls, queue_bytes;
    bool retry;
    uint64_t hang_ms; /* the deadline, where the file does not say */
    uint64_t start_limit_ms;
    uint64_t restart_min_ms, restart_max_ms;
    uint64_t max_body; /* bytes */
    enum config_sandbox sandbox;
    char **grant_read; /* absolute files and folders that the worker may read, and those that it may change */
    size_t grant_read_count;
    char **grant_write;
    size_t grant_write_count;
    enum config_network grant_network;
    uint64_t grant_memory; /* bytes; 0: no limit */
    uint64_t grant_cpu;    /* processors; 0: no limit */
    char *user;            /* whom the worker runs as; NULL: whom drover decides for */
    bool reload_by_hand;   /* a changed driver is not looked for; `drover reload` does */
    uint64_t settle_ms;    /* how long new workers must have been well before calls go to them */
    uint64_t probation_ms; /* how long they are watched after that */
    uint64_t debounce_ms;  /* of quiet before a change is looked at; 0: what suits a file, or a folder */
    char *test_method;     /* of the self-test; NULL: any answer of a new worker will do */
    void *test_request;    /* msgpack, any value; NULL: an empty map */
    size_t test_request_size;
    enum drover_status test_expect; /* how the self-test must be answered */
    /* Absolute paths of the existing files that the settings name, granted for reading: filled in by load_config(), not
     * by config_parse(). */
    char **setting_files;
    size_t setting_files_count;
};

struct config {
    char *path;      /* as given */
    char *directory; /* absolute folder of the file */
    char **listen;
    size_t listen_count;
    uint64_t mode;           /* permissions of the ipc sockets among `listen`: 0600 by default */
    char *group;             /* their group's name, or NULL */
    char *state_dir;         /* absolute */
    bool reload_config_auto; /* a changed file is applied; else it is only said that it has changed */
    bool plugins;
    char **driver_path; /* absolute */
    size_t driver_path_count;
    char **fetch_allow; /* of https, ssh, file, http, git: what drivers may be fetched by; the last two from loopback */
    size_t fetch_allow_count;
    char *fetch_key, *fetch_known_hosts; /* for ssh, absolute; NULL: the agent, the user's and the system's */
    char *fetch_token_file, *fetch_ca;   /* for https, absolute; NULL: netrc, the system's certificates */
    uint64_t fetch_deadline_ms;          /* for one fetch */
    char *lock_path;                     /* absolute: drover.lock beside the file */
    struct config_service *services;     /* in the order of the file */
    size_t service_count;
};

/* Where secrets and the kinds of files come from. Any member may be NULL: then the file may not use it. */
struct config_sources {
    /* The value of an environment variable, for the parser to free(); NULL when it is not set. */
    char *(*env)(void *context, const char *name);
    /* The contents of a file (`path` is absolute), for the parser to free(); NULL when it cannot be read. They come as
     * they are: it is the parser that cuts one line end off their end. */
    char *(*file)(void *context, const char *path);
    void *context;
    const struct reference_disk *disk; /* NULL: driver references are not resolved */
    /* A path that no driver can come from now keeps nobody from taking the file: the mistake is listed, and is the
     * `obstacle` of that service's resolution. */
    bool lenient;
};

/* Messages about a file, in the order of lines. */
struct config_messages {
    char **lines;
    size_t count;
};

/* Parse `size` bytes of YAML. `path` names the file in messages; relative paths resolve against `directory`
 * (absolute). `sources` may be NULL. On DROVER_OK stores the configuration in `*ret_config`; references that a driver
 * cannot come from are mistakes like all others. On INVALID_ARGUMENT every mistake is a line of `*ret_messages` (always
 * set up by this function; release with config_messages_done()); on DROVER_OK there are lines only of what lenient
 * sources have passed over. Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED (no
 * memory). */
DROVER_MUST_CHECK enum drover_status config_parse(const char *text, size_t size, const char *path,
                                                  const char *directory, const struct config_sources *sources,
                                                  struct config **ret_config, struct config_messages *ret_messages);

/* NULL is allowed. Returns NULL. */
struct config *config_free(struct config *config);
void config_messages_done(struct config_messages *messages);

#endif
