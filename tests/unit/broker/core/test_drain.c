/* test_drain.c - a worker whose start word was closed: what it began it finishes, the rest is given to others */
#include <criterion/criterion.h>

#include "tests/support/core_rig.h"

static struct rig_peer echo_rig(struct rig *rig)
{
    rig_new(rig);
    rig_service(rig, "echo");
    return rig_client(rig, 1);
}

static uint64_t in_flight(const struct rig *rig, uint64_t worker)
{
    struct core_worker_stats stats;
    cr_assert(core_worker_stats(rig->core, worker, &stats));
    return stats.in_flight;
}

Test(drain, of_an_idle_worker_is_over_at_once)
{
    struct rig rig;
    echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 1);
    rig_closed(&rig, 1, 0);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_DRAINED)->worker, UINT64_C(1));
    rig_advance(&rig, 100000);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_DRAINED), "said once");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, of_a_worker_that_never_came_is_over_at_once)
{
    struct rig rig;
    echo_rig(&rig);
    rig_expect(&rig, 1, "echo");
    rig_closed(&rig, 1, 0);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_DRAINED)->worker, UINT64_C(1));
    const struct rig_peer late = rig_hello_worker(&rig, 2000, 1, "echo", 1);
    cr_assert_eq(late.session, UINT64_C(0), "it comes too late");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, before_ready_lets_the_worker_finish_its_greeting_and_gives_it_nothing)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_expect(&rig, 1, "echo");
    const struct rig_peer worker = rig_hello_worker(&rig, 2000, 1, "echo", 1);
    rig_drop(&rig);
    rig_closed(&rig, 1, 0);
    rig_say(&rig, &worker, WIRE_READY, 0);
    rig_call(&rig, &client, 1, NULL);
    cr_assert_null(rig_take(&rig, 2000));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, gives_what_was_not_started_to_another_worker_in_the_same_order)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer old = rig_worker(&rig, 1, "echo", 3);
    for (uint64_t call = 1; call <= 3; call++)
        rig_call(&rig, &client, call, NULL);
    const struct rig_effect *begun = rig_take_command(&rig, old.peer, WIRE_CALL);
    rig_drop(&rig);
    const struct rig_peer fresh = rig_worker(&rig, 2, "echo", 1);
    rig_closed(&rig, 1, 1);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_DRAINED), "one call is still under way");
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(1));
    for (uint64_t call = 2; call <= 3; call++) {
        rig_advance(&rig, 2);
        rig_reply(&rig, &fresh, rig_take_command(&rig, fresh.peer, WIRE_CALL), 0);
        cr_assert_eq(rig_take_command(&rig, client.peer, WIRE_REPLY)->header.call, call);
    }
    rig_reply(&rig, &old, begun, 0);
    cr_assert_eq(rig_take_command(&rig, client.peer, WIRE_REPLY)->header.call, UINT64_C(1));
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_DRAINED)->worker, UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, gives_a_closed_worker_no_new_calls)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer old = rig_worker(&rig, 1, "echo", 4);
    rig_call(&rig, &client, 1, NULL);
    const struct rig_effect *begun = rig_take_command(&rig, old.peer, WIRE_CALL);
    rig_closed(&rig, 1, 1);
    rig_call(&rig, &client, 2, NULL);
    cr_assert_null(rig_take_command(&rig, old.peer, WIRE_CALL));
    rig_reply(&rig, &old, begun, 0);
    cr_assert_null(rig_take_command(&rig, old.peer, WIRE_CALL));
    struct core_service_stats stats;
    cr_assert(core_service_stats(rig.core, "echo", &stats));
    cr_assert_eq(stats.queued, UINT64_C(1));
    cr_assert_eq(stats.workers_ready, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, of_a_worker_that_dies_in_it_loses_only_what_it_had_begun)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 2);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    rig_closed(&rig, 1, 1);
    rig_lost(&rig, 1, 1);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    const struct rig_effect *told = rig_take_command(&rig, client.peer, WIRE_ERROR);
    cr_assert_eq(told->header.call, UINT64_C(1));
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_ERROR));
    const struct rig_peer fresh = rig_worker(&rig, 2, "echo", 1);
    cr_assert_not_null(rig_take_command(&rig, fresh.peer, WIRE_CALL));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, ends_when_a_call_nobody_waits_for_any_more_ends)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer old = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    const struct rig_effect *begun = rig_take_command(&rig, old.peer, WIRE_CALL);
    rig_closed(&rig, 1, 1);
    rig_gone(&rig, client.peer);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    rig_fail(&rig, &old, begun, DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, forgets_calls_taken_back_for_which_nobody_waits)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 2);
    const struct rig_request with_body = {.body_size = 100};
    rig_call(&rig, &client, 1, &with_body);
    rig_call(&rig, &client, 2, &with_body);
    rig_say(&rig, &client, WIRE_CANCEL, 2);
    rig_closed(&rig, 1, 1);
    struct core_stats stats;
    core_stats(rig.core, &stats);
    cr_assert_eq(stats.calls_open, UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, of_a_worker_that_left_by_itself_is_answered_too)
{
    struct rig rig;
    echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_say(&rig, &worker, WIRE_DRAINED, 0);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    rig_closed(&rig, 1, 0);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_DRAINED), "the host asked and waits");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, begins_when_a_worker_gives_a_call_back_and_the_call_does_not_go_to_and_fro)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer leaving = rig_worker(&rig, 1, "echo", 2);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    const struct rig_effect *begun = rig_take_command(&rig, leaving.peer, WIRE_CALL);
    rig_fail(&rig, &leaving, rig_take_command(&rig, leaving.peer, WIRE_CALL), DROVER_UNAVAILABLE,
             DROVER_OUTCOME_NOT_STARTED);
    cr_assert_null(rig_take_command(&rig, leaving.peer, WIRE_CALL), "it is not given to the same worker again");
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 1);
    rig_reply(&rig, &next, rig_take_command(&rig, next.peer, WIRE_CALL), 0);
    cr_assert_eq(rig_take_command(&rig, client.peer, WIRE_REPLY)->header.call, UINT64_C(2));
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    rig_reply(&rig, &leaving, begun, 0);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_DRAINED));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, takes_back_from_a_worker_that_had_begun_to_leave_by_itself)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer leaving = rig_worker(&rig, 1, "echo", 3);
    for (uint64_t call = 1; call <= 3; call++)
        rig_call(&rig, &client, call, NULL);
    rig_fail(&rig, &leaving, rig_take_command(&rig, leaving.peer, WIRE_CALL), DROVER_UNAVAILABLE,
             DROVER_OUTCOME_NOT_STARTED);
    rig_closed(&rig, 1, 2);
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(1), "the third was not begun and is somebody else's now");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(drain, by_the_worker_itself_leaves_what_it_did_not_answer_unknown)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 2);
    rig_call(&rig, &client, 1, NULL);
    rig_call(&rig, &client, 2, NULL);
    rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    rig_say(&rig, &worker, WIRE_DRAINED, 0);
    cr_assert_eq(rig_take_command(&rig, client.peer, WIRE_REPLY)->header.call, UINT64_C(1));
    const struct rig_effect *told = rig_take_command(&rig, client.peer, WIRE_ERROR);
    cr_assert_eq(told->header.call, UINT64_C(2));
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_DRAINED)->worker, UINT64_C(1));
    rig_drop(&rig);
    rig_call(&rig, &client, 3, NULL);
    cr_assert_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
