/* engine.h - what a client does with its calls: the rules, without socket and clock
 *
 * Who calls it: client.c. START: engine_new(). OPERATION: engine_submit() and engine_cancel() from the application,
 * engine_receive() for what came, engine_tick() as time goes by; then engine_next_frame() and engine_frame_sent() until
 * nothing is to be sent, engine_take() for outcomes, and sleep until engine_wake_ms() or something comes.
 * END: engine_leave(), engine_free().
 *
 * The rules, in the order in which a call meets them:
 *   - no session is asked for (HELLO) before there is a call;
 *   - a call that was never sent ends "not started" at its deadline: UNAVAILABLE when no broker answered meanwhile,
 *     else DEADLINE_EXCEEDED;
 *   - a call that was sent waits for the broker's verdict until 100 ms after its deadline, then it ends
 *     DEADLINE_EXCEEDED, unknown;
 *   - a call that leaves its deadline to its service waits for the broker's verdict as long as the broker answers;
 *   - after 250 ms (the broker may say otherwise) without traffic a waiting client sends PING;
 *   - HELLO_FIRST: the call it names is sent again within its deadline. All that was sent in the lost session and is
 *     not named until the next WELCOME (messages keep their order) ends UNAVAILABLE, unknown; or, if idempotent, is
 *     sent once more;
 *   - a broken connection ends what was sent over it the same way, at once.
 *
 * Times are milliseconds of one clock that does not go back.
 */
#ifndef DROVER_CLIENT_ENGINE_H
#define DROVER_CLIENT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/client.h>

#include "client/lib/calls.h"

#define ENGINE_VERDICT_MS 100     /* after the deadline, for the broker's verdict to arrive */
#define ENGINE_PING_MS 250        /* unless WELCOME says otherwise */
#define ENGINE_HELLO_MS 250       /* between two HELLOs */
#define ENGINE_RETRY_MAX_MS 60000 /* no REFUSED may keep a client away for longer */

struct engine;

/* Strings are copied. */
struct engine_options {
    const char *endpoint; /* for messages */
    const char *name;     /* who is calling */
    uint64_t instance;    /* random */
    uint32_t deadline_ms; /* of calls that name none */
    /* Calls that name none are left to the deadline of their service, which the broker knows. `deadline_ms` then is
     * only how long one waits to be sent, and how long the broker may be silent afterwards. */
    bool service_deadline;
    uint32_t open_max;
    uint32_t connect_ms; /* how long a call waits for a session; 0: its deadline */
    bool admin;
    void (*release)(void *owner); /* for bodies that nobody takes */
};

struct engine_request {
    enum wire_command command; /* CALL or ADMIN */
    const struct drover_request *request;
    bool borrow; /* the request stays valid until the outcome: no copy is made */
};

/* A message to be sent. Everything in it is borrowed until the next engine function. */
struct engine_frame {
    struct wire_header header;
    struct drover_text body;
    bool has_body;
};

struct engine_outcome {
    uint64_t call;
    struct drover_error error;
    struct call_body body; /* the receiver's now */
};

/* Errors: RESOURCE_EXHAUSTED (memory). */
DROVER_MUST_CHECK enum drover_status engine_new(const struct engine_options *options, struct engine **ret_engine,
                                                struct drover_error *error);

/* Releases the bodies that it holds. NULL is allowed. Returns NULL. */
struct engine *engine_free(struct engine *engine);

/* Take a request over. On DROVER_OK the call exists, `*ret_call` is its number, and it will have an outcome. Errors,
 * all "not started", origin client: INVALID_ARGUMENT (names, metadata), RESOURCE_EXHAUSTED (calls open, size, memory).
 */
DROVER_MUST_CHECK enum drover_status engine_submit(struct engine *engine, const struct engine_request *request,
                                                   uint64_t now_ms, uint64_t *ret_call, struct drover_error *error);

/* Give a call up. One that was not sent ends at once; for one that was sent the broker is told. */
void engine_cancel(struct engine *engine, uint64_t call);

/* A message came: its first frame and, if `body` is not NULL, its second. Anything may stand in them. Returns true
 * when the body is the engine's now, to be handed out with its outcome. */
bool engine_receive(struct engine *engine, uint64_t now_ms, const void *header, size_t header_size,
                    const struct call_body *body);

/* There is no connection, and all that came over it was received. */
void engine_link_lost(struct engine *engine, uint64_t now_ms);

/* Look at the deadlines. */
void engine_tick(struct engine *engine, uint64_t now_ms);

/* What is to be sent next; false when there is nothing. Asked again without engine_frame_sent(), it says the same. */
bool engine_next_frame(struct engine *engine, uint64_t now_ms, struct engine_frame *ret_frame);
void engine_frame_sent(struct engine *engine, uint64_t now_ms);

/* True after engine_link_lost() until a frame was sent: call engine_next_frame() as soon as there is a connection. */
bool engine_is_blocked(const struct engine *engine);

/* When engine_tick() and engine_next_frame() must be called at the latest; UINT64_MAX: never. */
uint64_t engine_wake_ms(const struct engine *engine);

/* Hand out the outcome of `call` (0: the oldest of any). False when there is none yet. */
bool engine_take(struct engine *engine, uint64_t call, struct engine_outcome *ret_outcome);

/* Calls whose outcome has not been handed out; outcomes that can be taken now. */
size_t engine_open(const struct engine *engine);
size_t engine_ready(const struct engine *engine);

/* The last message of a session, if there is one. */
bool engine_leave(struct engine *engine, struct engine_frame *ret_frame);

#endif
