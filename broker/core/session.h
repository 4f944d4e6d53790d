/* session.h - peers: who they are, what they may, what they have open */
#ifndef DROVER_CORE_SESSION_H
#define DROVER_CORE_SESSION_H

#include "broker/core/state.h"

/* The record of a connection; NULL when there is none. */
struct session *session_find(const struct core *core, uint64_t peer);

/* A record for a connection that has none, in state NEW. NULL when there are too many, or no memory. */
struct session *session_new(struct core *core, uint64_t peer, bool back);

/* End what the session has open and forget it. A client's queued calls are dropped, its leased ones are cancelled; a
 * worker is without a session then. Nobody is told: the caller does that before. */
void session_end(struct core *core, struct session *session);

/* The same, but the record stays, in state NEW. */
void session_clear(struct core *core, struct session *session);

/* session_end(), but the record stays and everything that comes from the connection is ignored. */
void session_ban(struct core *core, struct session *session);

/* The session's timer is due: PING, slow reader, or idle. */
void session_tick(struct core *core, struct session *session);

/* Send a header without a body to a session's peer. */
void session_send(struct core *core, const struct session *session, struct wire_header *header);

/* Send REFUSED. `retry_after_ms` of `error` 0: never again. */
void session_refuse(struct core *core, uint64_t peer, uint64_t session, struct drover_error *error);

#endif
