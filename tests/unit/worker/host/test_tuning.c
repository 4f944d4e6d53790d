/* test_tuning.c - new settings for workers that take them as they run, and for those that do not */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "reload_rig.h"

TestSuite(tuning, .init = rig_init, .fini = rig_done, .timeout = 120);

#define NEW_SETTINGS "\x81\xa1s\x02"
#define NEWER_SETTINGS "\x81\xa1s\x03"

static void start(unsigned replicas)
{
    rig.options.replicas = replicas;
    rig_start("a", STEADY);
}

static void set(const char *settings)
{
    rig.options.settings = settings;
    rig_set("a", 0);
}

static void answer(unsigned index, bool taken)
{
    struct host_worker_report worker;
    cr_assert(host_worker_report(rig.host, "a", index, &worker));
    host_worker_reconfigured(rig.host, worker.worker, taken, "", rig_now());
}

Test(tuning, gives_settings_to_workers_as_they_run)
{
    start(2);
    set(NEW_SETTINGS);
    rig_wait("told a g1 reconfigured");
    rig_settle();
    cr_expect_eq(rig_count("reconfigure a g1"), 2U);
    cr_expect_eq(rig.settings[1], 2U);
    cr_expect_null(rig_find("expect"));
    cr_expect_null(rig_find("switch"));

    rig.settings[1] = 0;
    rig_kill("a", 1, 0);
    rig_wait("expect a g1");
    cr_expect_eq(rig.settings[1], 2U, "whoever comes later has them, too");
}

Test(tuning, makes_a_new_generation_when_they_are_refused)
{
    start(2);
    rig.tuned = RIG_NO;
    set(NEW_SETTINGS);
    rig_wait("switch a g2");
    cr_expect_not_null(rig_find("told a g1 not-reconfigured"));
    cr_expect_eq(rig.settings[2], 2U);
    rig_settle();
    cr_expect_eq(rig_pid("a", 1, 0), 0);
}

Test(tuning, gives_the_old_settings_back_when_one_refuses)
{
    start(2);
    struct host_worker_report worker;
    cr_assert(host_worker_report(rig.host, "a", 1, &worker));
    rig.odd_worker = worker.worker;
    rig.mute = 2;
    set(NEW_SETTINGS);
    rig_wait("expect a g2");
    cr_expect_eq(rig_count("reconfigure a g1"), 4U, "each of them twice");
    rig.mute = 0;
    rig_wait("switch a g2");
}

static bool nothing_is_due(void)
{
    return host_deadline_ms(rig.host) > rig_now() + 1000;
}

/* The last answer alone must wake the host up. */
Test(tuning, goes_on_by_itself_when_the_old_settings_are_back)
{
    rig.in_place = true;
    start(2);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_turn();
    answer(0, true);
    answer(1, false);
    rig_wait_until(nothing_is_due);
    cr_expect_eq(rig_count("reconfigure a g1"), 4U, "each of them twice");
    answer(0, true);
    answer(1, true);
    cr_assert_leq(host_deadline_ms(rig.host), rig_now());
    rig_wait("switch a g2");
}

Test(tuning, makes_a_new_generation_when_a_worker_dies_meanwhile)
{
    start(2);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    rig_turn();
    answer(0, true);
    rig_kill("a", 1, 1);
    rig.tuned = RIG_YES;
    rig_wait("switch a g2");
    rig_settle();
    cr_expect_eq(rig.settings[2], 2U);
}

Test(tuning, ends_with_the_newest_settings)
{
    start(1);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    set(NEWER_SETTINGS);
    answer(0, true);
    rig_wait("switch a g2");
    rig_settle();
    cr_expect_eq(rig.settings[2], 3U);

    struct drover_error error = {0};
    rig.mute = 0;
    cr_assert_eq(host_rollback(rig.host, "a", rig_now(), &error), DROVER_OK, "%s", error.text);
    rig_wait("switch a g3");
    cr_expect_eq(rig.settings[3], 1U, "which was stable");
}

/* What was taken as it ran is what is gone back to. */
Test(tuning, remembers_which_settings_were_taken)
{
    rig.options.probation_ms = 3600000;
    start(1);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    set(NEWER_SETTINGS);
    answer(0, true);
    rig_wait("told a g1 ended");
    for (int i = 0; i < 2; i++) {
        rig_mark();
        rig_kill("a", 2, 0);
        rig_wait("told a g2 died");
        rig_turn();
        rig_turn();
    }
    rig_wait("switch a g3");
    cr_expect_eq(rig.settings[3], 2U);
}

static bool nothing_runs(void)
{
    return rig_pid("a", 1, 0) == 0;
}

Test(tuning, stopped_by_hand_meanwhile_it_stays_down)
{
    struct drover_error error = {0};
    start(1);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    cr_assert_eq(host_drain(rig.host, "a", rig_now(), &error), DROVER_OK);
    rig_wait_until(nothing_runs);
    rig_settle();
    cr_expect_null(rig_find("expect"));
    rig.tuned = RIG_YES;
    cr_assert_eq(host_restart(rig.host, "a", rig_now(), &error), DROVER_OK);
    rig_wait("switch a g2");
    cr_expect_eq(rig.settings[2], 2U, "the restart has the new settings");
}

Test(tuning, restarted_by_hand_meanwhile_it_has_the_new_settings)
{
    struct drover_error error = {0};
    start(1);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    cr_assert_eq(host_restart(rig.host, "a", rig_now(), &error), DROVER_OK);
    rig_wait("switch a g2");
    rig_settle();
    cr_expect_eq(rig.settings[2], 2U);
    cr_expect_eq(rig_pid("a", 1, 0), 0);
}

Test(tuning, ends_with_a_service_that_is_removed)
{
    start(1);
    rig.tuned = RIG_SILENCE;
    set(NEW_SETTINGS);
    rig_wait("reconfigure a g1");
    host_remove_service(rig.host, "a", rig_now());
    rig_wait("removed a");
}

Test(tuning, changes_of_limits_restart_nothing)
{
    start(1);
    rig.options.ready_limit_ms = 5000;
    rig_set("a", 0);
    rig_settle();
    cr_expect_null(rig_find("reconfigure"));
    cr_expect_null(rig_find("expect"));
}
