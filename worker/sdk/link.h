/* link.h - the worker's socket: a raw DEALER, messages of one or two frames
 *
 * Everything is non-blocking. The socket is told to queue only towards a live connection, so a message that cannot be
 * sent means that the connection, and with it the session, is gone.
 *
 * Sleeping: the descriptor of a ZeroMQ socket reports an edge, and any operation may swallow it. link_wait() may be
 * called only when the last thing done with the socket was a link_receive() that found nothing; `quiet` tells.
 *
 * Thread rule: one thread.
 */
#ifndef DROVER_SDK_LINK_H
#define DROVER_SDK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zmq.h>

#include <drover/status.h>

#include "common/wire/header.h"

struct link {
    void *context, *socket;
    int fd;
    bool quiet; /* nothing was there at the last look, and nothing was done since */
};

/* Connect, in place. Errors: INVALID_ARGUMENT (the endpoint), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status link_init(struct link *link, const char *endpoint, struct drover_error *error);

/* Close; what was sent gets up to a second to leave. Zeroed links are allowed. */
void link_done(struct link *link);

enum link_news {
    LINK_NOTHING,  /* no message is there */
    LINK_MESSAGE,  /* head and body are filled in; the body is empty when there was no second frame */
    LINK_TOO_LONG, /* more than two frames: all thrown away */
};

/* Receive one message into two initialised messages; what they held is released. */
enum link_news link_receive(struct link *link, zmq_msg_t *head, zmq_msg_t *body);

/* Send a header, and behind it `body` unless that is NULL. Takes the content of `body` on success. False when nobody
 * is connected (nothing was sent), or the header cannot be encoded. */
bool link_send(struct link *link, const struct wire_header *header, zmq_msg_t *body);

/* Sleep until the socket or `other_fd` may have something, at most `timeout_ms` (-1: for ever). True when `other_fd`
 * is readable. */
bool link_wait(struct link *link, int other_fd, int timeout_ms);

#endif
