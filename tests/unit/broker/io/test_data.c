/* test_data.c - the data thread by itself: real sockets, orders given by hand */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/io/data.h"
#include "broker/io/orders.h"
#include "tests/support/peer.h"

#define WORKER 7
#define ROUNDS 200

static char folder[64], front[128], back[128];
static struct data *data;
static const uint8_t token[WIRE_TOKEN_SIZE] = {1, 2, 3};

static void start(void)
{
    struct drover_error error = {0};
    char *listen[] = {front};

    (void)snprintf(folder, sizeof(folder), "/tmp/drover-data-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(front, sizeof(front), "ipc://%s/front", folder);
    (void)snprintf(back, sizeof(back), "ipc://%s/back", folder);
    const struct data_options options = {
        .listen = listen, .listen_count = 1, .mode = 0600, .group = -1, .workers = back, .owner_uid = getuid()};
    cr_assert_eq(data_new(&options, &data, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(data_start(data, &error), DROVER_OK, "%s", error.text);
}

/* The thread has been told to end, and does. */
static void end(void)
{
    cr_assert(data_join(data, 10000));
    data = data_free(data);
    (void)unlink(front + strlen("ipc://"));
    (void)unlink(back + strlen("ipc://"));
    (void)rmdir(folder);
}

TestSuite(data, .init = start, .fini = end, .timeout = 30);

static struct order *new_order(enum order_kind kind)
{
    struct order *order = order_new(kind);
    order->worker = WORKER;
    return order;
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    cr_assert_not_null(copied);
    return copied;
}

/* A worker that the thread expects, let in and connected. */
static void let_in(struct peer *worker)
{
    struct drover_error error;
    struct order *service = new_order(ORDER_SET_SERVICE), *expected = new_order(ORDER_EXPECT_WORKER);

    service->service = copy("echo");
    service->text = copy("echo");
    service->limits = (struct core_service){
        .deadline_ms = 30000, .queue_calls = 16, .queue_bytes = 65536, .max_body = 65536, .hang_ms = 30000};
    order_send(data_pair(data), service);
    expected->service = copy("echo");
    expected->text = copy("");
    expected->generation = 1;
    memcpy(expected->token, token, sizeof(token));
    order_send(data_pair(data), expected);
    peer_connect(worker, back);
    cr_assert_eq(peer_hello(worker, WIRE_ROLE_WORKER, token, "echo", &error), WIRE_WELCOME, "%s", error.text);
}

Test(data, ends_when_it_is_told_to)
{
    order_send(data_pair(data), new_order(ORDER_QUIT));
    cr_assert(data_join(data, 10000));
}

/* A dead worker's connection may stay for a moment, or not: whenever it ends, the end of the thread that was asked for
 * meanwhile comes with the burial. */
Test(data, ends_when_the_last_dead_worker_was_buried)
{
    struct peer worker;

    let_in(&worker);
    order_send(data_pair(data), new_order(ORDER_WORKER_LOST));
    order_send(data_pair(data), new_order(ORDER_QUIT));
    cr_assert(data_join(data, 10000));
    peer_close(&worker);
}

Test(data, ends_when_a_dead_worker_is_gone_at_any_moment)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct peer worker;
        if (round > 0)
            start();
        let_in(&worker);
        order_send(data_pair(data), new_order(ORDER_WORKER_LOST));
        if (round % 2 == 0)
            peer_close(&worker);
        order_send(data_pair(data), new_order(ORDER_QUIT));
        if (round % 2 == 1)
            peer_close(&worker);
        if (round + 1 < ROUNDS)
            end();
    }
}

/* ---- questions and their answers ---- */

/* The next notice, which must be of this kind; the caller frees it. */
static struct notice *await_notice(enum notice_kind kind)
{
    zmq_pollitem_t item = {.socket = data_pair(data), .events = ZMQ_POLLIN};
    struct notice *notice = notice_receive(data_pair(data));

    if (notice == NULL && zmq_poll(&item, 1, 10000) == 1)
        notice = notice_receive(data_pair(data));
    cr_assert_not_null(notice, "no notice within 10 s");
    cr_assert_eq(notice->kind, kind, "notice of kind %d: %s", (int)notice->kind, notice->text);
    return notice;
}

static void stop(struct peer *worker)
{
    if (worker != NULL)
        peer_close(worker);
    order_send(data_pair(data), new_order(ORDER_WORKER_LOST));
    order_send(data_pair(data), new_order(ORDER_QUIT));
}

/* The worker is ready. */
static void get_ready(struct peer *worker)
{
    let_in(worker);
    peer_send(worker, (struct wire_header){.command = WIRE_READY}, NULL, 0);
    notice_free(await_notice(NOTICE_WORKER_READY));
}

/* What the worker is sent next is this; answer it. */
static void answer_next(struct peer *worker, enum wire_command command, size_t body_size)
{
    struct peer_answer given;

    cr_assert(peer_receive(worker, PEER_PATIENCE_MS, &given));
    cr_expect_eq(given.header.command, command);
    cr_expect_eq(given.body_size, body_size);
    peer_send(worker, (struct wire_header){.command = WIRE_REPLY, .call = given.header.call}, NULL, 0);
    peer_answer_done(&given);
}

Test(data, gives_a_worker_new_settings_and_tells_what_it_said)
{
    struct peer worker;
    struct order *order = new_order(ORDER_RECONFIGURE);

    get_ready(&worker);
    order->data = copy("\x81\xa1k\x01");
    order->size = 4;
    order_send(data_pair(data), order);
    answer_next(&worker, WIRE_RECONFIGURE, 4);
    struct notice *notice = await_notice(NOTICE_RECONFIGURED);
    cr_expect_eq(notice->worker, (uint64_t)WORKER);
    cr_expect_eq(notice->call, UINT64_C(1));
    notice_free(notice);
    stop(&worker);
}

Test(data, asks_a_worker_for_nothing_and_tells_that_it_answered)
{
    struct peer worker;
    struct order *order = new_order(ORDER_PROBE);

    get_ready(&worker);
    order->limits.deadline_ms = 10000;
    order_send(data_pair(data), order);
    answer_next(&worker, WIRE_CALL, 0);
    struct notice *notice = await_notice(NOTICE_PROBED);
    cr_expect_eq(notice->call, (uint64_t)DROVER_OK);
    notice_free(notice);
    stop(&worker);
}

Test(data, says_at_once_that_a_worker_which_is_not_there_takes_no_settings)
{
    order_send(data_pair(data), new_order(ORDER_RECONFIGURE));
    struct notice *notice = await_notice(NOTICE_RECONFIGURED);
    cr_expect_eq(notice->worker, (uint64_t)WORKER);
    cr_expect_eq(notice->call, UINT64_C(0));
    cr_expect_str_eq(notice->text, "worker 7 is not ready");
    notice_free(notice);
    stop(NULL);
}

Test(data, counts_the_calls_of_two_generations)
{
    struct order *order = new_order(ORDER_COUNT);

    order->service = copy("echo");
    order->generation = 3;
    order->started = 2;
    order_send(data_pair(data), order);
    struct notice *notice = await_notice(NOTICE_COUNTED);
    cr_expect_str_eq(notice->service, "echo");
    cr_expect_eq(notice->generation, UINT64_C(3));
    cr_expect_eq(notice->previous.calls + notice->fresh.calls, UINT64_C(0));
    notice_free(notice);
    stop(NULL);
}

Test(data, removes_a_service_whose_worker_still_has_something_to_do)
{
    struct peer worker;
    struct order *order = new_order(ORDER_PROBE), *removed = new_order(ORDER_REMOVE_SERVICE);

    get_ready(&worker);
    order->limits.deadline_ms = 10000;
    order_send(data_pair(data), order);
    removed->service = copy("echo");
    order_send(data_pair(data), removed);
    answer_next(&worker, WIRE_CALL, 0);
    notice_free(await_notice(NOTICE_PROBED));
    stop(&worker);
}
