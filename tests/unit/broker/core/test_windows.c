/* test_windows.c - how many calls a worker is given, which worker is, and when one counts as hung */
#include <criterion/criterion.h>

#include "tests/support/core_rig.h"

static uint64_t window_of(const struct rig *rig, uint64_t worker)
{
    struct core_worker_stats stats;
    cr_assert(core_worker_stats(rig->core, worker, &stats));
    return stats.window;
}

static uint64_t in_flight(const struct rig *rig, uint64_t worker)
{
    struct core_worker_stats stats;
    cr_assert(core_worker_stats(rig->core, worker, &stats));
    return stats.in_flight;
}

/* Service "echo" with room for many calls of long deadline. */
static struct rig_peer wide_rig(struct rig *rig, uint64_t hang_ms)
{
    rig_new(rig);
    struct core_service service = rig_service_like("echo");
    struct drover_error error;
    service.queue_calls = 10000;
    service.hang_ms = hang_ms;
    cr_assert_eq(core_set_service(rig->core, &service, &error), DROVER_OK);
    return rig_client(rig, 1);
}

static void call_times(struct rig *rig, const struct rig_peer *client, uint64_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rig_call(rig, client, first + i, NULL);
}

Test(windows, start_at_the_concurrency)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    rig_worker(&rig, 1, "echo", 3);
    call_times(&rig, &client, 1, 10);
    cr_assert_eq(window_of(&rig, 1), UINT64_C(3));
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(3));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, grow_by_one_for_each_fast_answer_up_to_256)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    for (uint64_t call = 1; call <= 300; call++) {
        rig_call(&rig, &client, call, NULL);
        rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
        cr_assert_eq(window_of(&rig, 1), call < 255 ? call + 1 : 256);
    }
    rig_drop(&rig);
    call_times(&rig, &client, 1000, 400);
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(256));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, do_not_grow_by_answers_that_took_a_millisecond)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 1);
    rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    cr_assert_eq(window_of(&rig, 1), UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, do_not_grow_by_calls_that_are_given_back)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_fail(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), DROVER_UNAVAILABLE,
             DROVER_OUTCOME_NOT_STARTED);
    cr_assert_eq(window_of(&rig, 1), UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, fall_back_to_the_concurrency_when_the_oldest_lease_is_old)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 2);
    for (uint64_t call = 1; call <= 20; call++) {
        rig_call(&rig, &client, call, NULL);
        rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    }
    cr_assert_eq(window_of(&rig, 1), UINT64_C(22));
    rig_call(&rig, &client, 100, NULL);
    rig_advance(&rig, 5);
    rig_call(&rig, &client, 101, NULL);
    cr_assert_eq(window_of(&rig, 1), UINT64_C(22), "5 ms are not old");
    rig_advance(&rig, 1);
    rig_call(&rig, &client, 102, NULL);
    cr_assert_eq(window_of(&rig, 1), UINT64_C(2));
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(2), "nothing more waits behind the slow one");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, a_call_whose_outcome_was_told_still_takes_its_place)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 60000);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    const struct rig_effect *given = rig_take_command(&rig, worker.peer, WIRE_CALL);
    rig_say(&rig, &client, WIRE_CANCEL, 1);
    rig_call(&rig, &client, 2, NULL);
    cr_assert_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    rig_reply(&rig, &worker, given, 0);
    cr_assert_not_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, the_least_loaded_worker_is_taken)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    rig_worker(&rig, 1, "echo", 4);
    rig_worker(&rig, 2, "echo", 2);
    call_times(&rig, &client, 1, 3);
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(2));
    cr_assert_eq(in_flight(&rig, 2), UINT64_C(1));
    call_times(&rig, &client, 4, 3);
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(4));
    cr_assert_eq(in_flight(&rig, 2), UINT64_C(2));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, sequences_count_up_by_one_for_each_worker)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 2);
    for (uint64_t call = 1; call <= 9; call++) {
        rig_call(&rig, &client, call, NULL);
        const struct rig_effect *given = rig_take_command(&rig, worker.peer, WIRE_CALL);
        cr_assert_eq(given->header.sequence, call);
        rig_reply(&rig, &worker, given, 0);
    }
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- hung ---- */

Test(windows, a_lease_older_than_deadline_and_grace_means_hung)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 5999);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    rig_advance(&rig, 2);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_HUNG)->worker, UINT64_C(1));
    rig_advance(&rig, 60000);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG), "it is said once");
    rig_lost(&rig, 1, 1);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, a_client_cannot_shorten_what_counts_as_hung_but_lengthen_it)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    rig_worker(&rig, 1, "echo", 1);
    rig_worker(&rig, 2, "echo", 1);
    const struct rig_request hasty = {.has_deadline = true, .deadline_ms = 1};
    const struct rig_request patient = {.has_deadline = true, .deadline_ms = 20000};
    rig_call(&rig, &client, 1, &hasty);
    rig_call(&rig, &client, 2, &patient);
    rig_advance(&rig, 5990);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    rig_advance(&rig, 20);
    const struct rig_effect *first = rig_event(&rig, EFFECT_WORKER_HUNG);
    cr_assert_not_null(first);
    rig_advance(&rig, 18980);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    rig_advance(&rig, 20);
    const struct rig_effect *second = rig_event(&rig, EFFECT_WORKER_HUNG);
    cr_assert_not_null(second);
    cr_assert_eq(first->worker + second->worker, UINT64_C(3));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(windows, the_hang_setting_counts_when_it_is_longer_than_the_deadline)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 30000);
    rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 34990);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    rig_advance(&rig, 20);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* Calls that wait inside a worker behind others age too, but not by its fault. */
Test(windows, a_lease_that_waits_behind_another_does_not_make_a_worker_hung)
{
    struct rig rig;
    const struct rig_peer client = wide_rig(&rig, 0);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    for (uint64_t call = 1; call <= 4; call++) { /* widen the window */
        rig_call(&rig, &client, call, NULL);
        rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    }
    call_times(&rig, &client, 10, 3);
    cr_assert_eq(in_flight(&rig, 1), UINT64_C(3));
    for (size_t i = 0; i < 3; i++) { /* each takes 4 s: the last ends 12 s after it was given */
        rig_advance(&rig, 4000);
        cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
        rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    }
    rig_call(&rig, &client, 20, NULL);
    rig_advance(&rig, 6001);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_HUNG), "but one that runs for 6 s is hung");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
