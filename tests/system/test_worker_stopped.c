/* test_worker_stopped.c - SIGSTOP of a worker: its calls end at their deadline, the others go on, it is replaced */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

#define DEADLINE_MS 500
#define REPLACED_MS 11000 /* hang setting 1 s, 5 s of grace, at most 5 s from SIGABRT to SIGKILL */

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service service;
static uint64_t stopped_us;

static const struct caller_request echo = {.service = "echo", .method = "echo", .key = "payload", .string = "x"};
static const struct caller_request sleep_5 = {.service = "echo", .method = "sleep", .key = "ms", .number = 5};

static void start(const char *services)
{
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    broker_rig_look(&rig, "echo", &service);
    cr_assert_eq(kill(service.workers[0].pid, SIGSTOP), 0);
    stopped_us = sys_now_us();
}

static void end(void)
{
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(worker_stopped, .fini = end);

static bool is_replaced(const struct broker_rig_service *now, const void *context)
{
    const pid_t *before = context;
    for (size_t i = 0; i < now->worker_count; i++)
        if (now->workers[i].pid == *before)
            return false;
    return strcmp(now->state, "ready") == 0;
}

static void await_replacement(void)
{
    const pid_t before = service.workers[0].pid;

    broker_rig_await(&rig, "echo", is_replaced, &before, &service);
    printf("replaced %.1f s after it was stopped (promised: %.1f s)\n", (double)(sys_now_us() - stopped_us) / 1e6,
           REPLACED_MS / 1e3);
    cr_expect(strstr(service.last_error, "hung") != NULL, "%s", service.last_error);
}

/* How long the slowest outcome took. */
static uint64_t worst_ms(void)
{
    uint64_t worst_us = 0;
    for (size_t i = 0; i < caller.sent; i++) {
        const struct caller_end *ended = caller_end_of(&caller, i);
        const uint64_t us = ended->ended_us - ended->sent_us;
        worst_us = us > worst_us ? us : worst_us;
    }
    return worst_us / 1000;
}

Test(worker_stopped, is_replaced_while_its_calls_end_at_their_deadline)
{
    start("  echo: {driver: echo, deadline: 500ms, hang: 1s, restart: {min: 10ms}}");
    for (size_t i = 0; i < 8; i++)
        caller_send(&caller, &sleep_5);
    caller_take_all(&caller);
    printf("%zu calls unknown, %zu not started, after at most %d ms (deadline: %d ms)\n", caller.unknown,
           caller.not_started, (int)worst_ms(), DEADLINE_MS);
    for (size_t i = 0; i < caller.sent; i++)
        cr_expect_eq(caller_end_of(&caller, i)->error.status, DROVER_DEADLINE_EXCEEDED);
    cr_expect_geq(caller.unknown, 1);
    cr_expect_eq(caller.unknown + caller.not_started, caller.sent);
    await_replacement();
    cr_expect_neq(caller_ask_pid(&caller, "echo"), 0);
}

/* Two replicas: what the stopped one was given is lost, everything else is answered by the other. */
Test(worker_stopped, leaves_the_other_replicas_at_work)
{
    start("  echo: {driver: echo, replicas: 2, deadline: 500ms, hang: 1s, restart: {min: 10ms}}");
    for (size_t i = 0; i < 20; i++) {
        for (size_t n = 0; n < 10; n++)
            caller_send(&caller, n % 2 ? &echo : &sleep_5);
        caller_take_all(&caller);
    }
    printf("%zu of %zu calls answered, %zu unknown, %zu not started\n", caller.ok, caller.sent, caller.unknown,
           caller.not_started);
    cr_expect_eq(caller.ok + caller.unknown, caller.sent);
    cr_expect_leq(caller.unknown, 10);
    cr_expect_geq(caller.unknown, 1);
    await_replacement();
}
