/* zbody.c - struct body over zmq_msg_t; see zbody.h
 *
 * libzmq moves messages by copying their 64 bytes (msg_t::move), so a body may be moved by assignment too.
 */
#include <string.h>

#include "broker/io/zbody.h"

_Static_assert(sizeof(zmq_msg_t) <= BODY_STORE_SIZE, "a message does not fit into a body");

/* A held message pins the 8 KiB buffer it was received in; smaller ones are cheaper to copy. Up to 33 bytes live in the
 * message itself. */
enum { PINNING_MIN = 34, PINNING_MAX = 8192 };

zmq_msg_t *zbody_message(struct body *body)
{
    return (zmq_msg_t *)(void *)body->store;
}

void zbody_adopt(struct body *body, zmq_msg_t *message)
{
    zmq_msg_init(zbody_message(body));
    zmq_msg_move(zbody_message(body), message);
    body->size = zmq_msg_size(zbody_message(body));
    body->present = true;
}

static bool make(struct body *to, const void *data, size_t size)
{
    if (zmq_msg_init_size(zbody_message(to), size) != 0)
        return false;
    if (size > 0)
        memcpy(zmq_msg_data(zbody_message(to)), data, size);
    to->size = size;
    to->present = true;
    return true;
}

static void share(struct body *to, const struct body *from)
{
    zmq_msg_init(zbody_message(to));
    zmq_msg_copy(zbody_message(to), zbody_message((struct body *)from));
    to->size = from->size;
    to->present = true;
}

static void release(struct body *body)
{
    zmq_msg_close(zbody_message(body));
    body->present = false;
    body->size = 0;
}

static const void *data(const struct body *body)
{
    return zmq_msg_data(zbody_message((struct body *)body));
}

static void settle(struct body *body)
{
    struct body copy = {.present = false};
    if (body->size < PINNING_MIN || body->size > PINNING_MAX || !make(&copy, data(body), body->size))
        return;
    release(body);
    *body = copy;
}

const struct body_ops zbody_ops = {.make = make, .share = share, .settle = settle, .data = data, .release = release};
