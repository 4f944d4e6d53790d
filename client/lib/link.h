/* link.h - one DEALER socket to a broker: whole messages in and out
 *
 * All links of a process share one ZeroMQ context; it ends with the last of them. A link belongs to one thread at a
 * time; making and ending links is safe from any.
 *
 * Socket settings and their reasons: docs/rfc/1.md, "Sockets".
 */
#ifndef DROVER_CLIENT_LINK_H
#define DROVER_CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <zmq.h>

#include <drover/status.h>

#include "client/lib/calls.h"
#include "client/lib/engine.h"

struct link;

/* What came. The header is the link's, until the next receive or the end. */
struct link_message {
    const void *header;
    size_t header_size;
    struct call_body body; /* owner is NULL when there is none */
};

/* Errors: INVALID_ARGUMENT (endpoint), RESOURCE_EXHAUSTED (memory, descriptors, sockets). */
DROVER_MUST_CHECK enum drover_status link_new(const char *endpoint, struct link **ret_link, struct drover_error *error);

/* Waits up to half a second for what was sent to leave, when this is the last link. NULL is allowed. Returns NULL. */
struct link *link_free(struct link *link);

/* Send a message; never blocks. False when there is no connection. */
bool link_send(struct link *link, const struct engine_frame *frame);

/* The next message, or false when none came within `timeout_ms` (0: only look; -1: without end) or a signal did.
 * Messages of more than two frames are dropped. The body stays the link's unless link_take_body() follows. */
bool link_receive(struct link *link, int timeout_ms, struct link_message *ret_message);

/* The body of the last message belongs to the caller now, who releases it with link_release_body(). */
void link_take_body(struct link *link);
void link_release_body(void *owner);

/* Wait until something can be received, or sent, or `timeout_ms` are over, or a signal came. */
void link_wait_connected(struct link *link, int timeout_ms);

/* ZMQ_POLLIN and ZMQ_POLLOUT as they are now. */
short link_events(const struct link *link);

int link_fd(const struct link *link);

#endif
