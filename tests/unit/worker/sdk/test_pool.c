/* test_pool.c - a driver whose methods run four at a time */
#include <unistd.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

static char gate[128];
static struct drover_writer *request;

static void set_up_gate(void)
{
    set_up();
    worker_rig_make_gate(&rig, "gate", gate);
    request = worker_rig_map_string("path", gate);
}

static void tear_down_gate(void)
{
    drover_writer_free(request);
    tear_down();
}

TestSuite(pool, .init = set_up_gate, .fini = tear_down_gate, .timeout = 60);

/* Calls `first` to `last` go to the gate. */
static void send_to_gate(uint64_t first, uint64_t last)
{
    for (uint64_t call = first; call <= last; call++)
        worker_rig_call(&rig, &(struct worker_rig_call){.call = call, .method = "gate", .request = request});
}

/* A bit for each call that was answered by one of the next `count` messages. */
static unsigned collect(enum wire_command command, unsigned count)
{
    unsigned seen = 0;

    for (unsigned i = 0; i < count; i++)
        seen |= 1u << worker_rig_expect(&rig, command)->header.call;
    return seen;
}

Test(pool, four_calls_run_at_once_and_the_rest_wait)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    send_to_gate(1, 6);
    worker_rig_await_started(&rig, 4);
    worker_rig_sync(&rig);
    cr_expect_eq(worker_rig_started(&rig), 4);
    int fd = worker_rig_open_gate(gate, 6);
    cr_expect_eq(collect(WIRE_REPLY, 6), 0x7e);
    cr_expect_eq(worker_rig_started(&rig), 6);
    close(fd);
}

Test(pool, calls_start_in_the_order_in_which_they_came)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    send_to_gate(1, 9);
    worker_rig_await_started(&rig, 4);
    cr_expect_eq(startword_close(rig.page), 4);
    int fd = worker_rig_open_gate(gate, 9);
    cr_expect_eq(collect(WIRE_REPLY, 4), 0x1e); /* 1 to 4, whatever their order; the others are dropped */
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_expect(&rig, WIRE_DRAINED);
    close(fd);
}

Test(pool, ping_is_answered_while_all_executors_are_busy)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    send_to_gate(1, 4);
    worker_rig_await_started(&rig, 4);
    worker_rig_sync(&rig);
    int fd = worker_rig_open_gate(gate, 4);
    collect(WIRE_REPLY, 4);
    close(fd);
}

Test(pool, a_running_call_sees_its_cancel)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    worker_rig_simple_call(&rig, 1, "hold");
    worker_rig_simple_call(&rig, 2, "hold");
    worker_rig_await_started(&rig, 2);
    worker_rig_command(&rig, WIRE_CANCEL, 2);
    worker_rig_expect_for(&rig, WIRE_ERROR, 2);
    cr_expect_error(DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
}

Test(pool, drain_gives_back_what_waits_and_finishes_the_rest)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    send_to_gate(1, 6);
    worker_rig_await_started(&rig, 4);
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    cr_expect_eq(collect(WIRE_ERROR, 2), 0x60);
    cr_expect_error(DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    int fd = worker_rig_open_gate(gate, 4);
    cr_expect_eq(collect(WIRE_REPLY, 4), 0x1e);
    worker_rig_expect(&rig, WIRE_DRAINED);
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
    close(fd);
}

Test(pool, a_lost_session_waits_for_running_calls_and_then_greets_again)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    send_to_gate(1, 6);
    worker_rig_await_started(&rig, 4);
    worker_rig_sync(&rig); /* 5 and 6 wait in the worker now */
    worker_rig_command(&rig, WIRE_HELLO_FIRST, 0);
    worker_rig_command(&rig, WIRE_PING, 1); /* of the lost session: no answer, but a line */
    worker_rig_await_output(&rig, "a command out of place");
    int fd = worker_rig_open_gate(gate, 4);
    worker_rig_expect(&rig, WIRE_HELLO); /* no answer of the lost session came before */
    rig.session = 5;
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    worker_rig_simple_call(&rig, 7, "configured");
    worker_rig_expect_for(&rig, WIRE_REPLY, 7);
    cr_expect_eq(worker_rig_reply_number(&rig, "times"), 2);
    close(fd);
}

Test(pool, many_quick_calls_are_all_answered_once)
{
    static bool answered[2001];

    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    for (uint64_t call = 1; call <= 2000; call++)
        worker_rig_simple_call(&rig, call, "nothing");
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t call = worker_rig_expect(&rig, WIRE_REPLY)->header.call;
        cr_assert(call >= 1 && call <= 2000 && !answered[call]);
        answered[call] = true;
    }
    cr_expect_eq(worker_rig_started(&rig), 2000);
}
