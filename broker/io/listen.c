/* listen.c - see listen.h */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/io/listen.h"

enum {
    QUEUE_MESSAGES = 4096, /* a peer's pipe: twice what a client may leave unread, far above a worker's window */
    LINGER_MS = 1000,
    HANDSHAKE_MS = 5000,
    BACKLOG = 1024,
    IPC_PATH_MAX = 107,
    MAX_MESSAGE_BYTES = 1 << 30, /* the last resort; bodies are checked against max_body before they are sent */
};

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof(value));
}

void *listen_router(void *context)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_ROUTER_MANDATORY, 1},     {ZMQ_ROUTER_HANDOVER, 0},   {ZMQ_SNDHWM, QUEUE_MESSAGES},
        {ZMQ_RCVHWM, QUEUE_MESSAGES},  {ZMQ_LINGER, LINGER_MS},    {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_BACKLOG, BACKLOG},        {ZMQ_TCP_KEEPALIVE, 1},     {ZMQ_TCP_KEEPALIVE_IDLE, 30},
        {ZMQ_TCP_KEEPALIVE_INTVL, 10}, {ZMQ_TCP_KEEPALIVE_CNT, 3},
    };
    const int64_t limit = MAX_MESSAGE_BYTES;
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    if (socket == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (set_int(socket, options[i].option, options[i].value) != 0)
            goto fail;
    }
    /* With a domain set, ipc peers' credentials are part of their address. */
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &limit, sizeof(limit)) == 0 &&
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "drover", strlen("drover")) == 0)
        return socket;

fail:
    zmq_close(socket);
    return NULL;
}

const char *listen_ipc_path(const char *endpoint)
{
    const char *scheme = "ipc://";
    return strncmp(endpoint, scheme, strlen(scheme)) == 0 ? endpoint + strlen(scheme) : NULL;
}

static enum drover_status make_folder(const char *path, struct drover_error *error)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory");
    const char *folder = dirname(copy);
    enum drover_status status = DROVER_OK;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        status = drover_error_set(error, DROVER_PERMISSION_DENIED, "folder '%s' for socket '%s' cannot be made: %s",
                                  folder, path, strerror(errno));
    free(copy);
    return status;
}

/* libzmq removes whatever is at the path, a regular file too; so look before it does. Another broker that still lives
 * there was excluded by the lock on the path. */
static enum drover_status clear_path(const char *path, struct drover_error *error)
{
    struct stat stat;
    if (strlen(path) > IPC_PATH_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "socket path '%s' has %zu bytes, at most %d are possible: choose a shorter one", path,
                                strlen(path), IPC_PATH_MAX);
    if (lstat(path, &stat) != 0)
        return DROVER_OK;
    if (!S_ISSOCK(stat.st_mode))
        return drover_error_set(error, DROVER_ALREADY_EXISTS,
                                "'%s' exists and is no socket: remove it or choose another path", path);
    return DROVER_OK;
}

static enum drover_status bind_ipc(void *socket, const char *endpoint, uint64_t mode, int64_t group,
                                   struct drover_error *error)
{
    const char *path = listen_ipc_path(endpoint);
    if (clear_path(path, error) != DROVER_OK || make_folder(path, error) != DROVER_OK)
        return error->status;
    const mode_t mask = umask((mode_t)(~mode & 0777));
    const int bound = zmq_bind(socket, endpoint);
    const int cause = zmq_errno();
    (void)umask(mask);
    if (bound != 0)
        return drover_error_set(error, DROVER_UNAVAILABLE, "cannot listen on '%s': %s", endpoint, zmq_strerror(cause));
    if (group >= 0 && chown(path, (uid_t)-1, (gid_t)group) != 0)
        return drover_error_set(error, DROVER_PERMISSION_DENIED, "cannot give '%s' to group %lld: %s", path,
                                (long long)group, strerror(errno));
    return DROVER_OK;
}

enum drover_status listen_bind(void *socket, const char *endpoint, uint64_t mode, int64_t group,
                               struct drover_error *error)
{
    if (listen_ipc_path(endpoint) != NULL)
        return bind_ipc(socket, endpoint, mode, group, error);
    if (strncmp(endpoint, "tcp://[", strlen("tcp://[")) == 0)
        (void)set_int(socket, ZMQ_IPV6, 1);
    if (zmq_bind(socket, endpoint) == 0)
        return DROVER_OK;
    return drover_error_set(error, DROVER_UNAVAILABLE, "cannot listen on '%s': %s", endpoint,
                            zmq_strerror(zmq_errno()));
}
