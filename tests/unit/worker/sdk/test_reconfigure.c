/* test_reconfigure.c - new settings between two calls, and calls that ask for nothing */
#include <unistd.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(reconfigure, .init = set_up, .fini = tear_down, .timeout = 60);

static void send_value(uint64_t call, uint64_t value)
{
    struct drover_writer *settings = worker_rig_map_number("value", value);

    worker_rig_reconfigure(&rig, call, settings);
    drover_writer_free(settings);
}

/* The driver tells which value it has, and how often it was given settings. */
static void expect_value(uint64_t call, uint64_t value, uint64_t times)
{
    worker_rig_simple_call(&rig, call, "configured");
    worker_rig_expect_for(&rig, WIRE_REPLY, call);
    cr_expect_eq(worker_rig_reply_number(&rig, "value"), value);
    cr_expect_eq(worker_rig_reply_number(&rig, "times"), times);
}

static bool says_that_it_can(const char *program)
{
    struct wire_hello hello;

    worker_rig_start(&rig, program, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    cr_assert_eq(wire_hello_decode(rig.message.document, &hello, NULL), DROVER_OK);
    return hello.reconfigures;
}

Test(reconfigure, a_driver_that_can_says_so)
{
    cr_expect(says_that_it_can(RIG_DRIVER));
}

Test(reconfigure, a_driver_that_cannot_says_nothing)
{
    cr_expect_not(says_that_it_can(ECHO_DRIVER));
}

Test(reconfigure, a_driver_with_an_older_table_is_served_and_cannot)
{
    cr_expect_not(says_that_it_can(RIG_DRIVER_OLD));
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    send_value(1, 7);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_UNIMPLEMENTED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    expect_value(2, 0, 1);
}

Test(reconfigure, new_settings_are_in_force_for_the_next_call)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    expect_value(1, 0, 1);
    send_value(2, 7);
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
    expect_value(3, 7, 2);
    cr_expect_eq(worker_rig_started(&rig), 3);
}

Test(reconfigure, refused_settings_change_nothing_and_the_reason_is_told)
{
    struct drover_writer *settings = worker_rig_map_string("refuse", "users: no such file");

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_reconfigure(&rig, 1, settings);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_expect_text(rig.message.header.text, "users: no such file");
    expect_value(2, 0, 1);
    drover_writer_free(settings);
}

Test(reconfigure, a_status_that_is_none_becomes_internal)
{
    struct drover_writer *settings = worker_rig_map_number("odd_status", 99);

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_reconfigure(&rig, 1, settings);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INTERNAL, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    drover_writer_free(settings);
}

Test(reconfigure, settings_that_are_no_map_are_refused)
{
    struct drover_writer *settings = drover_writer_new();

    drover_write_uint64(settings, 1);
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_reconfigure(&rig, 1, settings);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    worker_rig_reconfigure(&rig, 2, NULL);
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
    drover_writer_free(settings);
}

Test(reconfigure, waits_for_every_running_call_and_what_comes_waits_for_it)
{
    char gate[128], lock[128];

    worker_rig_make_gate(&rig, "gate", gate);
    worker_rig_make_gate(&rig, "lock", lock);
    struct drover_writer *request = worker_rig_map_string("path", gate);
    struct drover_writer *settings = worker_rig_map_string("path", lock);
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    for (uint64_t call = 1; call <= 2; call++)
        worker_rig_call(&rig, &(struct worker_rig_call){.call = call, .method = "gate", .request = request});
    worker_rig_await_started(&rig, 2);
    worker_rig_reconfigure(&rig, 3, settings);
    worker_rig_simple_call(&rig, 4, "configured");
    worker_rig_sync(&rig);
    cr_expect_eq(worker_rig_started(&rig), 2, "two executors are free, but methods run");
    int fd = worker_rig_open_gate(gate, 2);
    worker_rig_expect(&rig, WIRE_REPLY);
    worker_rig_expect(&rig, WIRE_REPLY);
    worker_rig_await_started(&rig, 3);
    worker_rig_sync(&rig);
    cr_expect_eq(worker_rig_started(&rig), 3, "three executors are free, but settings are taken");
    int lock_fd = worker_rig_open_gate(lock, 1);
    worker_rig_expect_for(&rig, WIRE_REPLY, 3);
    worker_rig_expect_for(&rig, WIRE_REPLY, 4);
    cr_expect_eq(worker_rig_reply_number(&rig, "times"), 2);
    close(fd);
    close(lock_fd);
    drover_writer_free(request);
    drover_writer_free(settings);
}

Test(reconfigure, several_settings_in_a_row_are_taken_one_after_the_other)
{
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    for (uint64_t call = 1; call <= 20; call++)
        send_value(call, call);
    for (uint64_t call = 1; call <= 20; call++)
        worker_rig_expect_for(&rig, WIRE_REPLY, call);
    expect_value(21, 20, 21);
}

Test(reconfigure, settings_are_given_back_by_a_worker_that_drains)
{
    struct drover_writer *request;
    char gate[128];

    worker_rig_make_gate(&rig, "gate", gate);
    request = worker_rig_map_string("path", gate);
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "gate", .request = request});
    worker_rig_await_started(&rig, 1);
    send_value(2, 7);
    worker_rig_command(&rig, WIRE_DRAIN, 0);
    worker_rig_expect_for(&rig, WIRE_ERROR, 2);
    cr_expect_error(DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    int fd = worker_rig_open_gate(gate, 1);
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    worker_rig_expect(&rig, WIRE_DRAINED);
    close(fd);
    drover_writer_free(request);
}

/* ---- calls that ask for nothing ---- */

Test(reconfigure, a_call_that_asks_for_nothing_is_answered_whatever_its_body_is)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, WIRE_NO_METHOD);
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 2, .method = WIRE_NO_METHOD, .raw_body = {"\xc1", 1}});
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
    cr_expect_eq(worker_rig_started(&rig), 2);
}

Test(reconfigure, a_call_that_asks_for_nothing_waits_for_a_free_executor)
{
    char gate[128];

    worker_rig_make_gate(&rig, "gate", gate);
    struct drover_writer *request = worker_rig_map_string("path", gate);
    worker_rig_serve(&rig, RIG_DRIVER_4, NULL);
    for (uint64_t call = 1; call <= 4; call++)
        worker_rig_call(&rig, &(struct worker_rig_call){.call = call, .method = "gate", .request = request});
    worker_rig_simple_call(&rig, 5, WIRE_NO_METHOD);
    worker_rig_await_started(&rig, 4);
    worker_rig_sync(&rig);
    cr_expect_eq(worker_rig_started(&rig), 4);
    int fd = worker_rig_open_gate(gate, 4);
    for (unsigned i = 0; i < 5; i++)
        worker_rig_expect(&rig, WIRE_REPLY);
    close(fd);
    drover_writer_free(request);
}
