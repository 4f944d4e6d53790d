/* test_breaches.c - peers that break the protocol: one clear answer each, and the end of it at the 16th */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/core_rig.h"

static const struct rig_effect *expect_breach(struct rig *rig, uint64_t peer, enum drover_status status,
                                              const char *says)
{
    const struct rig_effect *answer = rig_take(rig, peer);
    cr_assert_not_null(answer, "no answer");
    cr_assert_eq(answer->header.command, WIRE_ERROR);
    cr_assert_eq(answer->header.status, status, "%s", drover_status_name(answer->header.status));
    cr_assert_eq(answer->header.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_eq(answer->header.origin, DROVER_ORIGIN_BROKER);
    cr_assert_not_null(memmem(answer->header.text.data, answer->header.text.size, says, strlen(says)), "it says '%.*s'",
                       (int)answer->header.text.size, answer->header.text.data);
    cr_assert_null(rig_take(rig, peer), "one answer each");
    return answer;
}

static struct rig_peer echo_rig(struct rig *rig)
{
    rig_new(rig);
    rig_service(rig, "echo");
    return rig_client(rig, 1);
}

Test(breaches, commands_that_are_not_for_a_client)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_say(&rig, &client, WIRE_READY, 0);
    expect_breach(&rig, 1, DROVER_FAILED_PRECONDITION, "READY is not for a client");
    rig_say(&rig, &client, WIRE_REPLY, 3);
    expect_breach(&rig, 1, DROVER_FAILED_PRECONDITION, "REPLY is not for a client");
    rig_say(&rig, &client, WIRE_HELLO_FIRST, 3);
    expect_breach(&rig, 1, DROVER_FAILED_PRECONDITION, "HELLO_FIRST is not for a client");
    const struct wire_header admin = {.command = WIRE_ADMIN,
                                      .flags = FIELD_TARGET,
                                      .session = client.session,
                                      .call = 4,
                                      .service = {"echo", 4},
                                      .method = {"status", 6}};
    rig_send(&rig, 1, &admin, SIZE_MAX);
    expect_breach(&rig, 1, DROVER_FAILED_PRECONDITION, "ADMIN is not for a client");
    cr_assert_null(rig_event(&rig, EFFECT_ADMIN));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, calls_of_a_worker)
{
    struct rig rig;
    echo_rig(&rig);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &worker, 1, NULL);
    expect_breach(&rig, worker.peer, DROVER_FAILED_PRECONDITION, "CALL is not for a worker");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, commands_in_the_wrong_state)
{
    struct rig rig;
    echo_rig(&rig);
    rig_expect(&rig, 1, "echo");
    const struct rig_peer worker = rig_hello_worker(&rig, 2000, 1, "echo", 1);
    rig_drop(&rig);
    rig_say(&rig, &worker, WIRE_REPLY, 5);
    expect_breach(&rig, 2000, DROVER_FAILED_PRECONDITION, "REPLY is not accepted in state 'open'");
    rig_say(&rig, &worker, WIRE_READY, 0);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_READY));
    rig_say(&rig, &worker, WIRE_READY, 0);
    expect_breach(&rig, 2000, DROVER_FAILED_PRECONDITION, "READY is not accepted in state 'ready'");
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_READY));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, frames_too_many_and_bodies_where_none_belong)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    uint8_t octets[WIRE_HEADER_MAX];
    const struct wire_header ping = {.command = WIRE_PING, .session = client.session};
    rig_send_raw(&rig, 1, octets, wire_header_encode(&ping, octets, sizeof(octets)), true);
    expect_breach(&rig, 1, DROVER_INVALID_ARGUMENT, "more than two frames");
    rig_send(&rig, 1, &ping, 4);
    expect_breach(&rig, 1, DROVER_INVALID_ARGUMENT, "PING has no body");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, hello_without_or_with_a_bad_body)
{
    struct rig rig;
    rig_new(&rig);
    const struct wire_header hello = {.command = WIRE_HELLO};
    rig_send(&rig, 3, &hello, SIZE_MAX);
    expect_breach(&rig, 3, DROVER_INVALID_ARGUMENT, "without its body");
    rig_send(&rig, 3, &hello, 5);
    cr_assert_eq(rig_take(&rig, 3)->header.command, WIRE_ERROR);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, headers_that_cannot_be_read)
{
    struct rig rig;
    rig_new(&rig);
    const uint8_t torn[] = {WIRE_SIGNATURE_0, WIRE_SIGNATURE_1, WIRE_VERSION, WIRE_PING, 0, 0};
    rig_send_raw(&rig, 3, torn, sizeof(torn), false);
    expect_breach(&rig, 3, DROVER_INVALID_ARGUMENT, "cannot be read");
    struct core_stats stats;
    core_stats(rig.core, &stats);
    cr_assert_eq(stats.malformed, UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, commands_that_do_not_exist_name_their_number)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    uint8_t octets[WIRE_HEADER_MAX];
    const struct wire_header ping = {.command = WIRE_PING, .session = client.session};
    const size_t size = wire_header_encode(&ping, octets, sizeof(octets));
    octets[3] = 200;
    rig_send_raw(&rig, 1, octets, size, false);
    expect_breach(&rig, 1, DROVER_FAILED_PRECONDITION, "command 200");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, nothing_is_said_to_who_speaks_something_else)
{
    struct rig rig;
    rig_new(&rig);
    rig_send_raw(&rig, 3, "GET / HTTP/1.1", 14, false);
    rig_send_raw(&rig, 3, "", 0, false);
    cr_assert_null(rig_take(&rig, 3));
    struct core_stats stats;
    core_stats(rig.core, &stats);
    cr_assert_eq(stats.sessions, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, sixteen_in_ten_seconds_close_the_session)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 1, NULL);
    for (size_t i = 0; i < 15; i++)
        rig_say(&rig, &client, WIRE_READY, 0);
    cr_assert_null(rig_take_command(&rig, 1, WIRE_REFUSED));
    rig_say(&rig, &client, WIRE_READY, 0);
    const struct rig_effect *refused = rig_take_command(&rig, 1, WIRE_REFUSED);
    cr_assert_not_null(refused);
    cr_assert_eq(refused->header.session, client.session);
    struct core_stats stats;
    core_stats(rig.core, &stats);
    cr_assert_eq(stats.calls_open, UINT64_C(0), "what it had open ended");
    rig_drop(&rig);
    rig_hello(&rig, 1, WIRE_ROLE_CLIENT, NULL);
    rig_say(&rig, &client, WIRE_PING, 0);
    rig_send_raw(&rig, 1, "\xaa\xd7\x01\x01", 4, false);
    cr_assert_null(rig_take(&rig, 1), "nothing of it is looked at any more");
    rig_advance(&rig, 60000);
    rig_client(&rig, 1); /* until it was silent for a minute */
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, spread_over_more_time_are_borne)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    for (size_t i = 0; i < 60; i++) {
        rig_say(&rig, &client, WIRE_READY, 0);
        rig_advance(&rig, 700);
    }
    cr_assert_null(rig_take_command(&rig, 1, WIRE_REFUSED));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* An ERROR that names a call is an outcome; only the call that the bad frame would have made can have one. */
Test(breaches, in_other_commands_do_not_end_the_call_they_name)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    rig_call(&rig, &client, 7, NULL);
    const struct wire_header cancel = {.command = WIRE_CANCEL, .session = client.session, .call = 7};
    rig_send(&rig, 1, &cancel, 3);
    cr_assert_eq(expect_breach(&rig, 1, DROVER_INVALID_ARGUMENT, "CANCEL has no body")->header.call, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- workers ---- */

Test(breaches, answers_to_calls_that_were_never_given)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer holder = rig_worker(&rig, 1, "echo", 1);
    const struct rig_peer liar = rig_worker(&rig, 2, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    const struct rig_effect *given = rig_take_command(&rig, holder.peer, WIRE_CALL);
    cr_assert_not_null(given);
    rig_reply(&rig, &liar, given, 5);
    expect_breach(&rig, liar.peer, DROVER_FAILED_PRECONDITION, "never given to this worker");
    rig_say(&rig, &liar, WIRE_REPLY, UINT64_C(0xffffff) << 40);
    expect_breach(&rig, liar.peer, DROVER_FAILED_PRECONDITION, "never given to this worker");
    cr_assert_null(rig_take(&rig, client.peer), "the caller notices nothing");
    rig_reply(&rig, &holder, given, 6);
    cr_assert_eq(rig_take(&rig, client.peer)->body_size, (size_t)6);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(breaches, of_a_worker_are_reported_at_the_sixteenth)
{
    struct rig rig;
    const struct rig_peer client = echo_rig(&rig);
    const struct rig_peer liar = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 7, NULL);
    for (size_t i = 0; i < 15; i++)
        rig_say(&rig, &liar, WIRE_REPLY, (UINT64_C(0xffffff) << 40) + i);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    rig_say(&rig, &liar, WIRE_REPLY, UINT64_C(0xffffff) << 40);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_HUNG)->worker, UINT64_C(1));
    cr_assert_not_null(rig_take_command(&rig, liar.peer, WIRE_REFUSED));
    rig_lost(&rig, 1, 0);
    const struct rig_peer honest = rig_worker(&rig, 2, "echo", 1);
    rig_reply(&rig, &honest, rig_take_command(&rig, honest.peer, WIRE_CALL), 0);
    cr_assert_not_null(rig_take_command(&rig, client.peer, WIRE_REPLY));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
