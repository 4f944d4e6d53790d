/* test_frames.c - messages that are almost right: each is refused once, clearly, and the session goes on
 *
 * The sixteenth within ten seconds ends that.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/siege.h"

static struct siege siege;
static struct peer peer;
static struct drover_error error;

static void begin(void)
{
    siege_begin(&siege, "");
}

static void end(void)
{
    peer_close(&peer);
    siege_end(&siege);
}

/* A client with a new session; the one of before leaves. */
static void join(void)
{
    if (peer.socket != NULL)
        peer_close(&peer);
    peer_connect(&peer, siege.rig.endpoint);
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
}

static void expect_refusal(enum wire_command command, enum drover_status status, const char *text, const char *what)
{
    const enum wire_command got = peer_only_answer(&peer, &error, NULL);

    cr_expect_eq(got, command, "%s: command %d: %s", what, got, error.text);
    cr_expect_eq(error.status, status, "%s: %s: %s", what, drover_status_name(error.status), error.text);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED, "%s: %s", what, drover_outcome_name(error.outcome));
    cr_expect_eq(error.origin, DROVER_ORIGIN_BROKER, "%s: %s", what, drover_origin_name(error.origin));
    cr_expect(strstr(error.text, text), "%s: '%s', expected '%s'", what, error.text, text);
}

/* A call of the service `echo` with everything that a header can have. */
static const struct wire_header full_call = {.command = WIRE_CALL,
                                             .flags = FIELD_DEADLINE | FIELD_READ | FIELD_TARGET | FIELD_METADATA,
                                             .call = 7,
                                             .deadline_ms = 10000,
                                             .service = {.data = "echo", .size = 4},
                                             .method = {.data = "echo", .size = 4},
                                             .metadata = {.data = "\x81\xa1x\x01", .size = 4}};

/* Still a client like any other: it calls, and is answered. */
static void expect_good_call(void)
{
    struct wire_header call = full_call;

    call.call = 1000;
    peer_send(&peer, call, "\x80", 1);
    struct peer_answer answer;
    cr_assert(peer_receive(&peer, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_REPLY);
    cr_expect_eq(answer.header.call, 1000);
    peer_answer_done(&answer);
}

#define CUTS_A_SESSION 8 /* fewer than end it */

Test(frames, header_that_is_cut_at_any_length_is_refused)
{
    begin();
    join();
    zmsg_t *message = peer_message(&peer, &full_call);
    const size_t size = zframe_size(zmsg_first(message));
    uint8_t octets[WIRE_HEADER_MAX];
    zmsg_destroy(&message);
    for (size_t cut = 0; cut < size; cut++) {
        if (cut % CUTS_A_SESSION == 0)
            join();
        cr_assert_eq(wire_header_encode(&full_call, octets, sizeof(octets)), size);
        peer_send_octets(&peer, octets, cut);
        if (cut >= 2) {
            expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "octets that cannot be read", "a cut header");
        } else { /* no signature: another protocol, which is none of ours */
            cr_expect_eq(peer_only_answer(&peer, &error, NULL), WIRE_NO_COMMAND);
            cr_expect_str_eq(error.text, "0 answers");
        }
    }
    expect_good_call();
    end();
}

Test(frames, header_with_one_octet_too_many_is_refused)
{
    uint8_t octets[WIRE_HEADER_MAX];

    begin();
    join();
    const size_t size = wire_header_encode(&full_call, octets, sizeof(octets));
    octets[size] = 0;
    peer_send_octets(&peer, octets, size + 1);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "cannot be read", "an octet too many");
    end();
}

Test(frames, of_another_protocol_are_passed_over_in_silence)
{
    static const char *const foreign[] = {"",        "\xaa", "GET / HTTP/1.1\r\n\r\n", "MDPC01", "\xd7\xaa\x01\x01",
                                          "\xaa\xaa"};

    begin();
    join();
    for (unsigned i = 0; i < 200; i++) {
        const char *text = foreign[i % (sizeof(foreign) / sizeof(foreign[0]))];
        peer_send_octets(&peer, text, strlen(text));
    }
    cr_expect_eq(peer_only_answer(&peer, &error, NULL), WIRE_NO_COMMAND);
    cr_expect_str_eq(error.text, "0 answers");
    expect_good_call();
    end();
}

Test(frames, of_another_version_are_refused_naming_both)
{
    static const uint8_t versions[] = {0, 2, 3, 127, 255};
    uint8_t octets[WIRE_HEADER_MAX];
    char said[32];

    begin();
    join();
    for (size_t i = 0; i < sizeof(versions); i++) {
        const size_t size = wire_header_encode(&full_call, octets, sizeof(octets));
        octets[2] = versions[i];
        peer_send_octets(&peer, octets, i == 0 ? 3 : size); /* what follows a version may be anything */
        snprintf(said, sizeof(said), "protocol version %u is not", versions[i]);
        expect_refusal(WIRE_REFUSED, DROVER_FAILED_PRECONDITION, said, "another version");
        cr_expect(strstr(error.text, "version 1"), "%s", error.text);
    }
    end();
}

Test(frames, with_an_unknown_command_are_refused_naming_it)
{
    char said[32];

    begin();
    for (unsigned number = 0; number < 256; number++) {
        uint8_t octets[WIRE_HEADER_FIXED_SIZE];
        struct wire_header header = {.command = WIRE_PING, .call = 9};
        if (number > 0 && number < WIRE_COMMAND_END)
            continue;
        if (number % CUTS_A_SESSION == 0)
            join();
        header.session = peer.session;
        cr_assert_eq(wire_header_encode(&header, octets, sizeof(octets)), sizeof(octets));
        octets[3] = (uint8_t)number;
        peer_send_octets(&peer, octets, sizeof(octets));
        snprintf(said, sizeof(said), "command %u is not known", number);
        expect_refusal(WIRE_ERROR, DROVER_FAILED_PRECONDITION, said, "an unknown command");
    }
    expect_good_call();
    end();
}

/* ---- too many frames, too large frames ---- */

static void send_frames(unsigned frames, size_t size)
{
    zmsg_t *message = peer_message(&peer, &full_call);
    char *data = calloc(1, size + 1);

    for (unsigned i = 1; i < frames; i++)
        zmsg_addmem(message, data, size);
    free(data);
    peer_send_frames(&peer, &message);
}

Test(frames, more_than_two_are_refused)
{
    static const unsigned counts[] = {3, 4, 100, 1000};

    begin();
    join();
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        send_frames(counts[i], 10);
        expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "CALL: more than two frames", "too many frames");
    }
    expect_good_call();
    end();
}

Test(frames, header_that_is_larger_than_any_can_be_is_refused)
{
    const size_t size = (size_t)8 << 20;
    uint8_t *octets = calloc(1, size);

    begin();
    join();
    (void)wire_header_encode(&full_call, octets, WIRE_HEADER_MAX);
    peer_send_octets(&peer, octets, size);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "a header of 8388608 octets", "a large header");
    free(octets);
    expect_good_call();
    end();
}

/* The service takes 16 MiB and no octet more. What is refused is let go of. */
Test(frames, body_above_max_body_is_refused_and_let_go_of)
{
    begin();
    join();
    const size_t before_kib = siege_memory_kib(&siege);
    for (unsigned i = 0; i < 20; i++) {
        send_frames(2, ((size_t)16 << 20) + 1);
        expect_refusal(WIRE_ERROR, DROVER_RESOURCE_EXHAUSTED, "larger than max_body", "a large body");
    }
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + 96 * 1024);
    expect_good_call();
    end();
}

/* ---- fields ---- */

/* A field too few or too many: the command says which it has. */
Test(frames, with_fields_that_their_command_does_not_have_are_refused)
{
    static const struct wire_header wrong[] = {
        {.command = WIRE_CALL},
        {.command = WIRE_CALL, .flags = FIELD_TARGET | FIELD_STATUS},
        {.command = WIRE_PING, .flags = FIELD_DEADLINE},
        {.command = WIRE_CANCEL, .flags = FIELD_SEQUENCE},
        {.command = WIRE_BYE, .flags = FIELD_TARGET},
        {.command = WIRE_ADMIN},
        {.command = WIRE_ADMIN, .flags = FIELD_TARGET | FIELD_METADATA},
        {.command = WIRE_HELLO, .flags = FIELD_READ},
        {.command = WIRE_ERROR},
    };

    begin();
    join();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wire_header header = wrong[i];
        header.service = header.method = (struct drover_text){.data = "echo", .size = 4};
        peer_send(&peer, header, NULL, 0);
        expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "cannot be read", wire_command_info(header.command)->name);
    }
    expect_good_call();
    end();
}

Test(frames, with_a_body_where_none_may_be_or_none_where_one_must_be_are_refused)
{
    begin();
    join();
    peer_send(&peer, (struct wire_header){.command = WIRE_PING}, "x", 1);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "PING has no body, but one came", "PING");
    peer_send(&peer, (struct wire_header){.command = WIRE_PONG}, "", 0);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "PONG has no body, but one came", "PONG");
    peer_send(&peer, (struct wire_header){.command = WIRE_CANCEL, .call = 5}, "x", 1);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "CANCEL has no body, but one came", "CANCEL");
    peer_send(&peer, (struct wire_header){.command = WIRE_BYE}, "x", 1);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "BYE has no body, but one came", "BYE");
    peer_send(&peer, (struct wire_header){.command = WIRE_HELLO}, NULL, 0);
    expect_refusal(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "HELLO came without its body", "HELLO");
    expect_good_call();
    end();
}

/* ---- the last straw ---- */

#define BREACHES 16

/* Fifteen are answered; the sixteenth closes the session. From then on the connection gets no word, whatever it says.
 */
Test(frames, sixteen_wrong_ones_close_the_session_and_the_rest_is_ignored)
{
    struct peer_answer answer;
    unsigned errors = 0;

    begin();
    join();
    for (unsigned i = 0; i < 1000; i++)
        peer_send(&peer, (struct wire_header){.command = WIRE_READY}, NULL, 0);
    while (peer_receive(&peer, PEER_PATIENCE_MS, &answer) && answer.header.command == WIRE_ERROR) {
        errors++;
        peer_answer_done(&answer);
    }
    cr_expect_eq(errors, BREACHES - 1);
    cr_assert_eq(answer.header.command, WIRE_REFUSED);
    cr_expect_eq(answer.header.status, DROVER_FAILED_PRECONDITION);
    cr_expect_eq(answer.header.retry_after_ms, 0);
    cr_expect_eq(answer.header.session, peer.session);
    peer_answer_done(&answer);
    peer_send(&peer, full_call, "\x80", 1);
    peer_send(&peer, (struct wire_header){.command = WIRE_HELLO},
              "\x81\xa4role\xa6"
              "client",
              13);
    siege_await_calls(&siege, 100);
    cr_expect_not(peer_receive(&peer, 100, &answer), "command %d", answer.header.command);
    join(); /* the same client on a new connection */
    expect_good_call();
    end();
}

/* Before there is a session it is the same: a record is made to count by. */
Test(frames, sixteen_wrong_ones_before_hello_have_the_connection_ignored)
{
    struct peer_answer answer;
    unsigned errors = 0;

    begin();
    peer_connect(&peer, siege.rig.endpoint);
    for (unsigned i = 0; i < 100; i++)
        peer_send_octets(&peer, "\xaa\xd7\x01\x01", 4);
    while (peer_receive(&peer, PEER_PATIENCE_MS, &answer) && answer.header.command == WIRE_ERROR) {
        errors++;
        peer_answer_done(&answer);
    }
    cr_expect_eq(errors, BREACHES - 1);
    cr_expect_eq(answer.header.command, WIRE_REFUSED);
    peer_answer_done(&answer);
    siege_await_calls(&siege, 100);
    cr_expect_not(peer_receive(&peer, 100, &answer));
    end();
}
