/* zbody.h - bodies of calls as ZeroMQ messages, moved and not copied on their way through */
#ifndef DROVER_IO_ZBODY_H
#define DROVER_IO_ZBODY_H

#include <zmq.h>

#include "broker/core/body.h"

/* The operations that the core works with. */
extern const struct body_ops zbody_ops;

/* Move a received message into an empty body; the message is empty then. */
void zbody_adopt(struct body *body, zmq_msg_t *message);

/* The message inside, for zmq_msg_send(); after it was sent, `present` must be cleared. */
zmq_msg_t *zbody_message(struct body *body);

#endif
