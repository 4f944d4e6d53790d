/* state.h - what a host consists of; private to this folder
 *
 *     host ── services ── generations (the current one, and retired ones until their workers have ended) ── replicas
 *       └──── children: worker processes, from the decision to start one until its LOST event was taken
 *
 * A replica has at most one child, and a child at most one replica: the link is cut when the child dies. Events are
 * slots inside children and services, so that reporting one needs no memory and cannot fail.
 */
#ifndef DROVER_HOST_STATE_H
#define DROVER_HOST_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "worker/host/capture.h"
#include "worker/host/host.h"
#include "worker/host/launch.h"
#include "worker/host/reason.h"
#include "worker/host/supervise.h"

#define ARTEFACT_SIZE 65 /* a SHA-256 in hex, and NUL */

struct child;
struct helper;
struct obtaining;
struct service;
struct store;
struct store_lock;
struct wanted;

struct event_slot {
    enum host_event_kind kind;
    bool queued;
    struct service *service;
    struct child *child; /* NULL for HOST_SERVICE_STATE and HOST_OBTAINED */
    struct event_slot *next;
};

struct event_queue {
    struct event_slot *first, *last;
};

struct child {
    uint64_t number;
    uint64_t generation;
    char artefact[ARTEFACT_SIZE];
    uint8_t token[WIRE_TOKEN_SIZE];
    struct service *service;
    struct replica *replica; /* NULL when it is dead */
    struct process process;
    pid_t pid;                         /* for its lines, also when it is dead */
    struct drover_error prepare_error; /* why there is no page to start it with */
    struct capture_stream streams[CAPTURE_SOURCES];
    bool word_closed;
    uint64_t started; /* when the word was closed */
    struct event_slot expect, closed, lost;
    struct child *prev, *next; /* in host->children */
};

struct replica {
    struct generation *generation;
    unsigned index;
    struct supervise machine;
    struct child *child; /* NULL when there is no process, nor one about to be */
    bool launch_pending;
    uint64_t last_number; /* of its latest child */
};

struct generation {
    struct service *service;
    uint64_t number;
    struct wanted *wanted; /* what it was made for; a reference: what is `const` here is borrowed from it */
    const char *interface, *driver, *directory;
    const char *builtin, *folder;         /* may be NULL */
    const struct launch_sandbox *sandbox; /* may be NULL */
    char *program;                        /* what is executed */
    char *module;                         /* what drover-worker hosts, or NULL */
    char *artefact;                       /* SHA-256 of the module or else the program; room for one in any case */
    char *library_folder;                 /* of libdrover-worker, or NULL */
    struct store_lock *held;              /* keeps the artefact in the store; NULL: it is not from there */
    bool verified;                        /* the artefact is what must be run: a file that differs is not */
    struct stat seen;                     /* the program's file when `artefact` was true of it */
    unsigned count;
    struct replica *replicas;
    struct generation *next; /* older one, in service->retired */
};

struct service {
    struct host *host;
    char *name;
    struct wanted *wanted;       /* what it is to be: a reference */
    struct obtaining *obtaining; /* how its driver is got; NULL: it is there */
    struct generation *current;  /* NULL until there is a driver */
    struct generation *retired;
    struct capture_log *logs; /* one for each replica there ever was at once */
    unsigned log_count;
    uint64_t last_generation;
    enum host_service_state state;
    char reason[REASON_SIZE];
    bool changed;  /* the reason did, since it was told */
    bool repaired; /* its damaged driver was obtained anew, and none of its workers has been ready since */
    struct event_slot state_event, obtained_event;
    struct service *next; /* in host->services, in the order of their first set */
};

struct host {
    char *endpoint, *worker_program, *helpers, *library_folder; /* the last two may be NULL */
    char *store_path;
    struct store *store;    /* opened when the first driver is obtained */
    struct helper *running; /* helper programs, until they have ended */
    int epoll_fd, signal_fd;
    struct service *services;
    struct child *children;
    struct event_queue events;
    uint64_t next_number, next_serial;
    bool stopping;
    uint64_t sweep_due_ms;
    unsigned sweeps_left;  /* in vain, until no more are due */
    uint64_t sweep_end_ms; /* when stopping and all workers have ended: how long orphans are hunted */
    bool swept;
    bool cut_short; /* a helper was ended before it was done: the store may need a sweep */
};

/* What a descriptor in the epoll set is; the rest of the word is the number of the child or helper. */
enum poll_kind { POLL_STDOUT, POLL_STDERR, POLL_PIDFD, POLL_SIGNAL, POLL_HELPER, POLL_KINDS };

#endif
