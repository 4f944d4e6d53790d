/* test_outcomes.c - the outcome table of ARCHITECTURE.md, row by row, column by column */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/core_rig.h"

/* The outcome that a client was told, and that it was told no other. */
static const struct rig_effect *only_outcome(struct rig *rig, const struct rig_peer *client, uint64_t call)
{
    const struct rig_effect *told = rig_take(rig, client->peer);
    while (told != NULL && told->header.command == WIRE_PING)
        told = rig_take(rig, client->peer);
    cr_assert_not_null(told, "no outcome");
    cr_assert(told->header.command == WIRE_REPLY || told->header.command == WIRE_ERROR);
    cr_assert_eq(told->header.call, call);
    cr_assert_eq(told->header.session, client->session);
    cr_assert_null(rig_take_command(rig, client->peer, WIRE_REPLY), "two outcomes");
    cr_assert_null(rig_take_command(rig, client->peer, WIRE_ERROR), "two outcomes");
    return told;
}

static void expect_error(struct rig *rig, const struct rig_peer *client, uint64_t call, enum drover_status status,
                         enum drover_outcome outcome, enum drover_origin origin)
{
    const struct rig_effect *told = only_outcome(rig, client, call);
    cr_assert_eq(told->header.command, WIRE_ERROR);
    cr_assert_eq(told->header.status, status, "%s: %.*s", drover_status_name(told->header.status),
                 (int)told->header.text.size, told->header.text.data);
    cr_assert_eq(told->header.outcome, outcome, "%s", drover_outcome_name(told->header.outcome));
    cr_assert_eq(told->header.origin, origin, "%s", drover_origin_name(told->header.origin));
    cr_assert_gt(told->header.text.size, (size_t)0);
}

static uint64_t calls_open(const struct rig *rig)
{
    struct core_stats stats;
    core_stats(rig->core, &stats);
    return stats.calls_open;
}

static uint64_t late_frames(const struct rig *rig)
{
    struct core_stats stats;
    core_stats(rig->core, &stats);
    return stats.late;
}

/* A rig with service "echo" and one client; the workers are the test's. */
static struct rig_peer echo_rig(struct rig *rig)
{
    rig_new(rig);
    rig_service(rig, "echo");
    return rig_client(rig, 1);
}

static const struct rig_effect *given_to(struct rig *rig, const struct rig_peer *worker)
{
    const struct rig_effect *given = rig_take_command(rig, worker->peer, WIRE_CALL);
    cr_assert_not_null(given, "the worker was given no call");
    return given;
}

/* ---- reply, or driver's error ---- */

Test(outcomes, a_reply_is_told_with_its_body)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    rig_reply(&rig, &worker, given_to(&rig, &worker), 123);
    const struct rig_effect *told = only_outcome(&rig, &client, 7);
    cr_assert_eq(told->header.command, WIRE_REPLY);
    cr_assert_eq(told->body_size, (size_t)123);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_call_reaches_the_worker_whole)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    const char metadata[] = {(char)0x81, (char)0xa1, 'k', 'v' & 0x7f};
    const struct rig_request request = {.method = "get",
                                        .metadata = metadata,
                                        .metadata_size = sizeof(metadata),
                                        .has_deadline = true,
                                        .deadline_ms = 700,
                                        .idempotent = true,
                                        .body_size = 99};
    rig_call(&rig, &client, 7, &request);
    const struct rig_effect *given = given_to(&rig, &worker);
    cr_assert_eq(given->header.session, worker.session);
    cr_assert_eq(given->header.sequence, UINT64_C(1));
    cr_assert_eq(given->header.deadline_ms, 700u);
    cr_assert(given->header.flags & WIRE_IDEMPOTENT);
    cr_assert(drover_text_equals(given->header.service, "echo"));
    cr_assert(drover_text_equals(given->header.method, "get"));
    cr_assert_eq(given->header.metadata.size, sizeof(metadata));
    cr_assert_arr_eq(given->header.metadata.data, metadata, sizeof(metadata));
    cr_assert_eq(given->body_size, (size_t)99);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, long_metadata_is_passed_on_too)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    char metadata[WIRE_METADATA_MAX];
    memset(metadata, 'm', sizeof(metadata));
    const struct rig_request request = {.metadata = metadata, .metadata_size = sizeof(metadata)};
    rig_call(&rig, &client, 7, &request);
    const struct rig_effect *given = given_to(&rig, &worker);
    cr_assert_eq(given->header.metadata.size, sizeof(metadata));
    cr_assert_arr_eq(given->header.metadata.data, metadata, sizeof(metadata));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_drivers_error_is_an_answer)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    rig_fail(&rig, &worker, given_to(&rig, &worker), DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    expect_error(&rig, &client, 7, DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    rig_call(&rig, &client, 8, NULL);
    given_to(&rig, &worker); /* an error closes nothing */
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_drivers_own_unavailable_is_an_answer_and_is_not_sent_again)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    rig_fail(&rig, &worker, given_to(&rig, &worker), DROVER_UNAVAILABLE, DROVER_OUTCOME_ANSWERED);
    expect_error(&rig, &client, 7, DROVER_UNAVAILABLE, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    cr_assert_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_second_answer_is_late)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    const struct rig_effect *given = given_to(&rig, &worker);
    rig_reply(&rig, &worker, given, 1);
    rig_reply(&rig, &worker, given, 1);
    rig_fail(&rig, &worker, given, DROVER_INTERNAL, DROVER_OUTCOME_ANSWERED);
    cr_assert_eq(only_outcome(&rig, &client, 7)->header.command, WIRE_REPLY);
    cr_assert_eq(late_frames(&rig), UINT64_C(2));
    cr_assert_null(rig_take(&rig, worker.peer), "late is no error");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_reply_above_max_body_is_told_as_such)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    rig_reply(&rig, &worker, given_to(&rig, &worker), 16 * 1024 + 1);
    expect_error(&rig, &client, 7, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_HOST);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- deadline ---- */

Test(outcomes, deadline_of_a_queued_call_is_not_started)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_request request = {.has_deadline = true, .deadline_ms = 300};
    rig_call(&rig, &client, 7, &request);
    rig_advance(&rig, 299);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_ERROR), "too early");
    rig_advance(&rig, 1);
    expect_error(&rig, &client, 7, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, deadline_of_a_leased_call_is_unknown_and_the_worker_is_told)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    const struct rig_effect *given = given_to(&rig, &worker);
    rig_advance(&rig, 1000);
    expect_error(&rig, &client, 7, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
    const struct rig_effect *cancel = rig_take_command(&rig, worker.peer, WIRE_CANCEL);
    cr_assert_not_null(cancel);
    cr_assert_eq(cancel->header.call, given->header.call);
    cr_assert_eq(calls_open(&rig), UINT64_C(1), "the lease stays until the worker says so");
    rig_reply(&rig, &worker, given, 10);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_REPLY), "the answer came too late");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_deadline_that_was_over_on_arrival_is_not_started)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 1);
    const struct rig_request request = {.has_deadline = true, .deadline_ms = 0};
    rig_call(&rig, &client, 7, &request);
    expect_error(&rig, &client, 7, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- CANCEL, or the client is gone ---- */

Test(outcomes, cancel_of_a_queued_call_is_not_started)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 7, NULL);
    rig_say(&rig, &client, WIRE_CANCEL, 7);
    expect_error(&rig, &client, 7, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    cr_assert_null(rig_take(&rig, worker.peer), "nobody gets it any more");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, cancel_of_a_leased_call_is_unknown_at_once_and_forwarded)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    const struct rig_effect *given = given_to(&rig, &worker);
    rig_say(&rig, &client, WIRE_CANCEL, 7);
    expect_error(&rig, &client, 7, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
    const struct rig_effect *cancel = rig_take_command(&rig, worker.peer, WIRE_CANCEL);
    cr_assert_not_null(cancel);
    cr_assert_eq(cancel->header.call, given->header.call);
    rig_fail(&rig, &worker, given, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_null(rig_take(&rig, client.peer));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, cancel_after_the_outcome_is_late)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    rig_reply(&rig, &worker, given_to(&rig, &worker), 0);
    rig_say(&rig, &client, WIRE_CANCEL, 7);
    cr_assert_eq(only_outcome(&rig, &client, 7)->header.command, WIRE_REPLY);
    cr_assert_eq(late_frames(&rig), UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* How a client leaves: BYE, a connection that is gone, HELLO again. */
static void expect_leaving_to_end_calls(void (*leave)(struct rig *rig, const struct rig_peer *client))
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    const struct rig_request with_body = {.body_size = 50};
    rig_call(&rig, &client, 7, &with_body);
    rig_call(&rig, &client, 8, &with_body);
    const struct rig_effect *given = given_to(&rig, &worker);
    cr_assert_eq(calls_open(&rig), UINT64_C(2));
    leave(&rig, &client);
    cr_assert_eq(calls_open(&rig), UINT64_C(1), "the queued one is dropped, the leased one stays with its worker");
    const struct rig_effect *cancel = rig_take_command(&rig, worker.peer, WIRE_CANCEL);
    cr_assert_not_null(cancel);
    cr_assert_eq(cancel->header.call, given->header.call);
    rig_reply(&rig, &worker, given, 5);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_null(rig_take_command(&rig, worker.peer, WIRE_CALL), "the dropped call is given to nobody");
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_REPLY));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

static void leave_by_bye(struct rig *rig, const struct rig_peer *client)
{
    rig_say(rig, client, WIRE_BYE, 0);
}

static void leave_by_connection(struct rig *rig, const struct rig_peer *client)
{
    rig_gone(rig, client->peer);
}

static void leave_by_hello(struct rig *rig, const struct rig_peer *client)
{
    rig_client(rig, client->peer);
}

Test(outcomes, calls_of_a_client_that_said_bye_end)
{
    expect_leaving_to_end_calls(leave_by_bye);
}

Test(outcomes, calls_of_a_client_that_is_gone_end)
{
    expect_leaving_to_end_calls(leave_by_connection);
}

Test(outcomes, calls_of_an_earlier_session_end)
{
    expect_leaving_to_end_calls(leave_by_hello);
}

/* ---- worker lost ---- */

Test(outcomes, a_queued_call_waits_for_the_next_worker)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer dying = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    given_to(&rig, &dying);
    rig_lost(&rig, 1, 1);
    expect_error(&rig, &client, 1, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    rig_reply(&rig, &next, given_to(&rig, &next), 0);
    cr_assert_eq(only_outcome(&rig, &client, 2)->header.command, WIRE_REPLY);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, calls_above_the_start_word_are_answered_by_another_worker_before_all_others)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer dying = rig_worker(&rig, 1, "echo", 3);
    for (uint64_t call = 1; call <= 4; call++)
        rig_call(&rig, &client, call, NULL);
    for (uint64_t call = 1; call <= 3; call++)
        cr_assert_eq(given_to(&rig, &dying)->header.sequence, call);
    rig_lost(&rig, 1, 1);
    expect_error(&rig, &client, 1, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    for (uint64_t call = 2; call <= 4; call++) {
        rig_advance(&rig, 2);
        rig_reply(&rig, &next, given_to(&rig, &next), 0);
        only_outcome(&rig, &client, call); /* in their order, the one that was never leased last */
    }
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, everything_leased_is_unknown_when_nobody_knows_what_was_started)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 2);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    rig_lost(&rig, 1, UINT64_MAX);
    size_t unknown = 0;
    const struct rig_effect *told = NULL;
    while ((told = rig_take(&rig, client.peer)) != NULL) {
        cr_assert_eq(told->header.status, DROVER_UNAVAILABLE);
        cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN);
        unknown++;
    }
    cr_assert_eq(unknown, (size_t)2);
    cr_assert_eq(calls_open(&rig), UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, what_a_former_worker_says_of_a_call_that_was_taken_back_is_late_and_no_breach)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer former = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    const struct rig_effect *given = given_to(&rig, &former);
    rig_closed(&rig, 1, 0);
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    const struct rig_effect *again = given_to(&rig, &next);
    rig_reply(&rig, &former, given, 1);
    cr_assert_eq(late_frames(&rig), UINT64_C(1));
    cr_assert_null(rig_take_command(&rig, former.peer, WIRE_ERROR));
    cr_assert_null(rig_take(&rig, client.peer));
    rig_reply(&rig, &next, again, 2);
    cr_assert_eq(only_outcome(&rig, &client, 1)->body_size, (size_t)2);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_call_returned_as_not_started_goes_to_another_worker)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer first = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    const struct rig_effect *given = given_to(&rig, &first);
    const struct rig_peer second = rig_worker(&rig, 2, "echo", 1);
    rig_fail(&rig, &first, given, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_null(rig_take(&rig, client.peer));
    rig_reply(&rig, &second, given_to(&rig, &second), 0);
    cr_assert_eq(only_outcome(&rig, &client, 1)->header.command, WIRE_REPLY);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- service starting, refused, unknown ---- */

Test(outcomes, a_call_waits_for_a_service_that_is_starting)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 900);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_ERROR));
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    const struct rig_effect *given = given_to(&rig, &worker);
    cr_assert_eq(given->header.deadline_ms, 100u, "the worker learns what is left of the deadline");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, calls_to_a_refused_service_end_at_once_with_its_reason)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, NULL);
    rig_refuse(&rig, "echo", "crash loop: exit status 1");
    expect_error(&rig, &client, 1, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    rig_call(&rig, &client, 2, NULL);
    const struct rig_effect *told = only_outcome(&rig, &client, 2);
    cr_assert_eq(told->header.status, DROVER_UNAVAILABLE);
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_not_null(memmem(told->header.text.data, told->header.text.size, "exit status 1", 13));
    rig_refuse(&rig, "echo", NULL);
    rig_call(&rig, &client, 3, NULL);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_ERROR), "it waits again");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, a_call_to_a_service_that_is_not_there_is_not_found)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_request request = {.service = "ecco"};
    rig_call(&rig, &client, 1, &request);
    expect_error(&rig, &client, 1, DROVER_NOT_FOUND, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(outcomes, when_the_broker_stops_what_waits_ends_and_what_runs_goes_on)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    rig_stop(&rig);
    expect_error(&rig, &client, 2, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    rig_call(&rig, &client, 3, NULL);
    expect_error(&rig, &client, 3, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    rig_reply(&rig, &worker, given_to(&rig, &worker), 0);
    cr_assert_eq(only_outcome(&rig, &client, 1)->header.command, WIRE_REPLY);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- figures ---- */

Test(outcomes, are_counted_by_what_they_were)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_reply(&rig, &worker, given_to(&rig, &worker), 0);
    rig_call(&rig, &client, 2, NULL);
    rig_fail(&rig, &worker, given_to(&rig, &worker), DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    rig_call(&rig, &client, 3, NULL);
    rig_advance(&rig, 1000);
    struct core_service_stats stats;
    cr_assert(core_service_stats(rig.core, "echo", &stats));
    cr_assert_eq(stats.calls, UINT64_C(3));
    cr_assert_eq(stats.failed, UINT64_C(2));
    cr_assert_eq(stats.unanswered, UINT64_C(1));
    cr_assert_eq(stats.leased, UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
