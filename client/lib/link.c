/* link.c - one DEALER socket to a broker; see link.h */
#include "client/lib/link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/sys.h"

#define LINGER_MS 500
#define SOCKETS_MAX 16384

struct link {
    void *socket;
    int timeout_ms; /* RCVTIMEO as it is set */
    zmq_msg_t header;
    zmq_msg_t *body; /* a holder, empty or with the last body; NULL when it was given away */
};

/* One context a process: libzmq 4.3.4 has faults with several (reference: libzmq #4242). That of a parent process is of
 * no use after fork(), nor can it be ended: it is forgotten. */
static struct {
    pthread_mutex_t lock;
    void *context;
    unsigned links;
    pid_t owner;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *context_ref(void)
{
    pthread_mutex_lock(&shared.lock);
    if (shared.owner != getpid())
        shared.links = 0;
    if (shared.links == 0) {
        sys_seed_libzmq();
        shared.owner = getpid();
        shared.context = zmq_ctx_new();
        if (shared.context != NULL)
            zmq_ctx_set(shared.context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    }
    void *context = shared.context;
    if (context != NULL)
        shared.links++;
    pthread_mutex_unlock(&shared.lock);
    return context;
}

static void context_unref(void)
{
    pthread_mutex_lock(&shared.lock);
    assert(shared.links > 0);
    if (--shared.links == 0) {
        while (zmq_ctx_term(shared.context) != 0 && errno == EINTR)
            continue;
        shared.context = NULL;
    }
    pthread_mutex_unlock(&shared.lock);
}

/* A local broker is back within milliseconds; a remote one may have a thousand clients, who should not come at once. */
static int set_options(void *socket, bool local)
{
    const struct {
        int option, value;
    } settings[] = {
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_RECONNECT_IVL, local ? 100 : 500},
        {ZMQ_RECONNECT_IVL_MAX, local ? 500 : 2000},
        {ZMQ_IPV6, 1},
        {ZMQ_SNDHWM, 0}, /* open_max bounds both queues */
        {ZMQ_RCVHWM, 0},
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (zmq_setsockopt(socket, settings[i].option, &settings[i].value, sizeof(settings[i].value)) != 0)
            return -1;
    return 0;
}

static enum drover_status check_endpoint(const char *endpoint, struct drover_error *error)
{
    bool known = strncmp(endpoint, "ipc://", 6) == 0 || strncmp(endpoint, "tcp://", 6) == 0;

    if (!known || endpoint[6] == '\0')
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "broker '%s': no endpoint (write ipc:///path or tcp://host:port)", endpoint);
    return DROVER_OK;
}

static enum drover_status open_socket(struct link *link, void *context, const char *endpoint,
                                      struct drover_error *error)
{
    link->socket = zmq_socket(context, ZMQ_DEALER);
    if (link->socket == NULL || set_options(link->socket, strncmp(endpoint, "ipc:", 4) == 0) != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "broker '%s': no socket: %s", endpoint,
                                zmq_strerror(errno));
    if (zmq_connect(link->socket, endpoint) != 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "broker '%s': %s", endpoint, zmq_strerror(errno));
    return DROVER_OK;
}

enum drover_status link_new(const char *endpoint, struct link **ret_link, struct drover_error *error)
{
    enum drover_status status = check_endpoint(endpoint, error);
    struct link *link;
    void *context;

    if (status != DROVER_OK)
        return status;
    context = context_ref();
    link = context == NULL ? NULL : calloc(1, sizeof(*link));
    if (link == NULL) {
        if (context != NULL)
            context_unref();
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "broker '%s': %s", endpoint, zmq_strerror(errno));
    }
    zmq_msg_init(&link->header);
    link->timeout_ms = -1;
    status = open_socket(link, context, endpoint, error);
    if (status != DROVER_OK) {
        link_free(link);
        return status;
    }
    *ret_link = link;
    return DROVER_OK;
}

struct link *link_free(struct link *link)
{
    if (link == NULL)
        return NULL;
    zmq_msg_close(&link->header);
    link_release_body(link->body);
    if (link->socket != NULL)
        zmq_close(link->socket);
    free(link);
    context_unref();
    return NULL;
}

static int send_retrying(zmq_msg_t *message, void *socket, int flags)
{
    int result;

    do
        result = zmq_msg_send(message, socket, flags);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Within a millisecond of the last look, libzmq does not notice a connection that just came up; asking for the events
 * makes it look. */
static int send_or_look(zmq_msg_t *message, void *socket, int flags)
{
    int result = send_retrying(message, socket, flags);

    if (result < 0 && errno == EAGAIN) {
        int events = 0;
        size_t size = sizeof(events);
        if (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLOUT) != 0)
            result = send_retrying(message, socket, flags);
    }
    return result;
}

bool link_send(struct link *link, const struct engine_frame *frame)
{
    size_t size = wire_header_size(&frame->header);
    bool has_body = frame->has_body;
    zmq_msg_t header, body;
    bool sent = false;

    if (zmq_msg_init_size(&header, size) != 0)
        return false;
    if (zmq_msg_init_size(&body, has_body ? frame->body.size : 0) != 0) {
        zmq_msg_close(&header);
        return false;
    }
    /* The engine checked every length, so that a header always fits. */
    size_t written = wire_header_encode(&frame->header, zmq_msg_data(&header), size);
    assert(written == size);
    if (has_body)
        memcpy(zmq_msg_data(&body), frame->body.data, frame->body.size);
    if (send_or_look(&header, link->socket, ZMQ_DONTWAIT | (has_body ? ZMQ_SNDMORE : 0)) >= 0)
        sent = !has_body || send_retrying(&body, link->socket, ZMQ_DONTWAIT) >= 0;
    zmq_msg_close(&header);
    zmq_msg_close(&body);
    return sent;
}

static bool holder_ready(struct link *link)
{
    if (link->body == NULL) {
        link->body = malloc(sizeof(*link->body));
        if (link->body == NULL)
            return false;
        zmq_msg_init(link->body);
    }
    return true;
}

/* Frames of one message arrive together: what follows the first is there. False when there were too many. */
static bool receive_rest(struct link *link)
{
    zmq_msg_t extra;
    bool fits =
        holder_ready(link) && zmq_msg_recv(link->body, link->socket, ZMQ_DONTWAIT) >= 0 && !zmq_msg_more(link->body);
    int more = 0;
    size_t size = sizeof(more);

    while (zmq_getsockopt(link->socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        fits = false;
        zmq_msg_init(&extra);
        int result = zmq_msg_recv(&extra, link->socket, ZMQ_DONTWAIT);
        zmq_msg_close(&extra);
        if (result < 0 && errno != EINTR)
            break;
    }
    return fits;
}

static void set_timeout(struct link *link, int timeout_ms)
{
    if (timeout_ms != link->timeout_ms &&
        zmq_setsockopt(link->socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms)) == 0)
        link->timeout_ms = timeout_ms;
}

bool link_receive(struct link *link, int timeout_ms, struct link_message *ret_message)
{
    int flags = timeout_ms == 0 ? ZMQ_DONTWAIT : 0;
    bool has_body;

    if (timeout_ms != 0)
        set_timeout(link, timeout_ms);
    do {
        if (zmq_msg_recv(&link->header, link->socket, flags) < 0)
            return false;
        has_body = zmq_msg_more(&link->header);
        flags = ZMQ_DONTWAIT;
    } while (has_body && !receive_rest(link));

    *ret_message = (struct link_message){
        .header = zmq_msg_data(&link->header),
        .header_size = zmq_msg_size(&link->header),
    };
    if (has_body)
        ret_message->body =
            (struct call_body){.data = zmq_msg_data(link->body), .size = zmq_msg_size(link->body), .owner = link->body};
    return true;
}

void link_take_body(struct link *link)
{
    link->body = NULL;
}

void link_release_body(void *owner)
{
    if (owner == NULL)
        return;
    zmq_msg_close(owner);
    free(owner);
}

void link_wait_connected(struct link *link, int timeout_ms)
{
    zmq_pollitem_t item = {.socket = link->socket, .events = ZMQ_POLLIN | ZMQ_POLLOUT};

    zmq_poll(&item, 1, timeout_ms);
}

short link_events(const struct link *link)
{
    int events = 0;
    size_t size = sizeof(events);

    if (zmq_getsockopt(link->socket, ZMQ_EVENTS, &events, &size) != 0)
        return 0;
    return (short)events;
}

int link_fd(const struct link *link)
{
    int fd = -1;
    size_t size = sizeof(fd);

    if (zmq_getsockopt(link->socket, ZMQ_FD, &fd, &size) != 0)
        return -1;
    return fd;
}
