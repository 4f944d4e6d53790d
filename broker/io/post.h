/* post.h - the two ROUTERs as one place: letters come in, letters go out, connections are found gone
 *
 * A connection's number is the side (bit 32) and the four octets of the routing id that libzmq generated. Ids that a
 * peer chose itself are not accepted: they are claims, not identities.
 *
 * A socket is awake while it may hold messages that its descriptor does not tell of: libzmq's is edge-triggered, and
 * sending takes the edge away too. So a socket is read until it is empty, and again after every send, before the thread
 * sleeps on the descriptors; that costs half the system calls of zmq_poll().
 *
 * Nothing blocks. A peer whose pipe is full counts as gone: a worker never has more than its window in it, a client not
 * more than the outcomes it may leave unread, so a full pipe is a peer that has stopped reading and says otherwise.
 */
#ifndef DROVER_IO_POST_H
#define DROVER_IO_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "broker/core/core.h"

enum post_side {
    POST_FRONT, /* clients */
    POST_BACK,  /* local workers */
};

struct post {
    void *sockets[2];
    int descriptors[2]; /* ZMQ_FD */
    bool awake[2];
    uint64_t *gone; /* connections whose last send failed */
    size_t gone_count, gone_capacity;
};

/* One message as it came, on loan: the header's frame must outlive the core's step. */
struct post_letter {
    zmq_msg_t header;
    struct body body;
    struct core_message message;
};

/* Takes both sockets; either may be NULL. */
void post_init(struct post *post, void *front, void *back);
void post_done(struct post *post);

/* The next message of one side; false when there is none now. Release it with post_letter_done(). */
bool post_receive(struct post *post, enum post_side side, struct post_letter *ret_letter);
void post_letter_done(struct post_letter *letter);

/* Send; takes the body. A connection that is gone is remembered for post_next_gone(). */
void post_send(struct post *post, uint64_t peer, const void *header, size_t size, struct body *body);

/* Is the connection still there? Asks by sending a PING. */
bool post_is_linked(struct post *post, uint64_t peer);

bool post_next_gone(struct post *post, uint64_t *ret_peer);

/* Sleep until a message, until `other` is readable, or the time (-1: no limit). Returns at once while a socket is
 * awake. True when `other` is readable. */
bool post_wait(struct post *post, int other, int timeout_ms);

#endif
