/* test_echo.c - the driver echo, method by method */
#include <signal.h>
#include <unistd.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(echo, .init = set_up, .fini = tear_down, .timeout = 60);

/* Call `method` with the map in `request` (taken). */
static void call(const char *method, struct drover_writer *request)
{
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = method, .request = request});
    drover_writer_free(request);
}

Test(echo, answers_the_payload)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("echo", worker_rig_map_string("payload", "h\xc3\xa9, there"));
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_text(worker_rig_reply_text(&rig, "payload"), "h\xc3\xa9, there");
}

Test(echo, refuses_a_payload_that_is_no_string)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("echo", worker_rig_map_number("payload", 5));
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(echo, fails_as_it_is_told)
{
    struct drover_writer *request = drover_writer_new();

    drover_write_map(request, 2);
    drover_write_string(request, "status");
    drover_write_string(request, "NOT_FOUND");
    drover_write_string(request, "message");
    drover_write_string(request, "no such thing");
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("fail", request);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_expect_text(rig.message.header.text, "no such thing");
}

Test(echo, refuses_to_fail_with_what_is_no_error)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("fail", worker_rig_map_string("status", "OK"));
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    worker_rig_call(&rig,
                    &(struct worker_rig_call){.call = 2, .method = "fail", .raw_body = {"\x81\xa6status\xa3huh", 12}});
    worker_rig_expect_for(&rig, WIRE_ERROR, 2);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(echo, sleeps_and_answers)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("sleep", worker_rig_map_number("ms", 25));
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
}

Test(echo, is_woken_by_a_cancel)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("sleep", worker_rig_map_number("ms", 3600000));
    worker_rig_await_started(&rig, 1);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(echo, exits_in_the_middle_of_the_call)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("exit", worker_rig_map_number("code", 42));
    cr_expect_eq(worker_rig_exit_status(&rig), 42);
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(echo, aborts_in_the_middle_of_the_call)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "abort");
    cr_expect_eq(worker_rig_exit_status(&rig), 1000 + SIGABRT);
}

Test(echo, prints_a_line)
{
    worker_rig_serve(&rig, ECHO_DRIVER, NULL);
    call("log", worker_rig_map_string("line", "hear, hear"));
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    worker_rig_await_output(&rig, "hear, hear\n");
}

Test(echo, says_who_it_is)
{
    struct drover_writer *settings = worker_rig_map_string("version", "v2");
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    worker_rig_serve(&rig, ECHO_DRIVER,
                     &(struct worker_rig_welcome){.generation = 7, .artefact = "abcdef", .settings = settings});
    worker_rig_simple_call(&rig, 1, "whoami");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_eq(worker_rig_reply_number(&rig, "pid"), (uint64_t)rig.pid);
    cr_expect_eq(worker_rig_reply_number(&rig, "generation"), 7);
    cr_expect_text(worker_rig_reply_text(&rig, "host"), host);
    cr_expect_text(worker_rig_reply_text(&rig, "artefact"), "abcdef");
    cr_expect_text(worker_rig_reply_text(&rig, "version"), "v2");
    drover_writer_free(settings);
}

Test(echo, refuses_a_setting_it_does_not_know)
{
    struct drover_writer *settings = worker_rig_map_string("versoin", "v2");

    worker_rig_start(&rig, ECHO_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, &(struct worker_rig_welcome){.settings = settings});
    worker_rig_expect(&rig, WIRE_CONFIG_ERROR);
    cr_expect_text(rig.message.header.text, "setting 'versoin' is not known (there is one: 'version')");
    cr_expect_eq(worker_rig_exit_status(&rig), 78);
    drover_writer_free(settings);
}
