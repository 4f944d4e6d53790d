/* test_by_hand.c - `drover restart` and `drover drain` while calls are under way */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

#define IN_FLIGHT 32

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service before, after;
static char *text;

/* Not to be repeated, so that every call that is lost shows. */
static const struct caller_request nap = {.service = "echo", .method = "sleep", .key = "ms", .number = 2};

static void start(const char *services)
{
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    broker_rig_look(&rig, "echo", &before);
}

static void end(void)
{
    free(text);
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(by_hand, .fini = end);

/* Go on calling until `count` more calls have ended. */
static void keep_calling(size_t count)
{
    const size_t until = caller.ended + count;

    while (caller.sent - caller.ended < IN_FLIGHT)
        caller_send(&caller, &nap);
    while (caller.ended < until) {
        caller_take_until(&caller, caller.ended + 1);
        caller_send(&caller, &nap);
    }
}

static bool is_all_new(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    for (size_t i = 0; i < service->worker_count; i++)
        for (size_t k = 0; k < before.worker_count; k++)
            if (service->workers[i].pid == before.workers[k].pid || strcmp(service->workers[i].state, "ready") != 0)
                return false;
    return strcmp(service->state, "ready") == 0;
}

static bool has_no_process(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    for (size_t i = 0; i < service->worker_count; i++)
        if (service->workers[i].pid != 0)
            return false;
    return strcmp(service->state, "stopped") == 0;
}

static void restart_under_load(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        keep_calling(50);
        free(text);
        cr_assert_eq(broker_rig_drover(&rig, "restart echo", &text), 0, "%s", text);
        keep_calling(50);
        broker_rig_await(&rig, "echo", is_all_new, NULL, &after);
        before = after;
    }
    caller_take_all(&caller);
    uint64_t worst_us = 0;
    for (size_t i = 0; i < caller.sent; i++) {
        const struct caller_end *ended = caller_end_of(&caller, i);
        worst_us = ended->ended_us - ended->sent_us > worst_us ? ended->ended_us - ended->sent_us : worst_us;
        cr_expect_eq(ended->error.status, DROVER_OK, "call %zu: %s", i, ended->error.text);
    }
    printf("%u restarts: %zu of %zu calls good, the slowest took %.0f ms\n", times, caller.ok, caller.sent,
           (double)worst_us / 1000);
}

Test(by_hand, restart_fails_no_call)
{
    start("  echo: {driver: echo}");
    restart_under_load(5);
}

Test(by_hand, restart_of_three_replicas_fails_no_call)
{
    start("  echo: {driver: echo, replicas: 3}");
    restart_under_load(5);
}

/* What has begun is carried out; nothing else is begun. */
Test(by_hand, drain_ends_what_has_begun_and_refuses_the_rest)
{
    start("  echo: {driver: echo, replicas: 2}");
    keep_calling(50);
    cr_assert_eq(broker_rig_drover(&rig, "drain echo", &text), 0, "%s", text);
    caller_take_all(&caller);
    cr_expect_eq(caller.unknown, 0);
    cr_expect_eq(caller.ok + caller.not_started, caller.sent);
    broker_rig_await(&rig, "echo", has_no_process, NULL, &after);
    printf("drained: %zu calls good, %zu not started\n", caller.ok, caller.not_started);

    struct drover_error error;
    cr_expect_eq(caller_call(&caller, &nap, &error), DROVER_UNAVAILABLE);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect(strstr(error.text, "drover restart echo") != NULL, "it names the way out: %s", error.text);
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "restart echo", &text), 0, "%s", text);
    broker_rig_await_state(&rig, "echo", "ready", &after);
    cr_expect_eq(caller_call(&caller, &nap, &error), DROVER_OK, "%s", error.text);
}

Test(by_hand, of_an_unknown_service_is_refused)
{
    start("  echo: {driver: echo}");
    cr_expect_eq(broker_rig_drover(&rig, "restart ecko", &text), 1, "%s", text);
    cr_expect(strstr(text, "NOT_FOUND") != NULL && strstr(text, "'ecko'") != NULL, "%s", text);
}
