/* host.h - keeps the workers of services alive on this machine
 *
 * Who calls it: the broker's control loop (and later drover-worker on another machine). START: host_new(), then
 * host_set_service() for each service of the configuration. OPERATION: poll host_fd() until host_deadline_ms(), call
 * host_step(), act on the events of host_next_event(); tell the host what the broker's core learnt of a worker with
 * host_worker_*(). END: host_stop(), go on stepping until host_is_empty(), host_free().
 *
 * A service's driver is replaced by generations: the host watches where it comes from, obtains what is new, starts it
 * beside what serves, has it tested, and says when calls are to go to it (HOST_SWITCH); it goes back when the new one
 * does badly. Those rules are in worker/rollout, those of one worker (start limit, restart, backoff, crash loop, exit
 * 78, stop ladder) in supervise.h, both pure and tested in virtual time; this file and launch.h are the part that
 * touches the system. Children are forked only by the thread
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
    const char *memory;         /* folder for what services remember of their versions; NULL: nothing is remembered */
    const char *unwatched;      /* folder in which no change counts: the broker's own; NULL: none */
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

/* How a new generation proves that it answers; all zero: as its driver.yaml says, or else a call of no method, which
 * any answer passes. Borrowed. */
struct host_self_test {
    const char *method;
    const void *request; /* msgpack; NULL: an empty map */
    size_t request_size;
    enum drover_status expect;
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
    const void *settings;    /* for its workers: one msgpack map, or NULL */
    size_t settings_size;
    bool by_hand;                     /* a changed driver is not looked for: host_reload() does */
    uint64_t settle_ms, probation_ms; /* see rollout.h; 0: at once, none */
    uint64_t debounce_ms;             /* 0: 150 for a file, 300 for a folder */
    struct host_self_test self_test;
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
    HOST_EXPECT,        /* a worker was launched: let it in with this token, and give it these settings */
    HOST_CLOSED,        /* its start word was closed: take back what is above `started`, give it nothing more, and call
                         * host_worker_drained() when no lease is left, at once if there is none. It also comes for
                         * workers that hung or were never ready. */
    HOST_LOST,          /* it is dead: `started` is the last call it began */
    HOST_SERVICE_STATE, /* a service's state or reason changed */
    HOST_OBTAINED,      /* its driver was obtained; a repository's commit belongs into the lock file */
    HOST_SWITCH,        /* calls of the service go to the workers of `generation` from now on */
    HOST_PROBE,         /* ask `worker` for the self-test; host_worker_probed() */
    HOST_RECONFIGURE,   /* give `worker`, which is ready, these settings in place of its own; host_worker_reconfigured()
                         */
    HOST_COUNT,         /* how do `generation` and the one before it, `previous`, get on; host_generation_counted() */
    HOST_TOLD,          /* something happened to a service that its users may want to know: `what`, `reason` */
    HOST_GROUP,         /* all services of `group` serve what they were set to, or (`given_up`) none does, because of
                         * `service` and for `reason`: set them to what they were before */
    HOST_REMOVED,       /* nothing is left of the service */
    HOST_CONFIGURATION, /* the configuration file may have changed */
};

/* What the broker's core counted of a generation. */
struct host_tally {
    uint64_t calls, lost;
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
    uint64_t worker;                        /* number of the worker process: never used twice in the life of a host */
    uint64_t generation;                    /* HOST_EXPECT, HOST_SWITCH, HOST_COUNT, HOST_TOLD (0: of none) */
    uint64_t previous;                      /* HOST_COUNT; 0: none */
    uint8_t token[WIRE_TOKEN_SIZE];         /* HOST_EXPECT */
    uint64_t started;                       /* HOST_CLOSED, HOST_LOST: sequence of the last call started */
    const char *artefact;                   /* HOST_EXPECT */
    const void *settings;                   /* HOST_EXPECT, HOST_RECONFIGURE: msgpack, or NULL */
    size_t settings_size;                   /* likewise */
    enum host_service_state state;          /* HOST_SERVICE_STATE */
    const char *reason;                     /* HOST_SERVICE_STATE: see host_service_report(); HOST_TOLD, HOST_GROUP */
    const char *what;                       /* HOST_TOLD: one word, "switched" */
    uint64_t group;                         /* HOST_GROUP */
    bool given_up;                          /* HOST_GROUP */
    const struct host_obtained *obtained;   /* HOST_OBTAINED */
    const struct host_self_test *self_test; /* HOST_PROBE */
    uint64_t limit_ms;                      /* HOST_PROBE: when it must have answered */
};

/* A host without services. Blocks SIGCHLD in the calling thread, gives it its default action, and makes the process
 * the parent of orphans: one host a process, and all children of the process are the host's. Threads that were started
 * before must have SIGCHLD blocked too. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status host_new(const struct host_options *options, struct host **ret_host,
                                              struct drover_error *error);

/* Kills what still runs, and waits for it (not longer than 2 s each). NULL is allowed. Returns NULL. */
struct host *host_free(struct host *host);

/* Start a service, or change what is wanted of it. What runs goes on until the new generation has taken over; where the
 * driver is the same and only its settings differ, it may take them as it runs. `group` is a number, not used before,
 * of several services that change together: all of them switch, or none does (HOST_GROUP); 0: alone. All of a group are
 * set before the next step. Errors: INVALID_ARGUMENT (replicas), FAILED_PRECONDITION (the host is stopping, the service
 * is being removed), RESOURCE_EXHAUSTED; then nothing has changed. */
DROVER_MUST_CHECK enum drover_status host_set_service(struct host *host, const struct host_service *service,
                                                      uint64_t group, uint64_t now_ms, struct drover_error *error);

/* Drain and stop a service, and forget it and what it remembers (HOST_REMOVED). An unknown one is ignored. */
void host_remove_service(struct host *host, const char *service, uint64_t now_ms);

/* Tell (HOST_CONFIGURATION) when this file may have changed. Errors: those of watch_add(). */
DROVER_MUST_CHECK enum drover_status host_watch_configuration(struct host *host, const char *path, uint64_t now_ms,
                                                              struct drover_error *error);

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

/* What came of a HOST_PROBE: the status of the answer, and its text. */
void host_worker_probed(struct host *host, uint64_t worker, enum drover_status status, const char *text,
                        uint64_t now_ms);

/* What came of a HOST_RECONFIGURE. */
void host_worker_reconfigured(struct host *host, uint64_t worker, bool taken, const char *text, uint64_t now_ms);

/* The answer to HOST_COUNT. */
void host_generation_counted(struct host *host, const char *service, uint64_t generation,
                             const struct host_tally *previous, const struct host_tally *fresh, uint64_t now_ms);

/* By hand. reload: look for a changed driver now; with `force` it is replaced though it is the same, or in quarantine.
 * rollback: back to what served before, or, while a change is under way, no further with that. unquarantine: forget
 * that `artefact` (64 hex digits; NULL: whichever) did badly. Errors: NOT_FOUND, FAILED_PRECONDITION (it has been
 * stopped by hand; there is nothing to go back to, or in quarantine), INVALID_ARGUMENT. */
DROVER_MUST_CHECK enum drover_status host_reload(struct host *host, const char *service, bool force, uint64_t now_ms,
                                                 struct drover_error *error);
DROVER_MUST_CHECK enum drover_status host_rollback(struct host *host, const char *service, uint64_t now_ms,
                                                   struct drover_error *error);
DROVER_MUST_CHECK enum drover_status host_unquarantine(struct host *host, const char *service, const char *artefact,
                                                       uint64_t now_ms, struct drover_error *error);

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

/* Describe replica `index` of a service: those of the generation that serves, then those of a candidate, then those of
 * a retired one that still runs; false beyond the last or when there is no such service. */
bool host_worker_report(const struct host *host, const char *service, unsigned index,
                        struct host_worker_report *ret_report);

/* Describe a service; false when there is none. `*ret_reason` is one line: the last thing that went wrong. It stays
 * when the workers are back, and becomes "" when all of them have been ready for 5 minutes, at a restart by hand, and
 * when the service is set anew. Borrowed until the next call. */
bool host_service_report(const struct host *host, const char *service, enum host_service_state *ret_state,
                         uint64_t *ret_generation, const char **ret_reason);

/* The generations of one service. Strings are borrowed until the next call. */
struct host_rollout_report {
    const char *state;  /* "none", "serving", "probation", "obtaining", "waiting", "starting", "self-test", "settling",
                         * "held", "stopped" */
    uint64_t active;    /* the generation that serves; 0: none */
    uint64_t candidate; /* that is to take over; 0: none runs */
    const char *artefact;        /* of what serves; "" */
    char stable[HOST_HASH_SIZE]; /* the artefact that a restarted broker starts; "" */
    const char *watch;           /* how its driver is watched: "inotify", "polled: ..."; "" when it is not */
    unsigned quarantined;        /* how many entries there are */
};
bool host_rollout_report(const struct host *host, const char *service, struct host_rollout_report *ret_report);

/* Entry `index` of the quarantine, the oldest first: 64 hex digits of an artefact, and why it is there. False beyond
 * the last. */
bool host_quarantine_report(const struct host *host, const char *service, unsigned index,
                            char ret_artefact[HOST_HASH_SIZE], const char **ret_why);

/* Is anything under way for this service: is it being obtained, started, tested, or about to go back? */
bool host_is_changing(const struct host *host, const char *service);

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
