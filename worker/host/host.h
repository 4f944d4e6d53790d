/* host.h - keeps the workers of services alive on this machine
 *
 * Who calls it: the broker's control loop (and later drover-worker on another machine). START: host_new(), then
 * host_set_service() for each service of the configuration. OPERATION: poll host_fd() until host_deadline_ms(), call
 * host_step(), act on the events of host_next_event(); tell the host what the broker's core learnt of a worker with
 * host_worker_*(). END: host_stop(), go on stepping until host_is_empty(), host_free().
 *
 * The rules (start limit, restart, backoff, crash loop, exit 78, stop ladder) are in supervise.h, pure and tested in
 * virtual time; this file and launch.h are the part that touches the system. Children are forked only by the thread
 * that calls these functions, which must be the main thread (a parent-death signal follows the thread that forked).
 *
 * No worker outlives its host: each gets SIGKILL from the kernel when the host's thread ends, however it ends, and
 * sees the end of a pipe besides. What a worker has started itself is killed with it as long as the host lives; if the
 * host is killed by SIGKILL, grandchildren are only certain to die where there is a pid namespace or a cgroup.
 *
 * Thread rule: one thread, the main one.
 */
#ifndef DROVER_HOST_H
#define DROVER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#include "common/wire/greeting.h"

#define HOST_HASH_SIZE 65 /* 64 hex digits, and NUL */
#define HOST_COMMIT_SIZE 41

struct host;
struct launch_sandbox;

/* How the host itself is set up. Strings are copied. */
struct host_options {
    const char *endpoint;       /* where workers connect: "ipc:///.../workers.sock" */
    const char *worker_program; /* path of drover-worker, which hosts the built-in drivers and modules */
    const char *helpers;        /* folder of drover-fetch, drover-build, drover-store and drover-launch */
    const char *store;          /* folder of the store; its parent exists. NULL: drivers with an origin are refused */
    const char *library_folder; /* of libdrover-worker, for programs that were built elsewhere; may be NULL */
};

enum host_origin_kind {
    HOST_ORIGIN_EXECUTABLE, /* a file, which is put into the store and run from there */
    HOST_ORIGIN_MODULE,     /* the same, hosted by drover-worker */
    HOST_ORIGIN_SOURCE,     /* a folder, which is compiled */
    HOST_ORIGIN_GIT,        /* a repository, which is fetched and compiled */
};

/* Where a driver comes from that has to be obtained before it can run (obtain.h). */
struct host_origin {
    enum host_origin_kind kind;
    const char *path;               /* absolute; NULL for a repository */
    const char *pin;                /* SHA-256 that the artefact must have, or NULL */
    const char *settings_name;      /* what a source must call itself, since its settings stand under that; or NULL */
    const char *url, *ref, *subdir; /* of a repository; ref and subdir may be NULL */
    const char *const *fetch;     /* further words for drover-fetch ("--allow", "https,ssh"), ended by NULL; or NULL */
    const char *commit, *content; /* what the lock file holds it to (40 and 64 hex digits); NULL: nothing yet */
    const char *const *built;     /* "KEY SHA256" of each build that the lock file knows, ended by NULL; or NULL */
    bool locked;                  /* refuse what the lock file does not have, or has otherwise */
    const char *obstacle;         /* what to say then, where `commit` is NULL; or NULL */
    bool offline;                 /* do not use the network */
    uint64_t fetch_ms;            /* what a fetch may take; 0: 5 min */
    const char *policy;           /* sandbox of the compilation: "required", "best-effort", "off"; NULL: the second */
    const char *grants; /* JSON object of what the service grants: what a source asks for beyond it is refused */
};

/* What is to run for a service. Everything is copied. */
struct host_service {
    const char *name;
    const char *interface;
    const char *driver;               /* as the configuration names it, for messages */
    const char *kind;                 /* "builtin", "executable", "module", "source" or "git" */
    const struct host_origin *origin; /* NULL: `program` is there, and runs as it is */
    const char *program;              /* absolute path of the executable; NULL: the host's worker_program */
    const char *builtin;              /* "userprovider/json" for a built-in (given as `--builtin NAME`), else NULL */
    const char *artefact;             /* SHA-256 of the program, 64 hex digits; ignored where there is an origin */
    const char *directory;            /* working directory of the workers: the configuration file's */
    const char *folder;               /* the service's own, which its workers may write to; NULL: none */
    const struct launch_sandbox *sandbox; /* NULL: none */
    unsigned replicas;                    /* 1 to 64 */
    uint64_t restart_min_ms, restart_max_ms;
    uint64_t ready_limit_ms; /* exec to READY; 10 000 by default */
    uint64_t drain_limit_ms; /* what leases get on restart, drain and replacement; 0: 10 000 */
};

/* The words of `drover status`. */
enum host_service_state {
    HOST_SERVICE_BUILDING, /* its driver is being obtained, and nothing runs yet: calls wait */
    HOST_SERVICE_STARTING,
    HOST_SERVICE_READY,
    HOST_SERVICE_DEGRADED, /* some replicas are ready, some are not */
    HOST_SERVICE_CRASHLOOP,
    HOST_SERVICE_STOPPED,     /* by hand, because of a configuration error, or its driver cannot be had */
    HOST_SERVICE_QUARANTINED, /* its file is not the one that is pinned */
};

enum host_event_kind {
    HOST_EXPECT,        /* a worker was launched: let it in with this token */
    HOST_CLOSED,        /* its start word was closed: take back what is above `started`, give it nothing more, and call
                         * host_worker_drained() when no lease is left, at once if there is none. It also comes for
                         * workers that hung or were never ready. */
    HOST_LOST,          /* it is dead: `started` is the last call it began */
    HOST_SERVICE_STATE, /* a service's state or reason changed */
    HOST_OBTAINED,      /* its driver was obtained; a repository's commit belongs into the lock file */
};

/* What was obtained. Texts are "" where there is nothing to say. */
struct host_obtained {
    char artefact[HOST_HASH_SIZE]; /* SHA-256 */
    char key[HOST_HASH_SIZE];      /* of the build */
    char content[HOST_HASH_SIZE];  /* SHA-256 of the source of a repository */
    char commit[HOST_COMMIT_SIZE], tree[HOST_COMMIT_SIZE];
};

/* Something the broker must act on. Strings are borrowed until the next call of any host function. */
struct host_event {
    enum host_event_kind kind;
    const char *service;
    uint64_t worker;                      /* number of the worker process: never used twice in the life of a host */
    uint64_t generation;                  /* HOST_EXPECT */
    uint8_t token[WIRE_TOKEN_SIZE];       /* HOST_EXPECT */
    uint64_t started;                     /* HOST_CLOSED, HOST_LOST: sequence of the last call started */
    const char *artefact;                 /* HOST_EXPECT */
    enum host_service_state state;        /* HOST_SERVICE_STATE */
    const char *reason;                   /* HOST_SERVICE_STATE: see host_service_report() */
    const struct host_obtained *obtained; /* HOST_OBTAINED */
};

/* A host without services. Blocks SIGCHLD in the calling thread, gives it its default action, and makes the process
 * the parent of orphans: one host a process, and all children of the process are the host's. Threads that were started
 * before must have SIGCHLD blocked too. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status host_new(const struct host_options *options, struct host **ret_host,
                                              struct drover_error *error);

/* Kills what still runs, and waits for it (not longer than 2 s each). NULL is allowed. Returns NULL. */
struct host *host_free(struct host *host);

/* Start a service, or replace what runs for it (generation + 1: here old workers are stopped gracefully, new ones
 * started; the order of a reload without loss comes with generations). Errors: INVALID_ARGUMENT (replicas),
 * FAILED_PRECONDITION (the host is stopping), RESOURCE_EXHAUSTED; then nothing has changed. */
DROVER_MUST_CHECK enum drover_status host_set_service(struct host *host, const struct host_service *service,
                                                      uint64_t now_ms, struct drover_error *error);

/* A descriptor that is readable when host_step() has work. */
int host_fd(const struct host *host);

/* When host_step() must be called at the latest (0: now, or events wait to be taken; UINT64_MAX: never). A worker is
 * forked by the first step after its HOST_EXPECT was taken, so that it cannot come before it is expected. */
uint64_t host_deadline_ms(const struct host *host);

/* Reap children, read their output, run timers. Never blocks. SIGCHLD needs no handler. */
void host_step(struct host *host, uint64_t now_ms);

/* Take the next event; false when there is none. */
bool host_next_event(struct host *host, struct host_event *ret_event);

/* What the core learnt. `text` is copied and need not be trusted. Unknown worker numbers are ignored (the worker died
 * meanwhile). */
void host_worker_ready(struct host *host, uint64_t worker, uint64_t now_ms);
void host_worker_config_error(struct host *host, uint64_t worker, const char *text, uint64_t now_ms);
void host_worker_hung(struct host *host, uint64_t worker, uint64_t now_ms);    /* SIGABRT, 5 s, SIGKILL to the group */
void host_worker_drained(struct host *host, uint64_t worker, uint64_t now_ms); /* no lease is left: it may be stopped */

/* By hand. restart: every worker is closed, drained, stopped and started again, also out of a crash loop or a stop.
 * drain: the same, but it stays stopped until a restart. Errors: NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status host_restart(struct host *host, const char *service, uint64_t now_ms,
                                                  struct drover_error *error);
DROVER_MUST_CHECK enum drover_status host_drain(struct host *host, const char *service, uint64_t now_ms,
                                                struct drover_error *error);

/* The stop ladder for all: close the word, wait for drained (10 s), SIGTERM to the group, 5 s, SIGKILL; then the
 * orphans that were re-parented to this process. */
void host_stop(struct host *host, uint64_t now_ms);
bool host_is_empty(const struct host *host);

/* One worker, for `drover status`. Strings are borrowed until the next call. */
struct host_worker_report {
    uint64_t worker;
    int64_t pid; /* 0 when no process runs */
    uint64_t generation;
    const char *state; /* "starting", "ready", "draining", "backoff" or "stopped" */
    const char *artefact;
    uint64_t restarts;
    const char *sandbox; /* the layers that hold, in one line; "" when no process runs or it is not known yet */
};

/* Describe replica `index` of a service, those of former generations that still run after those of the present one;
 * false beyond the last or when there is no such service. */
bool host_worker_report(const struct host *host, const char *service, unsigned index,
                        struct host_worker_report *ret_report);

/* Describe a service; false when there is none. `*ret_reason` is one line: the last thing that went wrong. It stays
 * when the workers are back, and becomes "" when all of them have been ready for 5 minutes, at a restart by hand, and
 * when the service is set anew. Borrowed until the next call. */
bool host_service_report(const struct host *host, const char *service, enum host_service_state *ret_state,
                         uint64_t *ret_generation, const char **ret_reason);

/* How the driver of a service that is being obtained gets on: "fetching 40 %", "compiling"; "" when there is nothing to
 * say. Borrowed until the next call. */
const char *host_service_progress(const struct host *host, const char *service);

/* What the host still waits for, in one line: workers and helpers with their pids and states; "" when it is empty. For
 * the log of whoever waits for host_is_empty(). */
void host_describe_rest(const struct host *host, char *buffer, size_t size);

/* The last captured lines (at most 100 a replica and 4 MiB in all, oldest first), written as an array of maps
 * {serial, service, replica, pid, stream ("stdout" or "stderr"), time_ms (wall clock), line}; `service` NULL: of all.
 * Serials start with 1 and increase over the whole host; only lines after `after` are written (0: all), so that a
 * follower asks for what is after the last one it has. */
void host_write_logs(const struct host *host, const char *service, uint64_t after, struct drover_writer *writer);

/* "building", "starting", "ready", "degraded", "crashloop", "stopped", "quarantined". */
const char *host_service_state_name(enum host_service_state state);

#endif
