/* test_reload_bad.c - candidates that are no good, one kind after the other, while calls go on
 *
 * For each of them: no call fails and none is answered by it; one line of `status` says what is wrong with which
 * artefact; it is not tried again, whatever happens to the file, unless that is forced; a good one afterwards serves.
 * That nothing was tried is seen by the numbers of the generations, which count what was started.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "orders.h"
#include "reload_rig.h"
#include "tests/support/command.h"
#include "witness.h"

#define ALIEN DROVER_BINARY_DIR "/tests/alien_driver"
#define GOOD_BEFORE 1 /* versions */
#define BAD 2
#define GOOD_AFTER 3
#define CALLS 200 /* that pass while nothing is to happen: longer than any debounce here */

/* Criterion copies these into another process: no pointers. */
struct candidate {
    char name[24];
    char orders[64];  /* of ordered_driver; "" */
    char script[128]; /* what else makes the file `bad`, in the folder; "" */
    char reason[32];  /* what the reason must name */
    bool starts;      /* it gets as far as being started */
};

static struct candidate candidates[] = {
    {"exits at once", "version=2 start=exit", "", "status 3", true},
    {"aborts at once", "version=2 start=abort", "", "SIGABRT", true},
    {"hangs at its start", "version=2 start=hang", "", "ready", true},
    {"refuses its settings", "version=2 refuse=yes", "", "'tables' is missing", true},
    {"fails the self-test", "version=2 probe=wrong", "", "self-test", true},
    {"another interface", "version=2 interface=other", "", "interface", true},
    {"another protocol", "", "cp " ALIEN " bad", "protocol", true},
    {"half written", "", "head -c 4096 bin/driver >bad; chmod 755 bad", "half written", false},
    {"empty", "", ": >bad; chmod 755 bad", "empty", false},
    {"no x bit", "", "printf '#!/bin/sh\\nexit 3\\n' >bad; chmod 644 bad", "not executable", false},
};

static struct broker_rig rig;
static struct broker_rig_service service;
static struct witness witness;

static void init(void)
{
    broker_rig_init(&rig, "  ordered: {" ORDERS_SERVICE ", settle: 30ms, probation: 50ms, start_limit: 1s, "
                          "self_test: {method: probe, request: {}, expect: OK}}");
    orders_init(&rig, "version=1");
}

static void set_up(void)
{
    init();
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "ordered", &service);
    witness_begin(&witness, &rig, "ordered", "note");
    witness_await(&witness, CALLS);
}

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(reload_bad, .fini = end);

static void make_bad(const struct candidate *candidate)
{
    if (candidate->orders[0] != '\0')
        orders_make(&rig, "bad", candidate->orders);
    else
        reload_rig_run(&rig, "%s", candidate->script);
}

/* A new file with the bytes of the bad one takes the driver's place. */
static void put_bad(void)
{
    reload_rig_run(&rig, "cp -p bad bin/new && mv -T bin/new bin/driver");
}

static bool has_reason(const struct broker_rig_service *seen, const void *text)
{
    return strstr(seen->last_error, text) != NULL;
}

static void await_reason(const struct candidate *candidate)
{
    broker_rig_await(&rig, "ordered", has_reason, candidate->reason, &service);
    printf("%s: %s\n", candidate->name, service.last_error);
    cr_expect_null(strchr(service.last_error, '\n'), "one line");
    if (candidate->starts)
        cr_expect(strncmp(service.last_error, orders_hash(&rig, "bad"), 12) == 0, "which artefact?");
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect(has_reason(&service, candidate->reason), "the reason stays: %s", service.last_error);
    cr_expect_eq(service.rollout.quarantined, candidate->starts);
    if (candidate->starts)
        cr_expect_str_eq(service.rollout.quarantined_hash, orders_hash(&rig, "bad"));
}

/* `drover reload` takes no changed driver, and says why. */
static void reload_in_vain(const char *arguments, const char *reason)
{
    struct command command;

    command_run(&command, &rig, "drover reload %s", arguments);
    cr_expect_eq(command.status, 1, "reload %s: %d: %s%s", arguments, command.status, command.out, command.err);
    cr_expect(strstr(command.err, reason) != NULL, "reload %s: %s", arguments, command.err);
    command_done(&command);
}

/* Each time the broker is left alone for a while, and is then made to look. */
static void try_again_in_vain(void)
{
    const size_t starts = orders_count_starts(&rig, BAD);

    reload_rig_run(&rig, "touch bin/driver");
    witness_await(&witness, CALLS);
    reload_in_vain("ordered", "");
    put_bad();
    witness_await(&witness, CALLS);
    reload_in_vain("ordered", "");
    cr_expect_eq(orders_count_starts(&rig, BAD), starts, "it was started again");
}

static bool serves_good(const struct broker_rig_service *seen, const void *hash)
{
    return strcmp(seen->rollout.artefact, hash) == 0;
}

static void expect_unnoticed(void)
{
    struct orders_ledger ledger;
    size_t by_bad = 0, by_good = 0;

    witness_end(&witness);
    orders_read(&rig, &ledger);
    const char *complaint = witness_complaint(&witness);
    cr_expect_null(complaint, "%s", complaint);
    cr_expect_eq(witness_count_lies(&witness, &ledger), 0);
    for (size_t i = 0; i < ledger.count; i++) {
        by_bad += ledger.entries[i].version == BAD;
        by_good += ledger.entries[i].version == GOOD_AFTER;
    }
    cr_expect_eq(by_bad, 0);
    cr_expect_geq(by_good, CALLS);
    orders_forget(&ledger);
    witness_done(&witness);
}

ParameterizedTestParameters(reload_bad, candidate_is_not_noticed_and_not_tried_again)
{
    return cr_make_param_array(struct candidate, candidates, sizeof(candidates) / sizeof(candidates[0]));
}

ParameterizedTest(struct candidate *candidate, reload_bad, candidate_is_not_noticed_and_not_tried_again)
{
    set_up();
    make_bad(candidate);
    put_bad();
    await_reason(candidate);
    const size_t starts = orders_count_starts(&rig, BAD);
    cr_expect_eq(starts > 0, candidate->orders[0] != '\0');
    witness_await(&witness, CALLS);
    try_again_in_vain();

    reload_in_vain("--force ordered", candidate->reason);
    cr_expect_eq(orders_count_starts(&rig, BAD) > starts, candidate->orders[0] != '\0', "by force it is tried again");

    orders_change(&rig, "version=3");
    broker_rig_await(&rig, "ordered", serves_good, orders_hash(&rig, "bin/driver"), &service);
    cr_expect_eq(service.rollout.active, candidate->starts ? 4 : 2, "%u generations were started",
                 (unsigned)service.rollout.active);
    witness_await(&witness, CALLS);
    reload_rig_await_rest(&rig, "ordered", &service);
    expect_unnoticed();
}

/* It is given the right to be executed when it is there already. */
Test(reload_bad, file_without_x_bit_is_taken_when_it_gets_one)
{
    set_up();
    orders_make(&rig, "bad", "version=3");
    reload_rig_run(&rig, "chmod 644 bad");
    put_bad();
    broker_rig_await(&rig, "ordered", has_reason, "not executable", &service);
    witness_await(&witness, CALLS);
    reload_rig_run(&rig, "chmod 755 bin/driver");
    broker_rig_await(&rig, "ordered", serves_good, orders_hash(&rig, "bin/driver"), &service);
    witness_await(&witness, CALLS);
    expect_unnoticed();
}

/* ---- nothing serves yet ---- */

static bool has_any_reason(const struct broker_rig_service *seen, const void *none)
{
    (void)none;
    return seen->last_error[0] != '\0';
}

static bool is_ready_with(const struct broker_rig_service *seen, const void *hash)
{
    return serves_good(seen, hash) && strcmp(seen->state, "ready") == 0;
}

ParameterizedTestParameters(reload_bad, first_version_gives_way_to_a_good_one)
{
    /* The last one is no driver for a configuration to name: system.refused_start. */
    return cr_make_param_array(struct candidate, candidates, sizeof(candidates) / sizeof(candidates[0]) - 1);
}

/* Where nothing else can serve, supervision goes on trying it, until there is a better one. */
ParameterizedTest(struct candidate *candidate, reload_bad, first_version_gives_way_to_a_good_one)
{
    init();
    make_bad(candidate);
    put_bad();
    broker_rig_start(&rig);
    broker_rig_await(&rig, "ordered", has_any_reason, NULL, &service);
    orders_change(&rig, "version=3");
    broker_rig_await(&rig, "ordered", is_ready_with, orders_hash(&rig, "bin/driver"), &service);
    reload_rig_await_rest(&rig, "ordered", &service);
    cr_expect_str_eq(service.rollout.stable, orders_hash(&rig, "bin/driver"));
}

/* ---- a source ---- */

static bool serves_second(const struct broker_rig_service *seen, const void *none)
{
    (void)none;
    return seen->rollout.active == 2;
}

/* How often the compiler was run on it. */
static size_t count_attempts(void)
{
    struct command command;

    command_run(&command, &rig, "drover logs source | grep -c 'out: driver.c:.*broken on purpose' || true");
    const size_t count = strtoul(command.out, NULL, 10);
    command_done(&command);
    return count;
}

Test(reload_bad, source_that_does_not_compile)
{
    reload_rig_init(&rig, RELOAD_SOURCE, RELOAD_SERVICE_SOURCE(RELOAD_SETTINGS));
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "source", &service);
    witness_begin(&witness, &rig, "source", "whoami");

    reload_rig_run(&rig, "edit 2 '#error broken on purpose'");
    broker_rig_await(&rig, "source", has_reason, "driver.c:2:", &service);
    printf("a source: %s\n", service.last_error);
    cr_expect_null(strchr(service.last_error, '\n'), "one line");
    cr_expect(strstr(service.last_error, "broken on purpose") != NULL);
    witness_await(&witness, CALLS);
    cr_expect_eq(count_attempts(), 1);
    reload_rig_run(&rig, "touch source/driver.c");
    witness_await(&witness, CALLS);
    cr_expect_eq(count_attempts(), 1, "the same source was compiled again");
    reload_in_vain("source", "driver.c:2:");
    cr_expect_eq(count_attempts(), 2, "whoever asks is obeyed: it may have been something else that was missing");

    reload_rig_run(&rig, "edit 3");
    broker_rig_await(&rig, "source", serves_second, NULL, &service);
    cr_expect_eq(reload_rig_version(&rig, "source"), 3);
    witness_end(&witness);
    const char *complaint = witness_complaint(&witness);
    cr_expect_null(complaint, "%s", complaint);
    witness_done(&witness);
}
