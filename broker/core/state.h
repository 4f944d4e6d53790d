/* state.h - the structures of the core, seen by the files of this folder only
 *
 * Ownership: the core owns sessions, principals, services, workers and calls. A call points to its client's session
 * (until its outcome is told), its service, and the worker it is leased to. Lists are utlist's doubly linked ones, so
 * taking something out costs the same everywhere.
 */
#ifndef DROVER_CORE_STATE_H
#define DROVER_CORE_STATE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "broker/core/core.h"
#include "broker/core/timers.h"
#include "common/wire/command.h"

#define CORE_SESSIONS_MAX 8192
#define CORE_UNREAD_MAX 1024
#define CORE_UNREAD_BYTES_MAX (UINT64_C(8) << 20)
#define CORE_MALFORMED_MAX 16
#define CORE_MALFORMED_MS 10000
#define CORE_PING_MS 1000        /* to a client with open calls */
#define CORE_IDLE_MS 60000       /* a session is forgotten after */
#define CORE_CLIENT_PING_MS 250  /* what WELCOME asks of clients */
#define CORE_SLOW_READER_MS 1000 /* at twice the unread limit without reading anything */
#define CORE_DEADLINE_MAX_MS (UINT64_C(24) * 3600 * 1000)
#define CORE_HANG_GRACE_MS 5000
#define CORE_RECONFIGURE_MS 10000 /* what a worker gets to take new settings, where nothing else was said */
#define CORE_TALLIES 4            /* generations of a service that are remembered: two are alive, one may be leaving */
#define CORE_WINDOW_MAX 256
#define CORE_WINDOW_FAST_US 1000
#define CORE_WINDOW_OLD_MS 5
#define CORE_RETRY_TOKENS 100 /* tenths: ten repeats at once, one more for ten answers */
#define CORE_RETRY_COST 10
#define CORE_TEXT_INLINE 96

/* Whom the fair queue serves in turn: one local process (uid and pid), or one remote connection. */
struct principal {
    char key[48];
    size_t sessions; /* that refer to it */
    size_t lanes;
    UT_hash_handle hh;
};

enum timer_owner {
    TIMER_CALL,
    TIMER_SESSION,
};

/* A timer knows what it belongs to, so that one wheel serves all. */
struct owned_timer {
    struct timer timer; /* first: the wheel gives back a pointer to it */
    enum timer_owner owner;
};

struct session {
    uint64_t peer;
    UT_hash_handle hh; /* by peer */
    uint64_t id;       /* 0 before WELCOME */
    enum wire_state state;
    enum wire_role role;
    bool ignored; /* broke the protocol too often: nothing of it is looked at any more */
    bool back;
    char name[64];
    struct principal *principal;
    struct call *calls; /* open ones of a client */
    size_t calls_open;
    uint64_t sent_count, sent_bytes;         /* outcomes told */
    uint64_t read_count, read_bytes;         /* of these, read by the client as it says */
    uint64_t slow_since_ms, slow_read_count; /* when it was first seen at twice the limit, and what it had read */
    uint64_t heard_ms;
    uint64_t malformed_since_ms;
    unsigned malformed;
    struct worker *worker;
    struct owned_timer timer;
    bool pinging; /* the timer is set for the next PING */
};

/* One principal's calls in one service's queue. */
struct lane {
    struct principal *principal;
    UT_hash_handle hh; /* by principal, in the service */
    struct call *calls;
    size_t count;
    uint64_t deficit;
    struct lane *prev, *next; /* ring of the service */
};

struct queue {
    struct lane *lanes; /* hash */
    struct lane *ring;  /* all lanes, the next to be served first */
    size_t count;       /* calls */
};

struct worker_method {
    char *name;
    bool idempotent;
};

struct worker {
    uint64_t number;
    UT_hash_handle hh; /* by number */
    struct service *service;
    struct worker *prev, *next; /* of the service */
    uint64_t generation;
    char *artefact;
    void *settings;
    size_t settings_size;
    uint8_t token[WIRE_TOKEN_SIZE];
    struct session *session; /* NULL before HELLO */
    bool ready, closed, drained;
    bool reconfigures; /* it takes new settings as it runs */
    uint64_t concurrency;
    uint64_t window;
    uint64_t sequence;   /* of the last call given */
    struct call *leases; /* in the order of their sequence */
    size_t lease_count;
    size_t running;             /* leases that may have been begun: the first `concurrency` */
    struct call *first_waiting; /* the lease after those; NULL when there is none */
    struct worker_method *methods;
    size_t method_count;
};

/* What became of the calls that the workers of a generation were given. */
struct tally {
    uint64_t generation;
    uint64_t calls, lost;
};

struct service {
    char *name;
    char *interface;
    UT_hash_handle hh; /* by name */
    uint64_t deadline_ms, queue_calls, queue_bytes, max_body, hang_ms;
    bool retry;
    char *refusal; /* why calls are refused; NULL when they are not */
    bool removed;  /* it is in the core's list of these, no more in its table */
    struct service *removed_prev, *removed_next;
    struct queue queue;
    uint64_t bytes; /* queued and leased */
    uint64_t leased;
    struct worker *workers;
    uint64_t generation; /* whose workers are given calls; 0: nobody's yet */
    struct tally tallies[CORE_TALLIES];
    unsigned retry_tokens;
    uint64_t calls, failed, unanswered, repeated;
    uint64_t answer_ms_x16; /* running mean of the time from dispatch to answer, for retry_after_ms */
};

enum call_state {
    CALL_FREE,
    CALL_QUEUED,
    CALL_LEASED,
};

/* What the host asks a worker, with a call that has no client. */
enum call_question {
    QUESTION_NONE, /* a client's call, or one whose outcome was told */
    QUESTION_SELF_TEST,
    QUESTION_RECONFIGURE,
};

struct call {
    enum call_state state;
    uint32_t slot;
    uint64_t serial;        /* 40 bits, new at each dispatch */
    struct session *client; /* NULL once its outcome was told */
    struct call *client_prev, *client_next;
    uint64_t client_call; /* the client's number for it */
    struct service *service;
    struct principal *principal; /* whose lane it is in, while queued */
    struct lane *lane;
    struct call *lane_prev, *lane_next;
    struct worker *worker;
    struct call *lease_prev, *lease_next;
    uint64_t sequence;
    uint64_t deadline_at_ms, deadline_ms;
    uint64_t dispatched_ms, dispatched_us;
    uint64_t running_since_ms; /* 0: it cannot have been begun yet */
    uint64_t hang_ms;
    struct owned_timer timer; /* its deadline; after that, when it counts as hung */
    bool idempotent, repeated;
    enum call_question question;
    bool asked; /* by the host, also when its outcome was told */
    struct body body;
    uint64_t size; /* what it counts against the service's bytes */
    char *text;    /* method, then metadata; `inline_text` when they fit */
    uint16_t method_size, metadata_size;
    char inline_text[CORE_TEXT_INLINE];
};

#define CALLS_CHUNK 256

struct calls {
    struct call **chunks;
    size_t chunk_count;
    struct call *free; /* by client_next */
    size_t open;
    uint64_t serial;
};

struct core {
    struct core_settings settings;
    uint64_t now_ms;
    uint64_t now_us; /* the same, as fine as it is known */
    struct effects effects;
    struct timers timers;
    struct calls calls;
    struct session *sessions;
    struct principal *principals;
    struct service *services;
    struct service *removed;  /* services that still have workers */
    uint64_t forgotten_calls; /* outcomes told for services that are freed */
    struct worker *workers;
    bool stopping;
    uint64_t late, malformed;
    struct drover_document *document; /* for greetings */
    struct drover_writer *writer;
};

#endif
