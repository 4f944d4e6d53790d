/* test_greetings.c - HELLO in every wrong way: broken, of wrong types, too large, twice, in somebody else's name */
#include <criterion/criterion.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/siege.h"

static struct siege siege;
static struct peer peer;
static struct drover_error error;

static const char raw_service[] =
    "  raw: {driver: " SIEGE_RAW_DRIVER ", grants: {write: [@]}, restart: {min: 10ms, max: 10ms}}\n";

static void connect_anew(void)
{
    if (peer.socket != NULL)
        peer_close(&peer);
    peer_connect(&peer, siege.rig.endpoint);
}

static void send_hello(const void *body, size_t size)
{
    peer_send(&peer, (struct wire_header){.command = WIRE_HELLO}, body, size);
}

static void expect_only(enum wire_command command, enum drover_status status, const char *text, const char *what)
{
    const enum wire_command got = peer_only_answer(&peer, &error, NULL);

    cr_expect_eq(got, command, "%s: command %d: %s", what, got, error.text);
    cr_expect_eq(error.status, status, "%s: %s: %s", what, drover_status_name(error.status), error.text);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED, "%s", what);
    cr_expect_eq(error.origin, DROVER_ORIGIN_BROKER, "%s", what);
    cr_expect(strstr(error.text, text), "%s: '%s', expected '%s'", what, error.text, text);
}

/* ---- broken ---- */

struct octets {
    char what[40];
    unsigned char data[40];
    size_t size;
};

static const struct octets broken[] = {
    {"nothing", "", 0},
    {"a byte that is never used", "\xc1", 1},
    {"a map without its entries", "\x81", 1},
    {"a map without a value", "\x81\xa4role", 6},
    {"a string that is cut",
     "\x81\xa4role\xa6"
     "cli",
     10},
    {"an octet too many",
     "\x81\xa4role\xa6"
     "client\xc0",
     14},
    {"two maps", "\x80\x80", 2},
    {"96 GB of nils", "\xdd\xff\xff\xff\xff", 5},
    {"a map of 4 billion", "\xdf\xff\xff\xff\xff\x01\x01", 7},
    {"a string of 4 GB",
     "\xdb\xff\xff\xff\xff"
     "abc",
     8},
    {"an extension of 4 GB", "\xc9\xff\xff\xff\xff\x01", 6},
    {"a nesting of 33",
     "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
     "\x91\x91\x91\x91\x91\x91\x91\x01",
     34},
    {"a list", "\x90", 1},
    {"a number", "\x07", 1},
    {"nil", "\xc0", 1},
};

Test(hello, whose_body_is_broken_is_refused_and_may_be_said_again)
{
    siege_begin(&siege, "");
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        connect_anew();
        send_hello(broken[i].data, broken[i].size);
        expect_only(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "", broken[i].what);
        cr_expect_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
    }
    peer_close(&peer);
    siege_end(&siege);
}

/* ---- wrong types ---- */

enum wrong_value { NUMBER, NEGATIVE, TEXT, LONG_TEXT, LIST, LONG_LIST, NOT_METHODS, SHORT_BYTES, NIL };

static void write_wrong(struct drover_writer *writer, enum wrong_value value)
{
    char text[300] = {0};

    memset(text, 'x', sizeof(text) - 1);
    switch (value) {
    case NUMBER:
        drover_write_uint64(writer, 5000);
        break;
    case NEGATIVE:
        drover_write_int64(writer, -1);
        break;
    case TEXT:
    case LONG_TEXT:
        drover_write_string(writer, value == TEXT ? "text" : text);
        break;
    case LIST:
        drover_write_array(writer, 0);
        break;
    case LONG_LIST:
        drover_write_array(writer, 257);
        for (unsigned i = 0; i < 257; i++) {
            drover_write_map(writer, 1);
            drover_write_string(writer, "name");
            drover_write_string(writer, "m");
        }
        break;
    case NOT_METHODS:
        drover_write_array(writer, 1);
        drover_write_uint64(writer, 7);
        break;
    case SHORT_BYTES:
        drover_write_bytes(writer, text, 31);
        break;
    case NIL:
        drover_write_nil(writer);
        break;
    }
}

static const struct {
    char key[24];
    enum wrong_value value;
} wrong_types[] = {
    {"role", NUMBER},
    {"role", TEXT},
    {"role", NIL},
    {"version_min", TEXT},
    {"version_max", NEGATIVE},
    {"software", NUMBER},
    {"software", LONG_TEXT},
    {"name", LIST},
    {"name", LONG_TEXT},
    {"instance", NEGATIVE},
    {"instance", TEXT},
    {"interface", NUMBER},
    {"interface", LONG_TEXT},
    {"driver", LIST},
    {"driver_version", NUMBER},
    {"concurrency", NUMBER},
    {"concurrency", TEXT},
    {"methods", TEXT},
    {"methods", LONG_LIST},
    {"methods", NOT_METHODS},
    {"token", NUMBER},
    {"token", SHORT_BYTES},
    {"token", LIST},
};

Test(hello, with_a_value_of_a_wrong_type_is_refused_naming_the_key)
{
    static const char *const roles[] = {"client", "worker", "admin"};
    struct drover_writer *body = drover_writer_new();

    siege_begin(&siege, "");
    for (size_t i = 0; i < sizeof(wrong_types) / sizeof(wrong_types[0]); i++) {
        const bool is_role = strcmp(wrong_types[i].key, "role") == 0;
        drover_writer_clear(body);
        drover_write_map(body, is_role ? 1 : 2);
        if (!is_role) {
            drover_write_string(body, "role");
            drover_write_string(body, roles[i % 3]);
        }
        drover_write_string(body, wrong_types[i].key);
        write_wrong(body, wrong_types[i].value);
        connect_anew();
        send_hello(drover_writer_data(body), drover_writer_size(body));
        expect_only(WIRE_ERROR, DROVER_INVALID_ARGUMENT, wrong_types[i].key, wrong_types[i].key);
    }
    drover_writer_free(body);
    peer_close(&peer);
    siege_end(&siege);
}

Test(hello, of_other_versions_is_refused_naming_them)
{
    static const struct octets ranges[] = {
        {"2 to 3",
         "\x83\xa4role\xa6"
         "client\xabversion_min\x02\xabversion_max\x03",
         39},
        {"0 to 0",
         "\x83\xa4role\xa6"
         "client\xabversion_min\x00\xabversion_max\x00",
         39},
        {"5 to 1",
         "\x83\xa4role\xa6"
         "client\xabversion_min\x05\xabversion_max\x01",
         39},
    };

    siege_begin(&siege, "");
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        connect_anew();
        send_hello(ranges[i].data, ranges[i].size);
        expect_only(WIRE_REFUSED, DROVER_FAILED_PRECONDITION, ranges[i].what, ranges[i].what);
    }
    peer_close(&peer);
    siege_end(&siege);
}

/* A value that nobody asked for, of very many small parts: taken apart it would need a hundred times its size. */
Test(hello, that_is_far_too_large_costs_no_memory)
{
    const size_t size = (size_t)24 << 20;
    static const unsigned char head[] = "\x82\xa4role\xa6"
                                        "client\xa1x\xdd";
    uint8_t *body = malloc(size);
    const size_t nils = size - (sizeof(head) - 1) - 4;

    memset(body, 0xc0, size);
    memcpy(body, head, sizeof(head) - 1);
    for (unsigned i = 0; i < 4; i++)
        body[sizeof(head) - 1 + i] = (uint8_t)(nils >> (24 - 8 * i));
    siege_begin(&siege, "");
    const size_t before_kib = siege_memory_kib(&siege);
    connect_anew();
    for (unsigned i = 0; i < 4; i++) {
        send_hello(body, size);
        expect_only(WIRE_ERROR, DROVER_INVALID_ARGUMENT, "HELLO", "a HELLO of 24 MiB");
    }
    if (!broker_rig_is_sanitized())
        cr_expect_lt(siege_memory_kib(&siege), before_kib + 96 * 1024, "%zu KiB after %zu KiB",
                     siege_memory_kib(&siege), before_kib);
    free(body);
    peer_close(&peer);
    siege_end(&siege);
}

/* ---- twice ---- */

static void send_call(const char *service, const char *method, uint64_t number)
{
    peer_send(&peer,
              (struct wire_header){.command = WIRE_CALL,
                                   .flags = FIELD_TARGET,
                                   .call = number,
                                   .service = {.data = service, .size = strlen(service)},
                                   .method = {.data = method, .size = strlen(method)}},
              NULL, 0);
}

/* The client that says HELLO again has a new session; what it had open is cancelled, its old session is not known. */
Test(hello, twice_from_a_client_opens_a_new_session_and_ends_the_old_one)
{
    struct raw_worker worker;
    struct peer_answer answer;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    connect_anew();
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    const uint64_t old = peer.session;
    send_call("raw", "work", 1); /* the worker has it */
    send_call("raw", "work", 2); /* queued */
    const uint64_t given = raw_worker_take(&worker);
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    cr_expect_neq(peer.session, old);
    cr_assert(peer_receive(&worker.peer, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_CANCEL);
    cr_expect_eq(answer.header.call, given);
    peer_answer_done(&answer);
    peer_send(&worker.peer, (struct wire_header){.command = WIRE_REPLY, .call = given}, NULL, 0);
    peer_send(&peer, (struct wire_header){.command = WIRE_PING, .session = old}, NULL, 0);
    cr_expect_eq(peer_only_answer(&peer, &error, NULL), WIRE_HELLO_FIRST, "%s", error.text);
    send_call("raw", "work", 3); /* the only one that is left */
    peer_send(&worker.peer, (struct wire_header){.command = WIRE_REPLY, .call = raw_worker_take(&worker)}, NULL, 0);
    cr_assert(peer_receive(&peer, PEER_PATIENCE_MS, &answer));
    cr_expect_eq(answer.header.command, WIRE_REPLY);
    cr_expect_eq(answer.header.call, 3);
    peer_answer_done(&answer);
    peer_close(&peer);
    raw_worker_done(&worker);
    siege_end(&siege);
}

Test(hello, a_hundred_times_leaves_one_session)
{
    siege_begin(&siege, "");
    connect_anew();
    cr_assert_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME);
    const uint64_t sessions = broker_rig_sessions(&siege.rig);
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(peer_hello(&peer, i % 2 ? WIRE_ROLE_CLIENT : WIRE_ROLE_ADMIN, NULL, NULL, &error), WIRE_WELCOME);
    cr_expect_leq(broker_rig_sessions(&siege.rig), sessions + 1);
    peer_close(&peer);
    siege_end(&siege);
}

/* A worker has one session in its life; one that wants another is replaced. */
Test(hello, twice_from_a_worker_is_refused_and_the_worker_is_replaced)
{
    struct raw_worker worker, next;
    struct peer_answers answers;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    cr_expect_eq(peer_hello(&worker.peer, WIRE_ROLE_WORKER, worker.page->token, "raw", &error), WIRE_REFUSED);
    cr_expect_eq(error.status, DROVER_FAILED_PRECONDITION, "%s", error.text);
    cr_expect(strstr(error.text, "has said HELLO already"), "%s", error.text);
    raw_worker_await(&siege, &next);
    cr_expect_neq(next.pid, worker.pid);
    raw_worker_serve(&next);
    peer_fence(&next.peer, &answers);
    cr_expect_eq(answers.count, 0);
    raw_worker_done(&worker);
    raw_worker_done(&next);
    siege_end(&siege);
}

/* ---- in somebody else's name ---- */

static void expect_no_entry(const uint8_t *token, const char *what)
{
    cr_expect_eq(peer_hello(&peer, WIRE_ROLE_WORKER, token, "echo", &error), WIRE_REFUSED, "%s", what);
    cr_expect_eq(error.status, DROVER_PERMISSION_DENIED, "%s: %s", what, error.text);
    cr_expect_eq(error.retry_after_ms, 0, "%s", what);
    cr_expect(strstr(error.text, "no worker with this token is expected here"), "%s", error.text);
}

Test(impersonation, of_a_worker_needs_its_token)
{
    uint8_t token[WIRE_TOKEN_SIZE] = {0};

    siege_begin(&siege, "");
    connect_anew();
    expect_no_entry(NULL, "no token");
    expect_no_entry(token, "a token of zeros");
    for (unsigned i = 0; i < 100; i++) {
        sys_random(token, sizeof(token));
        expect_no_entry(token, "a guessed token");
    }
    cr_expect_eq(peer_hello(&peer, WIRE_ROLE_CLIENT, NULL, NULL, &error), WIRE_WELCOME, "%s", error.text);
    expect_no_entry(token, "a client that has a session");
    peer_send(&peer, (struct wire_header){.command = WIRE_PONG}, NULL, 0);
    peer.session = 0; /* who is refused loses it */
    cr_expect_eq(peer_only_answer(&peer, &error, NULL), WIRE_HELLO_FIRST, "%s", error.text);
    peer_close(&peer);
    siege_end(&siege);
}

/* The token of a worker that is there, from a second connection: a copy of the worker is not let in beside it. */
Test(impersonation, with_a_token_that_is_in_use_is_refused)
{
    struct raw_worker worker;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    peer_connect(&peer, worker.endpoint);
    cr_expect_eq(peer_hello(&peer, WIRE_ROLE_WORKER, worker.page->token, "raw", &error), WIRE_REFUSED);
    cr_expect_eq(error.status, DROVER_FAILED_PRECONDITION, "%s", error.text);
    peer_close(&peer);
    raw_worker_done(&worker);
    siege_end(&siege);
}

/* A token of one that has died is worth nothing. */
Test(impersonation, with_the_token_of_a_dead_worker_is_refused)
{
    struct raw_worker worker, next;
    uint8_t token[WIRE_TOKEN_SIZE];

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    raw_worker_serve(&worker);
    memcpy(token, worker.page->token, sizeof(token));
    cr_assert_eq(kill(worker.pid, SIGKILL), 0);
    raw_worker_done(&worker);
    raw_worker_await(&siege, &next); /* its host knows */
    raw_worker_serve(&next);
    peer_connect(&peer, next.endpoint);
    cr_expect_eq(peer_hello(&peer, WIRE_ROLE_WORKER, token, "raw", &error), WIRE_REFUSED);
    /* It may still be waiting for the last words of the dead one; then it says that this one was there before. */
    cr_expect(error.status == DROVER_PERMISSION_DENIED || error.status == DROVER_FAILED_PRECONDITION, "%s", error.text);
    peer_close(&peer);
    raw_worker_done(&next);
    siege_end(&siege);
}

Test(impersonation, with_another_interface_than_the_service_has_is_refused)
{
    struct raw_worker worker;

    siege_begin(&siege, raw_service);
    raw_worker_await(&siege, &worker);
    cr_expect_eq(peer_hello(&worker.peer, WIRE_ROLE_WORKER, worker.page->token, "userprovider", &error), WIRE_REFUSED);
    cr_expect_eq(error.status, DROVER_FAILED_PRECONDITION, "%s", error.text);
    cr_expect(strstr(error.text, "service 'raw' wants interface 'raw'"), "%s", error.text);
    raw_worker_done(&worker);
    siege_end(&siege);
}
