/* test_client.c - the public functions against a broker of a few lines, on a real socket */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drover/client.h>

#include "common/sys/sys.h"
#include "tests/support/fake_broker.h"

#define LONG_MS 20000 /* bounds a wait that ends by an event */

static char *endpoint;
static struct fake_broker *broker;
static struct drover_client *client;

static void make_client(struct drover_client_options options)
{
    struct drover_error error = {0};
    drover_client_free(client);
    client = NULL;
    options.broker = endpoint;
    if (options.deadline_ms == 0)
        options.deadline_ms = LONG_MS;
    cr_assert_eq(drover_client_new(&options, &client, &error), DROVER_OK, "%s", error.text);
}

static void setup(void)
{
    endpoint = fake_broker_endpoint();
    broker = fake_broker_start(endpoint, NULL);
    make_client((struct drover_client_options){0});
}

static void teardown(void)
{
    drover_client_free(client);
    fake_broker_stop(broker);
    fake_broker_forget_endpoint(endpoint);
}

TestSuite(client, .init = setup, .fini = teardown);

static void restart_broker(const struct fake_broker_options *options)
{
    fake_broker_stop(broker);
    broker = fake_broker_start(endpoint, options);
}

static struct drover_request request(const char *method)
{
    return (struct drover_request){.service = "s", .method = method, .body = "\xA2hi", .body_size = 3};
}

/* Make a call that is answered with its own body. */
static void expect_echo(const char *method)
{
    struct drover_request made = request(method);
    struct drover_reply reply;
    struct drover_error error = {0};
    cr_assert_eq(drover_client_call(client, &made, &reply, &error), DROVER_OK, "%s", error.text);
    cr_expect(reply.body_size == 3 && memcmp(reply.body, "\xA2hi", 3) == 0);
    drover_reply_done(&reply);
}

static struct drover_error expect_error(struct drover_request made, enum drover_status status,
                                        enum drover_outcome outcome)
{
    struct drover_reply reply;
    struct drover_error error = {0};
    cr_assert_eq(drover_client_call(client, &made, &reply, &error), status, "%s: %s", drover_status_name(error.status),
                 error.text);
    cr_expect_eq(error.status, status);
    cr_expect_eq(error.outcome, outcome, "%s", drover_outcome_name(error.outcome));
    return error;
}

static uint64_t send_one(const char *method)
{
    struct drover_request made = request(method);
    struct drover_error error = {0};
    uint64_t call = 0;
    cr_assert_eq(drover_client_send(client, &made, &call, &error), DROVER_OK, "%s", error.text);
    return call;
}

Test(client, gets_the_reply_to_a_call)
{
    expect_echo("echo");
}

Test(client, gets_the_drivers_error_with_its_origin)
{
    struct drover_error error = expect_error(request("error"), DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    cr_expect_eq(error.origin, DROVER_ORIGIN_DRIVER);
    cr_expect_str_eq(error.text, "no such thing");
}

Test(client, passes_flags_and_metadata_on)
{
    struct drover_request made = request("echo");
    struct drover_reply reply;
    made.idempotent = true;
    made.metadata = "\x81\xA1k\xA1v";
    made.metadata_size = 5;
    cr_assert_eq(drover_client_call(client, &made, &reply, NULL), DROVER_OK);
    drover_reply_done(&reply);
    cr_expect_eq(fake_broker_counts(broker)->idempotent, 1);
    cr_expect_eq(fake_broker_counts(broker)->metadata, 1);
}

Test(client, keeps_a_reply_alive_after_its_end)
{
    struct drover_request made = request("echo");
    struct drover_reply reply;
    cr_assert_eq(drover_client_call(client, &made, &reply, NULL), DROVER_OK);
    client = drover_client_free(client);
    cr_assert(memcmp(reply.body, "\xA2hi", 3) == 0);
    drover_reply_done(&reply);
    drover_reply_done(&reply);
}

Test(client, carries_bodies_of_many_sizes)
{
    size_t sizes[] = {0, 1, 33, 34, 255, 8192, 65536, 1u << 20};
    char *body = calloc(1, 1u << 20);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct drover_request made = {.service = "s", .method = "echo", .body = body, .body_size = sizes[i]};
        struct drover_reply reply;
        cr_assert_eq(drover_client_call(client, &made, &reply, NULL), DROVER_OK);
        cr_expect_eq(reply.body_size, sizes[i]);
        drover_reply_done(&reply);
    }
    struct drover_request made = {.service = "s", .method = "echo", .body = body, .body_size = (1u << 20) + 1};
    expect_error(made, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_NOT_STARTED);
    free(body);
}

Test(client, has_many_calls_under_way)
{
    bool seen[200] = {false};
    uint64_t calls[200];
    struct drover_reply reply;
    for (size_t i = 0; i < 200; i++)
        calls[i] = send_one("echo");
    cr_assert_eq(drover_client_open(client), 200);
    while (drover_client_receive(client, -1, &reply) == 1) {
        for (size_t i = 0; i < 200; i++)
            if (calls[i] == reply.call) {
                cr_assert_not(seen[i], "two outcomes");
                seen[i] = true;
            }
        cr_expect_eq(reply.error.status, DROVER_OK);
        drover_reply_done(&reply);
    }
    for (size_t i = 0; i < 200; i++)
        cr_expect(seen[i], "call %zu has no outcome", i);
    cr_assert_eq(drover_client_open(client), 0);
}

Test(client, can_be_driven_by_a_poll_loop)
{
    struct drover_reply reply;
    size_t got = 0;
    for (size_t sent = 0; got < 500;) {
        for (; sent < 500 && drover_client_open(client) < 10; sent++)
            send_one("echo");
        struct pollfd item = {.fd = drover_client_fd(client), .events = POLLIN};
        int timeout_ms = drover_client_timeout_ms(client);
        cr_assert(timeout_ms >= 0 && timeout_ms <= LONG_MS + 100);
        poll(&item, 1, timeout_ms);
        for (; drover_client_receive(client, 0, &reply) == 1; got++)
            drover_reply_done(&reply);
    }
    cr_assert_eq(drover_client_open(client), 0);
    cr_assert_eq(fake_broker_counts(broker)->pings, 0, "no wake-up was missed");
}

Test(client, leaves_the_outcomes_of_others_to_receive)
{
    struct drover_reply reply;
    uint64_t other = send_one("error");
    expect_echo("echo");
    cr_assert_eq(drover_client_receive(client, LONG_MS, &reply), 1);
    cr_expect_eq(reply.call, other);
    cr_expect_eq(reply.error.status, DROVER_NOT_FOUND);
    drover_reply_done(&reply);
}

Test(client, returns_at_once_when_nothing_is_under_way)
{
    struct drover_reply reply;
    cr_assert_eq(drover_client_receive(client, -1, &reply), 0);
    cr_assert_eq(drover_client_receive(client, 0, &reply), 0);
    cr_assert_eq(drover_client_timeout_ms(client), -1);
}

Test(client, gets_the_verdict_on_a_cancelled_call)
{
    struct drover_reply reply;
    expect_echo("echo");
    uint64_t call = send_one("silent");
    drover_client_cancel(client, call);
    drover_client_cancel(client, call + 12345);
    cr_assert_eq(drover_client_receive(client, LONG_MS, &reply), 1);
    cr_expect_eq(reply.call, call);
    cr_expect_eq(reply.error.status, DROVER_CANCELLED);
    drover_reply_done(&reply);
}

Test(client, gives_a_silent_broker_its_deadline_then_says_unknown)
{
    struct drover_request made = request("silent");
    made.deadline_ms = 300;
    uint64_t began_ms = sys_now_ms();
    struct drover_error error = expect_error(made, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN);
    cr_expect_eq(error.origin, DROVER_ORIGIN_CLIENT);
    cr_expect_geq(sys_now_ms() - began_ms, 400);
    cr_expect_geq(fake_broker_counts(broker)->pings, 1);
}

Test(client, says_unavailable_where_no_broker_answers)
{
    struct drover_request made = request("echo");
    made.deadline_ms = 200;
    restart_broker(&(struct fake_broker_options){.mute = true});
    expect_error(made, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
}

Test(client, says_unavailable_where_no_broker_is)
{
    struct drover_request made = request("echo");
    made.deadline_ms = 200;
    fake_broker_stop(broker);
    broker = NULL;
    struct drover_error error = expect_error(made, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_eq(error.origin, DROVER_ORIGIN_CLIENT);
    cr_expect(strstr(error.text, endpoint) != NULL, "%s", error.text);
}

Test(client, waits_for_a_broker_that_comes_up_within_the_deadline)
{
    struct drover_reply reply;
    fake_broker_stop(broker);
    uint64_t call = send_one("echo");
    cr_assert_eq(drover_client_receive(client, 50, &reply), 0);
    broker = fake_broker_start(endpoint, NULL);
    cr_assert_eq(drover_client_receive(client, LONG_MS, &reply), 1);
    cr_expect_eq(reply.call, call);
    cr_expect_eq(reply.error.status, DROVER_OK);
    drover_reply_done(&reply);
}

Test(client, says_what_a_refusal_says)
{
    restart_broker(&(struct fake_broker_options){.refuse = true});
    struct drover_error error = expect_error(request("echo"), DROVER_PERMISSION_DENIED, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_eq(error.origin, DROVER_ORIGIN_BROKER);
}

/* A call may go into a connection whose end was not noticed yet; then only a repeat helps. */
Test(client, goes_on_after_a_restart_between_two_calls)
{
    struct drover_request made = request("echo");
    struct drover_reply reply;
    made.idempotent = true;
    for (int i = 0; i < 5; i++) {
        struct drover_error error = {0};
        cr_assert_eq(drover_client_call(client, &made, &reply, &error), DROVER_OK, "%s", error.text);
        drover_reply_done(&reply);
        restart_broker(NULL);
    }
}

Test(client, learns_of_a_restart_under_a_call)
{
    struct drover_reply reply;
    expect_echo("echo");
    uint64_t call = send_one("silent");
    cr_assert_eq(drover_client_receive(client, 50, &reply), 0);
    restart_broker(NULL);
    cr_assert_eq(drover_client_receive(client, LONG_MS, &reply), 1);
    cr_expect_eq(reply.call, call);
    cr_expect_eq(reply.error.status, DROVER_UNAVAILABLE);
    cr_expect_eq(reply.error.outcome, DROVER_OUTCOME_UNKNOWN);
    drover_reply_done(&reply);
    expect_echo("echo");
}

Test(client, ends_every_call_once_under_a_broker_that_restarts)
{
    struct drover_reply reply;
    size_t sent = 0, got = 0;
    for (int restart = 0; restart < 10; restart++) {
        for (int i = 0; i < 20; i++, sent++)
            send_one(i % 7 == 0 ? "error" : "echo");
        for (int i = 0; i < 10 && drover_client_receive(client, LONG_MS, &reply) == 1; i++, got++)
            drover_reply_done(&reply);
        restart_broker(NULL);
    }
    for (; drover_client_receive(client, -1, &reply) == 1; got++) {
        cr_expect_neq(reply.error.status, DROVER_DEADLINE_EXCEEDED, "a call was forgotten");
        drover_reply_done(&reply);
    }
    cr_expect_eq(got, sent);
    expect_echo("echo");
}

Test(client, survives_garbage_from_the_broker)
{
    for (int i = 0; i < 20; i++)
        expect_echo("garbage");
}

Test(client, drops_late_answers)
{
    expect_echo("late");
    expect_echo("late");
}

Test(client, tells_the_broker_what_it_read)
{
    for (int i = 0; i < 3; i++)
        expect_echo("echo");
    cr_expect_eq(fake_broker_counts(broker)->read_count, 2);
    cr_expect_eq(fake_broker_counts(broker)->read_bytes, 6);
}

Test(client, asks_the_broker_itself)
{
    struct drover_reply reply;
    struct drover_error error = {0};
    make_client((struct drover_client_options){.admin = true});
    cr_assert_eq(drover_client_admin(client, "status", "\x80", 1, LONG_MS, &reply, &error), DROVER_OK, "%s",
                 error.text);
    cr_expect_eq(reply.body_size, 1);
    cr_expect_eq(fake_broker_counts(broker)->admins, 1);
    drover_reply_done(&reply);
}

Test(client, refuses_endpoints_that_are_none)
{
    static const char *const bad[] = {"", "broker", "ipc://", "tcp://", "tcp://nowhere", "udp://1.2.3.4:5", "http://x"};
    for (size_t i = 1; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct drover_client_options options = {.broker = bad[i]};
        struct drover_client *none = NULL;
        struct drover_error error = {0};
        cr_expect_eq(drover_client_new(&options, &none, &error), DROVER_INVALID_ARGUMENT, "'%s'", bad[i]);
        cr_expect(strstr(error.text, bad[i]) != NULL, "%s", error.text);
        cr_assert_null(none);
    }
}

Test(client, takes_the_endpoint_from_the_environment)
{
    struct drover_client *other = NULL;
    struct drover_request made = request("echo");
    struct drover_reply reply;
    setenv("DROVER_BROKER", endpoint, 1);
    cr_assert_eq(drover_client_new(NULL, &other, NULL), DROVER_OK);
    cr_assert_eq(drover_client_call(other, &made, &reply, NULL), DROVER_OK);
    drover_reply_done(&reply);
    drover_client_free(other);
}

Test(client, says_bye_when_it_leaves)
{
    expect_echo("echo");
    client = drover_client_free(client);
    /* The farewell went out before the call of another client: look only after that. */
    make_client((struct drover_client_options){0});
    for (int i = 0; i < 1000 && fake_broker_counts(broker)->byes == 0; i++)
        expect_echo("echo");
    cr_expect_eq(fake_broker_counts(broker)->byes, 1);
}

Test(client, can_be_made_many_times_in_one_process)
{
    struct drover_client *clients[64];
    struct drover_client_options options = {.broker = endpoint, .deadline_ms = LONG_MS};
    struct drover_request made = request("echo");
    struct drover_reply reply;
    for (size_t i = 0; i < 64; i++)
        cr_assert_eq(drover_client_new(&options, &clients[i], NULL), DROVER_OK);
    for (size_t i = 0; i < 64; i++) {
        cr_assert_eq(drover_client_call(clients[i], &made, &reply, NULL), DROVER_OK);
        drover_reply_done(&reply);
        drover_client_free(clients[i]);
    }
}

Test(client, can_be_made_in_a_child_of_a_process_that_has_one)
{
    expect_echo("echo");
    pid_t child = fork();
    if (child == 0) {
        struct drover_client_options options = {.broker = endpoint, .deadline_ms = LONG_MS};
        struct drover_request made = request("echo");
        struct drover_client *own = NULL;
        struct drover_reply reply;
        bool good = drover_client_new(&options, &own, NULL) == DROVER_OK &&
                    drover_client_call(own, &made, &reply, NULL) == DROVER_OK;
        drover_client_free(own);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    expect_echo("echo");
}
