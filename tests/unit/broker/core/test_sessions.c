/* test_sessions.c - how peers come in, what they are, how they are looked after and forgotten */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/core_rig.h"

static size_t session_count(const struct rig *rig)
{
    struct core_stats stats;
    core_stats(rig->core, &stats);
    return stats.sessions;
}

/* ---- coming in ---- */

Test(sessions, welcome_says_what_a_client_needs)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer client = rig_hello(&rig, 5, WIRE_ROLE_CLIENT, NULL);
    const struct rig_effect *welcome = rig_take(&rig, 5);
    struct drover_document *document = NULL;
    struct wire_welcome said;
    struct drover_error error = {0};
    cr_assert_eq(welcome->header.command, WIRE_WELCOME);
    cr_assert_eq(drover_document_parse(welcome->body, welcome->body_size, &document, &error), DROVER_OK);
    cr_assert_eq(wire_welcome_decode(document, &said, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(said.session, client.session);
    cr_assert_neq(said.session, UINT64_C(0));
    cr_assert_eq(said.version, UINT64_C(1));
    cr_assert_eq(said.incarnation, UINT64_C(1));
    cr_assert_eq(said.open_max, UINT64_C(1024));
    cr_assert_eq(said.ping_ms, UINT64_C(250));
    drover_document_free(document);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, welcome_gives_a_worker_its_service_and_settings)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_expect(&rig, 3, "echo");
    rig_hello_worker(&rig, 2000, 3, "echo", 2);
    const struct rig_effect *welcome = rig_take(&rig, 2000);
    struct drover_document *document = NULL;
    struct wire_welcome said;
    struct drover_error error = {0};
    cr_assert_eq(welcome->header.command, WIRE_WELCOME);
    cr_assert_eq(drover_document_parse(welcome->body, welcome->body_size, &document, &error), DROVER_OK);
    cr_assert_eq(wire_welcome_decode(document, &said, &error), DROVER_OK, "%s", error.text);
    cr_assert(drover_text_equals(said.service, "echo"));
    cr_assert(drover_text_equals(said.artefact, "00ff"));
    cr_assert_eq(said.generation, UINT64_C(1));
    cr_assert_eq(said.max_body, UINT64_C(16384));
    cr_assert_eq(drover_value_type(said.settings), DROVER_TYPE_MAP);
    drover_document_free(document);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, an_unknown_session_must_say_hello_first_and_its_call_is_named)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer stranger = {.peer = 9, .session = 0x1234};
    rig_call(&rig, &stranger, 77, NULL);
    const struct rig_effect *answer = rig_take(&rig, 9);
    cr_assert_eq(answer->header.command, WIRE_HELLO_FIRST);
    cr_assert_eq(answer->header.session, UINT64_C(0x1234));
    cr_assert_eq(answer->header.call, UINT64_C(77));
    cr_assert_eq(session_count(&rig), (size_t)0, "no record for a stranger");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* The call that HELLO_FIRST names was not started; of one that is being cancelled nobody can say that. */
Test(sessions, hello_first_after_cancel_does_not_name_the_call)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer stranger = {.peer = 9, .session = 0x1234};
    rig_say(&rig, &stranger, WIRE_CANCEL, 77);
    const struct rig_effect *answer = rig_take(&rig, 9);
    cr_assert_eq(answer->header.command, WIRE_HELLO_FIRST);
    cr_assert_eq(answer->header.call, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_session_number_is_good_on_its_own_connection_only)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer client = rig_client(&rig, 1);
    const struct rig_peer thief = {.peer = 2, .session = client.session};
    rig_call(&rig, &thief, 5, NULL);
    cr_assert_eq(rig_take(&rig, 2)->header.command, WIRE_HELLO_FIRST);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_second_hello_of_a_client_opens_another_session)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer before = rig_client(&rig, 1);
    const struct rig_peer after = rig_client(&rig, 1);
    cr_assert_neq(before.session, after.session);
    cr_assert_eq(session_count(&rig), (size_t)1);
    rig_call(&rig, &before, 5, NULL);
    cr_assert_eq(rig_take(&rig, 1)->header.command, WIRE_HELLO_FIRST);
    rig_call(&rig, &after, 6, NULL);
    cr_assert_null(rig_take(&rig, 1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, another_protocol_version_is_refused_for_good)
{
    struct rig rig;
    rig_new(&rig);
    uint8_t octets[64];
    const struct wire_header header = {.command = WIRE_PING};
    const size_t size = wire_header_encode(&header, octets, sizeof(octets));
    octets[2] = 9;
    rig_send_raw(&rig, 4, octets, size, false);
    const struct rig_effect *refused = rig_take(&rig, 4);
    cr_assert_eq(refused->header.command, WIRE_REFUSED);
    cr_assert_eq(refused->header.status, DROVER_FAILED_PRECONDITION);
    cr_assert_eq(refused->header.retry_after_ms, 0u);
    cr_assert_not_null(memmem(refused->header.text.data, refused->header.text.size, "version 9", 9));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, no_more_of_them_than_allowed)
{
    struct rig rig;
    rig_new_with(&rig, 3);
    for (uint64_t peer = 1; peer <= 3; peer++)
        rig_client(&rig, peer);
    const struct rig_peer fourth = rig_hello(&rig, 4, WIRE_ROLE_CLIENT, NULL);
    cr_assert_eq(fourth.session, UINT64_C(0));
    const struct rig_effect *refused = rig_take(&rig, 4);
    cr_assert_eq(refused->header.command, WIRE_REFUSED);
    cr_assert_eq(refused->header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_assert_gt(refused->header.retry_after_ms, 0u);
    rig_gone(&rig, 2);
    rig_client(&rig, 4);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- who may administer ---- */

static void expect_admin(const char *address, bool allowed)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer admin = rig_hello(&rig, 1, WIRE_ROLE_ADMIN, address);
    const struct rig_effect *answer = rig_take(&rig, 1);
    cr_assert_eq(admin.session != 0, allowed, "address '%s'", address);
    cr_assert_eq(answer->header.command, allowed ? WIRE_WELCOME : WIRE_REFUSED);
    if (!allowed)
        cr_assert_eq(answer->header.status, DROVER_PERMISSION_DENIED);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, admin_is_for_root_and_the_brokers_user_on_this_machine)
{
    expect_admin("localhost:0:0:1", true);
    expect_admin("localhost:4711:100:42", true);
    expect_admin("localhost:4712:100:42", false);
    expect_admin("localhost:", false);
    expect_admin("localhost:4711", false);
    expect_admin("127.0.0.1", false);
    expect_admin("10.0.0.1:0:0:1", false);
    expect_admin(NULL, false);
}

Test(sessions, an_admin_request_comes_out_and_its_answer_goes_back)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer admin = rig_hello(&rig, 1, WIRE_ROLE_ADMIN, "localhost:0:0:1");
    rig_drop(&rig);
    const struct wire_header request = {.command = WIRE_ADMIN,
                                        .flags = FIELD_TARGET,
                                        .session = admin.session,
                                        .call = 12,
                                        .service = {"echo", 4},
                                        .method = {"status", 6}};
    rig_send(&rig, 1, &request, 20);
    const struct rig_effect *asked = rig_event(&rig, EFFECT_ADMIN);
    cr_assert_not_null(asked);
    cr_assert_str_eq(asked->octets, "status");
    cr_assert_eq(asked->body_size, (size_t)20);
    struct body none = {.present = false};
    core_answer_admin(rig.core, rig.now_ms, asked->peer, asked->session, asked->call, NULL, &none);
    rig_advance(&rig, 0);
    rig_say(&rig, &admin, WIRE_PING, 0); /* a step, so that the rig takes the effects */
    const struct rig_effect *reply = rig_take(&rig, 1);
    cr_assert_eq(reply->header.command, WIRE_REPLY);
    cr_assert_eq(reply->header.call, UINT64_C(12));
    cr_assert_eq(reply->header.session, admin.session);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, an_admin_may_call_like_a_client)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer admin = rig_hello(&rig, 1, WIRE_ROLE_ADMIN, "localhost:0:0:1");
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &admin, 1, NULL);
    cr_assert_not_null(rig_take_command(&rig, worker.peer, WIRE_CALL));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- workers ---- */

Test(sessions, a_worker_that_nobody_expects_is_refused)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_expect(&rig, 1, "echo");
    const struct rig_peer stranger = rig_hello_worker(&rig, 2000, 2, "echo", 1);
    cr_assert_eq(stranger.session, UINT64_C(0));
    const struct rig_effect *refused = rig_take(&rig, 2000);
    cr_assert_eq(refused->header.command, WIRE_REFUSED);
    cr_assert_eq(refused->header.status, DROVER_PERMISSION_DENIED);
    cr_assert_null(rig_event(&rig, EFFECT_WORKER_HUNG));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_worker_with_another_interface_is_a_configuration_error)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_expect(&rig, 1, "echo");
    rig_hello_worker(&rig, 2000, 1, "userprovider", 1);
    const struct rig_effect *refused = rig_take(&rig, 2000);
    cr_assert_eq(refused->header.command, WIRE_REFUSED);
    const struct rig_effect *event = rig_event(&rig, EFFECT_WORKER_CONFIG_ERROR);
    cr_assert_not_null(event);
    cr_assert_eq(event->worker, UINT64_C(1));
    cr_assert_not_null(strstr(event->octets, "userprovider"));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_worker_that_speaks_another_version_is_a_configuration_error)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_expect(&rig, 1, "echo");
    rig.version = 99;
    rig_hello_worker(&rig, 2000, 1, "echo", 1);
    const struct rig_effect *refused = rig_take(&rig, 2000);
    cr_assert_eq(refused->header.command, WIRE_REFUSED);
    const struct rig_effect *event = rig_event(&rig, EFFECT_WORKER_CONFIG_ERROR);
    cr_assert_not_null(event);
    cr_assert_eq(event->worker, UINT64_C(1));
    cr_assert_not_null(strstr(event->octets, "driver 'test' speaks protocol versions 99 to 99"));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_worker_that_refuses_its_settings_is_reported_with_its_reason)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_expect(&rig, 1, "echo");
    const struct rig_peer worker = rig_hello_worker(&rig, 2000, 1, "echo", 1);
    const struct wire_header header = {.command = WIRE_CONFIG_ERROR,
                                       .flags = FIELD_STATUS,
                                       .session = worker.session,
                                       .status = DROVER_INVALID_ARGUMENT,
                                       .text = {"users: no such file", 19}};
    rig_send(&rig, 2000, &header, SIZE_MAX);
    const struct rig_effect *event = rig_event(&rig, EFFECT_WORKER_CONFIG_ERROR);
    cr_assert_not_null(event);
    cr_assert_str_eq(event->octets, "users: no such file");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_second_hello_of_a_worker_is_refused_and_reported)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    const struct rig_peer again = rig_hello_worker(&rig, worker.peer, 1, "echo", 1);
    cr_assert_eq(again.session, UINT64_C(0));
    cr_assert_eq(rig_take(&rig, worker.peer)->header.command, WIRE_REFUSED);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_HUNG)->worker, UINT64_C(1));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_token_lets_one_connection_in_and_no_second)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    rig_worker(&rig, 1, "echo", 1);
    const struct rig_peer second = rig_hello_worker(&rig, 5000, 1, "echo", 1);
    cr_assert_eq(second.session, UINT64_C(0));
    cr_assert_eq(rig_take(&rig, 5000)->header.command, WIRE_REFUSED);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_worker_whose_connection_is_lost_is_reported_and_given_nothing)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer client = rig_client(&rig, 1);
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 4);
    rig_call(&rig, &client, 1, NULL);
    rig_gone(&rig, worker.peer);
    cr_assert_eq(rig_event(&rig, EFFECT_WORKER_HUNG)->worker, UINT64_C(1));
    rig_drop(&rig);
    rig_call(&rig, &client, 2, NULL);
    cr_assert_null(rig_take(&rig, worker.peer));
    uint64_t peer = 0;
    cr_assert_not(core_worker_peer(rig.core, 1, &peer));
    rig_lost(&rig, 1, 0);
    const struct rig_peer next = rig_worker(&rig, 2, "echo", 4);
    cr_assert_not_null(rig_take_command(&rig, next.peer, WIRE_CALL));
    cr_assert_not_null(rig_take_command(&rig, next.peer, WIRE_CALL), "both calls go on");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_lost_workers_connection_must_say_hello_first)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "echo");
    const struct rig_peer worker = rig_worker(&rig, 1, "echo", 1);
    uint64_t peer = 0;
    cr_assert(core_worker_peer(rig.core, 1, &peer));
    cr_assert_eq(peer, worker.peer);
    rig_lost(&rig, 1, 0);
    rig_say(&rig, &worker, WIRE_PING, 0);
    cr_assert_eq(rig_take(&rig, worker.peer)->header.command, WIRE_HELLO_FIRST);
    cr_assert_eq(session_count(&rig), (size_t)0);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

/* ---- being looked after ---- */

Test(sessions, ping_is_answered)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer client = rig_client(&rig, 1);
    rig_say(&rig, &client, WIRE_PING, 0);
    cr_assert_eq(rig_take(&rig, 1)->header.command, WIRE_PONG);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_client_with_open_calls_is_pinged_once_a_second_and_no_other)
{
    struct rig rig;
    rig_new(&rig);
    struct core_service service = rig_service_like("echo");
    struct drover_error error;
    service.deadline_ms = 20000;
    cr_assert_eq(core_set_service(rig.core, &service, &error), DROVER_OK);
    const struct rig_peer client = rig_client(&rig, 1);
    rig_client(&rig, 2);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 10500);
    size_t pings = 0;
    while (rig_take_command(&rig, 1, WIRE_PING) != NULL)
        pings++;
    cr_assert_eq(pings, (size_t)10);
    cr_assert_null(rig_take(&rig, 2));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_client_that_is_silent_for_a_minute_is_forgotten)
{
    struct rig rig;
    rig_new(&rig);
    const struct rig_peer client = rig_client(&rig, 1);
    rig_advance(&rig, 40000);
    rig_say(&rig, &client, WIRE_PING, 0);
    rig_advance(&rig, 59999);
    cr_assert_eq(session_count(&rig), (size_t)1);
    rig_advance(&rig, 1);
    cr_assert_eq(session_count(&rig), (size_t)0);
    cr_assert_eq(core_next_ms(rig.core), UINT64_MAX, "nothing is left to wait for");
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(sessions, a_silent_client_with_an_open_call_and_a_silent_worker_are_not)
{
    struct rig rig;
    rig_new(&rig);
    struct core_service service = rig_service_like("echo");
    struct drover_error error;
    service.deadline_ms = 300000;
    cr_assert_eq(core_set_service(rig.core, &service, &error), DROVER_OK);
    const struct rig_peer client = rig_client(&rig, 1);
    rig_worker(&rig, 1, "echo", 1);
    rig_call(&rig, &client, 1, NULL);
    rig_advance(&rig, 200000);
    cr_assert_eq(session_count(&rig), (size_t)2);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
