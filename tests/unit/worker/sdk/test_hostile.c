/* test_hostile.c - what a broker should never send, and what the worker does about it */
#include <string.h>

#include "common/sys/sys.h"
#include "tests/unit/worker/sdk/worker_rig_test.h"

TestSuite(hostile, .init = set_up, .fini = tear_down, .timeout = 60);

/* The worker goes on as if nothing had been. */
static void expect_unimpressed(void)
{
    worker_rig_simple_call(&rig, 1, "nothing");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    worker_rig_sync(&rig);
}

static void send_raw(const char *data, size_t size)
{
    worker_rig_send_frames(&rig, &(struct drover_text){data, size}, 1);
}

Test(hostile, garbage_is_thrown_away)
{
    char noise[300];

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    for (size_t size = 0; size < sizeof(noise); size++) {
        sys_random(noise, sizeof(noise));
        noise[0] = 'x';
        send_raw(noise, size);
    }
    expect_unimpressed();
    worker_rig_await_output(&rig, "threw away a message of the broker");
}

Test(hostile, every_truncation_of_a_valid_call_is_thrown_away)
{
    struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET | FIELD_SEQUENCE | FIELD_DEADLINE,
        .session = WORKER_RIG_SESSION,
        .call = 9,
        .deadline_ms = 1000,
        .sequence = 1,
        .service = {"unit", 4},
        .method = {"nothing", 7},
    };
    char octets[WIRE_HEADER_MAX];
    size_t size = wire_header_encode(&header, octets, sizeof(octets));

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    for (size_t cut = 0; cut < size; cut++)
        send_raw(octets, cut);
    expect_unimpressed();
}

Test(hostile, a_message_of_three_frames_is_thrown_away)
{
    struct wire_header header = {.command = WIRE_PING, .session = WORKER_RIG_SESSION};
    char octets[WIRE_HEADER_MAX];
    struct drover_text frames[3] = {{octets, wire_header_encode(&header, octets, sizeof(octets))}, {"a", 1}, {"b", 1}};

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    worker_rig_send_frames(&rig, frames, 3);
    expect_unimpressed();
}

Test(hostile, commands_out_of_place_are_thrown_away)
{
    static const enum wire_command odd[] = {WIRE_READY, WIRE_DRAINED, WIRE_REPLY, WIRE_WELCOME, WIRE_PONG};

    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        worker_rig_send(&rig, &(struct wire_header){.command = odd[i], .session = WORKER_RIG_SESSION}, "\x80", 1);
    expect_unimpressed();
}

Test(hostile, a_call_of_another_session_is_thrown_away)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    rig.session = 1;
    worker_rig_simple_call(&rig, 50, "nothing");
    rig.session = WORKER_RIG_SESSION;
    rig.sequence = 0;
    expect_unimpressed();
    cr_expect_eq(worker_rig_started(&rig), 1);
}

Test(hostile, calls_before_welcome_are_thrown_away)
{
    worker_rig_start(&rig, RIG_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_simple_call(&rig, 50, "nothing");
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    expect_unimpressed();
}

Test(hostile, a_gap_in_the_sequence_ends_the_worker_before_it_starts_the_wrong_call)
{
    worker_rig_serve(&rig, RIG_DRIVER, NULL);
    expect_unimpressed();
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 3, .method = "nothing", .sequence = 3});
    worker_rig_expect(&rig, WIRE_BYE);
    cr_expect_eq(worker_rig_exit_status(&rig), 70);
    cr_expect_eq(worker_rig_started(&rig), 1);
    cr_expect(strstr(rig.output, "call 3 came where call 2 was due"), "%s", rig.output);
}

Test(hostile, a_page_that_is_none_is_refused)
{
    rig.page->magic = 1;
    worker_rig_start(&rig, RIG_DRIVER, NULL);
    cr_expect_eq(worker_rig_exit_status(&rig), 70);
    cr_expect(strstr(rig.output, WORKER_ENV_PAGE), "%s", rig.output);
}

Test(hostile, an_endpoint_that_is_none_is_refused)
{
    strcpy(rig.endpoint, "carrier-pigeon://coop");
    worker_rig_start(&rig, RIG_DRIVER, NULL);
    cr_expect_eq(worker_rig_exit_status(&rig), 70);
    cr_expect(strstr(rig.output, "carrier-pigeon"), "%s", rig.output);
}
