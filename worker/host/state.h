/* state.h - what a host consists of; private to this folder
 *
 *     host ── services ── generations (the one that serves, a candidate, retired ones until they have ended) ──
 * replicas │        └─ runnables: artefacts that a generation runs, or may again └──── children: worker processes, from
 * the decision to start one until its LOST event was taken
 *
 * A replica has at most one child, and a child at most one replica: the link is cut when the child dies. Events that
 * the broker must act on are slots inside children and services, so that reporting one needs no memory and cannot
 * fail; what is only told (notes) is allocated.
 */
#ifndef DROVER_HOST_STATE_H
#define DROVER_HOST_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/host/capture.h"
#include "worker/host/host.h"
#include "worker/host/launch.h"
#include "worker/host/reason.h"
#include "worker/host/supervise.h"
#include "worker/rollout/rollout.h"

#define ARTEFACT_SIZE 65 /* a SHA-256 in hex, and NUL */

struct child;
struct helper;
struct obtaining;
struct runnable;
struct service;
struct store;
struct store_lock;
struct wanted;
struct watch;

struct event_slot {
    enum host_event_kind kind;
    bool queued;
    struct service *service;
    struct child *child; /* NULL for what is about the service */
    struct event_slot *next;
};

/* What is told once, and belongs to no slot: HOST_TOLD, HOST_GROUP, HOST_REMOVED, HOST_CONFIGURATION. */
struct note {
    struct event_slot slot;
    char service[64];
    uint64_t generation, group;
    bool given_up;
    const char *what;
    char text[REASON_SIZE];
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
    struct event_slot expect, closed, lost, probe, reconfigure;
    struct child *prev, *next; /* in host->children */
};

/* What a worker was asked for. */
enum answer { NOT_ASKED, ASKED, ANSWERED_WELL, ANSWERED_BADLY };

struct replica {
    struct generation *generation;
    unsigned index;
    struct supervise machine;
    struct child *child; /* NULL when there is no process, nor one about to be */
    bool launch_pending;
    uint64_t last_number; /* of its latest child */
    enum answer tested;   /* its self-test */
    enum answer tuned;    /* does it take new settings as it runs? */
};

struct generation {
    struct service *service;
    uint64_t number;
    struct wanted *wanted;     /* what it was made for: a reference */
    struct runnable *runnable; /* what its workers run: a reference */
    unsigned count;
    struct replica *replicas;
    bool announced;           /* the rollout knows that it is ready */
    unsigned deaths;          /* of its workers, unasked, that the rollout has not been told */
    enum rollout_death death; /* the worst of them */
    char why[REASON_SIZE];    /* of the last one, or of a self-test that failed */
    struct generation *next;  /* older one, in service->retired */
};

/* A configuration by its hash, as long as a version has it. */
struct configuration {
    struct rollout_hash hash;
    struct wanted *wanted; /* a reference */
    struct configuration *next;
};

/* What has come of the driver that the rollout wants to have. */
enum obtain_news { NO_NEWS, IS_OBTAINED, IS_NOT_OBTAINED };

/* New settings for workers that take them as they run; see tuning.h. */
struct tuning {
    struct wanted *wanted; /* NULL: nothing is under way; else a reference */
    struct rollout_hash configuration;
    bool back; /* some did not take them: the others are given the old ones again */
};

struct service {
    struct host *host;
    char *name;
    uint64_t number;            /* of its subject in the watch */
    struct wanted *wanted;      /* what it is to be: a reference */
    struct rollout_hash source; /* names where its driver comes from, and how often that has changed */
    struct rollout rollout;
    struct obtaining *obtaining;    /* how a driver is got, or was got last; NULL: it is there */
    struct rollout_version version; /* what `obtaining` is for */
    enum obtain_news news;          /* of it */
    bool repairing;                 /* it is for what serves, whose bytes were damaged */
    bool source_waits;              /* `source` has changed; it is looked at when its group has ended */
    struct generation *current;     /* NULL until one serves */
    struct generation *candidate;
    struct generation *retired;
    struct runnable *runnables;
    struct configuration *configurations;
    struct tuning tuning;
    struct capture_log *logs; /* one for each replica there ever was at once */
    unsigned log_count;
    enum host_service_state state;
    char reason[REASON_SIZE];        /* what went wrong with the workers of what serves, or is the first to */
    char change_reason[REASON_SIZE]; /* why the last change was given up */
    char told_reason[REASON_SIZE];   /* what the broker knows */
    char news_reason[REASON_SIZE];   /* why it cannot be obtained */
    bool asked;                      /* by hand, for the driver: what could not be built before is tried again */
    bool paused;                     /* drained by hand */
    bool restarting; /* by hand: when the change that it led to has come to nothing, restart the workers */
    bool watched;
    bool removed;
    bool not_started;      /* memory was missing for the candidate that the rollout started */
    bool repaired;         /* its damaged driver was obtained anew, and none of its workers has been ready since */
    uint64_t previous;     /* the generation before the one that serves */
    uint64_t count_due_ms; /* when its calls are to be counted */
    struct host_tally previous_tally, fresh_tally;
    bool counted;
    struct host_tally counted_before; /* of that, when its probation began; */
    uint64_t counted_until_ms;        /* which ends then */
    struct event_slot state_event, obtained_event, switch_event, count_event;
    struct service *next; /* in host->services, in the order of their first set */
};

/* Services that switch together. */
struct group {
    uint64_t number;
    struct service **members;
    size_t count;
    bool broken;       /* one of them was taken away */
    struct note *note; /* of its end */
    struct group *next;
};

struct host {
    char *endpoint, *worker_program, *helpers, *library_folder; /* the last two may be NULL */
    char *store_path, *memory, *unwatched;
    struct watch *watch;
    struct group *groups;
    struct note *note; /* that the broker is looking at */
    uint64_t next_service;
    struct store *store;    /* opened when the first driver is obtained */
    struct helper *running; /* helper programs, until they have ended */
    int epoll_fd, signal_fd;
    struct service *services;
    struct child *children;
    struct event_queue events;
    uint64_t next_number, next_serial;
    bool stopping;
    bool stale; /* something was set, and host_update() was not called since */
    uint64_t sweep_due_ms;
    unsigned sweeps_left;  /* in vain, until no more are due */
    uint64_t sweep_end_ms; /* when stopping and all workers have ended: how long orphans are hunted */
    bool swept;
    bool cut_short; /* a helper was ended before it was done: the store may need a sweep */
};

/* Let everything go on that can: after each thing that was learnt. */
void host_update(struct host *host, uint64_t now_ms);

/* What a descriptor in the epoll set is; the rest of the word is the number of the child or helper. */
enum poll_kind { POLL_STDOUT, POLL_STDERR, POLL_PIDFD, POLL_SIGNAL, POLL_HELPER, POLL_WATCH, POLL_KINDS };

#endif
