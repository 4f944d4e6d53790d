/* test_reload_rollback.c - a version that turns out to be bad only when it serves, and what counts as stable */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orders.h"
#include "reload_rig.h"
#include "tests/support/command.h"
#include "witness.h"

#define PROMISED_MS INT64_C(5000) /* from the second death to the old version's serving */
#define GENEROUS 4
#define CALLS 300
#define AT_ONCE 40 /* calls of a worker with many threads */
#define SERVICE(words) "  ordered: {" ORDERS_SERVICE ", settle: 30ms, " words "}"

static struct broker_rig rig;
static struct broker_rig_service service;
static struct witness witness;

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(reload_rollback, .fini = end);

/* The first version is stable when this returns. */
static void set_up(const char *services, const char *orders)
{
    broker_rig_init(&rig, services);
    orders_init(&rig, orders);
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_assert_str_eq(service.rollout.stable, orders_hash(&rig, "bin/driver"));
}

/* From now on versions are on probation for longer than any test takes. */
static void prolong_probation(void)
{
    broker_rig_stop(&rig);
    reload_rig_run(&rig, "sed -i 's/probation: 50ms/probation: 10m/' drover.yaml; grep -q 10m drover.yaml");
    broker_rig_start_and_await(&rig);
}

/* ---- events ---- */

/* All events of this broker, for the caller to release; each is a line of JSON. */
static json_t *get_events(void)
{
    struct command command;
    json_t *events = json_array();
    char *rest = NULL;

    command_run(&command, &rig, "drover --json events ordered");
    for (char *line = strtok_r(command.out, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        cr_assert_eq(json_array_append_new(events, json_loads(line, 0, NULL)), 0, "%s", line);
    command_done(&command);
    return events;
}

/* When the broker noted the `nth` event of this kind (from 1); 0: not at all. */
static int64_t time_of_event(const json_t *events, const char *what, size_t nth)
{
    size_t index;
    const json_t *event;

    json_array_foreach(events, index, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "what")), what) == 0 && --nth == 0)
            return json_integer_value(json_object_get(event, "time_ms"));
    }
    return 0;
}

static void print_events(const json_t *events)
{
    size_t index;
    const json_t *event;

    json_array_foreach(events, index, event)
    {
        printf("  %lld %s generation %lld: %s\n", (long long)json_integer_value(json_object_get(event, "time_ms")),
               json_string_value(json_object_get(event, "what")),
               (long long)json_integer_value(json_object_get(event, "generation")),
               json_string_value(json_object_get(event, "text")));
    }
}

/* ---- who serves ---- */

static bool serves(const struct broker_rig_service *seen, const void *hash)
{
    return strcmp(seen->rollout.artefact, hash) == 0 && strcmp(seen->state, "ready") == 0;
}

static void await_version_in(const char *file)
{
    broker_rig_await(&rig, "ordered", serves, orders_hash(&rig, file), &service);
}

static bool is_in_quarantine(const struct broker_rig_service *seen, const void *hash)
{
    return strcmp(seen->rollout.quarantined_hash, hash) == 0;
}

static void await_quarantine_of(const char *file)
{
    broker_rig_await(&rig, "ordered", is_in_quarantine, orders_hash(&rig, file), &service);
}

/* A first start that begins to serve what was stable, before anything else is tried. */
static void restart_broker(void)
{
    broker_rig_stop(&rig);
    broker_rig_start_and_await(&rig);
}

/* ---- the books ---- */

/* How many calls a version has begun. */
static size_t count_by(const struct orders_ledger *ledger, unsigned long version)
{
    size_t count = 0;

    for (size_t i = 0; i < ledger->count; i++)
        count += ledger->entries[i].version == version;
    return count;
}

/* The witness's calls ended well but for those that a dying process had begun. */
static void expect_honesty(size_t deaths, size_t lost_at_once)
{
    struct orders_ledger ledger;

    witness_end(&witness);
    orders_read(&rig, &ledger);
    cr_expect_eq(witness_count_lies(&witness, &ledger), 0);
    cr_expect_eq(orders_find_repeated(&ledger), 0);
    cr_expect_eq(witness.caller.not_started, 0, "what was not begun is begun elsewhere: %s",
                 witness_complaint(&witness));
    cr_expect_eq(witness.caller.answered, 0);
    cr_expect_leq(witness.caller.unknown, deaths * lost_at_once);
    printf("%zu calls: %zu answered, %zu unknown; version 2 began %zu\n", witness.caller.sent, witness.caller.ok,
           witness.caller.unknown, count_by(&ledger, 2));
    orders_forget(&ledger);
    witness_done(&witness);
}

/* ---- tests ---- */

static void expect_return_in_time(void)
{
    json_t *events = get_events();

    print_events(events);
    const int64_t dead_ms = time_of_event(events, "died", 2);
    const int64_t back_ms = time_of_event(events, "switched", 3);
    printf("%lld ms from the second death until the stable version serves (promised: %lld)\n",
           (long long)(back_ms - dead_ms), (long long)PROMISED_MS);
    cr_expect(dead_ms != 0 && back_ms >= dead_ms, "the events tell the order");
    cr_expect_leq(back_ms - dead_ms, PROMISED_MS * GENEROUS);
    json_decref(events);
}

static void crash_after_100_calls(const char *services, size_t replicas)
{
    set_up(services, "version=1");
    prolong_probation();
    orders_make(&rig, "good", "version=1");
    witness_begin(&witness, &rig, "ordered", "note");
    witness_await(&witness, CALLS);
    orders_make(&rig, "bad", "version=2 crash_after=100");
    reload_rig_run(&rig, "cp -p bad bin/new && mv -T bin/new bin/driver");
    await_quarantine_of("bad");
    cr_expect(strstr(service.rollout.quarantined_why, "died") != NULL, "%s", service.rollout.quarantined_why);
    await_version_in("good");
    cr_expect(strncmp(service.last_error, orders_hash(&rig, "bad"), 12) == 0, "%s", service.last_error);
    witness_await(&witness, CALLS);
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect_str_eq(service.rollout.stable, orders_hash(&rig, "good"));
    const size_t starts = orders_count_starts(&rig, 2);
    cr_expect_geq(starts, 1 + replicas);
    expect_honesty(starts, 1);
    expect_return_in_time();

    restart_broker();
    await_version_in("good");
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect(is_in_quarantine(&service, orders_hash(&rig, "bad")), "it is remembered");
    cr_expect_eq(orders_count_starts(&rig, 2), starts, "it was started again");
}

Test(reload_rollback, of_a_version_that_crashes_after_100_calls)
{
    crash_after_100_calls(SERVICE("probation: 50ms"), 1);
}

Test(reload_rollback, of_a_version_that_crashes_in_each_replica)
{
    crash_after_100_calls(SERVICE("probation: 50ms, replicas: 2"), 2);
}

/* Many calls are lost with one death: that is enough. */
Test(reload_rollback, of_a_version_that_loses_many_calls_with_one_death)
{
    struct caller caller;
    struct drover_error error;
    const struct caller_request probe = {.service = "ordered", .method = "probe"};
    struct caller_request hold = {.service = "ordered", .method = "hold", .key = "n"};

    set_up(SERVICE("probation: 50ms"), "version=1 concurrency=40");
    prolong_probation();
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    const int gate = open(broker_rig_path(&rig, "gate"), O_RDWR | O_CLOEXEC);
    orders_make(&rig, "good", "version=1 concurrency=40");
    orders_change(&rig, "version=2 concurrency=40 crash_with=40");
    await_version_in("bin/driver");

    witness_begin(&witness, &rig, "ordered", "note");
    witness_await(&witness, CALLS);
    caller_init(&caller, rig.endpoint);
    cr_assert_eq(caller_call(&caller, &probe, &error), DROVER_OK, "it is connected from here on: %s", error.text);
    for (hold.number = 1000001; hold.number <= 1000000 + AT_ONCE; hold.number++)
        caller_send(&caller, &hold);
    await_quarantine_of("bin/driver");
    cr_expect(strstr(service.rollout.quarantined_why, "calls failed") != NULL, "%s", service.rollout.quarantined_why);
    await_version_in("good");
    cr_expect_eq(orders_count_starts(&rig, 2), 2, "it died once");
    for (size_t i = 0; i < AT_ONCE; i++)
        cr_assert_eq(write(gate, "g", 1), 1);
    caller_take_all(&caller);
    printf("%zu of %d long calls were lost with it\n", caller.unknown, AT_ONCE);
    cr_expect_eq(caller.unknown + caller.ok, AT_ONCE);
    expect_honesty(1, AT_ONCE);
    caller_done(&caller);
    close(gate);
}

/* While the broker is away the file becomes a bad one. */
Test(reload_rollback, is_not_needed_where_the_stable_version_is_known)
{
    set_up(SERVICE("probation: 50ms"), "version=1");
    orders_change(&rig, "version=2");
    orders_make(&rig, "good", "version=2");
    await_version_in("good");
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect_str_eq(service.rollout.stable, orders_hash(&rig, "good"), "it has survived its probation");

    broker_rig_stop(&rig);
    orders_change(&rig, "version=3 start=abort");
    broker_rig_start_and_await(&rig);
    await_version_in("good");
    await_quarantine_of("bin/driver");
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect(serves(&service, orders_hash(&rig, "good")));
    const size_t starts = orders_count_starts(&rig, 3);

    restart_broker();
    await_version_in("good");
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect_eq(orders_count_starts(&rig, 3), starts, "the bad one was started again");
    orders_change(&rig, "version=4");
    await_version_in("bin/driver");
}

/* What is in its probation when the broker ends is not stable: the one before it serves first, and it is tried anew. */
Test(reload_rollback, is_not_needed_for_a_version_that_is_not_yet_stable)
{
    set_up(SERVICE("probation: 50ms"), "version=1");
    orders_make(&rig, "stable", "version=1");
    prolong_probation();
    broker_rig_stop(&rig);
    reload_rig_run(&rig, "rm starts");
    orders_change(&rig, "version=2");
    for (size_t round = 1; round <= 3; round++) {
        broker_rig_start_and_await(&rig);
        await_version_in("bin/driver");
        cr_expect_str_eq(service.rollout.stable, orders_hash(&rig, "stable"));
        cr_expect_eq(orders_count_starts(&rig, 1), round, "the stable one served first");
        cr_expect_eq(orders_count_starts(&rig, 2), round);
        broker_rig_stop(&rig);
    }
    broker_rig_start_and_await(&rig);
}
