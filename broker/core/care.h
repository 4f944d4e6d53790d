/* care.h - looking after a client: is it still there, and does it read what it is told
 *
 * While a client has calls open it gets a PING every second, so that sending fails if it is gone. It says with every
 * header how many outcomes it has read; one that is too far behind may not call, one that is twice as far behind and
 * reads nothing for a second loses its session.
 */
#ifndef DROVER_CORE_CARE_H
#define DROVER_CORE_CARE_H

#include "broker/core/state.h"

/* A call was opened: see that the client is looked after. */
void care_watch(struct core *core, struct session *session);

/* An outcome with a body of `size` bytes was sent to a client. */
void care_sent(struct core *core, struct session *session, size_t size);

/* The client says what it has read. It can neither take back what it said nor have read more than was sent. */
void care_read(struct session *session, const struct wire_header *header);

/* True while the client has more unread outcomes than calls are accepted with. */
bool care_is_behind(const struct session *session);

/* True when it has twice as many and has read nothing for a while. */
bool care_is_stuck(const struct core *core, const struct session *session);

#endif
