/* data.c - the data thread: receive, step, send; see data.h */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/io/data.h"
#include "broker/io/dying.h"
#include "broker/io/listen.h"
#include "broker/io/log.h"
#include "broker/io/notices.h"
#include "broker/io/orders.h"
#include "broker/io/post.h"
#include "broker/io/zbody.h"
#include "common/sys/sys.h"
#include "worker/host/launch.h"

enum {
    CLOCK_EVERY = 16,  /* messages for one look at the clock: less than a tenth of its millisecond */
    BURST = 128,       /* messages of one socket before the other has its turn */
    ORDERS_EVERY = 16, /* rounds without a pause */
    DYING_POLL_MS = 1,
};

struct data {
    void *context;
    struct post post;  /* the sockets, seen as one place to send to */
    void *control_end; /* of the PAIR: the control thread's */
    void *data_end;
    int orders; /* readable when orders have come; edge-triggered like all of libzmq's */
    bool orders_awake;
    unsigned rounds_without_pause;
    struct core *core;
    struct dying dying; /* workers whose last words are being waited for */
    uint64_t incarnation;
    pthread_t thread;
    bool started, quit;
};

static uint64_t random_number(void *context)
{
    (void)context;
    return sys_random64();
}

/* ---- effects ---- */

static void send_notice(struct data *data, struct notice *notice)
{
    notice_send(data->data_end, notice);
    data->orders_awake = true; /* sending may have swallowed the edge */
}

static void tell_control(struct data *data, const struct effects *effects, struct effect *effect)
{
    send_notice(data, notice_of_effect(data->core, effects, effect));
}

/* Do what the core wants done. */
static void act(struct data *data)
{
    struct effects *effects = core_effects(data->core);
    for (size_t i = 0; i < effects->count; i++) {
        struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_SEND)
            post_send(&data->post, effect->peer, effects_octets(effects, effect), effect->size, &effect->body);
        else
            tell_control(data, effects, effect);
    }
    effects_clear(effects, &zbody_ops);
    if (effects->failed) {
        log_line(LOG_LEVEL_ERROR, "no memory to go on: the broker gives up");
        notice_send(data->data_end, notice_new(NOTICE_FAILED));
        data->quit = true;
    }
}

/* ---- messages ---- */

static unsigned take_orders(struct data *data);

static bool is_greeting_of_worker(enum post_side side, const struct post_letter *letter)
{
    return side == POST_BACK && letter->message.address != NULL;
}

/* The control thread announces a worker before it forks it, but on another socket: when this thread had to wait for a
 * processor, it may see the greeting first. */
static void take_announcements(struct data *data)
{
    data->orders_awake = true;
    (void)take_orders(data);
}

/* Hand up to `most` messages of a socket to the core. Returns how many there were. */
static unsigned receive(struct data *data, enum post_side side, unsigned most)
{
    unsigned count = 0;
    uint64_t now_us = 0;
    struct post_letter letter;
    while (count < most && post_receive(&data->post, side, &letter)) {
        if (is_greeting_of_worker(side, &letter))
            take_announcements(data);
        if (count % CLOCK_EVERY == 0 || is_greeting_of_worker(side, &letter))
            now_us = sys_now_us();
        letter.message.at_us = now_us;
        core_receive(data->core, now_us / 1000, &letter.message);
        post_letter_done(&letter);
        act(data);
        count++;
    }
    return count;
}

/* Connections that turned out to be gone. What they sent before is read first: it may hold answers. */
static void bury(struct data *data)
{
    uint64_t peer = 0;
    while (post_next_gone(&data->post, &peer)) {
        (void)receive(data, POST_BACK, UINT32_MAX);
        core_peer_gone(data->core, sys_now_ms(), peer);
        act(data);
    }
}

/* ---- orders ---- */

static void answer_admin(struct data *data, struct order *order)
{
    struct body body = {.present = false};
    if (order->data != NULL && !zbody_ops.make(&body, order->data, order->size))
        (void)drover_error_set(&order->error, DROVER_RESOURCE_EXHAUSTED, "no memory for the answer");
    core_answer_admin(data->core, sys_now_ms(), order->peer, order->session, order->call, &order->error, &body);
}

/* Carries out ORDER_PROBE and ORDER_RECONFIGURE. */
static enum drover_status ask_worker(struct data *data, const struct order *order, uint64_t now_ms,
                                     struct drover_error *error)
{
    struct body body = {.present = false};
    const uint64_t limit_ms = order->limits.deadline_ms;
    if (order->data != NULL && !zbody_ops.make(&body, order->data, order->size))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory to ask a worker");
    if (order->kind == ORDER_RECONFIGURE)
        return core_reconfigure(data->core, now_ms, order->worker, &body, limit_ms, error);
    return core_probe(data->core, now_ms, order->worker, order->text, &body, limit_ms, error);
}

/* A worker that cannot be asked has answered that. */
static void ask(struct data *data, const struct order *order, uint64_t now_ms)
{
    struct drover_error error = {0};
    const bool settings = order->kind == ORDER_RECONFIGURE;
    if (ask_worker(data, order, now_ms, &error) == DROVER_OK)
        return;
    struct notice *notice = notice_new(settings ? NOTICE_RECONFIGURED : NOTICE_PROBED);
    notice->worker = order->worker;
    notice->call = settings ? 0 : (uint64_t)error.status;
    notice->text = strdup(error.text);
    if (notice->text == NULL)
        abort(); /* as notice_new() does */
    send_notice(data, notice);
}

static void obey(struct data *data, struct order *order)
{
    struct drover_error error = {0};
    enum drover_status status = DROVER_OK;
    const uint64_t now_ms = sys_now_ms();
    switch (order->kind) {
    case ORDER_SET_SERVICE:
        order->limits.name = order->service;
        order->limits.interface = order->text;
        status = core_set_service(data->core, &order->limits, &error);
        break;
    case ORDER_REMOVE_SERVICE:
        core_remove_service(data->core, now_ms, order->service);
        break;
    case ORDER_REFUSE_SERVICE:
        core_refuse_service(data->core, now_ms, order->service, order->text);
        break;
    case ORDER_EXPECT_WORKER: {
        struct core_expected expected = {.worker = order->worker,
                                         .generation = order->generation,
                                         .service = order->service,
                                         .artefact = order->text,
                                         .settings = order->data,
                                         .settings_size = order->size};
        memcpy(expected.token, order->token, sizeof(expected.token));
        status = core_expect_worker(data->core, &expected, &error);
        break;
    }
    case ORDER_SWITCH:
        core_switch(data->core, now_ms, order->service, order->generation);
        break;
    case ORDER_PROBE:
    case ORDER_RECONFIGURE:
        ask(data, order, now_ms);
        break;
    case ORDER_COUNT:
        send_notice(data, notice_of_count(data->core, order));
        break;
    case ORDER_WORKER_CLOSED:
        core_worker_closed(data->core, now_ms, order->worker, order->started);
        break;
    case ORDER_WORKER_LOST:
        dying_add(&data->dying, order->worker, order->started, now_ms);
        break;
    case ORDER_ANSWER_ADMIN:
        answer_admin(data, order);
        break;
    case ORDER_STOP:
        core_stop(data->core, now_ms);
        break;
    case ORDER_QUIT:
        data->quit = true;
        break;
    }
    if (status != DROVER_OK)
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    act(data);
}

static unsigned take_orders(struct data *data)
{
    unsigned count = 0;
    struct order *order = NULL;
    if (!data->orders_awake)
        return 0;
    while ((order = order_receive(data->data_end)) != NULL) {
        obey(data, order);
        order_free(order);
        count++;
    }
    data->orders_awake = false;
    return count;
}

/* A death is applied when everything that the worker said before it has been read: its connection is gone by then. */
static void apply_deaths(struct data *data)
{
    struct dying_worker worker;
    uint64_t peer = 0;
    for (size_t i = 0; dying_at(&data->dying, i, &worker);) {
        const uint64_t now_ms = sys_now_ms();
        const bool linked = core_worker_peer(data->core, worker.worker, &peer) && post_is_linked(&data->post, peer);
        if (linked && now_ms < worker.until_ms) {
            i++;
            continue;
        }
        (void)receive(data, POST_BACK, UINT32_MAX);
        core_worker_lost(data->core, now_ms, worker.worker, worker.started);
        act(data);
        dying_remove(&data->dying, i);
    }
}

/* ---- the loop ---- */

static int sleep_ms(const struct data *data)
{
    if (!dying_is_empty(&data->dying))
        return DYING_POLL_MS;
    const uint64_t next_ms = core_next_ms(data->core);
    if (next_ms == UINT64_MAX)
        return -1;
    const uint64_t now_ms = sys_now_ms();
    return next_ms <= now_ms ? 0 : next_ms - now_ms < INT_MAX ? (int)(next_ms - now_ms) : INT_MAX;
}

static bool is_over(const struct data *data)
{
    return data->quit && dying_is_empty(&data->dying);
}

/* Without a pause nobody looks at the orders' descriptor: then they are looked for by themselves now and then. */
static void count_round(struct data *data, unsigned messages)
{
    data->rounds_without_pause = messages > 0 ? data->rounds_without_pause + 1 : 0;
    data->orders_awake |= data->rounds_without_pause % ORDERS_EVERY == ORDERS_EVERY - 1;
}

/* The last round may have been the one that buried the last worker: then there is nothing left to wait for. */
static void *run(void *argument)
{
    struct data *data = argument;
    while (!is_over(data)) {
        const unsigned messages = receive(data, POST_BACK, BURST) + receive(data, POST_FRONT, BURST);
        count_round(data, messages);
        const unsigned busy = messages + take_orders(data);
        bury(data);
        apply_deaths(data);
        if (core_next_ms(data->core) <= sys_now_ms()) {
            core_expire(data->core, sys_now_ms());
            act(data);
        } else if (busy == 0 && !data->orders_awake && !is_over(data)) {
            data->orders_awake = post_wait(&data->post, data->orders, sleep_ms(data));
        }
    }
    core_leave(data->core, sys_now_ms());
    act(data);
    return NULL;
}

/* ---- life ---- */

static enum drover_status make_pair(struct data *data, struct drover_error *error)
{
    const int unlimited = 0;
    data->control_end = zmq_socket(data->context, ZMQ_PAIR);
    data->data_end = zmq_socket(data->context, ZMQ_PAIR);
    if (data->control_end == NULL || data->data_end == NULL ||
        zmq_setsockopt(data->control_end, ZMQ_SNDHWM, &unlimited, sizeof(unlimited)) != 0 ||
        zmq_setsockopt(data->control_end, ZMQ_RCVHWM, &unlimited, sizeof(unlimited)) != 0 ||
        zmq_setsockopt(data->data_end, ZMQ_SNDHWM, &unlimited, sizeof(unlimited)) != 0 ||
        zmq_setsockopt(data->data_end, ZMQ_RCVHWM, &unlimited, sizeof(unlimited)) != 0 ||
        zmq_bind(data->control_end, "inproc://control") != 0 || zmq_connect(data->data_end, "inproc://control") != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the broker's threads cannot be connected: %s",
                                zmq_strerror(zmq_errno()));
    size_t size = sizeof(data->orders);
    (void)zmq_getsockopt(data->data_end, ZMQ_FD, &data->orders, &size);
    data->orders_awake = true;
    return DROVER_OK;
}

/* Workers of root's broker may run as other users, which are all in this group. A broker that may not give its socket
 * to a group may not start anybody as another user either. */
static void open_to_workers(const char *endpoint)
{
    const char *path = listen_ipc_path(endpoint);
    if (getuid() == 0 && path != NULL && chown(path, (uid_t)-1, LAUNCH_GROUP) == 0)
        (void)chmod(path, 0660);
}

static enum drover_status make_sockets(struct data *data, const struct data_options *options,
                                       struct drover_error *error)
{
    data->context = zmq_ctx_new();
    void *front = data->context != NULL ? listen_router(data->context) : NULL;
    void *back = data->context != NULL ? listen_router(data->context) : NULL;
    post_init(&data->post, front, back);
    if (front == NULL || back == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the broker's sockets cannot be made: %s",
                                zmq_strerror(zmq_errno()));
    for (size_t i = 0; i < options->listen_count; i++) {
        if (listen_bind(front, options->listen[i], options->mode, options->group, error) != DROVER_OK)
            return error->status;
    }
    if (listen_bind(back, options->workers, 0600, -1, error) != DROVER_OK)
        return error->status;
    open_to_workers(options->workers);
    return DROVER_OK;
}

enum drover_status data_new(const struct data_options *options, struct data **ret_data, struct drover_error *error)
{
    struct data *data = calloc(1, sizeof(*data));
    if (data == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory");
    data->incarnation = sys_random64();
    const struct core_settings settings = {
        .bodies = &zbody_ops,
        .random = random_number,
        .software = "drover " DROVER_VERSION,
        .incarnation = data->incarnation,
        .owner_uid = options->owner_uid,
    };
    if (make_sockets(data, options, error) != DROVER_OK || make_pair(data, error) != DROVER_OK ||
        core_new(&settings, sys_now_ms(), &data->core, error) != DROVER_OK) {
        data_free(data);
        return error->status;
    }
    *ret_data = data;
    return DROVER_OK;
}

enum drover_status data_start(struct data *data, struct drover_error *error)
{
    const int cause = pthread_create(&data->thread, NULL, run, data);
    if (cause != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the data thread cannot be started: %s",
                                strerror(cause));
    data->started = true;
    return DROVER_OK;
}

void *data_pair(const struct data *data)
{
    return data->control_end;
}

uint64_t data_incarnation(const struct data *data)
{
    return data->incarnation;
}

bool data_join(struct data *data, uint64_t limit_ms)
{
    struct timespec until;
    if (!data->started)
        return true;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(limit_ms / 1000);
    if (pthread_clockjoin_np(data->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        return false;
    data->started = false;
    return true;
}

static void close_socket(void *socket)
{
    if (socket != NULL)
        zmq_close(socket);
}

struct data *data_free(struct data *data)
{
    if (data == NULL)
        return NULL;
    core_free(data->core);
    dying_done(&data->dying);
    post_done(&data->post);
    close_socket(data->control_end);
    close_socket(data->data_end);
    if (data->context != NULL)
        zmq_ctx_term(data->context);
    free(data);
    return NULL;
}
