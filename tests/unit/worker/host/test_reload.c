/* test_reload.c - a service's driver is replaced: real processes, the real store, a watched file, virtual time */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "fixture.h"
#include "reload_rig.h"

TestSuite(reload, .init = rig_init, .fini = rig_done, .timeout = 120);

#define OTHER "# another\n" STEADY
#define THIRD "# a third\n" STEADY
#define FOURTH "# a fourth\n" STEADY
#define HOUR_MS 3600000

static enum host_service_state state_of(const char *service, const char **ret_reason)
{
    enum host_service_state state = HOST_SERVICE_STOPPED;
    uint64_t generation;
    const char *ignored;
    cr_assert(host_service_report(rig.host, service, &state, &generation, ret_reason != NULL ? ret_reason : &ignored));
    return state;
}

/* What was asked at the stage of the self-test, and not answered. */
static void answer_late(void)
{
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(rig.host, "a", i, &worker); i++)
        if (worker.generation == rig_rollout("a").candidate)
            host_worker_probed(rig.host, worker.worker, DROVER_OK, "", rig_now());
}

/* The way of a new version */

Test(reload, switches_when_the_new_one_is_ready_tested_and_settled)
{
    rig.options.settle_ms = HOUR_MS;
    rig.tested = RIG_SILENCE;
    rig_start("a", STEADY);
    const pid_t old = rig_pid("a", 1, 0);
    rig_write("a", OTHER);

    rig_wait("probe a g2");
    cr_expect(rig_is("a", "self-test"));
    answer_late();
    cr_expect(rig_is("a", "settling"));
    rig_turn();
    cr_expect_null(rig_find("switch"));
    cr_expect_null(rig_find("closed"), "the old one must not be touched before");
    cr_expect(process_runs(old));

    rig.skew_ms += HOUR_MS;
    rig_wait("told a g1 ended");
    cr_assert_not_null(rig_find("switch a g2"));
    cr_expect_lt(rig_find("switch a g2"), rig_find("closed a g1"), "calls have somewhere to go before it is closed");
    cr_expect_not(process_runs(old));
    cr_expect_eq(rig.generations, 2U);
}

Test(reload, takes_no_notice_of_a_file_that_is_only_touched)
{
    rig_start("a", STEADY);
    const pid_t old = rig_pid("a", 1, 0);
    rig_write("a", STEADY);
    rig_wait("told a g1 unchanged");
    rig_settle();
    cr_expect_null(rig_find("expect"));
    cr_expect(process_runs(old));
}

Test(reload, starts_replicas_one_by_one_beside_what_serves)
{
    rig.options.replicas = 3;
    rig_start("a", STEADY);
    rig.mute = 2;
    rig_write("a", OTHER);
    rig_wait("expect a g2");
    for (int i = 0; i < 5; i++) {
        rig.skew_ms += 100;
        host_step(rig.host, rig_now());
        struct host_event event;
        while (host_next_event(rig.host, &event))
            cr_expect_neq((int)event.kind, (int)HOST_EXPECT, "the next one waits until this one is ready");
    }
    rig.mute = 0;
    rig_wait("switch a g2");
    cr_expect_eq(rig_count("probe a g2"), 3U, "each of them is tested");
}

Test(reload, has_two_generations_at_most_and_the_newest_change_wins)
{
    rig_start("a", STEADY);
    rig.keeps_leases = true;
    rig_write("a", OTHER);
    rig_wait("closed a g1");
    rig_mark();
    rig_write("a", THIRD);
    rig_wait("obtained a");
    cr_expect(rig_is("a", "waiting"), "%s", rig_rollout("a").state);
    rig_mark();
    rig_write("a", FOURTH);
    rig_wait("obtained a");
    cr_expect_null(rig_find("expect"));
    rig.keeps_leases = false;
    struct host_worker_report worker;
    cr_assert(host_worker_report(rig.host, "a", 1, &worker));
    cr_assert_eq(worker.generation, 1U);
    host_worker_drained(rig.host, worker.worker, rig_now());
    rig_wait("switch a g3");
    rig_settle();
    cr_expect_eq(rig.generations, 2U);
    cr_expect_null(rig_find("expect a g4"), "what was replaced is not started");
}

/* The probation is as long as it takes to see that nothing is forgotten. */
Test(reload, tells_of_a_change_that_was_seen_before_the_service_was_set_again)
{
    rig.options.debounce_ms = 1000;
    rig_start("a", STEADY);
    rig_write("a", OTHER);
    host_step(rig.host, rig_now()); /* seen, and not told before it is quiet */
    rig_set("a", 0);
    rig.skew_ms += 5000;
    rig_wait("switch a g2");
}

/* What goes wrong */

static void expect_old_one_serves(pid_t old)
{
    cr_expect(process_runs(old));
    cr_expect_null(rig_find("closed a g1"));
    cr_expect_null(rig_find("switch"));
    cr_expect_eq(state_of("a", NULL), HOST_SERVICE_READY, "callers notice nothing");
}

/* What failed is not tried again unless forced; something else is. */
static void expect_quarantine(const char *bad, const char *why)
{
    const char *reason;
    const pid_t old = rig_pid("a", 1, 0);
    rig_wait("told a g0 given-up");
    rig_settle();
    expect_old_one_serves(old);
    cr_expect_eq(rig_rollout("a").quarantined, 1U);
    (void)state_of("a", &reason);
    cr_expect_not_null(strstr(reason, why), "%s", reason);

    rig_mark();
    rig_write("a", bad);
    rig_wait("told a g0 given-up");
    rig_settle();
    cr_expect_null(rig_find("expect"), "the same bytes are not tried again");
    (void)state_of("a", &reason);
    cr_expect_not_null(strstr(reason, "quarantine"), "%s", reason);

    rig_mark();
    struct drover_error error = {0};
    cr_assert_eq(host_reload(rig.host, "a", true, rig_now(), &error), DROVER_OK);
    rig_wait("expect a g3");
}

Test(reload, keeps_the_old_one_when_the_new_one_dies)
{
    rig_start("a", STEADY);
    rig.mute = 2;
    rig_write("a", "echo broken >&2; exit 3");
    expect_quarantine("echo broken >&2; exit 3", "broken");
    rig_wait("told a g0 given-up");
    rig.mute = 0;
    rig_write("a", OTHER);
    rig_wait("switch a g4");
}

Test(reload, keeps_the_old_one_when_the_new_one_fails_its_self_test)
{
    rig_start("a", STEADY);
    rig.tested = RIG_NO;
    rig_write("a", OTHER);
    expect_quarantine(OTHER, "self-test");
}

Test(reload, keeps_the_old_one_when_the_new_one_is_not_ready_in_time)
{
    rig_start("a", STEADY);
    rig.mute = 2;
    rig_write("a", OTHER);
    rig_wait("expect a g2");
    rig_turn();
    rig.skew_ms += HOUR_MS;
    expect_quarantine(OTHER, "ready");
}

static bool is_dead_or_gone(void)
{
    return rig_pid("a", 2, 0) == 0;
}

/* The host is not told of a death before it looks: what it wants to ask is withdrawn then. */
Test(reload, asks_nothing_of_a_worker_that_is_dead)
{
    rig_start("a", STEADY);
    rig.mute = 2;
    rig_write("a", OTHER);
    rig_wait("expect a g2");
    rig_turn();
    struct host_worker_report worker;
    cr_assert(host_worker_report(rig.host, "a", 1, &worker));
    cr_assert_gt(worker.pid, 0);
    host_worker_ready(rig.host, worker.worker, rig_now());
    rig_kill("a", 2, 0);
    rig_wait_until(is_dead_or_gone);
    cr_expect_null(rig_find("probe"));
}

Test(reload, keeps_what_serves_when_the_new_one_cannot_be_had)
{
    rig_start("a", STEADY);
    const pid_t old = rig_pid("a", 1, 0);
    char path[128];
    snprintf(path, sizeof(path), "%s/a", rig.folder);
    FILE *file = fopen(path, "we"); /* an empty file */
    cr_assert_not_null(file);
    fclose(file);
    rig_wait("told a g0 given-up");
    rig_settle();
    expect_old_one_serves(old);
    cr_expect_eq(rig_rollout("a").quarantined, 0U);
    rig_write("a", OTHER);
    rig_wait("switch a g2");
}

Test(reload, makes_a_damaged_artefact_anew)
{
    char path[256];
    rig_start("a", STEADY);
    snprintf(path, sizeof(path), "%s/store/artefact/%s", rig.folder, rig_rollout("a").artefact);
    cr_assert_eq(chmod(path, 0700), 0);
    FILE *file = fopen(path, "ae");
    cr_assert_not_null(file);
    fputs("# damaged\n", file);
    fclose(file);
    rig_kill("a", 1, 0);
    rig_wait("obtained a");
    rig_settle();
    cr_expect_gt(rig_pid("a", 1, 0), 0);
}

/* Probation */

Test(reload, goes_back_when_the_new_one_dies_twice_in_its_probation)
{
    rig.options.probation_ms = HOUR_MS;
    rig_start("a", STEADY);
    char first[HOST_HASH_SIZE];
    strcpy(first, rig_rollout("a").artefact);
    rig_write("a", OTHER);
    rig_wait("told a g1 ended");
    rig_kill("a", 2, 0);
    rig_mark();
    rig_wait("expect a g2");
    rig_turn();
    cr_expect(rig_is("a", "probation"));
    rig_turn();
    rig_kill("a", 2, 0);
    rig_wait("switch a g3");
    cr_expect_str_eq(rig_rollout("a").artefact, first);
    cr_expect_eq(rig_rollout("a").quarantined, 1U);
    rig_settle();
    rig_mark();
    rig_write("a", OTHER);
    rig_wait("told a g0 given-up");
    cr_expect_null(rig_find("expect"));
}

Test(reload, goes_back_when_more_calls_fail_than_before)
{
    rig.options.probation_ms = HOUR_MS;
    rig_start("a", STEADY);
    rig_write("a", OTHER);
    rig_wait("told a g1 ended");
    rig.tallies[0] = (struct host_tally){.calls = 1000, .lost = 10};
    rig.tallies[1] = (struct host_tally){.calls = 49, .lost = 49};
    rig_mark();
    rig.skew_ms += 1000;
    rig_wait("count a g2 after g1");
    cr_expect(rig_is("a", "probation"), "so few calls say nothing");
    rig.tallies[1] = (struct host_tally){.calls = 100, .lost = 5};
    rig_mark();
    rig.skew_ms += 1000;
    rig_wait("count a g2 after g1");
    cr_expect(rig_is("a", "probation"), "5 % are not 5 points more than 1 %%");
    rig.tallies[1] = (struct host_tally){.calls = 100, .lost = 7};
    rig_wait("switch a g3");
}

/* Without anything to go back to it is told once, not with each count. */
Test(reload, does_not_complain_of_the_same_calls_again_and_again)
{
    rig.options.probation_ms = HOUR_MS;
    rig_start("a", STEADY);
    rig.tallies[1] = (struct host_tally){.calls = 100, .lost = 50};
    for (int i = 0; i < 10; i++) {
        rig.skew_ms += 1000;
        host_step(rig.host, rig_now());
        rig_turn();
    }
    cr_expect_geq(rig_count("count a g1"), 5U);
    cr_expect_eq(rig_count("told a g0 given-up"), 1U);
}

Test(reload, starts_what_was_stable_before_what_is_new)
{
    char stable[HOST_HASH_SIZE];
    rig_start("a", STEADY);
    strcpy(stable, rig_rollout("a").artefact);
    cr_expect_str_eq(rig_rollout("a").stable, stable);
    rig.options.probation_ms = HOUR_MS;
    rig_set("a", 0);
    rig_write("a", OTHER);
    rig_wait("told a g1 ended");
    cr_expect_str_eq(rig_rollout("a").stable, stable, "a probation changes nothing of it");

    rig_restart_host();
    rig_mark();
    rig_set("a", 0);
    rig_wait("switch a g1");
    cr_expect_str_eq(rig_rollout("a").artefact, stable);
    rig_wait("switch a g2");
    cr_expect_str_neq(rig_rollout("a").artefact, stable, "then what is wanted, beside it");
}

/* By hand. Each state that a change goes through is reached, and then something is done. */

static const char *const stages[] = {"obtaining", "starting", "self-test", "settling"};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

static const char *stage;

static bool is_at_stage(void)
{
    return rig_is("a", stage);
}

static void go_to(size_t index)
{
    struct drover_error error = {0};
    const uint64_t next = rig_rollout("a").active + 1;
    stage = stages[index];
    rig.mute = strcmp(stage, "starting") == 0 ? next : 0;
    rig.tested = strcmp(stage, "self-test") == 0 ? RIG_SILENCE : RIG_YES;
    rig_write("a", OTHER);
    if (strcmp(stage, "obtaining") == 0)
        cr_assert_eq(host_reload(rig.host, "a", false, rig_now(), &error), DROVER_OK);
    rig_wait_until(is_at_stage);
}

static void go_on(void)
{
    rig.mute = 0;
    rig.tested = RIG_YES;
}

static bool nothing_runs(void)
{
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(rig.host, "a", i, &worker); i++)
        if (worker.pid != 0)
            return false;
    return state_of("a", NULL) == HOST_SERVICE_STOPPED;
}

static bool other_serves(void)
{
    const struct host_rollout_report report = rig_rollout("a");
    struct host_worker_report worker;
    char present[HOST_HASH_SIZE], wanted[HOST_HASH_SIZE];
    struct drover_error error = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/a", rig.folder);
    if (report.active == 0 || sys_hash_file(path, wanted, &error) != DROVER_OK)
        return false;
    strcpy(present, report.artefact);
    return strcmp(present, wanted) == 0 && state_of("a", NULL) == HOST_SERVICE_READY &&
           host_worker_report(rig.host, "a", 0, &worker) && worker.pid > 0 && strcmp(worker.state, "ready") == 0;
}

static bool other_serves_in_the_end(void)
{
    if (rig_is("a", "settling"))
        rig.skew_ms += HOUR_MS;
    return other_serves();
}

Test(reload, drained_by_hand_it_stays_down_in_every_state_until_a_restart)
{
    struct drover_error error = {0};
    for (size_t i = 0; i < STAGES; i++) {
        rig.options.settle_ms = HOUR_MS;
        rig_start("a", STEADY);
        go_to(i);
        cr_assert_eq(host_drain(rig.host, "a", rig_now(), &error), DROVER_OK);
        go_on();
        rig_wait_until(nothing_runs);
        rig_set("a", 0);
        rig.options.settings = "\x81\xa1s\x02";
        rig_set("a", 0);
        rig.skew_ms += HOUR_MS;
        rig_settle();
        cr_expect(nothing_runs(), "after %s", stages[i]);

        cr_assert_eq(host_restart(rig.host, "a", rig_now(), &error), DROVER_OK);
        rig_wait_until(other_serves_in_the_end);
        cr_expect_eq(rig_rollout("a").quarantined, 0U, "after %s", stages[i]);
        rig_done();
        rig_init();
    }
}

Test(reload, restarted_by_hand_in_every_state_it_ends_with_the_new_one)
{
    struct drover_error error = {0};
    for (size_t i = 0; i < STAGES; i++) {
        rig.options.settle_ms = HOUR_MS;
        rig_start("a", STEADY);
        go_to(i);
        cr_assert_eq(host_restart(rig.host, "a", rig_now(), &error), DROVER_OK);
        go_on();
        answer_late();
        rig_wait_until(other_serves_in_the_end);
        rig_done();
        rig_init();
    }
}

static bool nothing_is_left(void)
{
    return host_is_empty(rig.host);
}

Test(reload, stops_in_every_state)
{
    for (size_t i = 0; i < STAGES; i++) {
        rig.options.settle_ms = HOUR_MS;
        rig_start("a", STEADY);
        go_to(i);
        host_stop(rig.host, rig_now());
        rig_wait_until(nothing_is_left);
        cr_expect_eq(count_children(), 0U);
        rig_done();
        rig_init();
    }
}

Test(reload, is_removed_in_every_state_and_can_be_set_again)
{
    for (size_t i = 0; i < STAGES; i++) {
        rig.options.settle_ms = HOUR_MS;
        rig_start("a", STEADY);
        go_to(i);
        host_remove_service(rig.host, "a", rig_now());
        rig_wait("removed a");
        go_on();
        rig_mark();
        rig_set("a", 0);
        rig_wait("switch a g1");
        rig_done();
        rig_init();
    }
}

Test(reload, goes_back_by_hand_to_what_was_stable)
{
    struct drover_error error = {0};
    rig_start("a", STEADY);
    rig_write("a", OTHER);
    rig_wait("told a g1 ended");
    rig_settle();
    cr_assert_eq(host_rollback(rig.host, "a", rig_now(), &error), DROVER_OK, "%s", error.text);
    rig_wait("switch a g3");
    cr_expect_eq(rig_rollout("a").quarantined, 1U);
    cr_assert_eq(host_unquarantine(rig.host, "a", NULL, rig_now(), &error), DROVER_OK);
    cr_assert_eq(host_reload(rig.host, "a", false, rig_now(), &error), DROVER_OK);
    rig_wait("switch a g4");
}

/* Services that go */

Test(reload, is_removed_when_its_last_call_has_ended)
{
    rig_start("a", STEADY);
    rig.keeps_leases = true;
    host_remove_service(rig.host, "a", rig_now());
    rig_wait("closed a g1");
    rig_turn();
    cr_expect_null(rig_find("removed"), "it is busy");
    struct host_worker_report worker;
    cr_assert(host_worker_report(rig.host, "a", 0, &worker));
    host_worker_drained(rig.host, worker.worker, rig_now());
    rig_wait("removed a");
    cr_expect_not(host_worker_report(rig.host, "a", 0, &worker));
    char path[160];
    snprintf(path, sizeof(path), "%s/memory/a", rig.folder);
    cr_expect_neq(access(path, F_OK), 0, "what it remembers goes with it");
}

/* No process of it ever ran, whose end would wake anybody up. */
Test(reload, is_removed_before_its_first_worker_was_forked)
{
    struct host_event event;
    bool is_removed = false;
    rig_write("a", STEADY);
    rig_set("a", 0);
    do {
        host_step(rig.host, rig_now());
    } while (rig_rollout("a").candidate == 0);
    rig.skew_ms += HOUR_MS;
    for (int i = 0; i < 20; i++)
        host_step(rig.host, rig_now() + (uint64_t)i * 1000); /* nothing is left of the helper */
    rig.skew_ms += 20000;
    host_remove_service(rig.host, "a", rig_now());
    for (int i = 0; i < 10 && !is_removed; i++) {
        while (host_next_event(rig.host, &event))
            is_removed = is_removed || event.kind == HOST_REMOVED;
        if (host_deadline_ms(rig.host) <= rig_now())
            host_step(rig.host, rig_now());
    }
    cr_expect(is_removed);
}

Test(reload, leaves_nothing_behind_after_fifty_reloads)
{
    char body[64], line[64];
    unsigned before = 0;
    rig_start("a", STEADY);
    for (unsigned i = 0; i < 60; i++) {
        if (i == 10) /* what can be gone back to is held by then */
            before = count_descriptors();
        snprintf(body, sizeof(body), "# %u\n" STEADY, i);
        snprintf(line, sizeof(line), "told a g%u ended", i + 1);
        rig_mark();
        rig_write("a", body);
        rig_wait(line);
        rig_settle();
    }
    cr_expect_eq(count_descriptors(), before);
    cr_expect_eq(count_children(), 1U);
    cr_expect_eq(rig.generations, 2U);
}
