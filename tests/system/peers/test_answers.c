/* test_answers.c - workers that answer what they were not asked, twice, late, or for each other
 *
 * The test speaks in the place of workers whose processes do nothing (siege.h); its client is a raw peer too, so that
 * each message is seen.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/siege.h"

static struct siege siege;
static struct raw_worker worker;
static struct peer client;
static struct drover_error error;

static void begin(const char *settings)
{
    char services[256];

    snprintf(services, sizeof(services),
             "  raw: {driver: " SIEGE_RAW_DRIVER ", grants: {write: [@]}, restart: {min: 10ms, max: 10ms}%s}\n",
             settings);
    siege_begin(&siege, services);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    peer_connect(&client, siege.rig.endpoint);
    cr_assert_eq(peer_hello(&client, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
}

static void end(void)
{
    peer_close(&client);
    raw_worker_done(&worker);
    siege_end(&siege);
}

static void call(uint64_t number, uint32_t deadline_ms)
{
    peer_send(&client,
              (struct wire_header){.command = WIRE_CALL,
                                   .flags = FIELD_TARGET | FIELD_DEADLINE,
                                   .call = number,
                                   .deadline_ms = deadline_ms,
                                   .service = {.data = "raw", .size = 3},
                                   .method = {.data = "work", .size = 4}},
              NULL, 0);
}

static void reply(struct raw_worker *from, uint64_t number)
{
    peer_send(&from->peer, (struct wire_header){.command = WIRE_REPLY, .call = number}, "\x80", 1);
}

/* The next thing that the client hears is the outcome of this call. */
static void expect_outcome(uint64_t number, enum wire_command command, enum drover_status status,
                           enum drover_outcome outcome)
{
    struct peer_answer answer;

    cr_assert(peer_receive(&client, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, command, "call %d: command %d", (int)number, answer.header.command);
    cr_expect_eq(answer.header.call, number, "call %d: another one", (int)number);
    if (answer.header.command == WIRE_ERROR) {
        cr_expect_eq(answer.header.status, status, "call %d: %s", (int)number,
                     drover_status_name(answer.header.status));
        cr_expect_eq(answer.header.outcome, outcome, "call %d: %s", (int)number,
                     drover_outcome_name(answer.header.outcome));
    }
    peer_answer_done(&answer);
}

static void expect_reply(uint64_t number)
{
    expect_outcome(number, WIRE_REPLY, DROVER_OK, DROVER_OUTCOME_ANSWERED);
}

/* Nothing more was said to the client. */
static void expect_no_more(void)
{
    cr_expect_eq(peer_only_answer(&client, &error, NULL), WIRE_NO_COMMAND);
    cr_expect_str_eq(error.text, "0 answers");
}

static void expect_silence(struct raw_worker *who, const char *what)
{
    cr_expect_eq(peer_only_answer(&who->peer, &error, NULL), WIRE_NO_COMMAND, "%s: %s", what, error.text);
    cr_expect_str_eq(error.text, "0 answers", "%s: %s", what, error.text);
}

static void expect_never_given(struct raw_worker *who, const char *what)
{
    cr_expect_eq(peer_only_answer(&who->peer, &error, NULL), WIRE_ERROR, "%s: %s", what, error.text);
    cr_expect_eq(error.status, DROVER_FAILED_PRECONDITION, "%s: %s", what, error.text);
    cr_expect(strstr(error.text, "was never given to this worker"), "%s: %s", what, error.text);
}

/* A slot that no call was in yet, a serial that is still to come. */
#define NEVER_USED (UINT64_C(1) << 39)

Test(answers, to_calls_never_given_are_refused_and_harm_no_other)
{
    static const uint64_t never[] = {NEVER_USED, UINT64_C(0xffffff) << 40, UINT64_MAX};

    begin("");
    call(1, 10000);
    const uint64_t given = raw_worker_take(&worker);
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        reply(&worker, never[i]);
        expect_never_given(&worker, "REPLY");
        peer_send(&worker.peer,
                  (struct wire_header){
                      .command = WIRE_ERROR, .flags = FIELD_STATUS, .call = never[i], .status = DROVER_INTERNAL},
                  NULL, 0);
        expect_never_given(&worker, "ERROR");
    }
    reply(&worker, given);
    expect_reply(1);
    expect_no_more();
    end();
}

/* The serials of calls that have ended are not remembered: such an answer may be a late one, and is taken for it. */
Test(answers, to_calls_of_long_ago_are_late_and_harm_no_other)
{
    begin("");
    siege_await_calls(&siege, 50);
    call(1, 10000);
    const uint64_t given = raw_worker_take(&worker);
    for (uint64_t serial = 0; serial < 40; serial++) {
        reply(&worker, serial);
        reply(&worker, (given & ~((UINT64_C(1) << 40) - 1)) | serial);
    }
    expect_silence(&worker, "serials of ended calls");
    expect_no_more();
    reply(&worker, given);
    expect_reply(1);
    end();
}

Test(answers, that_come_twice_count_once)
{
    begin("");
    call(1, 10000);
    const uint64_t given = raw_worker_take(&worker);
    for (unsigned i = 0; i < 100; i++)
        reply(&worker, given);
    peer_send(
        &worker.peer,
        (struct wire_header){.command = WIRE_ERROR, .flags = FIELD_STATUS, .call = given, .status = DROVER_INTERNAL},
        NULL, 0);
    expect_silence(&worker, "late answers");
    expect_reply(1);
    expect_no_more();
    call(2, 10000);
    reply(&worker, raw_worker_take(&worker));
    expect_reply(2);
    end();
}

/* What comes after the deadline is late: nobody hears of it, but the worker has room again. */
Test(answers, after_the_deadline_are_late_and_free_the_worker)
{
    struct peer_answer answer;

    begin("");
    call(1, 50);
    const uint64_t given = raw_worker_take(&worker);
    expect_outcome(1, WIRE_ERROR, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN);
    cr_assert(peer_receive(&worker.peer, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_CANCEL);
    cr_expect_eq(answer.header.call, given);
    peer_answer_done(&answer);
    call(2, 30000); /* waits: the worker is still busy with the first */
    expect_silence(&worker, "a busy worker");
    reply(&worker, given);
    reply(&worker, raw_worker_take(&worker));
    expect_reply(2);
    reply(&worker, given);
    expect_silence(&worker, "the first call again");
    expect_no_more();
    end();
}

/* A number that was used counts for nothing any more, also when its place is taken by another call. */
Test(answers, with_the_number_of_an_earlier_call_are_late)
{
    begin("");
    call(1, 10000);
    const uint64_t first = raw_worker_take(&worker);
    reply(&worker, first);
    expect_reply(1);
    call(2, 10000);
    const uint64_t second = raw_worker_take(&worker);
    cr_expect_neq(first, second);
    reply(&worker, first);
    (void)peer_only_answer(&worker.peer, &error, NULL); /* late, or never given: the broker may know which */
    expect_no_more();
    reply(&worker, second);
    expect_reply(2);
    expect_no_more();
    end();
}

/* A worker can only answer calls that it was given, not those of its neighbour. */
Test(answers, for_the_call_of_another_worker_are_refused)
{
    struct raw_worker other;
    struct peer_answer answer;

    begin(", replicas: 2");
    raw_worker_await(&siege, &other);
    raw_worker_serve(&other);
    call(1, 10000);
    call(2, 10000);
    const uint64_t mine = raw_worker_take(&worker), its = raw_worker_take(&other);
    reply(&worker, its);
    expect_never_given(&worker, "the other's call");
    peer_send(
        &other.peer,
        (struct wire_header){.command = WIRE_ERROR, .flags = FIELD_STATUS, .call = mine, .status = DROVER_INTERNAL},
        NULL, 0);
    expect_never_given(&other, "this one's call");
    expect_no_more();
    reply(&worker, mine);
    reply(&other, its);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(peer_receive(&client, PEER_PATIENCE_MS, &answer));
        cr_expect_eq(answer.header.command, WIRE_REPLY);
        peer_answer_done(&answer);
    }
    expect_no_more();
    raw_worker_done(&other);
    end();
}

Test(answers, that_are_larger_than_max_body_become_an_error)
{
    char body[2000] = {0};

    begin(", max_body: 1000");
    call(1, 10000);
    peer_send(&worker.peer, (struct wire_header){.command = WIRE_REPLY, .call = raw_worker_take(&worker)}, body,
              sizeof(body));
    expect_outcome(1, WIRE_ERROR, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_ANSWERED);
    call(2, 10000);
    peer_send(&worker.peer, (struct wire_header){.command = WIRE_REPLY, .call = raw_worker_take(&worker)}, body, 1000);
    expect_reply(2);
    end();
}

/* An error that claims to be no error, and one that claims that the broker said it. */
Test(answers, that_lie_about_status_and_origin_are_put_right)
{
    struct peer_answer answer;

    begin("");
    call(1, 10000);
    peer_send(&worker.peer,
              (struct wire_header){.command = WIRE_ERROR,
                                   .flags = FIELD_STATUS,
                                   .call = raw_worker_take(&worker),
                                   .status = DROVER_OK,
                                   .origin = DROVER_ORIGIN_BROKER},
              NULL, 0);
    cr_assert(peer_receive(&client, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_ERROR);
    cr_expect_eq(answer.header.status, DROVER_INTERNAL);
    cr_expect_eq(answer.header.origin, DROVER_ORIGIN_DRIVER);
    peer_answer_done(&answer);
    expect_no_more();
    end();
}

/* The worker's session is closed, its process replaced; the call that it had begun is unknown, the other is answered by
 * the next one. */
Test(answers, sixteen_wrong_ones_have_the_worker_replaced)
{
    struct raw_worker next;
    struct peer_answer answer;

    begin("");
    call(1, 30000);
    call(2, 30000);
    (void)raw_worker_take(&worker);
    for (unsigned i = 0; i < 100; i++)
        reply(&worker, NEVER_USED);
    do {
        cr_assert(peer_receive(&worker.peer, PEER_PATIENCE_MS, &answer));
        const bool is_error = answer.header.command == WIRE_ERROR;
        if (!is_error)
            cr_expect_eq(answer.header.command, WIRE_REFUSED);
        peer_answer_done(&answer);
        if (!is_error)
            break;
    } while (true);
    raw_worker_await(&siege, &next);
    cr_expect_neq(next.pid, worker.pid);
    raw_worker_serve(&next);
    expect_outcome(1, WIRE_ERROR, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN);
    reply(&next, raw_worker_take(&next));
    expect_reply(2);
    expect_no_more();
    raw_worker_done(&next);
    end();
}
