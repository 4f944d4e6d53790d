/* handle.h - one function a command that a peer may send
 *
 * dispatch.c has checked before: the command is known, its sender may send it, in this state, with these fields and
 * this body. `session` is the sender's; it may be gone when a handler returns. `body` is taken when it is kept.
 */
#ifndef DROVER_CORE_HANDLE_H
#define DROVER_CORE_HANDLE_H

#include "broker/core/state.h"

/* A message on its way to its handler. */
struct incoming {
    const struct wire_header *header;
    const struct core_message *message;
    struct body *body;
};

/* HELLO, also from a connection without a session: `session` is its record, in any state. */
void handle_hello(struct core *core, struct session *session, const struct incoming *incoming);

void handle_call(struct core *core, struct session *session, const struct incoming *incoming);
void handle_cancel(struct core *core, struct session *session, const struct incoming *incoming);
void handle_ping(struct core *core, struct session *session, const struct incoming *incoming);
void handle_pong(struct core *core, struct session *session, const struct incoming *incoming);
void handle_bye(struct core *core, struct session *session, const struct incoming *incoming);
void handle_admin(struct core *core, struct session *session, const struct incoming *incoming);

void handle_ready(struct core *core, struct session *session, const struct incoming *incoming);
void handle_config_error(struct core *core, struct session *session, const struct incoming *incoming);
void handle_reply(struct core *core, struct session *session, const struct incoming *incoming);
void handle_error(struct core *core, struct session *session, const struct incoming *incoming);
void handle_drained(struct core *core, struct session *session, const struct incoming *incoming);

/* A peer broke the protocol: say so once, count it, and at the 16th in 10 s close the session. `call` is the call
 * that the frame named, `error` has status and text. */
void handle_breach(struct core *core, struct session *session, uint64_t call, struct drover_error *error);

#endif
