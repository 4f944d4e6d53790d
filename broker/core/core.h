/* core.h - the routing engine: sessions, services, calls and their one outcome
 *
 * Who calls it: the broker's data thread (broker/io), and the simulation. It is pure: time and randomness are
 * parameters, bodies are opaque, what it wants done comes out as effects. START: core_new(), orders from the control
 * thread (services, workers to expect). OPERATION: core_receive() for every message, core_expire() when
 * core_next_ms() has come, core_order() for every order; after each call take the effects and act on them. END:
 * core_free().
 *
 * Invariants: every accepted call is told at most one outcome, and exactly one as long as its client is there; a
 * call is in its service's queue, or leased to exactly one worker; a call whose outcome was told while it is leased
 * stays leased (the worker is busy with it) until the worker answers or is lost.
 *
 * Thread rule: one thread at a time.
 */
#ifndef DROVER_CORE_H
#define DROVER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

#include "broker/core/body.h"
#include "broker/core/effects.h"
#include "common/wire/greeting.h"

struct core;

/* What the core gets from outside. Strings and operations are borrowed for its life. */
struct core_settings {
    const struct body_ops *bodies;
    uint64_t (*random)(void *context);
    void *context;
    const char *software; /* "drover 0.1.0" */
    uint64_t incarnation; /* random, one a start */
    uint64_t owner_uid;   /* ipc peers of this uid, and root, may administer */
    size_t sessions_max;  /* 0: 8192 */
};

/* A service as the configuration has it. Strings are copied. */
struct core_service {
    const char *name;
    const char *interface;
    uint64_t deadline_ms;
    uint64_t queue_calls;
    uint64_t queue_bytes; /* queued and leased */
    uint64_t max_body;    /* bytes */
    uint64_t hang_ms;     /* 0: the deadline */
    bool retry;
};

/* A worker that was launched and may come. Everything is copied. */
struct core_expected {
    uint64_t worker; /* the host's number: never used twice */
    uint64_t generation;
    const char *service;
    const char *artefact;
    const void *settings; /* one msgpack map, or NULL */
    size_t settings_size;
    uint8_t token[WIRE_TOKEN_SIZE];
};

DROVER_MUST_CHECK enum drover_status core_new(const struct core_settings *settings, uint64_t now_ms,
                                              struct core **ret_core, struct drover_error *error);

/* Release everything, calls and bodies included; nobody is told. NULL is allowed. Returns NULL. */
struct core *core_free(struct core *core);

/* ---- messages ---- */

/* One message of a peer. */
struct core_message {
    uint64_t at_us;      /* the same moment as now_ms, finer, to tell fast answers; 0: not known */
    uint64_t peer;       /* names the connection: the same number is the same connection */
    bool back;           /* it came in on the workers' socket */
    const char *address; /* HELLO only: "localhost:uid:gid:pid" of an ipc peer, else its address; NULL when not known */
    const void *header;  /* the first frame */
    size_t header_size;
    struct body *body; /* the second; taken */
    bool too_many;     /* there were more frames */
};

void core_receive(struct core *core, uint64_t now_ms, struct core_message *message);

/* Sending to this connection failed: it is gone. */
void core_peer_gone(struct core *core, uint64_t now_ms, uint64_t peer);

/* Run what is due. Call again not later than core_next_ms() (UINT64_MAX: nothing is waiting). */
void core_expire(struct core *core, uint64_t now_ms);
uint64_t core_next_ms(const struct core *core);

/* ---- orders ---- */

/* Add a service, or change the limits of one that is there. Errors: RESOURCE_EXHAUSTED (memory). */
DROVER_MUST_CHECK enum drover_status core_set_service(struct core *core, const struct core_service *service,
                                                      struct drover_error *error);

/* Forget a service: from now on calls to it are NOT_FOUND, those that wait end UNAVAILABLE, not started. What its
 * workers have they end; the workers stay until core_worker_lost(). core_set_service() makes a new service of that
 * name, which knows nothing of the old one. An unknown one is ignored. */
void core_remove_service(struct core *core, uint64_t now_ms, const char *service);

/* Refuse calls to a service at once with `reason` (crash loop, stopped), or (reason NULL) let them wait for a worker.
 */
void core_refuse_service(struct core *core, uint64_t now_ms, const char *service, const char *reason);

/* Let a worker in. From now on it counts as one of its service, until core_worker_lost(). Errors: NOT_FOUND (service),
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status core_expect_worker(struct core *core, const struct core_expected *expected,
                                                        struct drover_error *error);

/* From now on calls go to workers of this generation and to no others: what waits goes there at once. Before the first
 * such order no worker is given calls. Leases of other generations go on; to take back what their workers have not
 * started, the host closes their words. An unknown service is ignored. */
void core_switch(struct core *core, uint64_t now_ms, const char *service, uint64_t generation);

/* Ask a ready worker for something, whatever its generation and window: a self-test. With `method` NULL or "" it is
 * asked for nothing, so any answer is a good one. `body` (may be NULL) is taken in any case. Exactly one outcome comes,
 * as the effect PROBED. Errors: NOT_FOUND (no such worker is ready), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status core_probe(struct core *core, uint64_t now_ms, uint64_t worker, const char *method,
                                                struct body *body, uint64_t deadline_ms, struct drover_error *error);

/* Give a ready worker new settings (a map; empty when absent), which it takes between two calls. `settings` is taken in
 * any case. Exactly one outcome comes, as the effect RECONFIGURED; unless the worker took them, it goes on with those
 * it had, or, where it has not answered in time, with either. Errors: NOT_FOUND (no such worker is ready),
 * UNIMPLEMENTED (it has said that it cannot), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status core_reconfigure(struct core *core, uint64_t now_ms, uint64_t worker,
                                                      struct body *settings, uint64_t deadline_ms,
                                                      struct drover_error *error);

/* A worker's start word was closed: `started` is the last call it began. What is above goes back to the queue, the
 * worker gets nothing more, and when its last lease has ended the effect WORKER_DRAINED says so. */
void core_worker_closed(struct core *core, uint64_t now_ms, uint64_t worker, uint64_t started);

/* A worker is dead. `started` is the last call it began, UINT64_MAX when nobody knows. */
void core_worker_lost(struct core *core, uint64_t now_ms, uint64_t worker, uint64_t started);

/* The peer number of a worker's session, to drain its socket before core_worker_lost(). False when it has none. */
bool core_worker_peer(const struct core *core, uint64_t worker, uint64_t *ret_peer);

/* Answer a request that came out as the effect ADMIN. With DROVER_OK in `error` (or NULL) the body is the result. The
 * body is taken. A session that is gone is ignored. */
void core_answer_admin(struct core *core, uint64_t now_ms, uint64_t peer, uint64_t session, uint64_t call,
                       const struct drover_error *error, struct body *body);

/* The broker stops: queued calls and new ones end UNAVAILABLE, not started; leases go on. */
void core_stop(struct core *core, uint64_t now_ms);

/* The broker is about to leave: BYE to every client that has no call open. What such a client sent and has no outcome
 * was never looked at, so it was not started. */
void core_leave(struct core *core, uint64_t now_ms);

/* ---- effects ---- */

/* What is to be done since the last clear; see effects.h. */
struct effects *core_effects(struct core *core);

/* ---- looking in ---- */

struct core_worker_stats {
    uint64_t worker;
    uint64_t in_flight; /* leases */
    uint64_t window;
};

struct core_service_stats {
    const char *name; /* borrowed */
    uint64_t queued;
    uint64_t queued_bytes; /* queued and leased */
    uint64_t leased;
    uint64_t calls;      /* outcomes told */
    uint64_t failed;     /* outcomes told that were not OK */
    uint64_t unanswered; /* of these: not started or unknown */
    uint64_t repeated;
    uint64_t workers_ready;
    uint64_t generation; /* whose workers are given calls; 0: nobody's yet */
};

/* What became of the calls given to workers of a generation. */
struct core_generation_stats {
    uint64_t calls; /* that ended, answered or not */
    uint64_t lost;  /* of these: the worker was lost, or did not answer in time */
};

struct core_stats {
    uint64_t sessions;
    uint64_t calls_open; /* queued, leased and detached calls */
    uint64_t calls;      /* outcomes told, also for services that were removed */
    uint64_t late;       /* frames for calls that had ended */
    uint64_t malformed;
};

void core_stats(const struct core *core, struct core_stats *ret_stats);

/* False when there is no such service, or worker. */
bool core_service_stats(const struct core *core, const char *service, struct core_service_stats *ret_stats);
bool core_worker_stats(const struct core *core, uint64_t worker, struct core_worker_stats *ret_stats);

/* False when nothing is known of that generation (any more: the latest few are remembered). */
bool core_generation_stats(const struct core *core, const char *service, uint64_t generation,
                           struct core_generation_stats *ret_stats);

/* Fill in up to `capacity` entries; returns how many there are in all.. */
size_t core_list_services(const struct core *core, struct core_service_stats *stats, size_t capacity);
size_t core_list_workers(const struct core *core, struct core_worker_stats *stats, size_t capacity);

/* Check every invariant of the core's structures; NULL when all hold, else which does not. For tests: slow. */
const char *core_check(const struct core *core);

#endif
