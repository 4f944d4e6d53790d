/* client.c - the public functions: the engine, a socket, and the clock (include/drover/client.h)
 *
 * No thread of its own: whatever is to be done is done inside the caller's drover_client_call(), _send() and
 * _receive(). A blocking call sends, and waits on the socket itself: one wake-up for one answer.
 */
#include <drover/client.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/engine.h"
#include "client/lib/link.h"
#include "common/base/error.h"
#include "common/sys/sys.h"

#define DEFAULT_BROKER "ipc:///run/drover/broker.sock"
#define DEFAULT_DEADLINE_MS 30000
#define DEFAULT_OPEN_MAX 1024
#define DRAIN_MAX 1024 /* messages taken in one go, so that a flood cannot keep deadlines waiting */

struct drover_client {
    struct engine *engine;
    struct link *link;
};

static const char *choose_endpoint(const struct drover_client_options *options)
{
    const char *endpoint = options->broker;

    if (endpoint == NULL)
        endpoint = getenv("DROVER_BROKER");
    return endpoint == NULL || *endpoint == '\0' ? DEFAULT_BROKER : endpoint;
}

static enum drover_status make_engine(const struct drover_client_options *options, const char *endpoint,
                                      struct engine **ret_engine, struct drover_error *error)
{
    struct engine_options engine_options = {
        .endpoint = endpoint,
        .name = options->name != NULL ? options->name : program_invocation_short_name,
        .instance = sys_random64(),
        .deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : DEFAULT_DEADLINE_MS,
        .service_deadline = options->deadline_ms == 0,
        .open_max = options->open_max > 0 ? options->open_max : DEFAULT_OPEN_MAX,
        .connect_ms = options->connect_ms,
        .admin = options->admin,
        .release = link_release_body,
    };

    return engine_new(&engine_options, ret_engine, error);
}

enum drover_status drover_client_new(const struct drover_client_options *options, struct drover_client **ret_client,
                                     struct drover_error *error)
{
    static const struct drover_client_options defaults;
    struct drover_client *client = calloc(1, sizeof(*client));
    enum drover_status status;

    if (options == NULL)
        options = &defaults;
    const char *endpoint = choose_endpoint(options);
    if (error != NULL)
        *error = (struct drover_error){.outcome = DROVER_OUTCOME_NOT_STARTED, .origin = DROVER_ORIGIN_CLIENT};
    if (client == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "client of '%s': out of memory", endpoint);
    status = make_engine(options, endpoint, &client->engine, error);
    if (status == DROVER_OK)
        status = link_new(endpoint, &client->link, error);
    if (status != DROVER_OK) {
        drover_client_free(client);
        return status;
    }
    *ret_client = client;
    return DROVER_OK;
}

struct drover_client *drover_client_free(struct drover_client *client)
{
    struct engine_frame frame;

    if (client == NULL)
        return NULL;
    if (client->link != NULL && engine_leave(client->engine, &frame))
        (void)link_send(client->link, &frame); /* without it the broker finds out by itself, only later */
    engine_free(client->engine);
    link_free(client->link);
    free(client);
    return NULL;
}

static void take_message(struct drover_client *client, const struct link_message *message, uint64_t now_ms)
{
    const struct call_body *body = message->body.owner == NULL ? NULL : &message->body;

    if (engine_receive(client->engine, now_ms, message->header, message->header_size, body))
        link_take_body(client->link);
}

/* Take what has come, without waiting. */
static void drain(struct drover_client *client, uint64_t now_ms)
{
    struct link_message message;

    for (int i = 0; i < DRAIN_MAX && link_receive(client->link, 0, &message); i++)
        take_message(client, &message, now_ms);
}

/* Send what is to be sent. What came over a connection is taken before it is called lost. */
static void flush(struct drover_client *client, uint64_t now_ms)
{
    struct engine_frame frame;

    while (engine_next_frame(client->engine, now_ms, &frame)) {
        if (!link_send(client->link, &frame)) {
            drain(client, now_ms);
            engine_link_lost(client->engine, now_ms);
            return;
        }
        engine_frame_sent(client->engine, now_ms);
    }
}

/* How long to sleep at most, for poll(): rounded to its range. */
static int sleep_ms(const struct drover_client *client, uint64_t now_ms, uint64_t until_ms)
{
    uint64_t wake_ms = engine_wake_ms(client->engine);

    if (until_ms < wake_ms)
        wake_ms = until_ms;
    if (wake_ms == UINT64_MAX)
        return -1;
    if (wake_ms <= now_ms)
        return 0;
    return wake_ms - now_ms > INT_MAX ? INT_MAX : (int)(wake_ms - now_ms);
}

/* Sleep until a message, a timer, or `until_ms`; returns the time. */
static uint64_t wait_once(struct drover_client *client, uint64_t now_ms, uint64_t until_ms)
{
    int timeout_ms = sleep_ms(client, now_ms, until_ms);
    struct link_message message;

    if (engine_is_blocked(client->engine)) {
        link_wait_connected(client->link, timeout_ms);
        now_ms = sys_now_ms();
        drain(client, now_ms);
    } else {
        bool came = link_receive(client->link, timeout_ms, &message);
        now_ms = sys_now_ms();
        if (came)
            take_message(client, &message, now_ms);
    }
    engine_tick(client->engine, now_ms);
    return now_ms;
}

static void fill_reply(const struct engine_outcome *outcome, struct drover_reply *ret_reply)
{
    ret_reply->call = outcome->call;
    drover_error_copy(&ret_reply->error, &outcome->error);
    ret_reply->body = outcome->body.data;
    ret_reply->body_size = outcome->body.size;
    ret_reply->owner = outcome->body.owner;
}

static enum drover_status call_and_wait(struct drover_client *client, enum wire_command command,
                                        const struct drover_request *request, struct drover_reply *ret_reply,
                                        struct drover_error *error)
{
    struct engine_request submit = {.command = command, .request = request, .borrow = true};
    struct engine_outcome outcome;
    uint64_t now_ms = sys_now_ms(), call = 0;
    enum drover_status status = engine_submit(client->engine, &submit, now_ms, &call, error);

    if (status != DROVER_OK)
        return status;
    flush(client, now_ms);
    while (!engine_take(client->engine, call, &outcome)) {
        now_ms = wait_once(client, now_ms, UINT64_MAX);
        flush(client, now_ms);
    }
    if (outcome.error.status == DROVER_OK)
        fill_reply(&outcome, ret_reply);
    else if (error != NULL)
        *error = outcome.error;
    return outcome.error.status;
}

enum drover_status drover_client_call(struct drover_client *client, const struct drover_request *request,
                                      struct drover_reply *ret_reply, struct drover_error *error)
{
    return call_and_wait(client, WIRE_CALL, request, ret_reply, error);
}

enum drover_status drover_client_admin(struct drover_client *client, const char *verb, const void *body,
                                       size_t body_size, uint32_t deadline_ms, struct drover_reply *ret_reply,
                                       struct drover_error *error)
{
    struct drover_request request = {
        .service = "broker",
        .method = verb,
        .body = body,
        .body_size = body_size,
        .deadline_ms = deadline_ms,
    };

    return call_and_wait(client, WIRE_ADMIN, &request, ret_reply, error);
}

enum drover_status drover_client_send(struct drover_client *client, const struct drover_request *request,
                                      uint64_t *ret_call, struct drover_error *error)
{
    struct engine_request submit = {.command = WIRE_CALL, .request = request};
    uint64_t now_ms = sys_now_ms();
    enum drover_status status = engine_submit(client->engine, &submit, now_ms, ret_call, error);

    if (status == DROVER_OK)
        flush(client, now_ms);
    return status;
}

/* Bring the engine up to date with what has come and with the time, without waiting. */
static void look(struct drover_client *client, uint64_t now_ms)
{
    drain(client, now_ms);
    engine_tick(client->engine, now_ms);
    flush(client, now_ms);
}

static void wait_for_outcome(struct drover_client *client, uint64_t now_ms, int timeout_ms)
{
    uint64_t until_ms = timeout_ms < 0 ? UINT64_MAX : now_ms + (uint64_t)timeout_ms;

    while (engine_ready(client->engine) == 0 && now_ms < until_ms) {
        if (timeout_ms < 0 && engine_open(client->engine) == 0)
            return;
        now_ms = wait_once(client, now_ms, until_ms);
        flush(client, now_ms);
    }
}

int drover_client_receive(struct drover_client *client, int timeout_ms, struct drover_reply *ret_reply)
{
    struct engine_outcome outcome;

    if (engine_ready(client->engine) == 0 && timeout_ms == 0)
        look(client, sys_now_ms());
    else if (engine_ready(client->engine) == 0)
        wait_for_outcome(client, sys_now_ms(), timeout_ms);
    if (!engine_take(client->engine, 0, &outcome))
        return 0;
    fill_reply(&outcome, ret_reply);
    return 1;
}

void drover_client_cancel(struct drover_client *client, uint64_t call)
{
    engine_cancel(client->engine, call);
    flush(client, sys_now_ms());
}

int drover_client_fd(const struct drover_client *client)
{
    return link_fd(client->link);
}

int drover_client_timeout_ms(const struct drover_client *client)
{
    short events = link_events(client->link);

    if (engine_ready(client->engine) > 0 || (events & ZMQ_POLLIN) != 0)
        return 0;
    if (engine_is_blocked(client->engine) && (events & ZMQ_POLLOUT) != 0)
        return 0;
    return sleep_ms(client, sys_now_ms(), UINT64_MAX);
}

size_t drover_client_open(const struct drover_client *client)
{
    return engine_open(client->engine);
}

void drover_reply_done(struct drover_reply *reply)
{
    link_release_body(reply->owner);
    drover_error_clear(&reply->error);
    reply->call = 0;
    reply->body = reply->owner = NULL;
    reply->body_size = 0;
}
