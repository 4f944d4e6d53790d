/* test_refusals.c - calls that are not accepted: too large, too many bytes, from who does not read */
#include <criterion/criterion.h>

#include "tests/support/core_rig.h"

static const struct rig_effect *refusal_of(struct rig *rig, const struct rig_peer *client, uint64_t call)
{
    const struct rig_effect *told = rig_take_command(rig, client->peer, WIRE_ERROR);
    cr_assert_not_null(told, "call %llu was not refused", (unsigned long long)call);
    cr_assert_eq(told->header.call, call);
    cr_assert_eq(told->header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_assert_eq(told->header.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_eq(told->header.origin, DROVER_ORIGIN_BROKER);
    return told;
}

static struct rig_peer echo_rig(struct rig *rig)
{
    rig_new(rig);
    rig_service(rig, "echo");
    return rig_client(rig, 1);
}

Test(refusals, a_request_above_max_body)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_request request = {.body_size = 16 * 1024 + 1};
    rig_call(&rig, &client, 1, &request);
    cr_assert_eq(refusal_of(&rig, &client, 1)->header.retry_after_ms, 0u, "coming back would not help");
    const struct rig_request fits = {.body_size = 16 * 1024};
    rig_call(&rig, &client, 2, &fits);
    cr_assert_null(rig_take(&rig, client.peer));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, more_bytes_than_the_queue_holds_queued_and_leased)
{
    struct rig rig;
    echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    const struct rig_request request = {.body_size = 16 * 1024};
    for (uint64_t peer = 1; peer <= 4; peer++) {
        const struct rig_peer client = rig_client(&rig, peer);
        rig_call(&rig, &client, 1, &request);
    }
    const struct rig_peer fifth = rig_client(&rig, 5);
    const struct rig_request tiny = {.body_size = 1};
    rig_call(&rig, &fifth, 1, &tiny);
    cr_assert_gt(refusal_of(&rig, &fifth, 1)->header.retry_after_ms, 0u);
    rig_call(&rig, &fifth, 2, NULL);
    cr_assert_null(rig_take(&rig, 5), "a call without a body costs no bytes");
    rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 0);
    rig_call(&rig, &fifth, 3, &tiny);
    cr_assert_null(rig_take(&rig, 5), "an answer makes room");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, bytes_of_a_call_whose_outcome_was_told_count_no_more)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_worker(&rig, 1, "echo", 1);
    const struct rig_request request = {.body_size = 16 * 1024};
    rig_call(&rig, &client, 1, &request);
    rig_advance(&rig, 1000);
    struct core_service_stats stats;
    cr_assert(core_service_stats(rig.core, "echo", &stats));
    cr_assert_eq(stats.leased, UINT64_C(1));
    cr_assert_eq(stats.queued_bytes, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- unread outcomes ---- */

/* Make `count` calls that end at once (NOT_FOUND), each one outcome. */
static void collect_outcomes(struct rig *rig, const struct rig_peer *client, uint64_t first, size_t count)
{
    const struct rig_request nowhere = {.service = "nowhere"};
    for (size_t i = 0; i < count; i++)
        rig_call(rig, client, first + i, &nowhere);
    rig_drop(rig);
}

Test(refusals, calls_of_a_client_with_more_than_1024_unread_outcomes)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    collect_outcomes(&rig, &client, 1, 1024);
    rig_call(&rig, &client, 2000, NULL);
    cr_assert_null(rig_take(&rig, client.peer), "1024 unread are allowed");
    rig_advance(&rig, 1000);
    rig_drop(&rig); /* its deadline is the 1025th */
    rig_call(&rig, &client, 2001, NULL);
    refusal_of(&rig, &client, 2001);
    const struct rig_request having_read = {.read_count = 1026, .read_bytes = 0};
    rig_call(&rig, &client, 2002, &having_read);
    cr_assert_null(rig_take(&rig, client.peer), "whoever has read may call");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, calls_of_a_client_with_more_than_8_mib_unread)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    for (uint64_t call = 1; call <= 513; call++) {
        rig_call(&rig, &client, call, NULL);
        rig_reply(&rig, &worker, rig_take_command(&rig, worker.peer, WIRE_CALL), 16 * 1024);
        cr_assert_not_null(rig_take_command(&rig, client.peer, WIRE_REPLY));
    }
    rig_call(&rig, &client, 600, NULL);
    refusal_of(&rig, &client, 600);
    const struct rig_request having_read = {.read_count = 514, .read_bytes = UINT64_C(513) * 16 * 1024};
    rig_call(&rig, &client, 601, &having_read);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_ERROR));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, close_the_session_at_twice_that_when_it_reads_nothing_for_a_second)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    collect_outcomes(&rig, &client, 1, 2049);
    rig_advance(&rig, 900);
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_REFUSED));
    rig_advance(&rig, 1200);
    const struct rig_effect *closed = rig_take_command(&rig, client.peer, WIRE_REFUSED);
    cr_assert_not_null(closed);
    cr_assert_eq(closed->header.session, client.session);
    cr_assert_eq(closed->header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_assert_gt(closed->header.retry_after_ms, 0u);
    rig_say(&rig, &client, WIRE_PING, 0);
    cr_assert_not_null(rig_take_command(&rig, client.peer, WIRE_HELLO_FIRST));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, spare_a_client_that_reads_slowly)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    collect_outcomes(&rig, &client, 1, 2060);
    for (uint64_t read = 1; read <= 5; read++) {
        rig_advance(&rig, 900);
        const struct wire_header pong = {
            .command = WIRE_PONG, .flags = FIELD_READ, .session = client.session, .read_count = read};
        rig_send(&rig, client.peer, &pong, SIZE_MAX);
    }
    cr_assert_null(rig_take_command(&rig, client.peer, WIRE_REFUSED));
    rig_advance(&rig, 5000);
    cr_assert_not_null(rig_take_command(&rig, client.peer, WIRE_REFUSED), "it stopped reading");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* A client counts every ERROR that names one of its calls as read; the broker must count it as sent. */
Test(refusals, because_of_a_breach_are_counted_as_outcomes_too)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    uint8_t octets[WIRE_HEADER_MAX];
    const struct wire_header bad = {.command = WIRE_CALL,
                                    .flags = FIELD_TARGET,
                                    .session = client.session,
                                    .call = 1,
                                    .service = {"echo", 4},
                                    .method = {"put", 3}};
    rig_send_raw(&rig, client.peer, octets, wire_header_encode(&bad, octets, sizeof(octets)), true);
    cr_assert_not_null(rig_take_command(&rig, client.peer, WIRE_ERROR));
    collect_outcomes(&rig, &client, 2, 1024);
    const struct rig_request having_read = {.read_count = 1025};
    rig_call(&rig, &client, 5000, &having_read);
    collect_outcomes(&rig, &client, 6000, 1023);
    rig_call(&rig, &client, 5001, NULL);
    cr_assert_null(rig_take(&rig, client.peer), "what it said of 1025 outcomes was believed");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(refusals, ignore_what_was_read_of_outcomes_that_were_never_sent)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_request lie = {.service = "nowhere", .read_count = 1000000};
    rig_call(&rig, &client, 1, &lie);
    collect_outcomes(&rig, &client, 2, 1024);
    rig_call(&rig, &client, 5000, NULL);
    refusal_of(&rig, &client, 5000);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
