/* test_engine.c - the rules of engine.h, one by one, in virtual time */
#include <criterion/criterion.h>
#include <string.h>

#include "client/lib/engine.h"
#include "common/wire/greeting.h"

#define SESSION UINT64_C(0x1111)
#define NEW_SESSION UINT64_C(0x2222)

static struct engine *engine;
static uint64_t now_ms;
static int released;

static void release(void *owner)
{
    (void)owner;
    released++;
}

static void make(struct engine_options options)
{
    engine_free(engine);
    options.endpoint = "ipc:///tmp/b";
    options.name = "test";
    options.release = release;
    if (options.deadline_ms == 0)
        options.deadline_ms = 30000;
    if (options.open_max == 0)
        options.open_max = 1024;
    cr_assert_eq(engine_new(&options, &engine, NULL), DROVER_OK);
}

static void setup(void)
{
    now_ms = 1000000;
    make((struct engine_options){0});
}

static void teardown(void)
{
    engine = engine_free(engine);
}

TestSuite(engine, .init = setup, .fini = teardown);

/* ---- the application's side ---- */

static enum drover_status try_submit(struct drover_request request, uint64_t *ret_call, struct drover_error *error)
{
    struct engine_request submit = {.command = WIRE_CALL, .request = &request};
    if (request.service == NULL)
        request.service = "s";
    if (request.method == NULL)
        request.method = "m";
    return engine_submit(engine, &submit, now_ms, ret_call, error);
}

static uint64_t submit(struct drover_request request)
{
    uint64_t call = 0;
    struct drover_error error = {0};
    cr_assert_eq(try_submit(request, &call, &error), DROVER_OK, "%s", error.text);
    return call;
}

/* The outcome of `call` is there, and is this. */
static void expect_outcome(uint64_t call, enum drover_status status, enum drover_outcome outcome,
                           enum drover_origin origin)
{
    struct engine_outcome taken;
    cr_assert(engine_take(engine, call, &taken), "no outcome");
    cr_expect_eq(taken.error.status, status, "status %s: %s", drover_status_name(taken.error.status), taken.error.text);
    cr_expect_eq(taken.error.outcome, outcome, "outcome %s", drover_outcome_name(taken.error.outcome));
    cr_expect_eq(taken.error.origin, origin, "origin %s", drover_origin_name(taken.error.origin));
    cr_assert_not(engine_take(engine, call, &taken), "a second outcome");
}

static void expect_no_outcome(void)
{
    struct engine_outcome taken;
    engine_tick(engine, now_ms);
    cr_assert_not(engine_take(engine, 0, &taken), "an outcome: %s", taken.error.text);
}

static void pass(uint64_t ms)
{
    now_ms += ms;
    engine_tick(engine, now_ms);
}

/* ---- the broker's side ---- */

/* The next frame, sent; WIRE_NO_COMMAND when there is none. The header must be one that the wire accepts. */
static enum wire_command sent_header(struct wire_header *ret)
{
    static uint8_t buffer[WIRE_HEADER_MAX];
    struct engine_frame frame;
    if (!engine_next_frame(engine, now_ms, &frame))
        return WIRE_NO_COMMAND;
    size_t size = wire_header_encode(&frame.header, buffer, sizeof(buffer));
    cr_assert_gt(size, 0);
    cr_assert_eq(wire_header_decode(buffer, size, ret), WIRE_DECODED);
    engine_frame_sent(engine, now_ms);
    return ret->command;
}

static enum wire_command sent(void)
{
    struct wire_header header;
    return sent_header(&header);
}

static bool give_with_body(struct wire_header header, const void *data, size_t size)
{
    uint8_t buffer[WIRE_HEADER_MAX];
    struct call_body body = {.data = data, .size = size, .owner = &released};
    size_t header_size = wire_header_encode(&header, buffer, sizeof(buffer));
    cr_assert_gt(header_size, 0);
    return engine_receive(engine, now_ms, buffer, header_size, data == NULL ? NULL : &body);
}

static void give(struct wire_header header)
{
    give_with_body(header, NULL, 0);
}

static void give_error(uint64_t call, enum wire_command command, struct drover_error error)
{
    struct wire_header header = {.command = command, .session = SESSION, .call = call, .flags = FIELD_STATUS};
    wire_header_set_error(&header, &error);
    give(header);
}

static void give_reply(uint64_t call)
{
    give((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = call});
}

static void welcome_with(struct wire_welcome welcome)
{
    struct drover_writer *writer = drover_writer_new();
    welcome.version = WIRE_VERSION;
    wire_welcome_encode(&welcome, writer);
    give_with_body((struct wire_header){.command = WIRE_WELCOME, .session = welcome.session},
                   drover_writer_data(writer), drover_writer_size(writer));
    drover_writer_free(writer);
}

static void welcome(uint64_t session)
{
    welcome_with((struct wire_welcome){.session = session, .max_body = 1000, .open_max = 100, .ping_ms = 250});
}

/* Have a session, and a call sent in it. */
static uint64_t sent_call(struct drover_request request)
{
    uint64_t call = submit(request);
    enum wire_command command = sent();
    if (command == WIRE_HELLO) {
        welcome(SESSION);
        command = sent();
    }
    cr_assert_eq(command, WIRE_CALL);
    return call;
}

static void give_hello_first(uint64_t call)
{
    give((struct wire_header){.command = WIRE_HELLO_FIRST, .session = SESSION, .call = call});
}

/* ---- requests ---- */

Test(engine, asks_for_no_session_before_there_is_a_call)
{
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    cr_assert_eq(engine_wake_ms(engine), UINT64_MAX);
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
}

Test(engine, sends_a_call_with_all_that_was_asked_once_there_is_a_session)
{
    struct wire_header header;
    uint64_t call = submit((struct drover_request){.service = "users",
                                                   .method = "get",
                                                   .body = "\x01",
                                                   .body_size = 1,
                                                   .metadata = "\x80",
                                                   .metadata_size = 1,
                                                   .deadline_ms = 500,
                                                   .idempotent = true});
    cr_assert_eq(sent(), WIRE_HELLO);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(100);
    welcome(SESSION);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.call, call);
    cr_expect_eq(header.session, SESSION);
    cr_expect_eq(header.deadline_ms, 400, "the time left, not the time there was");
    cr_expect(drover_text_equals(header.service, "users") && drover_text_equals(header.method, "get"));
    cr_expect_eq(header.metadata.size, 1);
    cr_expect(header.flags & WIRE_IDEMPOTENT);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

Test(engine, refuses_names_that_are_empty_or_too_long)
{
    char long_name[257];
    uint64_t call;
    struct drover_error error;
    memset(long_name, 'n', sizeof(long_name));
    long_name[256] = '\0';
    cr_expect_eq(try_submit((struct drover_request){.service = ""}, &call, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_eq(try_submit((struct drover_request){.method = ""}, &call, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(try_submit((struct drover_request){.service = long_name}, &call, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(try_submit((struct drover_request){.method = long_name}, &call, &error), DROVER_INVALID_ARGUMENT);
    long_name[255] = '\0';
    cr_expect_eq(try_submit((struct drover_request){.method = long_name}, &call, &error), DROVER_OK);
    cr_expect_eq(engine_open(engine), 1);
}

Test(engine, refuses_metadata_that_is_too_long_or_no_map)
{
    static char metadata[WIRE_METADATA_MAX + 1] = {(char)0x80};
    uint64_t call;
    struct drover_request request = {.metadata = metadata, .metadata_size = sizeof(metadata)};
    cr_expect_eq(try_submit(request, &call, NULL), DROVER_INVALID_ARGUMENT);
    request.metadata_size--;
    cr_expect_eq(try_submit(request, &call, NULL), DROVER_OK);
    request.metadata = "\x01";
    request.metadata_size = 1;
    cr_expect_eq(try_submit(request, &call, NULL), DROVER_INVALID_ARGUMENT);
}

Test(engine, refuses_calls_beyond_its_limit_until_an_outcome_is_taken)
{
    uint64_t call, refused;
    struct drover_error error;
    make((struct engine_options){.open_max = 2});
    call = submit((struct drover_request){0});
    submit((struct drover_request){0});
    cr_assert_eq(try_submit((struct drover_request){0}, &refused, &error), DROVER_RESOURCE_EXHAUSTED);
    cr_assert_eq(error.origin, DROVER_ORIGIN_CLIENT);
    engine_cancel(engine, call);
    cr_assert_eq(try_submit((struct drover_request){0}, &refused, NULL), DROVER_RESOURCE_EXHAUSTED);
    expect_outcome(call, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
    submit((struct drover_request){0});
}

Test(engine, keeps_calls_back_that_the_broker_would_count_as_unread)
{
    struct engine_outcome taken;
    uint64_t first = submit((struct drover_request){0}), second = submit((struct drover_request){0});
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome_with((struct wire_welcome){.session = SESSION, .open_max = 2});
    cr_assert_eq(sent(), WIRE_CALL);
    cr_assert_eq(sent(), WIRE_CALL);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    give_reply(second);
    cr_assert_eq(sent(), WIRE_NO_COMMAND, "the outcome came, but nobody read it");
    cr_assert(engine_take(engine, second, &taken));
    cr_assert_eq(sent(), WIRE_CALL);
    give_reply(first);
}

Test(engine, refuses_a_body_larger_than_the_broker_takes)
{
    static char body[1001];
    uint64_t call = submit((struct drover_request){.body = body, .body_size = 1001}), refused;
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    expect_outcome(call, DROVER_RESOURCE_EXHAUSTED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
    cr_assert_eq(try_submit((struct drover_request){.body = body, .body_size = 1001}, &refused, NULL),
                 DROVER_RESOURCE_EXHAUSTED);
    sent_call((struct drover_request){.body = body, .body_size = 1000});
}

/* ---- outcomes ---- */

Test(engine, hands_out_a_reply_with_its_body)
{
    struct engine_outcome taken;
    uint64_t call = sent_call((struct drover_request){0});
    cr_assert(give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = call}, "\xC3", 1));
    cr_assert(engine_take(engine, 0, &taken));
    cr_expect_eq(taken.call, call);
    cr_expect_eq(taken.error.status, DROVER_OK);
    cr_expect_eq(taken.error.outcome, DROVER_OUTCOME_ANSWERED);
    cr_expect_eq(taken.body.size, 1);
    cr_expect_eq(taken.body.owner, &released);
    cr_expect_eq(engine_open(engine), 0);
}

Test(engine, releases_bodies_that_nobody_took)
{
    uint64_t call = sent_call((struct drover_request){0});
    cr_assert(give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = call}, "\xC3", 1));
    engine = engine_free(engine);
    cr_assert_eq(released, 1);
}

Test(engine, hands_out_an_error_as_the_broker_says_it)
{
    uint64_t call = sent_call((struct drover_request){0});
    give_error(call, WIRE_ERROR,
               (struct drover_error){.status = DROVER_NOT_FOUND, .origin = DROVER_ORIGIN_DRIVER, .text = "no such"});
    expect_outcome(call, DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(engine, takes_an_error_without_a_status_for_an_internal_one)
{
    uint64_t call = sent_call((struct drover_request){0});
    give_error(call, WIRE_ERROR, (struct drover_error){.status = DROVER_OK, .origin = DROVER_ORIGIN_BROKER});
    expect_outcome(call, DROVER_INTERNAL, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_BROKER);
}

Test(engine, drops_answers_that_fit_no_call)
{
    uint64_t call = sent_call((struct drover_request){0});
    give_reply(call + 1);
    give_reply(call ^ (UINT64_C(1) << 40));
    give_reply(0);
    give_reply(UINT64_MAX);
    give((struct wire_header){.command = WIRE_REPLY, .session = NEW_SESSION, .call = call});
    expect_no_outcome();
    give_reply(call);
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    give_reply(call);
    expect_no_outcome();
}

Test(engine, drops_a_second_answer)
{
    uint64_t call = sent_call((struct drover_request){0});
    give_reply(call);
    give_error(call, WIRE_ERROR, (struct drover_error){.status = DROVER_INTERNAL});
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    expect_no_outcome();
}

Test(engine, drops_an_answer_to_a_call_that_was_not_sent)
{
    uint64_t call = submit((struct drover_request){0});
    give_reply(call);
    give((struct wire_header){.command = WIRE_REPLY, .session = 0, .call = call});
    expect_no_outcome();
}

Test(engine, survives_garbage_and_messages_that_are_not_for_clients)
{
    uint8_t noise[WIRE_HEADER_MAX + 1], good[WIRE_HEADER_MAX];
    struct wire_header header = {.command = WIRE_REPLY, .session = SESSION};
    uint64_t seed = 1;
    header.call = sent_call((struct drover_request){0});
    size_t size = wire_header_encode(&header, good, sizeof(good));
    for (size_t cut = 0; cut < size; cut++)
        cr_assert_not(engine_receive(engine, now_ms, good, cut, NULL));
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < 64; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            noise[i] = (uint8_t)(seed >> 56);
        }
        memcpy(noise, good, (size_t)round % size); /* ever more of it right */
        (void)engine_receive(engine, now_ms, noise, (size_t)round % 64, NULL);
    }
    give((struct wire_header){.command = WIRE_DRAIN, .session = SESSION});
    give((struct wire_header){.command = WIRE_WELCOME, .session = SESSION});
    give_with_body((struct wire_header){.command = WIRE_WELCOME, .session = SESSION}, "\xC1\xC1", 2);
    expect_no_outcome();
    give_reply(header.call);
    expect_outcome(header.call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

/* ---- deadlines ---- */

Test(engine, says_unavailable_when_no_broker_answered_in_time)
{
    uint64_t call = submit((struct drover_request){.deadline_ms = 500});
    cr_assert_eq(sent(), WIRE_HELLO);
    pass(499);
    expect_no_outcome();
    pass(1);
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
}

Test(engine, says_unavailable_when_there_is_no_connection)
{
    struct engine_outcome taken;
    uint64_t call = submit((struct drover_request){.deadline_ms = 500});
    engine_link_lost(engine, now_ms);
    cr_assert(engine_is_blocked(engine));
    cr_assert_eq(engine_wake_ms(engine), now_ms + 500, "no timer but the deadline");
    pass(500);
    cr_assert(engine_take(engine, call, &taken));
    cr_expect_eq(taken.error.status, DROVER_UNAVAILABLE);
    cr_expect(strstr(taken.error.text, "ipc:///tmp/b") != NULL, "%s", taken.error.text);
}

Test(engine, waits_for_a_session_no_longer_than_asked)
{
    make((struct engine_options){.connect_ms = 200});
    uint64_t call = submit((struct drover_request){.deadline_ms = 5000});
    pass(200);
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
}

Test(engine, lets_a_call_wait_for_its_deadline_once_there_is_a_session)
{
    make((struct engine_options){.connect_ms = 200});
    submit((struct drover_request){0});
    uint64_t kept_back = submit((struct drover_request){.deadline_ms = 5000});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome_with((struct wire_welcome){.session = SESSION, .open_max = 1});
    cr_assert_eq(sent(), WIRE_CALL);
    pass(4999);
    expect_no_outcome();
    pass(1);
    expect_outcome(kept_back, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
}

Test(engine, gives_the_broker_100_ms_for_its_verdict_then_says_unknown)
{
    uint64_t call = sent_call((struct drover_request){.deadline_ms = 500});
    pass(599);
    expect_no_outcome();
    pass(1);
    expect_outcome(call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
    give_reply(call);
    expect_no_outcome();
}

Test(engine, leaves_a_deadline_that_nobody_named_to_the_service)
{
    struct wire_header header;
    make((struct engine_options){.service_deadline = true});
    uint64_t call = submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.flags & FIELD_DEADLINE, 0);
    for (int i = 0; i < 10; i++) {
        pass(29000);
        give((struct wire_header){.command = WIRE_PONG, .session = SESSION});
    }
    expect_no_outcome();
    pass(29999);
    expect_no_outcome();
    pass(1);
    expect_outcome(call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
}

Test(engine, takes_the_brokers_verdict_within_these_100_ms)
{
    uint64_t call = sent_call((struct drover_request){.deadline_ms = 500});
    pass(550);
    give_error(call, WIRE_ERROR,
               (struct drover_error){.status = DROVER_DEADLINE_EXCEEDED,
                                     .outcome = DROVER_OUTCOME_NOT_STARTED,
                                     .origin = DROVER_ORIGIN_BROKER});
    expect_outcome(call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
}

Test(engine, wakes_for_the_next_deadline)
{
    sent_call((struct drover_request){.deadline_ms = 50});
    cr_assert_eq(engine_wake_ms(engine), now_ms + 150);
}

/* ---- PING and PONG ---- */

Test(engine, sends_ping_after_silence_while_calls_are_open)
{
    uint64_t call = sent_call((struct drover_request){0});
    cr_assert_eq(engine_wake_ms(engine), now_ms + 250);
    pass(249);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(1);
    cr_assert_eq(sent(), WIRE_PING);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(100);
    give((struct wire_header){.command = WIRE_PONG, .session = SESSION});
    pass(249);
    cr_assert_eq(sent(), WIRE_NO_COMMAND, "the answer was traffic");
    pass(1);
    cr_assert_eq(sent(), WIRE_PING);
    give_reply(call);
    pass(1000);
    cr_assert_eq(sent(), WIRE_NO_COMMAND, "nobody waits any more");
    cr_assert_eq(engine_wake_ms(engine), UINT64_MAX);
}

Test(engine, pings_as_often_as_the_broker_wants)
{
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome_with((struct wire_welcome){.session = SESSION, .ping_ms = 40});
    cr_assert_eq(sent(), WIRE_CALL);
    pass(40);
    cr_assert_eq(sent(), WIRE_PING);
}

Test(engine, answers_ping_also_without_calls)
{
    struct wire_header header;
    give_reply(sent_call((struct drover_request){0}));
    give((struct wire_header){.command = WIRE_PING, .session = NEW_SESSION});
    cr_assert_eq(sent(), WIRE_NO_COMMAND, "not our session");
    give((struct wire_header){.command = WIRE_PING, .session = SESSION, .call = 77});
    cr_assert_eq(sent_header(&header), WIRE_PONG);
    cr_assert_eq(header.session, SESSION);
    cr_assert_eq(header.call, 77);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

/* ---- what was read ---- */

Test(engine, tells_the_broker_what_the_application_has_read)
{
    struct engine_outcome taken;
    struct wire_header header;
    uint64_t first = sent_call((struct drover_request){0}), second = sent_call((struct drover_request){0});
    give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = first}, "12345", 5);
    give_reply(second);
    submit((struct drover_request){0});
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.read_count, 0, "came, but was not read");
    cr_assert(engine_take(engine, first, &taken));
    submit((struct drover_request){0});
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.read_count, 1);
    cr_expect_eq(header.read_bytes, 5);
    cr_assert(engine_take(engine, second, &taken));
    pass(250);
    cr_assert_eq(sent_header(&header), WIRE_PING);
    cr_expect_eq(header.read_count, 2);
    cr_expect_eq(header.read_bytes, 5);
}

Test(engine, counts_a_late_answer_as_read)
{
    struct wire_header header;
    give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = 77}, "123", 3);
    uint64_t call = sent_call((struct drover_request){.deadline_ms = 100});
    pass(200);
    expect_outcome(call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
    give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = call}, "1234", 4);
    submit((struct drover_request){0});
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.read_count, 1);
    cr_expect_eq(header.read_bytes, 4);
}

Test(engine, does_not_count_an_error_that_names_no_call)
{
    struct wire_header header;
    sent_call((struct drover_request){0});
    give_error(0, WIRE_ERROR, (struct drover_error){.status = DROVER_INVALID_ARGUMENT, .text = "malformed"});
    submit((struct drover_request){0});
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.read_count, 0);
}

Test(engine, reports_much_that_was_read_without_waiting_for_a_call)
{
    static char large[1 << 20];
    struct engine_outcome taken;
    struct wire_header header;
    uint64_t call = sent_call((struct drover_request){0});
    give_with_body((struct wire_header){.command = WIRE_REPLY, .session = SESSION, .call = call}, large, sizeof(large));
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    cr_assert(engine_take(engine, call, &taken));
    cr_assert_eq(sent_header(&header), WIRE_PONG);
    cr_expect_eq(header.read_bytes, sizeof(large));
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

/* ---- cancelling ---- */

Test(engine, ends_a_cancelled_call_that_was_not_sent)
{
    uint64_t call = submit((struct drover_request){0});
    engine_cancel(engine, call);
    expect_outcome(call, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

Test(engine, tells_the_broker_of_a_cancelled_call_and_waits_for_its_verdict)
{
    struct wire_header header;
    uint64_t call = sent_call((struct drover_request){0});
    engine_cancel(engine, call);
    engine_cancel(engine, call);
    engine_cancel(engine, call + 1);
    cr_assert_eq(sent_header(&header), WIRE_CANCEL);
    cr_assert_eq(header.call, call);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    expect_no_outcome();
    give_error(call, WIRE_ERROR,
               (struct drover_error){
                   .status = DROVER_CANCELLED, .outcome = DROVER_OUTCOME_UNKNOWN, .origin = DROVER_ORIGIN_BROKER});
    expect_outcome(call, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
}

Test(engine, takes_the_reply_that_crossed_a_cancel)
{
    uint64_t call = sent_call((struct drover_request){0});
    engine_cancel(engine, call);
    give_reply(call);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(engine, does_not_send_a_cancelled_call_again)
{
    uint64_t call = sent_call((struct drover_request){.idempotent = true});
    engine_cancel(engine, call);
    cr_assert_eq(sent(), WIRE_CANCEL);
    engine_link_lost(engine, now_ms);
    expect_outcome(call, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
    call = submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent(), WIRE_CALL);
    engine_cancel(engine, call);
    engine_link_lost(engine, now_ms);
    expect_outcome(call, DROVER_CANCELLED, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
}

/* ---- lost sessions ---- */

Test(engine, sends_the_call_again_that_hello_first_names)
{
    struct wire_header header;
    uint64_t call = sent_call((struct drover_request){.deadline_ms = 1000});
    pass(300);
    give_hello_first(call);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_expect_eq(header.call, call);
    cr_expect_eq(header.session, NEW_SESSION);
    cr_expect_eq(header.deadline_ms, 700);
    give((struct wire_header){.command = WIRE_REPLY, .session = NEW_SESSION, .call = call});
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(engine, says_not_started_when_the_deadline_of_a_named_call_passes)
{
    uint64_t call = sent_call((struct drover_request){.deadline_ms = 500});
    give_hello_first(call);
    pass(500);
    expect_outcome(call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
}

Test(engine, says_unknown_of_other_calls_of_a_lost_session_at_the_next_welcome)
{
    uint64_t lost = sent_call((struct drover_request){0}), named = sent_call((struct drover_request){0});
    give_hello_first(named);
    expect_no_outcome();
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    expect_outcome(lost, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
    cr_assert_eq(sent(), WIRE_CALL);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

Test(engine, sends_all_calls_again_that_are_named_before_the_welcome)
{
    uint64_t first = sent_call((struct drover_request){0}), second = sent_call((struct drover_request){0});
    give_hello_first(first);
    cr_assert_eq(sent(), WIRE_HELLO);
    give_hello_first(second);
    welcome(NEW_SESSION);
    cr_assert_eq(sent(), WIRE_CALL);
    cr_assert_eq(sent(), WIRE_CALL);
    expect_no_outcome();
}

Test(engine, learns_of_a_restart_from_the_answer_to_its_ping)
{
    uint64_t call = sent_call((struct drover_request){0});
    pass(250);
    cr_assert_eq(sent(), WIRE_PING);
    give_hello_first(0);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
}

Test(engine, repeats_an_idempotent_call_once_after_a_lost_session)
{
    struct wire_header header;
    uint64_t call = sent_call((struct drover_request){.idempotent = true});
    engine_link_lost(engine, now_ms);
    expect_no_outcome();
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_assert_eq(header.call, call);
    engine_link_lost(engine, now_ms);
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
}

Test(engine, says_unknown_of_a_repeat_that_was_not_started)
{
    uint64_t call = sent_call((struct drover_request){.idempotent = true});
    engine_link_lost(engine, now_ms);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent(), WIRE_CALL);
    give_error(call, WIRE_ERROR,
               (struct drover_error){.status = DROVER_UNAVAILABLE,
                                     .outcome = DROVER_OUTCOME_NOT_STARTED,
                                     .origin = DROVER_ORIGIN_BROKER});
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_BROKER);
}

Test(engine, ends_calls_at_once_when_their_connection_breaks)
{
    uint64_t call = sent_call((struct drover_request){0}), queued = submit((struct drover_request){0});
    engine_link_lost(engine, now_ms);
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    cr_assert_eq(sent(), WIRE_CALL);
    give((struct wire_header){.command = WIRE_REPLY, .session = NEW_SESSION, .call = queued});
    expect_outcome(queued, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

Test(engine, ignores_hello_first_about_a_session_of_before)
{
    uint64_t call = sent_call((struct drover_request){0});
    give((struct wire_header){.command = WIRE_HELLO_FIRST, .session = NEW_SESSION, .call = call});
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    give_reply(call);
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}

/* ---- HELLO and its answers ---- */

Test(engine, repeats_hello_every_250_ms)
{
    submit((struct drover_request){0});
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(sent(), WIRE_HELLO);
        cr_assert_eq(engine_wake_ms(engine), now_ms + 250);
        pass(249);
        cr_assert_eq(sent(), WIRE_NO_COMMAND);
        pass(1);
    }
}

Test(engine, uses_the_last_session_when_a_slow_broker_answers_two_hellos)
{
    struct wire_header header;
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    pass(250);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent(), WIRE_NO_COMMAND, "the second HELLO will end that session");
    welcome(NEW_SESSION);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_assert_eq(header.session, NEW_SESSION);
}

Test(engine, uses_the_only_session_when_a_second_hello_stays_unanswered)
{
    struct wire_header header;
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    pass(250);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    pass(250);
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_assert_eq(header.session, SESSION);
}

Test(engine, ignores_a_welcome_that_it_did_not_ask_for)
{
    struct wire_header header;
    uint64_t call = sent_call((struct drover_request){0});
    welcome(NEW_SESSION);
    give_reply(call);
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
    submit((struct drover_request){0});
    cr_assert_eq(sent_header(&header), WIRE_CALL);
    cr_assert_eq(header.session, SESSION);
}

Test(engine, ends_waiting_calls_when_it_is_refused_for_good)
{
    uint64_t call = submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    give_error(0, WIRE_REFUSED,
               (struct drover_error){.status = DROVER_PERMISSION_DENIED, .origin = DROVER_ORIGIN_BROKER, .text = "no"});
    expect_outcome(call, DROVER_PERMISSION_DENIED, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_BROKER);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO, "the next call tries again");
}

Test(engine, takes_a_welcome_of_another_version_for_a_refusal)
{
    struct drover_writer *writer = drover_writer_new();
    uint64_t call = submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    wire_welcome_encode(&(struct wire_welcome){.version = 2, .session = SESSION}, writer);
    give_with_body((struct wire_header){.command = WIRE_WELCOME, .session = SESSION}, drover_writer_data(writer),
                   drover_writer_size(writer));
    drover_writer_free(writer);
    expect_outcome(call, DROVER_FAILED_PRECONDITION, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
}

Test(engine, takes_a_welcome_without_a_session_for_a_refusal)
{
    uint64_t call = submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(0);
    expect_outcome(call, DROVER_FAILED_PRECONDITION, DROVER_OUTCOME_NOT_STARTED, DROVER_ORIGIN_CLIENT);
}

Test(engine, pings_at_least_once_a_minute_whatever_the_broker_says)
{
    submit((struct drover_request){.deadline_ms = 3600000});
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome_with((struct wire_welcome){.session = SESSION, .ping_ms = UINT64_MAX});
    cr_assert_eq(sent(), WIRE_CALL);
    pass(59999);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(1);
    cr_assert_eq(sent(), WIRE_PING);
}

Test(engine, comes_back_when_a_refusal_says_so)
{
    submit((struct drover_request){0});
    cr_assert_eq(sent(), WIRE_HELLO);
    give_error(0, WIRE_REFUSED, (struct drover_error){.status = DROVER_RESOURCE_EXHAUSTED, .retry_after_ms = 400});
    expect_no_outcome();
    cr_assert_eq(engine_wake_ms(engine), now_ms + 400);
    pass(399);
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(1);
    cr_assert_eq(sent(), WIRE_HELLO);
}

Test(engine, says_unknown_of_sent_calls_when_its_session_is_closed)
{
    uint64_t call = sent_call((struct drover_request){0});
    give_error(0, WIRE_REFUSED, (struct drover_error){.status = DROVER_RESOURCE_EXHAUSTED, .retry_after_ms = 400});
    expect_outcome(call, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN, DROVER_ORIGIN_CLIENT);
}

Test(engine, looks_for_a_new_session_after_the_brokers_bye)
{
    (void)sent_call((struct drover_request){0});
    give((struct wire_header){.command = WIRE_BYE, .session = SESSION});
    cr_assert_eq(sent(), WIRE_NO_COMMAND);
    pass(250);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(NEW_SESSION);
    cr_assert_eq(sent(), WIRE_CALL); /* it was not started, so it goes out again */
}

Test(engine, says_bye_only_to_a_broker_that_it_knows)
{
    struct engine_frame frame;
    cr_assert_not(engine_leave(engine, &frame));
    sent_call((struct drover_request){0});
    cr_assert(engine_leave(engine, &frame));
    cr_assert_eq(frame.header.command, WIRE_BYE);
    cr_assert_eq(frame.header.session, SESSION);
}

Test(engine, asks_the_broker_itself_with_admin)
{
    struct drover_request request = {.service = "broker", .method = "status", .idempotent = true};
    struct engine_request submitted = {.command = WIRE_ADMIN, .request = &request};
    struct wire_header header;
    uint64_t call;
    cr_assert_eq(engine_submit(engine, &submitted, now_ms, &call, NULL), DROVER_OK);
    cr_assert_eq(sent(), WIRE_HELLO);
    welcome(SESSION);
    cr_assert_eq(sent_header(&header), WIRE_ADMIN);
    cr_assert_not(header.flags & WIRE_IDEMPOTENT);
    give_reply(call);
    expect_outcome(call, DROVER_OK, DROVER_OUTCOME_ANSWERED, DROVER_ORIGIN_DRIVER);
}
