/* listen.h - the broker's ROUTER sockets: options and endpoints (docs/rfc/1.md, "Topology and sockets") */
#ifndef DROVER_IO_LISTEN_H
#define DROVER_IO_LISTEN_H

#include <stdint.h>

#include <drover/status.h>

/* A ROUTER with the options of the protocol, not bound. NULL: see errno. */
void *listen_router(void *context);

/* Bind an endpoint. A file that is in the way of an ipc socket is removed only when it is a socket; the folder is made
 * if its parent is there. `mode` and `group` (-1: leave it) are for ipc. Errors: INVALID_ARGUMENT, ALREADY_EXISTS,
 * PERMISSION_DENIED, UNAVAILABLE; each names the endpoint. */
DROVER_MUST_CHECK enum drover_status listen_bind(void *socket, const char *endpoint, uint64_t mode, int64_t group,
                                                 struct drover_error *error);

/* The path of an ipc endpoint, or NULL for another kind. Borrowed from `endpoint`. */
const char *listen_ipc_path(const char *endpoint);

#endif
