/* test_session.c - opening a session, losing it, opening it again */
#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(session, .init = set_up, .fini = tear_down, .timeout = 60);

Test(session, hello_says_what_the_driver_is_and_proves_it_with_the_token)
{
    struct wire_hello hello;

    worker_rig_start(&rig, RIG_DRIVER_4, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    cr_assert_eq(rig.message.header.session, 0);
    cr_assert_eq(wire_hello_decode(rig.message.document, &hello, NULL), DROVER_OK);
    cr_expect_eq(hello.role, WIRE_ROLE_WORKER);
    cr_expect_eq(hello.version_min, WIRE_VERSION);
    cr_expect_eq(hello.version_max, WIRE_VERSION);
    cr_expect_neq(hello.instance, 0);
    cr_expect_text(hello.interface, "rig");
    cr_expect_text(hello.interface_version, "2.1.0");
    cr_expect_text(hello.driver, "rig");
    cr_expect_text(hello.driver_version, "0.9");
    cr_expect_text(hello.software, "drover " DROVER_VERSION);
    cr_expect_text(hello.name, "worker_rig_driver_4");
    cr_expect_eq(hello.concurrency, 4);
    cr_expect(hello.has_token);
    cr_expect_arr_eq(hello.token, rig.page->token, WIRE_TOKEN_SIZE);
}

Test(session, hello_lists_the_methods_and_which_may_be_repeated)
{
    struct wire_hello hello;
    const struct drover_value *method;
    bool idempotent = false;

    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    cr_assert_eq(wire_hello_decode(rig.message.document, &hello, NULL), DROVER_OK);
    cr_assert_eq(drover_value_count(hello.methods), 8);
    method = drover_value_at(hello.methods, 0);
    cr_expect_text(drover_value_get_text(method, "name", ""), "gate");
    cr_expect(drover_value_bool(drover_value_get(method, "idempotent"), &idempotent) && !idempotent);
    method = drover_value_at(hello.methods, 2);
    cr_expect_text(drover_value_get_text(method, "name", ""), "big");
    cr_expect(drover_value_bool(drover_value_get(method, "idempotent"), &idempotent) && idempotent);
}

Test(session, ready_bears_the_session_of_welcome)
{
    rig.session = 0xfeedbeefcafe;
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    cr_expect_eq(rig.message.header.session, 0xfeedbeefcafe);
}

Test(session, refused_settings_end_the_worker_with_78_and_the_reason)
{
    struct drover_writer *settings = worker_rig_map_string("refuse", "users: no such file");

    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, &(struct worker_rig_welcome){.settings = settings});
    worker_rig_expect(&rig, WIRE_CONFIG_ERROR);
    cr_expect_eq(rig.message.header.session, WORKER_RIG_SESSION);
    cr_expect_eq(rig.message.header.status, DROVER_INVALID_ARGUMENT);
    cr_expect_text(rig.message.header.text, "users: no such file");
    cr_expect_eq(worker_rig_exit_status(&rig), 78);
    cr_expect(strstr(rig.output, "users: no such file"), "%s", rig.output);
    drover_writer_free(settings);
}

Test(session, a_status_of_configure_that_is_none_becomes_internal)
{
    struct drover_writer *settings = worker_rig_map_number("odd_status", 99);

    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, &(struct worker_rig_welcome){.settings = settings});
    worker_rig_expect(&rig, WIRE_CONFIG_ERROR);
    cr_expect_eq(rig.message.header.status, DROVER_INTERNAL);
    cr_expect_eq(worker_rig_exit_status(&rig), 78);
    drover_writer_free(settings);
}

Test(session, refused_for_good_ends_the_worker_with_78_and_the_reason)
{
    struct wire_header refused = {
        .command = WIRE_REFUSED,
        .flags = FIELD_STATUS,
        .status = DROVER_PERMISSION_DENIED,
        .text = {"this token is not known", 23},
    };

    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_send(&rig, &refused, NULL, 0);
    cr_expect_eq(worker_rig_exit_status(&rig), 78);
    cr_expect(strstr(rig.output, "this token is not known"), "%s", rig.output);
}

Test(session, refused_for_a_while_makes_it_greet_again)
{
    struct wire_header refused = {
        .command = WIRE_REFUSED, .flags = FIELD_STATUS, .status = DROVER_UNAVAILABLE, .retry_after_ms = 20};

    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_send(&rig, &refused, NULL, 0);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
}

Test(session, hello_first_makes_it_greet_again_and_configure_anew)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_command(&rig, WIRE_HELLO_FIRST, 0);
    worker_rig_expect(&rig, WIRE_HELLO);
    rig.session = 77;
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    cr_expect_eq(rig.message.header.session, 77);
    worker_rig_simple_call(&rig, 1, "configured");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_eq(worker_rig_reply_number(&rig, "times"), 2);
}

Test(session, calls_of_a_lost_session_are_neither_run_nor_answered)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "hold");
    worker_rig_await_started(&rig, 1);
    worker_rig_simple_call(&rig, 2, "nothing");
    worker_rig_command(&rig, WIRE_HELLO_FIRST, 0); /* also ends `hold`: nobody waits for it any more */
    worker_rig_expect(&rig, WIRE_HELLO);
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(session, hello_first_for_another_session_changes_nothing)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_send(&rig, &(struct wire_header){.command = WIRE_HELLO_FIRST, .session = 3}, NULL, 0);
    worker_rig_sync(&rig);
}

Test(session, the_driver_is_released_before_the_end)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_command(&rig, WIRE_BYE, 0);
    cr_expect_eq(worker_rig_exit_status(&rig), 0);
    cr_expect(strstr(rig.output, "info: released as one line\n"), "%s", rig.output);
}

Test(session, the_broker_may_come_after_the_worker)
{
    zmq_unbind(rig.router, rig.endpoint);
    worker_rig_start(&rig, RIG_DRIVER, NULL);
    cr_assert_eq(zmq_bind(rig.router, rig.endpoint), 0);
    worker_rig_expect(&rig, WIRE_HELLO);
}

Test(session, a_welcome_that_is_none_ends_the_worker)
{
    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_send(&rig, &(struct wire_header){.command = WIRE_WELCOME}, "\xc1", 1);
    cr_expect_eq(worker_rig_exit_status(&rig), 70);
}
