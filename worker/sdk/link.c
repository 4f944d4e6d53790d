/* link.c - see link.h */
#include "worker/sdk/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define LINGER_MS 1000

static const struct setting {
    int option, value;
} settings[] = {
    {ZMQ_RCVHWM, 0},    /* the broker's window bounds it */
    {ZMQ_SNDHWM, 0},    /* so does the number of calls held; "cannot send" then means "not connected" */
    {ZMQ_IMMEDIATE, 1}, /* nothing waits for a connection that does not exist */
    {ZMQ_LINGER, LINGER_MS}, {ZMQ_RECONNECT_IVL, 100}, {ZMQ_RECONNECT_IVL_MAX, 500},
};

static enum drover_status set_up(struct link *link, const char *endpoint, struct drover_error *error)
{
    size_t fd_size = sizeof(link->fd);
    int64_t no_limit = -1; /* a frame beyond it would kill a connecting socket for good */

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (zmq_setsockopt(link->socket, settings[i].option, &settings[i].value, sizeof(int)) != 0)
            goto fail;
    }
    if (zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &no_limit, sizeof(no_limit)) != 0 ||
        zmq_connect(link->socket, endpoint) != 0 || zmq_getsockopt(link->socket, ZMQ_FD, &link->fd, &fd_size) != 0)
        goto fail;
    return DROVER_OK;

fail:
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "endpoint '%s': %s", endpoint, zmq_strerror(zmq_errno()));
}

enum drover_status link_init(struct link *link, const char *endpoint, struct drover_error *error)
{
    *link = (struct link){.context = zmq_ctx_new()};
    if (link->context)
        link->socket = zmq_socket(link->context, ZMQ_DEALER);
    enum drover_status status = link->socket
                                    ? set_up(link, endpoint, error)
                                    : drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no ZeroMQ socket: %s",
                                                       zmq_strerror(zmq_errno()));
    if (status != DROVER_OK)
        link_done(link);
    return status;
}

void link_done(struct link *link)
{
    if (link->socket)
        zmq_close(link->socket);
    if (link->context) {
        while (zmq_ctx_term(link->context) == -1 && zmq_errno() == EINTR)
            continue;
    }
    *link = (struct link){0};
}

/* Receive one frame; false when none is there. */
static bool receive_frame(struct link *link, zmq_msg_t *frame)
{
    int size;

    do {
        size = zmq_msg_recv(frame, link->socket, ZMQ_DONTWAIT);
    } while (size == -1 && zmq_errno() == EINTR);
    return size != -1;
}

enum link_news link_receive(struct link *link, zmq_msg_t *head, zmq_msg_t *body)
{
    enum link_news news = LINK_MESSAGE;

    if (!receive_frame(link, head)) {
        link->quiet = true;
        return LINK_NOTHING;
    }
    link->quiet = false;
    if (!zmq_msg_more(head)) {
        zmq_msg_close(body);
        zmq_msg_init(body);
        return LINK_MESSAGE;
    }
    /* The frames of one message arrive together. */
    while (receive_frame(link, body) && zmq_msg_more(body))
        news = LINK_TOO_LONG;
    return news;
}

static bool send_frame(struct link *link, const void *data, size_t size, int flags)
{
    int sent;

    do {
        sent = zmq_send(link->socket, data, size, flags | ZMQ_DONTWAIT);
    } while (sent == -1 && zmq_errno() == EINTR);
    return sent != -1;
}

bool link_send(struct link *link, const struct wire_header *header, zmq_msg_t *body)
{
    uint8_t octets[WIRE_HEADER_FIXED_SIZE + 1024];
    size_t size = wire_header_encode(header, octets, sizeof(octets));
    int sent;

    if (size == 0 || !send_frame(link, octets, size, body ? ZMQ_SNDMORE : 0))
        return false;
    link->quiet = false;
    if (!body)
        return true;
    do {
        sent = zmq_msg_send(body, link->socket, ZMQ_DONTWAIT);
    } while (sent == -1 && zmq_errno() == EINTR);
    return sent != -1;
}

bool link_wait(struct link *link, int other_fd, int timeout_ms)
{
    struct pollfd items[] = {{.fd = link->fd, .events = POLLIN}, {.fd = other_fd, .events = POLLIN}};

    /* Whatever the verdict, an interruption included: the caller looks again. */
    return poll(items, 2, timeout_ms) > 0 && items[1].revents != 0;
}
