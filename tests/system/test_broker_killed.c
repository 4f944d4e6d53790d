/* test_broker_killed.c - however a broker ends, its workers end with it
 *
 * Their end is seen by descriptors that were opened before, so none is overlooked and none mistaken.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "tests/support/family.h"

#define GONE_MS 1000 /* promised */
#define GONE_LIMIT_MS 5000
#define UNRULY DROVER_BINARY_DIR "/tests/unruly_driver"

static struct broker_rig rig;

/* A way to end a broker: one signal, or two. */
struct way {
    char name[16];
    int signals[2];
    int status; /* how the broker ends */
};

static const struct way ways[] = {
    {"KILL", {SIGKILL}, 1000 + SIGKILL},
    {"TERM", {SIGTERM}, 0},
    {"INT", {SIGINT}, 0},
    {"STOP+KILL", {SIGSTOP, SIGKILL}, 1000 + SIGKILL},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(broker_killed, .fini = end);

/* End the broker and see the family's end; returns how long that took after the broker's. */
static uint64_t end_broker(const struct way *way, const struct family *family)
{
    for (size_t i = 0; i < 2 && way->signals[i] != 0; i++)
        broker_rig_signal(&rig, way->signals[i]);
    cr_expect_eq(broker_rig_await_end(&rig), way->status, "%s", way->name);
    const uint64_t ended_us = sys_now_us();
    cr_expect_eq(family_await_end(family, GONE_LIMIT_MS), 0, "%s: workers live on", way->name);
    return sys_now_us() - ended_us;
}

static void say(const struct way *way, const char *when, size_t workers, uint64_t us)
{
    printf("SIG%s %s: %zu workers are gone %.1f ms after the broker (promised: %d ms)\n", way->name, when, workers,
           (double)us / 1000, GONE_MS);
}

Test(broker_killed, leaves_no_worker)
{
    broker_rig_init(&rig, "  echo: {driver: echo, replicas: 3}\n"
                          "  own: {driver: " DROVER_BINARY_DIR "/drivers/echo/echo, interface: echo}");
    for (size_t i = 0; i < WAYS; i++) {
        struct family family;
        broker_rig_start_and_await(&rig);
        family_hold(&family, rig.folder, rig.pid);
        cr_assert_eq(family.count, 4);
        say(&ways[i], "at rest", family.count, end_broker(&ways[i], &family));
        family_release(&family);
    }
}

Test(broker_killed, leaves_no_worker_while_calls_are_in_flight)
{
    broker_rig_init(&rig, "  echo: {driver: echo, replicas: 3}");
    const struct caller_request sleep = {.service = "echo", .method = "sleep", .key = "ms", .number = 30};
    for (size_t i = 0; i < WAYS; i++) {
        struct family family;
        struct caller caller;
        broker_rig_start_and_await(&rig);
        caller_init(&caller, rig.endpoint);
        for (size_t n = 0; n < 24; n++)
            caller_send(&caller, &sleep);
        caller_take_until(&caller, 3);
        family_hold(&family, rig.folder, rig.pid);
        cr_assert_eq(family.count, 3);
        say(&ways[i], "with calls in flight", family.count, end_broker(&ways[i], &family));
        family_release(&family);
        caller_done(&caller);
    }
}

/* A graceful end carries out what has begun, and says of the rest that it was not started. */
Test(broker_killed, by_sigterm_answers_what_has_begun)
{
    broker_rig_init(&rig, "  echo: {driver: echo, replicas: 3}");
    const struct caller_request sleep = {.service = "echo", .method = "sleep", .key = "ms", .number = 200};
    struct caller caller;
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    for (size_t n = 0; n < 12; n++)
        caller_send(&caller, &sleep);
    caller_take_until(&caller, 3); /* the next three have begun, or are about to */
    broker_rig_signal(&rig, SIGTERM);
    while (caller.ended < caller.sent - 3 && caller_take(&caller, CALLER_PATIENCE_MS, NULL))
        ;
    cr_expect_eq(broker_rig_await_end(&rig), 0);
    cr_expect_eq(caller.unknown, 0);
    cr_expect_geq(caller.ok, 3);
    cr_expect_gt(caller.not_started, 0);
    caller_done(&caller);
}

static const char *const stubborn = "  unruly: {driver: " UNRULY ", replicas: 2, grants: {write: [@]}, "
                                    "config: {stubborn: true}}";

Test(broker_killed, leaves_no_worker_that_ignores_sigterm)
{
    broker_rig_init(&rig, stubborn);
    for (size_t i = 0; i < WAYS; i++) {
        struct family family;
        broker_rig_start_and_await(&rig);
        family_hold(&family, rig.folder, rig.pid);
        cr_assert_eq(family.count, 2);
        say(&ways[i], "with stubborn drivers", family.count, end_broker(&ways[i], &family));
        family_release(&family);
    }
}

/* Calls that never return: only SIGKILL ends these workers. */
Test(broker_killed, leaves_no_worker_that_is_stuck_in_a_call)
{
    broker_rig_init(&rig, stubborn);
    const char *path = broker_rig_path(&rig, "begun");
    cr_assert_eq(mkfifo(path, 0600), 0);
    const int begun = open(path, O_RDWR | O_CLOEXEC);
    const struct caller_request hold = {.service = "unruly", .method = "hold", .key = "begun", .string = path};
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].status == 0)
            continue; /* the ladder gives calls 10 s; the other tests show that it ends */
        struct family family;
        struct caller caller;
        broker_rig_start_and_await(&rig);
        caller_init(&caller, rig.endpoint);
        caller_send(&caller, &hold);
        caller_await_octet(&caller, begun);
        family_hold(&family, rig.folder, rig.pid);
        say(&ways[i], "with a driver that is stuck", family.count, end_broker(&ways[i], &family));
        family_release(&family);
        caller_done(&caller);
    }
    close(begun);
}

/* A broker that ends by itself kills what its drivers have started. After SIGKILL only a PID namespace or a cgroup
 * could; the worker itself is gone all the same. */
Test(broker_killed, takes_grandchildren_along)
{
    broker_rig_init(&rig, "  unruly: {driver: " UNRULY "}");
    const struct caller_request breed = {.service = "unruly", .method = "breed"};
    for (size_t i = 0; i < WAYS; i++) {
        struct family family;
        struct caller caller;
        broker_rig_start_and_await(&rig);
        caller_init(&caller, rig.endpoint);
        const pid_t child = (pid_t)caller_ask_number(&caller, &breed, "pid");
        caller_done(&caller);
        family_hold(&family, rig.folder, ways[i].status == 0 ? rig.pid : child);
        cr_assert_eq(family.count, 2, "the worker and its child, or the worker and the broker");
        say(&ways[i], "with a grandchild", family.count, end_broker(&ways[i], &family));
        family_release(&family);
        if (ways[i].status != 0) {
            family_hold(&family, rig.folder, 0);
            family_kill(&family);
            family_await_end(&family, GONE_LIMIT_MS);
            family_release(&family);
        }
    }
}
