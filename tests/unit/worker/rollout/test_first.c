/* test_first.c - the first start of a service: with what is wanted, and what it remembers */
#include <criterion/criterion.h>

#include <string.h>

#include "rig.h"

/* A machine that remembers these as stable: "A1 Z1", the newest first. */
static void remember(const char *names)
{
    rig_set_up();
    for (const char *name = names; *name != '\0'; name += strspn(name, " ")) {
        rig.memory.stable[rig.memory.stable_count++] = version_of(name);
        name += 2;
    }
    rig_begin();
}

static unsigned on_loop(void)
{
    return on_died(rig.machine.candidate.number, ROLLOUT_LOOP, "exit status 1");
}

static void quarantine(const char *name)
{
    const struct rollout_version version = version_of(name);
    rollout_memory_quarantine(&rig.machine.memory, &version, true, "it crashed");
}

TestSuite(first, .init = rig_set_up);

Test(first, serves_as_soon_as_it_is_ready_and_is_tested_while_it_does)
{
    cr_expect_eq(on_change("A1"), DOES(OBTAIN));
    cr_expect_eq(on_obtained(), DOES(START));
    cr_expect_eq(rig.machine.due_ms, ROLLOUT_NEVER);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST));
    cr_expect_eq(rig.output.test, rig.output.switch_to);
    cr_expect_eq(on_tested(), 0U);
    expect(ROLLOUT_PROBATION, "A1", NULL, NULL);
}

Test(first, a_restarted_broker_starts_the_stable_version_without_obtaining_it)
{
    remember("A1");
    cr_expect_eq(on_change("A1"), DOES(START));
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(FORGET));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(first, starts_the_stable_version_and_what_is_wanted_beside_it)
{
    remember("A1");
    cr_expect_eq(on_change("B1"), DOES(START));
    expect(ROLLOUT_STARTING, NULL, "A1", NULL);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(OBTAIN));
    expect(ROLLOUT_OBTAINING, "A1", "B1", NULL);
}

Test(first, deaths_are_the_business_of_supervision)
{
    on_change("A1");
    on_obtained();
    for (int i = 0; i < 4; i++)
        cr_expect_eq(on_candidate_died(), 0U);
    cr_expect_not_null(strstr(rig.machine.reason, ": signal 11"));
    on_ready();
    cr_expect_str_empty(rig.machine.reason);
}

Test(first, a_crash_loop_without_another_version_goes_on)
{
    on_change("A1");
    on_obtained();
    cr_expect_eq(on_loop(), 0U);
    cr_expect_eq(on_loop(), 0U);
    expect(ROLLOUT_STARTING, NULL, "A1", NULL);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST));
}

Test(first, falls_back_to_an_older_stable_version_after_a_crash_loop)
{
    remember("A1 Z1");
    on_change("A1");
    cr_expect_eq(on_loop(), DOES(RETIRE) | DOES(GIVE_UP));
    expect(ROLLOUT_WAITING, NULL, "Z1", "A1");
    cr_expect_eq(on_drained(), DOES(START));
    cr_expect_not(is_quarantined("A1"));
    cr_expect_neq(on_ready() & DOES_QUARANTINE, 0U);
    cr_expect(is_quarantined("A1"));
    expect(ROLLOUT_PROBATION, "Z1", NULL, NULL);
    cr_expect_eq(on_due(), DOES_MARK);
}

Test(first, tries_what_is_wanted_when_the_stable_version_does_not_start)
{
    remember("A1 Z1");
    on_change("B1");
    cr_expect_eq(on_loop(), DOES(RETIRE) | DOES(GIVE_UP) | DOES(OBTAIN));
    on_drained();
    on_obtained();
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST) | DOES_QUARANTINE);
    cr_expect_eq(rig.output.quarantined.artefact.octets[0], 'A');
    expect(ROLLOUT_PROBATION, "B1", NULL, NULL);
}

Test(first, blames_nobody_when_nothing_starts_and_returns_to_the_first)
{
    remember("A1 Z1");
    on_change("B1");
    on_loop();
    on_drained();
    on_obtained();
    on_loop();
    on_drained();
    expect(ROLLOUT_STARTING, NULL, "Z1", NULL);
    on_loop();
    on_drained();
    expect(ROLLOUT_STARTING, NULL, "A1", NULL);
    cr_expect_eq(on_loop(), 0U);
    cr_expect_eq(rig.machine.memory.quarantine_count, 0);
    cr_expect_eq(on_ready(), DOES(SWITCH));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(first, the_stable_version_does_not_suffer_with_a_configuration_of_a_group)
{
    remember("A1");
    on_grouped("A2", 7);
    on_loop();
    on_drained();
    on_obtained();
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    cr_expect(is_quarantined("A2"));
    cr_expect_not(is_quarantined("A1"));
    expect(ROLLOUT_WAITING, NULL, "A1", "A2");
}

Test(first, a_refused_configuration_falls_back_at_once)
{
    remember("A1 Z1");
    on_change("A1");
    cr_expect_eq(on_died(rig.machine.candidate.number, ROLLOUT_CONFIGURATION, "no"), DOES(RETIRE) | DOES(GIVE_UP));
    on_drained();
    on_ready();
    cr_expect(is_quarantined("A1"));
    cr_expect_not(is_quarantined("A2"));
}

Test(first, starts_nothing_from_quarantine)
{
    remember("A1 Z1");
    quarantine("A1");
    quarantine("B1");
    struct rollout_input input = {.event = ROLLOUT_ON_CHANGE, .change = {.version = version_of("B1")}};
    rollout_apply(&rig.machine, &input, &rig.output);
    cr_expect_eq(rig.output.effects, DOES(GIVE_UP) | DOES(START));
    expect(ROLLOUT_STARTING, NULL, "Z1", NULL);
}

Test(first, is_empty_with_a_reason_when_there_is_nothing_to_start)
{
    on_change("A1");
    cr_expect_eq(on_obtain_failed("no such host"), DOES(GIVE_UP));
    expect(ROLLOUT_EMPTY, NULL, NULL, NULL);
    cr_expect_not_null(strstr(rig.machine.reason, "no such host"));
    cr_expect_eq(on_change("A1"), DOES(GIVE_UP));
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
}

Test(first, starts_an_older_version_when_what_is_wanted_cannot_be_had)
{
    remember("A1 Z1");
    quarantine("A1");
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
    cr_expect_eq(on_obtain_failed("no such host"), DOES(GIVE_UP) | DOES(START));
    expect(ROLLOUT_STARTING, NULL, "Z1", NULL);
    on_ready();
    expect(ROLLOUT_PROBATION, "Z1", NULL, NULL);
}

Test(first, a_change_ends_a_start_that_fails)
{
    on_change("A1");
    on_obtained();
    on_candidate_died();
    cr_expect_eq(on_change("B1"), DOES(RETIRE) | DOES(GIVE_UP) | DOES(OBTAIN));
    on_obtained();
    expect(ROLLOUT_WAITING, NULL, "B1", "A1");
}

Test(first, a_death_ends_a_start_when_a_change_waits)
{
    on_change("A1");
    on_obtained();
    cr_expect_eq(on_change("B1"), 0U);
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES(OBTAIN));
}

Test(first, a_change_back_to_the_stable_version_starts_it_again)
{
    remember("A1");
    on_change("A1");
    on_candidate_died();
    on_change("B1");
    cr_expect_eq(on_change("A1"), DOES(CANCEL_OBTAIN));
    expect(ROLLOUT_WAITING, NULL, "A1", "A1");
}

Test(first, once_is_enough_when_the_stable_version_is_forced)
{
    remember("A1");
    cr_expect_eq(on_forced("A1"), DOES(START));
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(FORGET));
}

Test(first, a_failed_self_test_goes_back_to_a_stable_version)
{
    remember("A1");
    quarantine("A1");
    on_change("B1");
    on_obtained();
    on_unquarantine("A1");
    on_ready();
    cr_expect_eq(on_test_failed("wrong"), DOES_QUARANTINE | DOES(START));
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
}

Test(first, numbers_go_on_from_where_the_owner_was)
{
    rollout_init(&rig.machine, &rig.rules, NULL, 41);
    on_change("A1");
    on_obtained();
    cr_expect_eq(rig.output.start.number, 42);
}
