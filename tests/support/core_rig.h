/* core_rig.h - a core in virtual time with peers of a few words, for the unit tests of broker/core
 *
 * START: rig_new(), rig_service(), rig_worker(), rig_client(). OPERATION: everything the rig does is one step of the
 * core; after each it checks the core's invariants (a breach ends the test program) and keeps the effects. Tests take
 * them with rig_take() and rig_event(). END: rig_end(), which says what leaked.
 *
 * A worker's number is also that of its connection plus RIG_WORKER_PEERS.
 */
#ifndef CORE_RIG_H
#define CORE_RIG_H

#include "broker/core/core.h"
#include "common/wire/greeting.h"

#define RIG_WORKER_PEERS 1000
#define RIG_OWNER_UID 4711

/* An effect, copied. Strings of `header` point into `octets`. */
struct rig_effect {
    enum effect_kind kind;
    uint64_t peer, session, call, worker;
    struct wire_header header; /* SEND */
    char *octets;              /* the encoded header, or the text of the other kinds */
    char *body;                /* NULL when there was none */
    size_t body_size;
    bool taken;
    struct rig_effect *next;
};

struct rig {
    struct core *core;
    uint64_t now_ms;
    uint64_t random;
    uint64_t generation; /* of the workers that are expected from now on; 0: 1 */
    bool reconfigures;   /* what those that greet from now on say of themselves */
    uint64_t version;    /* of the protocol that workers speak; 0: 1 */
    struct rig_effect *first, *last;
};

struct rig_peer {
    uint64_t peer, session, worker;
};

/* How a client calls; zero is a plain call without a body. */
struct rig_request {
    const char *service; /* NULL: "echo" */
    const char *method;  /* NULL: "put" */
    const char *metadata;
    size_t metadata_size;
    bool has_deadline;
    uint32_t deadline_ms;
    bool idempotent;
    size_t body_size;
    uint64_t read_count, read_bytes; /* sent along when either is not 0 */
};

/* A core at `now_ms` 1000 without services. */
void rig_new(struct rig *rig);

/* The same, with room for `sessions_max` sessions. */
void rig_new_with(struct rig *rig, size_t sessions_max);

/* Free the core and what was kept; returns how many bodies are still there: 0, or somebody leaks. */
size_t rig_end(struct rig *rig);

/* What a service of that name is in these tests: interface = name, deadline 1000 ms, queue 16 calls and 64 KiB,
 * max_body 16 KiB, retry on. */
struct core_service rig_service_like(const char *name);

/* Set such a service. */
void rig_service(struct rig *rig, const char *name);

/* Expect a worker, without a word of it; its token is made of its number. */
void rig_expect(struct rig *rig, uint64_t worker, const char *service);

/* Expect a worker, and let it say HELLO (with a method table in which "get" is idempotent) and READY. */
struct rig_peer rig_worker(struct rig *rig, uint64_t worker, const char *service, uint64_t concurrency);

/* Say HELLO as a client at "localhost:<peer>:1:<peer>", so that each is a principal of its own. */
struct rig_peer rig_client(struct rig *rig, uint64_t peer);

/* The same with a role and an address of one's choice (NULL: none). The WELCOME or REFUSED is left to be taken;
 * `session` is 0 after REFUSED. */
struct rig_peer rig_hello(struct rig *rig, uint64_t peer, enum wire_role role, const char *address);

/* Say HELLO as a worker; `interface` as announced. The answer is left to be taken. */
struct rig_peer rig_hello_worker(struct rig *rig, uint64_t peer, uint64_t worker, const char *interface,
                                 uint64_t concurrency);

/* One message from a peer: any header, a body of `body_size` zeros when that is not SIZE_MAX. */
void rig_send(struct rig *rig, uint64_t peer, const struct wire_header *header, size_t body_size);

/* The same with raw octets. */
void rig_send_raw(struct rig *rig, uint64_t peer, const void *octets, size_t size, bool too_many);

/* A header with nothing but the command, in the peer's session. */
void rig_say(struct rig *rig, const struct rig_peer *peer, enum wire_command command, uint64_t call);

/* CALL (`request` NULL: a plain one), as the client's number `call`. */
void rig_call(struct rig *rig, const struct rig_peer *client, uint64_t call, const struct rig_request *request);

/* REPLY with a body of `size` zeros, and ERROR with that status and outcome, to the call of a frame that a worker got.
 */
void rig_reply(struct rig *rig, const struct rig_peer *worker, const struct rig_effect *given, size_t size);
void rig_fail(struct rig *rig, const struct rig_peer *worker, const struct rig_effect *given, enum drover_status status,
              enum drover_outcome outcome);

/* Let time go by, and run what is due when it is due. */
void rig_advance(struct rig *rig, uint64_t ms);

/* Orders, with the rig's clock. */
void rig_lost(struct rig *rig, uint64_t worker, uint64_t started);
void rig_closed(struct rig *rig, uint64_t worker, uint64_t started);
void rig_refuse(struct rig *rig, const char *service, const char *reason);
void rig_stop(struct rig *rig);
void rig_gone(struct rig *rig, uint64_t peer);
void rig_switch(struct rig *rig, const char *service, uint64_t generation);

void rig_remove(struct rig *rig, const char *service);

/* Ask a worker for `method` (NULL: for nothing) on the host's behalf, without a body. */
enum drover_status rig_probe(struct rig *rig, uint64_t worker, const char *method, uint64_t deadline_ms);

/* Give it new settings: `size` zeros; 0: none. */
enum drover_status rig_reconfigure(struct rig *rig, uint64_t worker, size_t size, uint64_t deadline_ms);

/* The next message to a peer that was not taken yet; NULL when there is none. Valid until rig_end(). */
const struct rig_effect *rig_take(struct rig *rig, uint64_t peer);

/* The same for one command only; others stay. */
const struct rig_effect *rig_take_command(struct rig *rig, uint64_t peer, enum wire_command command);

/* The next effect of a kind other than SEND that was not taken yet; NULL when there is none. */
const struct rig_effect *rig_event(struct rig *rig, enum effect_kind kind);

/* Forget what was not taken. */
void rig_drop(struct rig *rig);

#endif
