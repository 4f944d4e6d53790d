/* test_repeats.c - calls with unknown outcome are repeated once, if idempotent, while there are tokens */
#include <criterion/criterion.h>

#include "tests/support/core_rig.h"

static const struct rig_request by_flag = {.method = "put", .idempotent = true, .body_size = 10};

/* Worker `number` comes, is given one call, and dies in the middle of it. */
static void give_and_die(struct rig *rig, uint64_t number)
{
    const struct rig_peer worker = rig_worker(rig, number, "echo", 1);
    cr_assert_not_null(rig_take_command(rig, worker.peer, WIRE_CALL), "worker %llu was given no call",
                       (unsigned long long)number);
    rig_lost(rig, number, 1);
}

static const struct rig_effect *outcome_of(struct rig *rig, const struct rig_peer *client)
{
    const struct rig_effect *told = rig_take_command(rig, client->peer, WIRE_ERROR);
    return told != NULL ? told : rig_take_command(rig, client->peer, WIRE_REPLY);
}

static struct rig_peer echo_rig(struct rig *rig)
{
    rig_new(rig);
    rig_service(rig, "echo");
    return rig_client(rig, 1);
}

static void expect_one_repeat(const struct rig_request *request)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, request);
    give_and_die(&rig, 1);
    cr_assert_null(outcome_of(&rig, &client), "it is repeated first");
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    const struct rig_effect *again = rig_take_command(&rig, next.peer, WIRE_CALL);
    cr_assert_not_null(again);
    cr_assert_eq(again->body_size, request->body_size, "with its body");
    rig_reply(&rig, &next, again, 3);
    cr_assert_eq(outcome_of(&rig, &client)->header.command, WIRE_REPLY);
    cr_assert_null(outcome_of(&rig, &client));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(repeats, a_call_flagged_as_idempotent)
{
    expect_one_repeat(&by_flag);
}

Test(repeats, a_call_of_an_idempotent_method)
{
    static const struct rig_request by_method = {.method = "get", .body_size = 10};
    expect_one_repeat(&by_method);
}

Test(repeats, not_a_call_that_is_neither)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, NULL);
    give_and_die(&rig, 1);
    const struct rig_effect *told = outcome_of(&rig, &client);
    cr_assert_not_null(told);
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(repeats, once_and_not_again)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, &by_flag);
    give_and_die(&rig, 1);
    give_and_die(&rig, 2);
    const struct rig_effect *told = outcome_of(&rig, &client);
    cr_assert_not_null(told);
    cr_assert_eq(told->header.status, DROVER_UNAVAILABLE);
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(repeats, nothing_where_the_service_says_no)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    struct core_service service = rig_service_like("echo");
    struct drover_error error;
    service.retry = false;
    cr_assert_eq(core_set_service(rig.core, &service, &error), DROVER_OK);
    rig_call(&rig, &client, 1, &by_flag);
    give_and_die(&rig, 1);
    cr_assert_eq(outcome_of(&rig, &client)->header.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* Calls die one after the other; returns how many of `count` were repeated. */
static size_t repeats_of(struct rig *rig, const struct rig_peer *client, size_t count, uint64_t *worker)
{
    size_t repeated = 0;
    for (size_t i = 0; i < count; i++) {
        rig_call(rig, client, 1000 + *worker, &by_flag);
        give_and_die(rig, (*worker)++);
        if (outcome_of(rig, client) != NULL)
            continue;
        repeated++;
        give_and_die(rig, (*worker)++);
        cr_assert_not_null(outcome_of(rig, client));
    }
    return repeated;
}

Test(repeats, ten_at_once_and_one_more_for_ten_answers)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    uint64_t worker = 1;
    cr_assert_eq(repeats_of(&rig, &client, 13, &worker), (size_t)10);
    const struct rig_peer good = rig_worker(&rig, worker++, "echo", 1);
    for (uint64_t call = 1; call <= 10; call++) {
        rig_call(&rig, &client, call, NULL);
        rig_reply(&rig, &good, rig_take_command(&rig, good.peer, WIRE_CALL), 0);
        cr_assert_not_null(outcome_of(&rig, &client));
    }
    rig_lost(&rig, good.worker, 10);
    cr_assert_eq(repeats_of(&rig, &client, 3, &worker), (size_t)1);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(repeats, no_token_is_earned_by_giving_a_call_back)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    uint64_t worker = 1;
    cr_assert_eq(repeats_of(&rig, &client, 11, &worker), (size_t)10);
    const struct rig_peer shy = rig_worker(&rig, worker++, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_fail(&rig, &shy, rig_take_command(&rig, shy.peer, WIRE_CALL), DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    rig_lost(&rig, shy.worker, 1);
    for (size_t i = 0; i < 20; i++) {
        const struct rig_peer other = rig_worker(&rig, worker, "echo", 1);
        rig_fail(&rig, &other, rig_take_command(&rig, other.peer, WIRE_CALL), DROVER_UNAVAILABLE,
                 DROVER_OUTCOME_NOT_STARTED);
        rig_lost(&rig, worker++, 1);
    }
    rig_say(&rig, &client, WIRE_CANCEL, 1);
    cr_assert_not_null(outcome_of(&rig, &client));
    cr_assert_eq(repeats_of(&rig, &client, 2, &worker), (size_t)0);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- a call that was begun once is never "not started" any more ---- */

static void begin_once(struct rig *rig, struct rig_peer *ret_client)
{
    *ret_client = echo_rig(rig);
    rig_call(rig, ret_client, 1, &by_flag);
    give_and_die(rig, 1);
}

static void expect_unknown(struct rig *rig, const struct rig_peer *client, enum drover_status status)
{
    const struct rig_effect *told = outcome_of(rig, client);
    cr_assert_not_null(told);
    cr_assert_eq(told->header.status, status);
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN, "%s", drover_outcome_name(told->header.outcome));
    cr_assert_eq(rig_end(rig), (size_t)0);
}

Test(repeats, that_find_no_worker_until_the_deadline_are_unknown)
{
    struct rig rig;
    struct rig_peer client;
    begin_once(&rig, &client);
    rig_advance(&rig, 1000);
    expect_unknown(&rig, &client, DROVER_DEADLINE_EXCEEDED);
}

Test(repeats, that_are_cancelled_in_the_queue_are_unknown)
{
    struct rig rig;
    struct rig_peer client;
    begin_once(&rig, &client);
    rig_say(&rig, &client, WIRE_CANCEL, 1);
    expect_unknown(&rig, &client, DROVER_CANCELLED);
}

Test(repeats, that_wait_when_the_service_is_refused_are_unknown)
{
    struct rig rig;
    struct rig_peer client;
    begin_once(&rig, &client);
    rig_refuse(&rig, "echo", "crash loop");
    expect_unknown(&rig, &client, DROVER_UNAVAILABLE);
}

Test(repeats, that_wait_when_the_broker_stops_are_unknown)
{
    struct rig rig;
    struct rig_peer client;
    begin_once(&rig, &client);
    rig_stop(&rig);
    expect_unknown(&rig, &client, DROVER_UNAVAILABLE);
}

Test(repeats, whose_worker_dies_while_the_service_is_refused_are_unknown)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, &by_flag);
    cr_assert_not_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    rig_refuse(&rig, "echo", "stopped");
    rig_lost(&rig, 1, 1);
    expect_unknown(&rig, &client, DROVER_UNAVAILABLE);
}

Test(repeats, that_the_second_worker_did_not_start_are_unknown)
{
    struct rig rig;
    struct rig_peer client;
    begin_once(&rig, &client);
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    rig_fail(&rig, &next, rig_take_command(&rig, next.peer, WIRE_CALL), DROVER_DEADLINE_EXCEEDED,
             DROVER_OUTCOME_NOT_STARTED);
    expect_unknown(&rig, &client, DROVER_DEADLINE_EXCEEDED);
}
