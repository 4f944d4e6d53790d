/* test_reload_long_call.c - a driver is replaced while it is in the middle of a long call
 *
 * The long calls end when the test lets them, which is after every other call has ended and not before they are
 * LONG_MS old: so no other call can have waited for them, however slow the machine is.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "orders.h"
#include "reload_rig.h"

#define LONG_MS 3000
#define WARM_UP 300 /* quick calls, for the worker's window to grow */
#define BEHIND 16   /* calls in the window behind a long one */
#define AFTERWARDS 50
#define SERVICE "  ordered: {" ORDERS_SERVICE ", settle: 50ms, probation: 100ms, deadline: 60s, replicas: %d}"

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service service;
static int gate = -1;
static unsigned long last; /* number of a call */

static void set_up(int replicas)
{
    char services[512];

    snprintf(services, sizeof(services), SERVICE, replicas);
    broker_rig_init(&rig, services);
    orders_init(&rig, "version=1");
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    gate = open(broker_rig_path(&rig, "gate"), O_RDWR | O_CLOEXEC);
    cr_assert_geq(gate, 0);
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "ordered", &service);
    caller_init(&caller, rig.endpoint);
}

static void end(void)
{
    caller_done(&caller);
    close(gate);
    broker_rig_done(&rig);
}

TestSuite(reload_long_call, .fini = end);

static void send(const char *method)
{
    const struct caller_request request = {.service = "ordered", .method = method, .key = "n", .number = ++last};

    caller_send(&caller, &request);
}

static void send_many(const char *method, size_t count)
{
    for (size_t i = 0; i < count; i++)
        send(method);
}

/* One after the other. */
static void call_many(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        send("note");
        caller_take_until(&caller, caller.ended + 1);
    }
}

static void open_gate(size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(write(gate, "g", 1), 1);
}

/* Were the calls from `first` to `until` (not included) each run once, by this version? */
static void expect_run_by(unsigned long version, unsigned long first, unsigned long until)
{
    struct orders_ledger ledger;

    orders_read(&rig, &ledger);
    for (unsigned long number = first; number < until; number++) {
        unsigned long by = 0;
        const size_t runs = orders_count_call(&ledger, number, &by);
        cr_expect(runs == 1 && by == version, "call %lu was run %zu times, by version %lu", number, runs, by);
    }
    orders_forget(&ledger);
}

static uint64_t count_in_flight(void)
{
    uint64_t sum = 0;

    broker_rig_look(&rig, "ordered", &service);
    for (size_t i = 0; i < service.worker_count; i++)
        sum += service.workers[i].in_flight;
    return sum;
}

/* Quick calls go on until the long ones are old enough. */
static void grow_old(uint64_t since_ms)
{
    do
        call_many(1);
    while (sys_now_ms() < since_ms + LONG_MS);
}

/* `replicas` long calls, one in each worker, and others behind them. */
static void reload_in_the_middle(size_t replicas, size_t behind)
{
    call_many(WARM_UP);
    const uint64_t since_ms = sys_now_ms();
    const unsigned long first_long = last + 1;
    send_many("hold", replicas);
    send_many("note", behind);
    const unsigned long first_quick = first_long + replicas;
    orders_await_begun(&rig, "hold", replicas);
    const uint64_t in_flight = count_in_flight();
    cr_expect_eq(caller.ok, WARM_UP);
    cr_expect(behind == 0 || in_flight > replicas, "no call was given to a worker behind the long one");

    orders_change(&rig, "version=2");
    send_many("note", AFTERWARDS);
    caller_take_until(&caller, WARM_UP + behind + AFTERWARDS);
    broker_rig_look(&rig, "ordered", &service);
    cr_expect_eq(reload_rig_count_generations(&service), 2, "the old one is still at its call");
    grow_old(since_ms);
    cr_expect_eq(caller.sent - caller.ended, replicas, "the long calls are under way");
    const unsigned long quick_end = last + 1;

    open_gate(replicas);
    caller_take_all(&caller);
    cr_expect_eq(caller.ok, caller.sent, "%zu calls failed", caller.sent - caller.ok);
    expect_run_by(1, first_long, first_quick);
    expect_run_by(2, first_quick, quick_end);
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect_eq(service.worker_count, replicas);
    cr_expect_eq(orders_count_starts(&rig, 0), 2 * replicas);
    printf("%zu long calls of %d ms with %zu calls given to their workers behind them, %lu others meanwhile\n",
           replicas, LONG_MS, (size_t)in_flight - replicas, quick_end - first_quick);
}

Test(reload_long_call, is_answered_by_the_old_version_and_nobody_waits_for_it)
{
    set_up(1);
    reload_in_the_middle(1, 0);
}

Test(reload_long_call, gives_the_calls_behind_it_to_the_new_version)
{
    set_up(1);
    reload_in_the_middle(1, BEHIND);
}

Test(reload_long_call, in_each_replica)
{
    set_up(2);
    reload_in_the_middle(2, BEHIND);
}

static bool serves(const struct broker_rig_service *seen, const void *generation)
{
    return seen->rollout.active >= *(const uint64_t *)generation;
}

/* The old one is at its call while the next version comes: that one waits, and the newest wins. */
Test(reload_long_call, holds_further_versions_up_but_not_their_callers)
{
    const uint64_t second = 2, third = 3;
    set_up(1);
    call_many(1);
    send("hold");
    orders_await_begun(&rig, "hold", 1);
    for (unsigned long version = 2; version <= 4; version++) {
        char orders[32];
        snprintf(orders, sizeof(orders), "version=%lu", version);
        orders_change(&rig, orders);
        if (version == 2)
            broker_rig_await(&rig, "ordered", serves, &second, &service);
        call_many(AFTERWARDS);
        broker_rig_look(&rig, "ordered", &service);
        cr_expect_leq(reload_rig_count_generations(&service), 2);
    }
    cr_expect_eq(orders_count_starts(&rig, 3) + orders_count_starts(&rig, 4), 0, "two generations are alive already");
    open_gate(1);
    caller_take_all(&caller);
    cr_expect_eq(caller.ok, caller.sent);
    broker_rig_await(&rig, "ordered", serves, &third, &service);
    const unsigned long first = last + 1;
    call_many(1);
    expect_run_by(4, first, last + 1);
    cr_expect_eq(orders_count_starts(&rig, 3), 0, "the newest wins");
}
