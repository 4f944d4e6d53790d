/* test_limits.c - deadline, cancel, and what a service takes at most: each refusal is told at once and says how it is
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

static struct broker_rig rig;
static struct caller caller;

static void start(const char *services)
{
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
}

static void end(void)
{
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(limits, .fini = end);

static struct caller_request sleep_ms(uint64_t ms, uint32_t deadline_ms)
{
    return (struct caller_request){
        .service = "echo", .method = "sleep", .key = "ms", .number = ms, .deadline_ms = deadline_ms};
}

static void send_sleep(uint64_t ms, uint32_t deadline_ms)
{
    const struct caller_request request = sleep_ms(ms, deadline_ms);
    caller_send(&caller, &request);
}

static void expect_end(size_t index, enum drover_status status, enum drover_outcome outcome)
{
    const struct drover_error *error = &caller_end_of(&caller, index)->error;
    cr_expect_eq(error->status, status, "call %zu: %s: %s", index, drover_status_name(error->status), error->text);
    cr_expect_eq(error->outcome, outcome, "call %zu: %s", index, drover_outcome_name(error->outcome));
}

static uint64_t took_ms(size_t index)
{
    const struct caller_end *ended = caller_end_of(&caller, index);
    return (ended->ended_us - ended->sent_us) / 1000;
}

Test(limits, a_deadline_says_whether_the_call_had_begun)
{
    start("  echo: {driver: echo}");
    send_sleep(20000, 300); /* begun */
    send_sleep(20000, 300); /* behind it */
    caller_take_all(&caller);
    expect_end(0, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN);
    expect_end(1, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED);
    printf("deadlines of 300 ms told after %d and %d ms\n", (int)took_ms(0), (int)took_ms(1));
    cr_expect_geq(took_ms(0) + 1, 300, "clocks of whole milliseconds");
    cr_expect_eq(caller_ask_pid(&caller, "echo") > 0, true, "the sleeper has noticed and goes on");
}

Test(limits, a_service_has_a_deadline_of_its_own)
{
    start("  echo: {driver: echo, deadline: 200ms}");
    struct caller_request request = sleep_ms(20000, 0);
    caller_send(&caller, &request);
    caller_take_all(&caller);
    expect_end(0, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN);
}

Test(limits, cancel_frees_the_worker)
{
    start("  echo: {driver: echo}");
    send_sleep(20000, 25000);
    send_sleep(20000, 25000);
    send_sleep(1, 25000);
    /* A question on another connection is answered when the calls before it have come. */
    struct broker_rig_service service;
    for (size_t i = 0; i < 100 && caller_take(&caller, 10, NULL); i++)
        ;
    broker_rig_look(&rig, "echo", &service);
    caller_cancel(&caller, 1);
    caller_cancel(&caller, 0);
    caller_take_all(&caller);
    expect_end(0, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN);
    expect_end(1, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED);
    expect_end(2, DROVER_OK, DROVER_OUTCOME_ANSWERED);
    printf("cancelled calls told after %d and %d ms, the next answered after %d ms\n", (int)took_ms(0), (int)took_ms(1),
           (int)took_ms(2));
    cr_expect_lt(took_ms(2), 10000, "the worker slept on");
}

/* Send `count` calls and take their outcomes: what is accepted is answered, the rest refused with a time to come back.
 */
static size_t overflow(const struct caller_request *request, size_t count, const char *what)
{
    size_t refused = 0;

    for (size_t i = 0; i < count; i++)
        caller_send(&caller, request);
    caller_take_all(&caller);
    for (size_t i = 0; i < count; i++) {
        const struct drover_error *error = &caller_end_of(&caller, i)->error;
        if (error->status == DROVER_OK)
            continue;
        expect_end(i, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_NOT_STARTED);
        cr_expect_gt(error->retry_after_ms, 0, "%s", error->text);
        cr_expect(strstr(error->text, what) != NULL, "%s", error->text);
        if (refused++ == 0)
            printf("refused: %s (retry after %u ms)\n", error->text, error->retry_after_ms);
    }
    return refused;
}

Test(limits, a_full_queue_says_when_to_come_back)
{
    start("  echo: {driver: echo, queue: {calls: 8}}");
    const struct caller_request request = sleep_ms(20, 0);
    const size_t refused = overflow(&request, 64, "queue");
    cr_expect_geq(refused, 64 - 8 - 4, "%zu", refused);
    cr_expect_leq(refused, 64 - 4, "%zu", refused);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0, "there is room again");
}

Test(limits, bytes_are_counted_too)
{
    static char payload[20 * 1024];
    start("  echo: {driver: echo, queue: {bytes: 64KiB}}\n");
    memset(payload, 'x', sizeof(payload) - 1);
    const struct caller_request blocker = sleep_ms(100, 0);
    const struct caller_request request = {.service = "echo", .method = "echo", .key = "payload", .string = payload};
    caller_send(&caller, &blocker);
    const size_t refused = overflow(&request, 15, "bytes");
    cr_expect_geq(refused, 11, "%zu", refused);
    cr_expect_leq(refused, 12, "%zu", refused);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0, "there is room again");
}

Test(limits, a_request_has_a_greatest_size)
{
    static char payload[2048];
    struct drover_error error;
    start("  echo: {driver: echo, max_body: 1KiB}");
    memset(payload, 'x', sizeof(payload) - 1);
    const struct caller_request request = {.service = "echo", .method = "echo", .key = "payload", .string = payload};
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_RESOURCE_EXHAUSTED);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect(strstr(error.text, "max_body") != NULL, "%s", error.text);
    payload[900] = '\0';
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_OK);
}

Test(limits, a_reply_has_a_greatest_size)
{
    struct drover_error error;
    start("  unruly: {driver: " DROVER_BINARY_DIR "/tests/unruly_driver, max_body: 1KiB}");
    struct caller_request request = {.service = "unruly", .method = "flood", .key = "size", .number = 2000};
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_RESOURCE_EXHAUSTED);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_ANSWERED);
    cr_expect_eq(error.origin, DROVER_ORIGIN_HOST, "%s", drover_origin_name(error.origin));
    request.number = 1000;
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_OK);
}

/* The default of 16 MiB, and a megabyte more than that. */
Test(limits, sixteen_mebibytes_pass_and_more_do_not)
{
    struct drover_error error;
    start("  unruly: {driver: " DROVER_BINARY_DIR "/tests/unruly_driver}");
    struct caller_request request = {
        .service = "unruly", .method = "flood", .key = "size", .number = (16 << 20) - 16, .deadline_ms = 20000};
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_OK, "%s", error.text);
    request.number = 17 << 20;
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_RESOURCE_EXHAUSTED, "%s", error.text);
    request.number = 1;
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_OK, "%s", error.text);
}
