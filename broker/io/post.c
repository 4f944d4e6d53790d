/* post.c - see post.h */
#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "broker/io/post.h"
#include "broker/io/zbody.h"
#include "common/wire/header.h"

enum { ROUTING_ID_SIZE = 5 };

void post_init(struct post *post, void *front, void *back)
{
    *post = (struct post){
        .sockets = {[POST_FRONT] = front, [POST_BACK] = back}, .descriptors = {-1, -1}, .awake = {true, true}};
    for (size_t i = 0; i < 2; i++) {
        size_t size = sizeof(post->descriptors[i]);
        if (post->sockets[i] != NULL)
            (void)zmq_getsockopt(post->sockets[i], ZMQ_FD, &post->descriptors[i], &size);
    }
}

void post_done(struct post *post)
{
    for (size_t i = 0; i < 2; i++) {
        if (post->sockets[i] != NULL)
            zmq_close(post->sockets[i]);
    }
    free(post->gone);
}

/* ---- numbers of connections ---- */

static bool peer_of(zmq_msg_t *id, enum post_side side, uint64_t *ret_peer)
{
    const uint8_t *octets = zmq_msg_data(id);
    uint32_t number = 0;
    if (zmq_msg_size(id) != ROUTING_ID_SIZE || octets[0] != 0)
        return false;
    memcpy(&number, octets + 1, sizeof(number));
    *ret_peer = (uint64_t)side << 32 | be32toh(number);
    return true;
}

static void *id_of(const struct post *post, uint64_t peer, uint8_t id[ROUTING_ID_SIZE])
{
    const uint32_t number = htobe32((uint32_t)peer);
    id[0] = 0;
    memcpy(id + 1, &number, sizeof(number));
    return post->sockets[peer >> 32];
}

/* ---- in ---- */

static void drop_rest(void *socket, bool more)
{
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0)
            more = false;
        else
            more = zmq_msg_more(&frame) != 0;
        zmq_msg_close(&frame);
    }
}

/* The peer's credentials stand in the metadata of every frame but the first; only HELLO needs them. */
static const char *address_of(zmq_msg_t *header)
{
    const uint8_t *octets = zmq_msg_data(header);
    if (zmq_msg_size(header) < WIRE_HEADER_FIXED_SIZE || octets[3] != WIRE_HELLO)
        return NULL;
    return zmq_msg_gets(header, "Peer-Address");
}

static void receive_body(void *socket, struct post_letter *letter)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0) {
        letter->message.too_many = zmq_msg_more(&frame) != 0;
        zbody_adopt(&letter->body, &frame);
    }
    zmq_msg_close(&frame);
    drop_rest(socket, letter->message.too_many);
}

static bool receive_letter(struct post *post, enum post_side side, struct post_letter *letter, bool *ret_empty)
{
    void *socket = post->sockets[side];
    zmq_msg_t id;
    uint64_t peer = 0;
    zmq_msg_init(&id);
    *ret_empty = zmq_msg_recv(&id, socket, ZMQ_DONTWAIT) < 0;
    if (*ret_empty) {
        zmq_msg_close(&id);
        return false;
    }
    const bool more = zmq_msg_more(&id) != 0;
    const bool known = peer_of(&id, side, &peer);
    zmq_msg_close(&id);
    if (!known || !more) {
        drop_rest(socket, more);
        return false;
    }
    letter->body.present = false;
    letter->body.size = 0;
    letter->message = (struct core_message){.peer = peer, .back = side == POST_BACK, .body = &letter->body};
    zmq_msg_init(&letter->header);
    if (zmq_msg_recv(&letter->header, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&letter->header);
        return false;
    }
    if (zmq_msg_more(&letter->header))
        receive_body(socket, letter);
    letter->message.header = zmq_msg_data(&letter->header);
    letter->message.header_size = zmq_msg_size(&letter->header);
    letter->message.address = address_of(&letter->header);
    return true;
}

bool post_receive(struct post *post, enum post_side side, struct post_letter *ret_letter)
{
    bool empty = false;
    if (!post->awake[side])
        return false;
    while (!receive_letter(post, side, ret_letter, &empty)) {
        if (empty) {
            post->awake[side] = false;
            return false;
        }
    }
    return true;
}

void post_letter_done(struct post_letter *letter)
{
    zmq_msg_close(&letter->header);
    if (letter->body.present)
        zbody_ops.release(&letter->body);
}

/* ---- out ---- */

static void remember_gone(struct post *post, uint64_t peer)
{
    if (post->gone_count == post->gone_capacity) {
        const size_t capacity = post->gone_capacity == 0 ? 64 : post->gone_capacity * 2;
        uint64_t *gone = realloc(post->gone, capacity * sizeof(*gone));
        if (gone == NULL)
            return; /* found again at the next send */
        post->gone = gone;
        post->gone_capacity = capacity;
    }
    post->gone[post->gone_count++] = peer;
}

bool post_next_gone(struct post *post, uint64_t *ret_peer)
{
    if (post->gone_count == 0)
        return false;
    *ret_peer = post->gone[--post->gone_count];
    return true;
}

/* The verdict on a connection comes with the first frame; once that is taken, the rest is. */
static bool send_frames(struct post *post, uint64_t peer, const void *header, size_t size, struct body *body)
{
    uint8_t id[ROUTING_ID_SIZE];
    void *socket = id_of(post, peer, id);
    post->awake[peer >> 32] = true;
    if (zmq_send(socket, id, sizeof(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return false;
    const bool more = body != NULL && body->present;
    if (zmq_send(socket, header, size, (more ? ZMQ_SNDMORE : 0) | ZMQ_DONTWAIT) < 0)
        return false;
    if (!more)
        return true;
    if (zmq_msg_send(zbody_message(body), socket, ZMQ_DONTWAIT) < 0)
        return false;
    body->present = false;
    return true;
}

void post_send(struct post *post, uint64_t peer, const void *header, size_t size, struct body *body)
{
    if (!send_frames(post, peer, header, size, body))
        remember_gone(post, peer);
    if (body->present)
        zbody_ops.release(body);
}

bool post_is_linked(struct post *post, uint64_t peer)
{
    uint8_t octets[WIRE_HEADER_FIXED_SIZE];
    const struct wire_header ping = {.command = WIRE_PING};
    const size_t size = wire_header_encode(&ping, octets, sizeof(octets));
    return send_frames(post, peer, octets, size, NULL);
}

bool post_wait(struct post *post, int other, int timeout_ms)
{
    struct pollfd items[] = {
        {.fd = post->descriptors[POST_FRONT], .events = POLLIN},
        {.fd = post->descriptors[POST_BACK], .events = POLLIN},
        {.fd = other, .events = POLLIN},
    };
    if (post->awake[POST_FRONT] || post->awake[POST_BACK])
        return false;
    if (poll(items, sizeof(items) / sizeof(items[0]), timeout_ms) <= 0)
        return false;
    post->awake[POST_FRONT] = items[POST_FRONT].revents != 0;
    post->awake[POST_BACK] = items[POST_BACK].revents != 0;
    return items[2].revents != 0;
}
