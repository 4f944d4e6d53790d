/* test_calls.c - the table of calls: ids, lists, the heap of times */
#include <criterion/criterion.h>

#include "client/lib/calls.h"

static struct calls calls;

static void setup(void)
{
    calls_init(&calls);
}

static void teardown(void)
{
    calls_done(&calls);
}

TestSuite(calls, .init = setup, .fini = teardown);

static uint64_t add_at(uint64_t wake_ms)
{
    struct call *call = calls_add(&calls);
    cr_assert_not_null(call);
    calls_wake_at(&calls, call, wake_ms);
    return call->id;
}

Test(calls, finds_a_call_by_its_id_and_by_no_other)
{
    uint64_t id = add_at(1);
    cr_assert_not_null(calls_find(&calls, id));
    cr_assert_null(calls_find(&calls, 0));
    cr_assert_null(calls_find(&calls, id + 1));
    cr_assert_null(calls_find(&calls, id ^ (UINT64_C(1) << 40)));
    cr_assert_null(calls_find(&calls, UINT64_MAX));
}

Test(calls, does_not_find_a_removed_call_in_a_slot_that_is_used_again)
{
    uint64_t first = add_at(1);
    calls_remove(&calls, calls_find(&calls, first));
    uint64_t second = add_at(1);
    cr_assert_eq(calls_slot(first), calls_slot(second), "the slot used last is used next");
    cr_assert_neq(first, second);
    cr_assert_null(calls_find(&calls, first));
}

Test(calls, keeps_the_order_of_a_list_when_it_grows_and_shrinks)
{
    uint64_t ids[100];
    for (size_t i = 0; i < 100; i++)
        ids[i] = add_at(i);
    for (size_t i = 0; i < 100; i += 3)
        calls_remove(&calls, calls_find(&calls, ids[i]));
    size_t at = 0;
    for (struct call *call = calls_first(&calls, CALL_QUEUED); call != NULL; call = calls_next(&calls, call), at++) {
        at += at % 3 == 0;
        cr_assert_eq(call->id, ids[at]);
    }
    cr_assert_eq(calls_count(&calls, CALL_QUEUED), 66);
}

Test(calls, wakes_in_the_order_of_time_whatever_the_order_of_adding)
{
    uint64_t seed = 12345, last = 0;
    for (int i = 1; i < 1000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        add_at(seed >> 50);
        if (i % 3 == 0) { /* moved times, and calls that leave from the middle */
            struct call *call = calls_first(&calls, CALL_QUEUED);
            calls_wake_at(&calls, call, seed >> 51);
            calls_move(&calls, call, CALL_SENT);
        }
        if (i % 7 == 5)
            calls_remove(&calls, calls_first(&calls, CALL_QUEUED));
    }
    for (struct call *call; (call = calls_soonest(&calls)) != NULL; calls_remove(&calls, call)) {
        cr_assert_geq(call->wake_ms, last);
        last = call->wake_ms;
    }
    cr_assert_eq(calls_count(&calls, CALL_FREE), calls.size);
}

Test(calls, does_not_wake_for_a_done_call)
{
    uint64_t id = add_at(5);
    calls_move(&calls, calls_find(&calls, id), CALL_DONE);
    cr_assert_null(calls_soonest(&calls));
    cr_assert_eq(calls_count(&calls, CALL_DONE), 1);
}

Test(calls, copies_a_request_so_that_the_original_may_go)
{
    char service[] = "service", body[] = "\x01\x02";
    struct call *call = calls_add(&calls);
    call->service = (struct drover_text){service, 7};
    call->method = (struct drover_text){"m", 1};
    call->body = (struct drover_text){body, 2};
    cr_assert(calls_copy_request(call));
    service[0] = body[0] = 'x';
    cr_assert(drover_text_equals(call->service, "service"));
    cr_assert_eq(call->body.data[0], 1);
    cr_assert_eq(call->metadata.size, 0);
}
