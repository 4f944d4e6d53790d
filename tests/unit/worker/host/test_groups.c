/* test_groups.c - services that change together: all of them switch, or none does */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "reload_rig.h"

TestSuite(groups, .init = rig_init, .fini = rig_done, .timeout = 120);

#define NEW_SETTINGS "\x81\xa1s\x02"
#define OLD_SETTINGS "\x81\xa1s\x01"

static void start_two(void)
{
    rig_start("a", STEADY);
    rig_start("b", "# b\n" STEADY);
}

static void set_both(uint64_t group)
{
    rig.options.settings = NEW_SETTINGS;
    rig_set("a", group);
    rig_set("b", group);
}

/* Set to what they were, as host.h asks for. */
static void set_back(void)
{
    rig.options.settings = OLD_SETTINGS;
    rig_set("a", 0);
    rig_set("b", 0);
    rig_settle();
}

static void answer(const char *service)
{
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(rig.host, service, i, &worker); i++)
        if (worker.generation == rig_rollout(service).candidate)
            host_worker_probed(rig.host, worker.worker, DROVER_OK, "", rig_now());
}

static bool a_is_held(void)
{
    return rig_is("a", "held");
}

Test(groups, switch_together_when_the_last_one_can)
{
    start_two();
    rig.tested = RIG_SILENCE;
    set_both(7);
    rig_wait("probe a g2");
    rig_wait("probe b g2");
    answer("a");
    rig_wait_until(a_is_held);
    cr_expect_null(rig_find("switch"));
    cr_expect_null(rig_find("closed"));
    answer("b");
    rig_wait("group 7 done");
    cr_expect_eq(rig_count("switch"), 2U);
    cr_expect_eq(rig.settings[2], 2U);
}

Test(groups, none_switches_when_one_fails)
{
    start_two();
    const pid_t a = rig_pid("a", 1, 0), b = rig_pid("b", 1, 0);
    rig.tested = RIG_SILENCE;
    set_both(7);
    rig_wait("probe a g2");
    rig_wait("probe b g2");
    answer("a");
    rig_wait_until(a_is_held);
    rig_kill("b", 2, 0);
    rig_wait("group 7 given up by b: ");
    set_back();
    cr_expect_null(rig_find("switch"));
    cr_expect_eq(rig_pid("a", 1, 0), a);
    cr_expect_eq(rig_pid("b", 1, 0), b);
    cr_expect(process_runs(a) && process_runs(b));
    cr_expect_eq(rig_rollout("a").quarantined, 0U, "it has done nothing wrong");
    rig.tested = RIG_YES;
    rig_mark();
    set_both(8);
    rig_wait("group 8 done");
    cr_expect_eq(rig_count("switch"), 2U, "the same is tried again when it is asked for anew");
}

Test(groups, are_given_up_with_one_that_is_new_and_cannot_start)
{
    rig_start("a", STEADY);
    const pid_t a = rig_pid("a", 1, 0);
    rig.options.settings = NEW_SETTINGS;
    rig_write("b", "echo no >&2; exit 78");
    rig_set("a", 7);
    rig_set("b", 7);
    rig.mute = 1; /* of b; */
    rig_wait("group 7 given up by b: ");
    rig.mute = 0;
    host_remove_service(rig.host, "b", rig_now());
    rig_wait("removed b");
    rig.options.settings = OLD_SETTINGS;
    rig_set("a", 0);
    rig_settle();
    cr_expect_null(rig_find("switch"));
    cr_expect_eq(rig_pid("a", 1, 0), a);
}

Test(groups, take_in_one_that_is_new)
{
    rig_start("a", STEADY);
    rig.options.settings = NEW_SETTINGS;
    rig_write("b", "# b\n" STEADY);
    rig_set("a", 7);
    rig_set("b", 7);
    rig_wait("group 7 done");
    cr_expect_not_null(rig_find("switch a g2"));
    cr_expect_not_null(rig_find("switch b g1"));
}

Test(groups, name_the_one_that_was_taken_away)
{
    start_two();
    rig.tested = RIG_SILENCE;
    set_both(7);
    rig_wait("probe a g2");
    host_remove_service(rig.host, "b", rig_now());
    rig_wait("group 7 given up by b: ");
    rig_wait("removed b");
    rig_settle();
    cr_expect_null(rig_find("switch"));
}

Test(groups, are_given_up_when_their_only_service_was_taken_away)
{
    start_two();
    rig.tested = RIG_SILENCE;
    rig.options.settings = NEW_SETTINGS;
    rig_set("b", 7);
    rig_wait("probe b g2");
    host_remove_service(rig.host, "b", rig_now());
    rig_wait("group 7 given up by b: ");
    cr_expect_null(rig_find("group 7 done"));
}

Test(groups, end_before_one_is_changed_once_more)
{
    start_two();
    rig.tested = RIG_SILENCE;
    set_both(7);
    rig_wait("probe a g2");
    rig_wait("probe b g2");
    rig.options.settings = "\x81\xa1s\x03";
    rig_set("a", 0);
    answer("a");
    answer("b");
    rig.tested = RIG_YES;
    rig_wait("group 7 done");
    rig_wait("switch a g3");
    cr_expect_eq(rig.settings[3], 3U);
}

/* Nothing of it runs yet, so the later one takes its place. */
Test(groups, are_given_up_when_one_is_set_to_something_else_before_it_is_obtained)
{
    start_two();
    set_both(7);
    rig.options.settings = "\x81\xa1s\x03";
    rig_set("a", 0);
    rig_wait("group 7 given up by a: ");
    cr_expect_null(rig_find("switch b"));
}

/* A driver that changes meanwhile is no other configuration. */
Test(groups, take_a_driver_that_changes_before_it_is_obtained)
{
    start_two();
    set_both(7);
    rig_write("a", "# newer\n" STEADY);
    host_step(rig.host, rig_now());
    rig.skew_ms += 5000; /* it is quiet by then */
    rig_wait("group 7 done");
    rig_settle();
    cr_expect_null(rig_find("closed a g2"), "it was new from the beginning");
}

Test(groups, leave_a_driver_that_changes_later_for_their_end)
{
    start_two();
    rig.tested = RIG_SILENCE;
    set_both(7);
    rig_wait("probe a g2");
    rig_wait("probe b g2");
    rig_write("a", "# newer\n" STEADY);
    rig_wait("told a g0 changed");
    answer("a");
    answer("b");
    rig.tested = RIG_YES;
    rig_wait("group 7 done");
    rig_wait("switch a g3");
    rig_settle();
}

Test(groups, without_a_service_that_could_be_set_tell_nothing)
{
    struct drover_error error = {0};
    struct host_service options = rig.options;
    rig_start("b", STEADY);
    rig.keeps_leases = true;
    host_remove_service(rig.host, "b", rig_now());
    options.name = "b";
    options.program = "/nowhere/driver";
    cr_assert_eq(host_set_service(rig.host, &options, 7, rig_now(), &error), DROVER_FAILED_PRECONDITION);
    rig_turn();
    rig_turn();
    cr_expect_null(rig_find("group 7"));
}
