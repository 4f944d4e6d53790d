/* calls.h - the calls that a client has under way
 *
 * A slab of calls, found by id in one step; a first-in-first-out list for each state; a heap of the times at which a
 * call must be looked at. An id is slot (24 bits) and serial (40 bits): the serial is never used twice, so an answer
 * that comes late, for a slot that has been used again, is recognised.
 *
 * Invariant: a call that is not free is in exactly one list, and in the heap unless it is done.
 *
 * Pointers to calls are valid until the next calls_add().
 */
#ifndef DROVER_CLIENT_CALLS_H
#define DROVER_CLIENT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#include "common/wire/header.h"

#define CALLS_MAX (UINT32_C(1) << 20) /* room for more would only hide a leak */

enum call_state {
    CALL_FREE,
    CALL_QUEUED,     /* to be sent */
    CALL_SENT,       /* waits for its outcome */
    CALL_CANCELLING, /* was sent; CANCEL is to be sent */
    CALL_DONE,       /* the outcome waits for the application */
    CALL_STATE_END
};

/* The body of an outcome. `owner` is whatever keeps the bytes alive; NULL for no body. */
struct call_body {
    const void *data;
    size_t size;
    void *owner;
};

struct call {
    uint64_t id;
    enum call_state state;
    uint32_t previous, next; /* slots, in the list of its state */
    uint32_t heap_at;
    uint64_t wake_ms;

    /* The request; the strings point into `memory`, or are the caller's. */
    enum wire_command command; /* CALL or ADMIN */
    struct drover_text service, method, metadata, body;
    bool has_body;
    bool idempotent;
    char *memory; /* kept for the next call in this slot unless it is large */
    size_t memory_size;
    uint64_t deadline_ms;  /* on the clock */
    uint32_t limit_ms;     /* what the deadline was when the call was made, for messages */
    bool service_deadline; /* it is the service's: `deadline_ms` and `limit_ms` are about the broker's silence */

    /* What was done about it. */
    uint64_t session;       /* in which it was sent last */
    uint64_t opened_before; /* sessions that the client had opened when the call was made */
    bool was_sent;          /* at least once */
    bool may_have_run;      /* an earlier sending ended unknown; this is the one repeat */
    bool cancelled;         /* the application gave it up */

    /* Its outcome. */
    bool from_broker; /* it came in `session`, and the broker counts it as unread */
    struct call_body reply;
    struct drover_error error; /* last: a new call's is valid, but not all zero */
};

struct call_list {
    uint32_t first, last;
    size_t count;
};

/* An entry of the heap: bears its key, since a look at each call would cost more than the rest. */
struct call_timer {
    uint64_t wake_ms;
    uint32_t slot;
};

struct calls {
    struct call *slab;
    uint32_t size;
    struct call_timer *heap; /* the one with the smallest wake_ms first */
    uint32_t heap_count;
    uint64_t serial;
    struct call_list lists[CALL_STATE_END];
};

/* The slot of an id. Slots are numbered from 0; there are fewer than twice as many as there ever were calls, or 8. */
static inline uint32_t calls_slot(uint64_t id)
{
    return (uint32_t)(id >> 40);
}

void calls_init(struct calls *calls);

/* Frees the table and what it copied. Replies are the owner's to release before. */
void calls_done(struct calls *calls);

/* A new call, queued, with an id and everything else zero. NULL when there is no memory or no slot. */
struct call *calls_add(struct calls *calls);

/* Give the slot back. The call must have no reply any more. */
void calls_remove(struct calls *calls, struct call *call);

/* The call of an id; NULL when it has ended or never was. */
struct call *calls_find(const struct calls *calls, uint64_t id);

/* Put a call at the end of the list of another state. Done calls leave the heap. */
void calls_move(struct calls *calls, struct call *call, enum call_state state);

/* When the call must be looked at. */
void calls_wake_at(struct calls *calls, struct call *call, uint64_t wake_ms);

/* The call with the earliest such time; NULL when there is none. */
struct call *calls_soonest(const struct calls *calls);

/* Walk the list of a state; NULL at its end. Take the next one before moving a call. */
struct call *calls_first(const struct calls *calls, enum call_state state);
struct call *calls_next(const struct calls *calls, const struct call *call);
size_t calls_count(const struct calls *calls, enum call_state state);

/* Point the request of `call` at a copy of the strings that it points at now. False when there is no memory. */
bool calls_copy_request(struct call *call);

#endif
