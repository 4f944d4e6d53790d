/* body.h - the second frame of a message, opaque to the core
 *
 * The core never looks into a call's body; it moves it, keeps it, or sends it again. What a body is made of is the
 * caller's business (a zmq_msg_t in the broker, plain memory in tests): the core knows its size and these operations.
 * A body may be moved by assignment; body_take() does so and leaves the source empty.
 */
#ifndef DROVER_CORE_BODY_H
#define DROVER_CORE_BODY_H

#include <stdbool.h>
#include <stddef.h>

#define BODY_STORE_SIZE 64

struct body {
    _Alignas(8) unsigned char store[BODY_STORE_SIZE];
    size_t size; /* bytes */
    bool present;
};

struct body_ops {
    /* Make `to` (empty) a copy of `size` bytes; false when there is no memory. */
    bool (*make)(struct body *to, const void *data, size_t size);
    /* Make `to` (empty) a second reference to the bytes of `from`. */
    void (*share)(struct body *to, const struct body *from);
    /* The body will be kept for a while: copy it if that frees more than it costs. Best effort. */
    void (*settle)(struct body *body);
    const void *(*data)(const struct body *body);
    /* Give the bytes back; the body is empty then. */
    void (*release)(struct body *body);
};

/* Move out of `from`. */
static inline struct body body_take(struct body *from)
{
    const struct body body = *from;
    from->present = false;
    from->size = 0;
    return body;
}

#endif
