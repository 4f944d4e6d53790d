/* test_calls.c - what becomes of a call in a worker that runs one at a time */
#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(calls, .init = set_up, .fini = tear_down, .timeout = 60);

static void call_with_number(uint64_t call, const char *method, const char *key, uint64_t number)
{
    struct drover_writer *request = worker_rig_map_number(key, number);

    worker_rig_call(&rig, &(struct worker_rig_call){.call = call, .method = method, .request = request});
    drover_writer_free(request);
}

Test(calls, are_answered_in_order_and_counted_in_the_start_word)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    for (uint64_t call = 100; call < 200; call++)
        worker_rig_simple_call(&rig, call, "nothing");
    for (uint64_t call = 100; call < 200; call++)
        worker_rig_expect_for(&rig, WIRE_REPLY, call);
    cr_expect_eq(worker_rig_started(&rig), 100);
}

Test(calls, a_method_that_writes_nothing_answers_an_empty_map)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_assert(rig.message.has_body);
    cr_expect_eq(drover_value_type(drover_document_root(rig.message.document)), DROVER_TYPE_MAP);
    cr_expect_eq(drover_value_count(drover_document_root(rig.message.document)), 0);
}

Test(calls, the_driver_sees_service_method_metadata_and_time_left)
{
    struct drover_writer *metadata = worker_rig_map_string("user", "marie");
    struct worker_rig_call call = {.call = 1,
                                   .service = "other",
                                   .method = "seen",
                                   .has_deadline = true,
                                   .deadline_ms = 60000,
                                   .metadata = metadata};

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig, &call);
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_text(worker_rig_reply_text(&rig, "method"), "seen");
    cr_expect_text(worker_rig_reply_text(&rig, "service"), "other");
    cr_expect_text(worker_rig_reply_text(&rig, "own_service"), "unit");
    const struct drover_value *seen = drover_value_get(drover_document_root(rig.message.document), "metadata");
    cr_expect_text(drover_value_get_text(seen, "user", ""), "marie");
    cr_expect_leq(worker_rig_reply_number(&rig, "left_ms"), 60000);
    cr_expect_gt(worker_rig_reply_number(&rig, "left_ms"), 0);
    drover_writer_free(metadata);
}

Test(calls, without_a_body_the_request_is_an_empty_map)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "seen");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    const struct drover_value *reply = drover_document_root(rig.message.document);
    cr_expect_eq(drover_value_type(drover_value_get(reply, "request")), DROVER_TYPE_MAP);
    cr_expect_eq(drover_value_type(drover_value_get(reply, "metadata")), DROVER_TYPE_NIL);
    cr_expect_eq(worker_rig_reply_number(&rig, "left_ms"), UINT32_MAX);
}

Test(calls, the_driver_inherits_nothing_of_its_host)
{
    bool inherited = true;

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "seen");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    drover_value_bool(drover_value_get(drover_document_root(rig.message.document), "inherited"), &inherited);
    cr_expect_not(inherited);
}

Test(calls, an_unknown_method_is_unimplemented_and_the_nearest_is_named)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "nothin");
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_UNIMPLEMENTED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    cr_expect_text(rig.message.header.text, "driver 'rig' has no method 'nothin' (nearest: 'nothing')");
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(calls, a_malformed_request_is_an_invalid_argument)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig,
                    &(struct worker_rig_call){.call = 1, .method = "nothing", .raw_body = {"\xdd\xff\xff\xff\xff", 5}});
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    worker_rig_simple_call(&rig, 2, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
}

Test(calls, a_request_that_is_no_map_is_an_invalid_argument)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "nothing", .raw_body = {"\x05", 1}});
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    cr_expect_text(rig.message.header.text, "request: it is integer, not a map");
}

Test(calls, malformed_metadata_is_an_invalid_argument)
{
    struct drover_writer *metadata = drover_writer_new();

    drover_write_map(metadata, 9);
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "nothing", .metadata = metadata});
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    drover_writer_free(metadata);
}

Test(calls, a_reply_beyond_max_body_is_not_sent)
{
    worker_rig_serve(&rig, RIG_DRIVER, &(struct worker_rig_welcome){.max_body = 1000});
    call_with_number(1, "big", "size", 2000);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    call_with_number(2, "big", "size", 900);
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
    cr_expect_eq(worker_rig_reply_text(&rig, "text").size, 900);
}

Test(calls, large_replies_arrive_whole_one_after_the_other)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    for (uint64_t call = 1; call <= 8; call++)
        call_with_number(call, "big", "size", 200000 * call);
    for (uint64_t call = 1; call <= 8; call++) {
        worker_rig_expect_for(&rig, WIRE_REPLY, call);
        struct drover_text text = worker_rig_reply_text(&rig, "text");
        cr_assert_eq(text.size, 200000 * call);
        cr_expect_eq(text.data[text.size - 1], 'b');
    }
}

Test(calls, a_status_that_is_none_becomes_internal)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    call_with_number(1, "status", "status", 99);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_INTERNAL, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
}

Test(calls, a_status_without_a_text_is_the_drivers_answer)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    call_with_number(1, "status", "status", DROVER_DATA_LOSS);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_DATA_LOSS, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_expect_text(rig.message.header.text, "");
}

Test(calls, a_failure_stands_even_when_the_method_then_returns_ok)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "fail_and_forget");
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_ABORTED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_expect_text(rig.message.header.text, "half way");
}

Test(calls, one_whose_time_is_over_is_not_started_but_counted)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "nothing", .has_deadline = true});
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(calls, one_cancelled_while_it_waits_is_not_started_but_counted)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "hold");
    worker_rig_await_started(&rig, 1);
    worker_rig_simple_call(&rig, 2, "nothing");
    worker_rig_simple_call(&rig, 3, "nothing");
    worker_rig_command(&rig, WIRE_CANCEL, 2);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_error(DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    worker_rig_expect_for(&rig, WIRE_ERROR, 2);
    cr_expect_error(DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_HOST);
    worker_rig_expect_for(&rig, WIRE_REPLY, 3);
    cr_expect_eq(worker_rig_started(&rig), 3);
}

Test(calls, the_deadline_of_a_running_one_is_seen_by_the_driver)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_call(&rig,
                    &(struct worker_rig_call){.call = 1, .method = "hold", .has_deadline = true, .deadline_ms = 600});
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
    cr_expect_text(rig.message.header.text, "let go, 0 ms left");
}

Test(calls, ping_is_answered_by_a_driver_that_looks)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "hold");
    worker_rig_await_started(&rig, 1);
    worker_rig_sync(&rig);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_expect_for(&rig, WIRE_ERROR, 1);
}

Test(calls, a_cancel_for_a_call_that_ended_is_no_matter)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_simple_call(&rig, 1, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    worker_rig_command(&rig, WIRE_CANCEL, 1);
    worker_rig_simple_call(&rig, 2, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 2);
    cr_expect_null(strstr(rig.output, "threw away"));
}

Test(calls, without_a_page_calls_are_served_as_well)
{
    rig.page->magic = 0; /* the worker would refuse this page; it is not shown to it */
    worker_rig_start(&rig, "/usr/bin/env", (const char *const[]){"--unset=" WORKER_ENV_PAGE, RIG_DRIVER, NULL});
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    worker_rig_simple_call(&rig, 1, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_eq(worker_rig_started(&rig), 0);
}
