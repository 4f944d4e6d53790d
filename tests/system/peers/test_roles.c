/* test_roles.c - every command, from every role, in every state: what commands.def does not allow is refused once
 *
 * The rows of commands.def are what is expected here too; so this shows that the broker keeps to the table, and the
 * tests of the table's own content are elsewhere.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/siege.h"

#define CALL_NUMBER 77

static struct siege siege;
static struct drover_error error;

/* The shortest message that is right but for who sends it and when. */
static void send_shortest(struct peer *peer, enum wire_command command)
{
    const struct wire_command_info *info = wire_command_info(command);
    const struct wire_header header = {.command = command,
                                       .flags = info->required,
                                       .call = CALL_NUMBER,
                                       .status = DROVER_NOT_FOUND,
                                       .service = {.data = "echo", .size = 4},
                                       .method = {.data = "echo", .size = 4}};

    peer_send(peer, header, info->body == WIRE_BODY ? "\x80" : NULL, 1);
}

static bool is_allowed(enum wire_command command, enum wire_role role, enum wire_state state)
{
    const struct wire_command_info *info = wire_command_info(command);
    const unsigned roles = role == WIRE_ROLE_ADMIN ? WIRE_ROLE_ADMIN | WIRE_ROLE_CLIENT : (unsigned)role;

    return (info->senders & roles) != 0 && (info->states & state) != 0;
}

/* One ERROR that names the command, and the role or the state. */
static void expect_refusal(struct peer *peer, enum wire_command command, enum wire_role role, enum wire_state state)
{
    const char *name = wire_command_info(command)->name;
    uint64_t call = 0;

    send_shortest(peer, command);
    cr_expect_eq(peer_only_answer(peer, &error, &call), WIRE_ERROR, "%s of a %s that is %s: %s", name,
                 wire_role_name(role), wire_state_name(state), error.text);
    cr_expect_eq(error.status, DROVER_FAILED_PRECONDITION, "%s: %s", name, error.text);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED, "%s: %s", name, error.text);
    cr_expect_eq(error.origin, DROVER_ORIGIN_BROKER, "%s: %s", name, error.text);
    cr_expect_eq(strncmp(error.text, name, strlen(name)), 0, "%s: %s", name, error.text);
    cr_expect(strstr(error.text, wire_role_name(role)) || strstr(error.text, wire_state_name(state)), "%s: %s", name,
              error.text);
    cr_expect_eq(call, CALL_NUMBER, "%s names call %llu", name, (unsigned long long)call);
}

static void expect_all_refusals(struct peer *peer, enum wire_role role, enum wire_state state)
{
    unsigned refused = 0;

    for (int command = 1; command < WIRE_COMMAND_END; command++) {
        if (is_allowed((enum wire_command)command, role, state))
            continue;
        expect_refusal(peer, (enum wire_command)command, role, state);
        refused++;
    }
    cr_expect_lt(refused, 16, "more would have closed the session");
}

/* What is allowed may be refused for other reasons, but not for the role or the state. */
static void expect_no_refusals(enum wire_role role)
{
    for (int command = 1; command < WIRE_COMMAND_END; command++) {
        struct peer peer;
        struct peer_answers answers;
        if (!is_allowed((enum wire_command)command, role, WIRE_STATE_OPEN))
            continue;
        peer_connect(&peer, siege.rig.endpoint);
        cr_assert_eq(peer_hello(&peer, role, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
        send_shortest(&peer, (enum wire_command)command);
        if (command == WIRE_BYE) /* and with it goes the session */
            peer.session = 0;
        peer_fence(&peer, &answers);
        for (size_t i = 0; i < answers.count; i++)
            cr_expect_neq(answers.items[i].header.status, DROVER_FAILED_PRECONDITION, "%s",
                          wire_command_info((unsigned)command)->name);
        peer_answers_done(&answers);
        peer_close(&peer);
    }
}

static void expect_role(enum wire_role role)
{
    struct peer peer;

    siege_begin(&siege, "");
    peer_connect(&peer, siege.rig.endpoint);
    cr_assert_eq(peer_hello(&peer, role, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
    expect_all_refusals(&peer, role, WIRE_STATE_OPEN);
    peer_close(&peer);
    expect_no_refusals(role);
    siege_end(&siege);
}

Test(roles, a_client_may_send_what_its_rows_say_and_no_more)
{
    expect_role(WIRE_ROLE_CLIENT);
}

Test(roles, an_admin_may_send_what_its_rows_say_and_no_more)
{
    expect_role(WIRE_ROLE_ADMIN);
}

/* Without a session, every command but HELLO is told to say HELLO first, and a call that it was not started. */
Test(roles, a_peer_without_a_session_is_told_to_say_hello)
{
    struct peer peer;
    uint64_t call = 0;

    siege_begin(&siege, "");
    peer_connect(&peer, siege.rig.endpoint);
    for (int command = 1; command < WIRE_COMMAND_END; command++) {
        if (command == WIRE_HELLO)
            continue;
        send_shortest(&peer, (enum wire_command)command);
        cr_expect_eq(peer_only_answer(&peer, &error, &call), WIRE_HELLO_FIRST, "%s: %s",
                     wire_command_info((unsigned)command)->name, error.text);
        cr_expect_eq(call, command == WIRE_CALL || command == WIRE_ADMIN ? CALL_NUMBER : 0, "%s",
                     wire_command_info((unsigned)command)->name);
    }
    peer_close(&peer);
    siege_end(&siege);
}

/* Someone else's session is no session: it counts only on the connection that it was given to. */
Test(roles, a_session_of_another_connection_is_worth_nothing)
{
    struct peer owner, thief;
    uint64_t call = 0;

    siege_begin(&siege, "");
    peer_connect(&owner, siege.rig.endpoint);
    peer_connect(&thief, siege.rig.endpoint);
    cr_assert_eq(peer_hello(&owner, WIRE_ROLE_ADMIN, NULL, NULL, &error), WIRE_WELCOME);
    cr_assert_eq(peer_hello(&thief, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    for (int command = WIRE_READY; command < WIRE_COMMAND_END; command++) {
        struct wire_header header = {.command = (enum wire_command)command,
                                     .flags = wire_command_info((unsigned)command)->required,
                                     .session = owner.session,
                                     .call = CALL_NUMBER,
                                     .status = DROVER_NOT_FOUND,
                                     .service = {.data = "echo", .size = 4},
                                     .method = {.data = "echo", .size = 4}};
        peer_send(&thief, header, NULL, 0);
        cr_expect_eq(peer_only_answer(&thief, &error, &call), WIRE_HELLO_FIRST, "%s: %s",
                     wire_command_info((unsigned)command)->name, error.text);
    }
    struct peer_answers answers;
    peer_fence(&owner, &answers);
    cr_expect_eq(answers.count, 0);
    peer_close(&owner);
    peer_close(&thief);
    siege_end(&siege);
}

/* ---- workers ---- */

static const char raw_service[] =
    "  raw: {driver: " SIEGE_RAW_DRIVER ", grants: {write: [@]}, restart: {min: 10ms, max: 10ms}}\n";

Test(roles, a_worker_that_is_not_ready_may_send_what_its_rows_say_and_no_more)
{
    struct raw_worker worker;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    cr_assert_eq(peer_hello(&worker.peer, WIRE_ROLE_WORKER, worker.page->token, "raw", &error), WIRE_WELCOME);
    expect_all_refusals(&worker.peer, WIRE_ROLE_WORKER, WIRE_STATE_OPEN);
    raw_worker_done(&worker);
    siege_end(&siege);
}

Test(roles, a_worker_that_is_ready_may_send_what_its_rows_say_and_no_more)
{
    struct raw_worker worker;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    expect_all_refusals(&worker.peer, WIRE_ROLE_WORKER, WIRE_STATE_READY);
    raw_worker_done(&worker);
    siege_end(&siege);
}

static bool is_draining(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return service->worker_count == 1 && strcmp(service->workers[0].state, "draining") == 0;
}

/* It drains as long as it has a call to answer. */
Test(roles, a_worker_that_is_drained_may_send_what_its_rows_say_and_no_more)
{
    struct broker_rig_service service;
    struct raw_worker worker;
    struct peer_answer answer;
    struct peer client;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    peer_connect(&client, siege.rig.endpoint);
    cr_assert_eq(peer_hello(&client, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    peer_send(&client,
              (struct wire_header){.command = WIRE_CALL,
                                   .flags = FIELD_TARGET,
                                   .call = CALL_NUMBER,
                                   .service = {.data = "raw", .size = 3},
                                   .method = {.data = "work", .size = 4}},
              NULL, 0);
    const uint64_t call = raw_worker_take(&worker);
    broker_rig_admin(&siege.rig, "drain", "raw");
    broker_rig_await(&siege.rig, "raw", is_draining, NULL, &service);
    broker_rig_await(&siege.rig, "raw", is_draining, NULL, &service);
    expect_all_refusals(&worker.peer, WIRE_ROLE_WORKER, WIRE_STATE_DRAINING);
    peer_send(&worker.peer, (struct wire_header){.command = WIRE_REPLY, .call = call}, "\x80", 1);
    cr_assert(peer_receive(&client, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_REPLY);
    cr_expect_eq(answer.header.call, CALL_NUMBER);
    peer_answer_done(&answer);
    peer_close(&client);
    raw_worker_done(&worker);
    siege_end(&siege);
}
