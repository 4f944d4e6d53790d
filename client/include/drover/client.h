/* client.h - libdrover-client: what a service links
 *
 * A `struct drover_client` is one connection to a broker. drover_client_call() makes one call and
 * waits for its outcome. drover_client_send() and drover_client_receive() let one thread have many
 * calls under way, with a descriptor to poll. The library finds out about a restarted broker,
 * connects again by itself, and sends again what certainly was not started.
 *
 * Every call ends in exactly one outcome: answered, not started, or unknown (status.h).
 *
 * Thread rule: a handle belongs to one thread at a time and has no thread of its own; several
 * handles may be used by several threads. A handle must not be used in a child after fork().
 */
#ifndef DROVER_CLIENT_H
#define DROVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct drover_client;

/* How to connect. `{0}` is a good default. Strings are copied. */
struct drover_client_options {
    const char *broker;   /* endpoint; NULL: $DROVER_BROKER, else ipc:///run/drover/broker.sock */
    const char *name;     /* who is calling, for the broker's status; NULL: the program's name */
    uint32_t deadline_ms; /* of calls that name none; 0: the service's own */
    uint32_t open_max;    /* calls under way at most; 0: 1024 */
    uint32_t connect_ms;  /* a call that finds no broker for so long ends UNAVAILABLE; 0: its deadline */
    bool admin;           /* ask for the right to administer the broker */
};

/* One request. Everything is borrowed until the function returns. */
struct drover_request {
    const char *service; /* at most 255 bytes */
    const char *method;  /* at most 255 bytes */
    const void *body;    /* one msgpack value; see drover_writer in value.h */
    size_t body_size;
    const void *metadata; /* a msgpack map of at most 8 KiB, or NULL */
    size_t metadata_size;
    uint32_t deadline_ms; /* 0: the client's */
    bool idempotent;      /* the broker may repeat the call if its outcome is unknown */
};

/* The outcome of one call. Release with drover_reply_done(). */
struct drover_reply {
    uint64_t call;             /* as drover_client_send() numbered it */
    struct drover_error error; /* status DROVER_OK when the driver answered with a result */
    const void *body;          /* with OK: the driver's result, one msgpack value */
    size_t body_size;
    void *owner; /* the library's */
};

/* Make a client. Does not wait for the broker: calls do, within their deadline. Stores it in
 * `*ret_client`. Errors: INVALID_ARGUMENT (endpoint), RESOURCE_EXHAUSTED (memory, descriptors). */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status drover_client_new(const struct drover_client_options *options,
                                                                     struct drover_client **ret_client,
                                                                     struct drover_error *error);

/* Leave: open calls are cancelled, their outcomes are not waited for. NULL is allowed. Returns NULL. */
DROVER_EXPORT struct drover_client *drover_client_free(struct drover_client *client);

/* Make one call and wait for its outcome, at most its deadline and 100 ms. Where neither the request nor the client
 * names one, the service's counts; then a call that cannot be sent for 30 s, or a broker that is silent for so long,
 * ends it. On DROVER_OK fills in `*ret_reply`. Otherwise returns the status with outcome, origin and text in `error`.
 * Outcomes of other calls that arrive meanwhile stay for drover_client_receive(). */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status drover_client_call(struct drover_client *client,
                                                                      const struct drover_request *request,
                                                                      struct drover_reply *ret_reply,
                                                                      struct drover_error *error);

/* Start a call; returns at once. `*ret_call` numbers it. The request is copied.
 * Errors (the call does not exist then): INVALID_ARGUMENT, RESOURCE_EXHAUSTED (open_max). */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status drover_client_send(struct drover_client *client,
                                                                      const struct drover_request *request,
                                                                      uint64_t *ret_call, struct drover_error *error);

/* Ask the broker itself (`drover status` and its like do): `verb` as the RFC lists them, `body` a msgpack map or NULL;
 * `deadline_ms` 0: the client's. Otherwise like drover_client_call(). The client must have been made with `admin`;
 * PERMISSION_DENIED when the broker does not grant that. */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status
drover_client_admin(struct drover_client *client, const char *verb, const void *body, size_t body_size,
                    uint32_t deadline_ms, struct drover_reply *ret_reply, struct drover_error *error);

/* Wait up to `timeout_ms` (0: only look; -1: without end) for the next outcome of any call under way.
 * Returns 1 with `*ret_reply` filled in, or 0 when there is none yet. With timeout -1 and no call
 * under way it returns 0 at once. */
DROVER_EXPORT int drover_client_receive(struct drover_client *client, int timeout_ms, struct drover_reply *ret_reply);

/* Give a call up. Its outcome still comes: CANCELLED, or what was decided before. An unknown number is ignored. */
DROVER_EXPORT void drover_client_cancel(struct drover_client *client, uint64_t call);

/* A descriptor for poll(): readable when drover_client_receive(client, 0, ...) has work to do. It is
 * edge-triggered: after it woke you, call receive until it returns 0. Valid as long as the client. */
DROVER_EXPORT int drover_client_fd(const struct drover_client *client);

/* How long poll() may sleep before drover_client_receive() must be called again, in ms; -1: no limit. Ask right before
 * each poll(): sending may have used up the descriptor's wake-up, and then the answer is 0. */
DROVER_EXPORT int drover_client_timeout_ms(const struct drover_client *client);

/* Calls under way: those whose outcome drover_client_receive() has not handed out. */
DROVER_EXPORT size_t drover_client_open(const struct drover_client *client);

/* Release what a reply holds. An empty reply is allowed. */
DROVER_EXPORT void drover_reply_done(struct drover_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
