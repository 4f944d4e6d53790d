/* test_unread.c - clients that ask and never read the answers: the broker holds little for them, and lets go of them */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/siege.h"

#define CALLS 20000
#define MEMORY_KIB ((size_t)64 * 1024)

static struct siege siege;
static struct peer peer;
static struct drover_error error;

static void begin(void)
{
    siege_begin(&siege, "  flood: {interface: echo, driver: echo}\n");
    peer_connect(&peer, siege.rig.endpoint);
    zsock_set_rcvhwm(peer.socket, 1);
}

static void send_calls(uint64_t first, uint64_t count, const void *body, size_t size)
{
    for (uint64_t i = 0; i < count; i++)
        peer_send(&peer,
                  (struct wire_header){.command = WIRE_CALL,
                                       .flags = FIELD_TARGET | FIELD_DEADLINE,
                                       .call = first + i,
                                       .deadline_ms = 30000,
                                       .service = {.data = "flood", .size = 5},
                                       .method = {.data = "echo", .size = 4}},
                  body, size);
}

static bool is_gone(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return service->queued == 0 && service->workers[0].in_flight == 0;
}

/* What the client finds when it reads at last. */
struct finding {
    size_t replies, refused, hello_first, closed;
    uint8_t outcomes[CALLS + 1]; /* of each call */
};

static void count(struct finding *finding, const struct wire_header *header)
{
    const bool names_call = header->call > 0 && header->call <= CALLS;

    finding->replies += header->command == WIRE_REPLY;
    finding->refused += header->command == WIRE_ERROR && header->status == DROVER_RESOURCE_EXHAUSTED;
    finding->hello_first += header->command == WIRE_HELLO_FIRST;
    finding->closed += header->command == WIRE_REFUSED;
    if (names_call)
        cr_assert_eq(++finding->outcomes[header->call], 1, "call %d has two outcomes", (int)header->call);
}

/* Read what there is, until nothing comes for a while. */
static struct finding *read_all(void)
{
    struct finding *finding = calloc(1, sizeof(*finding));
    struct peer_answer answer;

    while (peer_receive(&peer, 500, &answer)) {
        count(finding, &answer.header);
        peer_answer_done(&answer);
    }
    return finding;
}

Test(unread, outcomes_of_20000_calls_end_the_session_of_who_never_reads_them)
{
    struct broker_rig_service service;

    begin();
    const size_t before_kib = siege_memory_kib(&siege);
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    send_calls(1, CALLS, "\x80", 1);
    broker_rig_await(&siege.rig, "flood", is_gone, NULL, &service);
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + MEMORY_KIB);
    struct finding *finding = read_all();
    cr_expect_leq(finding->replies, 1025 + 256, "%zu replies", finding->replies);
    cr_expect_gt(finding->refused, 0);
    cr_log_info("%zu replies, %zu refused, %zu HELLO_FIRST, closed %zu times", finding->replies, finding->refused,
                finding->hello_first, finding->closed);
    free(finding);
    peer_close(&peer);
    siege_end(&siege);
}

/* Who is far behind by its own account, whatever it has taken from the socket, is told so a second later. */
Test(unread, outcomes_that_are_never_reported_as_read_close_the_session_with_a_reason)
{
    struct peer_answer answer;
    size_t outcomes = 0;

    begin();
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    const uint64_t session = peer.session;
    send_calls(1, 3000, "\x80", 1);
    while (peer_receive(&peer, PEER_PATIENCE_MS, &answer) && answer.header.command != WIRE_REFUSED) {
        outcomes++;
        peer_answer_done(&answer);
    }
    cr_expect_eq(outcomes, 3000);
    cr_assert_eq(answer.header.command, WIRE_REFUSED);
    cr_expect_eq(answer.header.status, DROVER_RESOURCE_EXHAUSTED);
    cr_expect_eq(answer.header.session, session);
    cr_expect_gt(answer.header.retry_after_ms, 0);
    peer_answer_done(&answer);
    peer_send(&peer, (struct wire_header){.command = WIRE_PONG}, NULL, 0);
    peer.session = 0; /* it is lost */
    cr_expect_eq(peer_only_answer(&peer, &error, NULL), WIRE_HELLO_FIRST, "%s", error.text);
    peer_close(&peer);
    siege_end(&siege);
}

/* 8 MiB unread are as much as a thousand outcomes. */
Test(unread, bytes_count_as_outcomes_do)
{
    const size_t text = (size_t)256 * 1024;
    char *body = malloc(text + 16);
    static const char head[] = "\x81\xa7payload\xdb\x00\x04\x00\x00";

    memset(body, 'x', text + 16);
    memcpy(body, head, sizeof(head) - 1);
    begin();
    const size_t before_kib = siege_memory_kib(&siege);
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    send_calls(1, 400, body, sizeof(head) - 1 + text);
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + 3 * MEMORY_KIB);
    struct finding *finding = read_all();
    /* 8 MiB are 32 replies; besides, the queue may have held its 64 MiB of calls when they were reached. */
    cr_expect_leq(finding->replies, 32 + 256 + 1, "%zu replies", finding->replies);
    cr_expect_gt(finding->refused + finding->hello_first, 0);
    free(finding);
    free(body);
    peer_close(&peer);
    siege_end(&siege);
}

/* Nor does it help to be no client at all: each message is worth one short answer. */
Test(unread, answers_to_a_peer_without_a_session_cost_no_memory)
{
    begin();
    const size_t before_kib = siege_memory_kib(&siege);
    peer.session = 1; /* nobody's */
    send_calls(1, CALLS, NULL, 0);
    siege_await_calls(&siege, 100);
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + MEMORY_KIB);
    struct finding *finding = read_all();
    cr_expect_gt(finding->hello_first, 0);
    cr_expect_eq(finding->replies, 0);
    free(finding);
    peer.session = 0;
    cr_expect_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
    peer_close(&peer);
    siege_end(&siege);
}

/* A client that lies about what it has read is let have its way no further than the pipe to it reaches. */
Test(unread, outcomes_are_not_unlimited_for_one_that_lies_about_them)
{
    begin();
    const size_t before_kib = siege_memory_kib(&siege);
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    for (uint64_t i = 1; i <= CALLS; i++)
        peer_send(&peer,
                  (struct wire_header){.command = WIRE_CALL,
                                       .flags = FIELD_TARGET | FIELD_READ,
                                       .call = i,
                                       .read_count = UINT64_MAX,
                                       .read_bytes = UINT64_MAX,
                                       .service = {.data = "flood", .size = 5},
                                       .method = {.data = "echo", .size = 4}},
                  NULL, 0);
    siege_await_calls(&siege, 100);
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + MEMORY_KIB);
    struct finding *finding = read_all();
    cr_expect_gt(finding->replies + finding->refused, 0);
    free(finding);
    peer_close(&peer);
    siege_end(&siege);
}
