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

/* The principal of a connection: "uid:pid" of a local process, else the connection itself. NULL: no memory. */
struct principal *principal_get(struct core *core, const char *address, uint64_t peer);

/* Free a principal that nothing refers to any more. */
void principal_release(struct core *core, struct principal *principal);

/* An outcome with a body of `size` bytes was sent to a client. */
void session_count_outcome(struct core *core, struct session *session, size_t size);

/* The client says what it has read. It can neither take back what it said nor have read more than was sent. */
void session_count_read(struct session *session, const struct wire_header *header);

/* True while the client has more unread outcomes than calls are accepted with. */
bool session_is_behind(const struct session *session);

/* A call was opened: see that the client is looked after. */
void session_watch(struct core *core, struct session *session);

/* The session's timer is due: PING, slow reader, or idle. */
void session_tick(struct core *core, struct session *session);

/* Send a header without a body to a session's peer. */
void session_send(struct core *core, const struct session *session, struct wire_header *header);

/* Send REFUSED. `retry_after_ms` of `error` 0: never again. */
void session_refuse(struct core *core, uint64_t peer, uint64_t session, struct drover_error *error);

#endif
