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
