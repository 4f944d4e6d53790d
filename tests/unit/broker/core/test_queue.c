/* test_queue.c - the fair queue, by the order in which one worker of concurrency 1 is given the calls */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/core_rig.h"
#include "tests/support/heap_body.h"

enum { ECHO_WORKER = 1 };

/* A rig with a service of `queue_calls` places and one busy worker: all that is called now is queued. */
static struct rig_peer busy_rig(struct rig *rig, uint64_t queue_calls, const struct rig_effect **ret_given)
{
    rig_new(rig);
    struct core_service service = rig_service_like("echo");
    struct drover_error error;
    service.queue_calls = queue_calls;
    service.queue_bytes = UINT64_C(64) << 20;
    service.max_body = UINT64_C(1) << 20;
    service.deadline_ms = 60000;
    cr_assert_eq(core_set_service(rig->core, &service, &error), DROVER_OK);
    const struct rig_peer worker = rig_worker(rig, ECHO_WORKER, "echo", 1);
    const struct rig_peer filler = rig_client(rig, 999);
    rig_call(rig, &filler, 1, NULL);
    *ret_given = rig_take_command(rig, worker.peer, WIRE_CALL);
    cr_assert_not_null(*ret_given);
    return worker;
}

/* Answer what the worker has, slowly, so that its window stays 1. Returns what it is given next, or NULL. */
static const struct rig_effect *answer(struct rig *rig, const struct rig_peer *worker, const struct rig_effect *given)
{
    rig_advance(rig, 2);
    rig_reply(rig, worker, given, SIZE_MAX);
    return rig_take_command(rig, worker->peer, WIRE_CALL);
}

static void call_as(struct rig *rig, const struct rig_peer *client, uint64_t call, const char *method)
{
    const struct rig_request request = {.method = method};
    rig_call(rig, client, call, &request);
}

/* Answer `count` calls and write down the first letter of the methods in the order in which they are given. */
static void serve(struct rig *rig, const struct rig_peer *worker, const struct rig_effect **given, size_t count,
                  char *order)
{
    memset(order, 0, count + 1);
    for (size_t i = 0; i < count; i++) {
        *given = answer(rig, worker, *given);
        if (*given == NULL)
            return;
        order[i] = (*given)->header.method.data[0];
    }
}

Test(queue, serves_clients_in_turn_however_much_each_has_queued)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer a = rig_client(&rig, 1);
    const struct rig_peer b = rig_client(&rig, 2);
    for (uint64_t call = 1; call <= 20; call++)
        call_as(&rig, &a, call, "a");
    for (uint64_t call = 1; call <= 4; call++)
        call_as(&rig, &b, call, "b");
    char order[11];
    serve(&rig, &worker, &given, 8, order);
    size_t of_b = 0;
    for (size_t i = 0; i < 8; i++)
        of_b += order[i] == 'b';
    cr_assert_eq(of_b, (size_t)4, "b got %zu of the first 8: %s", of_b, order);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, keeps_the_order_of_one_client)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer a = rig_client(&rig, 1);
    const char *const methods[] = {"1", "2", "3", "4", "5"};
    for (uint64_t call = 0; call < 5; call++)
        call_as(&rig, &a, call + 1, methods[call]);
    char order[6];
    serve(&rig, &worker, &given, 5, order);
    cr_assert_str_eq(order, "12345");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, serves_one_who_seldom_calls_before_those_who_always_do)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer a = rig_client(&rig, 1);
    const struct rig_peer b = rig_client(&rig, 2);
    const struct rig_peer c = rig_client(&rig, 3);
    for (uint64_t call = 1; call <= 10; call++) {
        call_as(&rig, &a, call, "a");
        call_as(&rig, &b, call, "b");
    }
    char order[6];
    serve(&rig, &worker, &given, 5, order);
    call_as(&rig, &c, 1, "c");
    serve(&rig, &worker, &given, 1, order);
    cr_assert_str_eq(order, "c");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, gives_that_first_turn_once_and_not_to_every_new_call_of_a_client)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer busy[3] = {rig_client(&rig, 1), rig_client(&rig, 2), rig_client(&rig, 3)};
    const struct rig_peer sly = rig_client(&rig, 4);
    for (uint64_t call = 1; call <= 50; call++) {
        for (size_t i = 0; i < 3; i++)
            call_as(&rig, &busy[i], call, "b");
    }
    /* It calls again when its call was answered: never more than one in the queue. */
    uint64_t sly_call = 0;
    size_t got = 0;
    call_as(&rig, &sly, ++sly_call, "s");
    for (size_t i = 0; i < 80; i++) {
        const bool answers_sly = given->header.method.data[0] == 's';
        got += answers_sly;
        given = answer(&rig, &worker, given);
        if (answers_sly)
            call_as(&rig, &sly, ++sly_call, "s");
    }
    cr_assert_leq(got, (size_t)22, "one of four clients got %zu of 80 turns", got);
    cr_assert_geq(got, (size_t)15, "one of four clients got only %zu of 80 turns", got);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, counts_large_bodies_as_several_calls)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer large = rig_client(&rig, 1);
    const struct rig_peer small = rig_client(&rig, 2);
    const struct rig_request big = {.method = "L", .body_size = 7 * 4096};
    for (uint64_t call = 1; call <= 10; call++) {
        rig_call(&rig, &large, call, &big);
        call_as(&rig, &small, call * 100 + 1, "s");
        call_as(&rig, &small, call * 100 + 2, "s");
        call_as(&rig, &small, call * 100 + 3, "s");
    }
    char order[31];
    serve(&rig, &worker, &given, 30, order);
    size_t of_large = 0;
    for (size_t i = 0; i < 24; i++)
        of_large += order[i] == 'L';
    cr_assert(of_large >= 2 && of_large <= 4, "%s", order);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, takes_from_one_client_no_more_than_there_are_places_left)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 16, &given);
    const struct rig_peer greedy = rig_client(&rig, 1);
    (void)worker;
    for (uint64_t call = 1; call <= 20; call++)
        rig_call(&rig, &greedy, call, NULL);
    struct core_service_stats stats;
    cr_assert(core_service_stats(rig.core, "echo", &stats));
    cr_assert_lt(stats.queued, UINT64_C(11), "one client holds %llu of 16 places", (unsigned long long)stats.queued);
    cr_assert_geq(stats.queued, UINT64_C(8));
    const struct rig_effect *refused = rig_take(&rig, greedy.peer);
    cr_assert_not_null(refused);
    cr_assert_eq(refused->header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_assert_eq(refused->header.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_gt(refused->header.retry_after_ms, 0u);

    const struct rig_peer modest = rig_client(&rig, 2);
    rig_call(&rig, &modest, 1, NULL);
    cr_assert_null(rig_take(&rig, modest.peer), "another client is still let in");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, is_shared_by_all_connections_of_one_process)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 16, &given);
    (void)worker;
    for (uint64_t connection = 1; connection <= 20; connection++) {
        const struct rig_peer one = rig_hello(&rig, connection, WIRE_ROLE_CLIENT, "localhost:500:500:1234");
        rig_call(&rig, &one, 1, NULL);
    }
    struct core_service_stats stats;
    cr_assert(core_service_stats(rig.core, "echo", &stats));
    cr_assert_lt(stats.queued, UINT64_C(11), "its connections hold %llu of 16 places",
                 (unsigned long long)stats.queued);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, is_not_shared_by_processes_that_have_no_number)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 16, &given);
    const struct rig_peer greedy = rig_hello(&rig, 1, WIRE_ROLE_CLIENT, "localhost:500:500:0");
    const struct rig_peer modest = rig_hello(&rig, 2, WIRE_ROLE_CLIENT, "localhost:500:500:0");
    (void)worker;
    rig_drop(&rig); /* the greetings */
    for (uint64_t call = 1; call <= 20; call++)
        rig_call(&rig, &greedy, call, NULL);
    cr_assert_not_null(rig_take(&rig, greedy.peer), "one of them has had its share");
    rig_call(&rig, &modest, 1, NULL);
    cr_assert_null(rig_take(&rig, modest.peer), "another container's is still let in");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, refuses_a_call_beyond_its_number_of_calls)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 4, &given);
    (void)worker;
    for (uint64_t peer = 1; peer <= 4; peer++) {
        const struct rig_peer client = rig_client(&rig, peer);
        rig_call(&rig, &client, 1, NULL);
        cr_assert_null(rig_take(&rig, peer));
    }
    const struct rig_peer fifth = rig_client(&rig, 5);
    rig_call(&rig, &fifth, 1, NULL);
    const struct rig_effect *refused = rig_take(&rig, 5);
    cr_assert_not_null(refused);
    cr_assert_eq(refused->header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_assert_gt(refused->header.retry_after_ms, 0u);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, forgets_calls_that_are_taken_out_of_the_middle)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer a = rig_client(&rig, 1);
    const char *const methods[] = {"1", "2", "3", "4", "5"};
    for (uint64_t call = 0; call < 5; call++)
        call_as(&rig, &a, call + 1, methods[call]);
    rig_say(&rig, &a, WIRE_CANCEL, 3);
    rig_say(&rig, &a, WIRE_CANCEL, 1);
    rig_say(&rig, &a, WIRE_CANCEL, 5);
    char order[6];
    serve(&rig, &worker, &given, 3, order);
    cr_assert_str_eq(order, "24");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(queue, settles_the_bodies_it_keeps_and_those_only)
{
    struct rig rig;
    const struct rig_effect *given = NULL;
    const struct rig_peer worker = busy_rig(&rig, 1000, &given);
    const struct rig_peer a = rig_client(&rig, 1);
    const struct rig_request body = {.body_size = 100};
    const size_t before = heap_bodies_settled();
    rig_call(&rig, &a, 1, &body);
    cr_assert_eq(heap_bodies_settled(), before + 1);
    given = answer(&rig, &worker, given);
    answer(&rig, &worker, given);
    rig_call(&rig, &a, 2, &body);
    cr_assert_eq(heap_bodies_settled(), before + 1, "a call that goes straight through is not copied");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
