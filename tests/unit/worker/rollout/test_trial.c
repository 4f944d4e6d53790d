/* test_trial.c - probation, stable mark, rollback */
#include <criterion/criterion.h>

#include <string.h>

#include "rig.h"

static void set_up(void)
{
    rig_set_up();
    serve("A1");
}

static unsigned on_active_died(void)
{
    return on_died(rig.machine.active.number, ROLLOUT_CRASH, "signal 11");
}

TestSuite(trial, .init = set_up);

Test(trial, one_death_is_forgiven)
{
    bring("B1");
    cr_expect_eq(on_active_died(), 0U);
    cr_expect_eq(on_due(), DOES_MARK);
}

Test(trial, two_deaths_lead_back_to_what_served_before)
{
    bring("B1");
    on_active_died();
    cr_expect_eq(on_active_died(), DOES_QUARANTINE | DOES(START));
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
    cr_expect(is_quarantined("B1"));
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(RETIRE), "without self-test, without settling");
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
    cr_expect_str_eq(rig.machine.reason, "420000000000: died in its probation (2): signal 11");
}

Test(trial, what_is_stable_may_die)
{
    bring("B1");
    on_due();
    for (int i = 0; i < 5; i++)
        cr_expect_eq(on_died(rig.machine.active.number, ROLLOUT_LOOP, "no"), 0U);
    expect(ROLLOUT_SERVING, "B1", NULL, NULL);
}

Test(trial, deaths_of_what_is_leaving_do_not_count)
{
    on_change("B1");
    on_obtained();
    on_ready();
    on_tested();
    on_due();
    for (int i = 0; i < 5; i++)
        cr_expect_eq(on_died(rig.machine.leaving.number, ROLLOUT_CRASH, "no"), 0U);
}

Test(trial, a_rollback_waits_until_the_old_generation_has_ended)
{
    on_change("B1");
    on_obtained();
    on_ready();
    on_tested();
    on_due();
    on_active_died();
    cr_expect_eq(on_active_died(), DOES_QUARANTINE);
    expect(ROLLOUT_WAITING, "B1", "A1", "A1");
    cr_expect_eq(on_active_died(), 0U);
    cr_expect_eq(on_drained(), DOES(START));
}

Test(trial, more_transport_errors_than_before_lead_back)
{
    bring("B1");
    cr_expect_eq(on_transport((struct rollout_transport){1000, 10}, (struct rollout_transport){49, 49}), 0U, "too few");
    cr_expect_eq(on_transport((struct rollout_transport){1000, 10}, (struct rollout_transport){100, 6}), 0U,
                 "5 points");
    cr_expect_eq(on_transport((struct rollout_transport){1000, 10}, (struct rollout_transport){100, 7}),
                 DOES_QUARANTINE | DOES(START));
    cr_expect_not_null(strstr(rig.machine.reason, "7 of 100 calls failed in its probation"));
}

Test(trial, an_old_one_without_calls_had_no_errors)
{
    bring("B1");
    cr_expect_eq(on_transport((struct rollout_transport){0, 0}, (struct rollout_transport){50, 2}), 0U);
    cr_expect_eq(on_transport((struct rollout_transport){0, 0}, (struct rollout_transport){50, 3}),
                 DOES_QUARANTINE | DOES(START));
}

Test(trial, counts_of_any_size_are_compared)
{
    const uint64_t most = UINT64_MAX;
    bring("B1");
    cr_expect_eq(on_transport((struct rollout_transport){most, most}, (struct rollout_transport){most, most}), 0U);
    cr_expect_eq(on_transport((struct rollout_transport){most, 0}, (struct rollout_transport){most, most / 100 * 5}),
                 0U);
    cr_expect_neq(on_transport((struct rollout_transport){most, 0}, (struct rollout_transport){most, most / 100 * 6}),
                  0U);
}

Test(trial, without_automatic_rollback_it_only_says_so)
{
    rig.rules.auto_rollback = false;
    rig_begin();
    serve("A1");
    bring("B1");
    on_active_died();
    rig.now_ms += 1000;
    cr_expect_eq(on_active_died(), DOES(GIVE_UP));
    cr_expect_not_null(strstr(rig.machine.reason, "automatic rollback is turned off"));
    expect(ROLLOUT_PROBATION, "B1", NULL, NULL);
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 60000, "it begins again");
}

Test(trial, with_nothing_to_go_back_to_it_begins_again)
{
    rig_set_up();
    on_change("A1");
    on_obtained();
    on_ready();
    on_active_died();
    rig.now_ms += 30000;
    cr_expect_eq(on_active_died(), DOES(GIVE_UP));
    cr_expect_not_null(strstr(rig.machine.reason, "there is no version to go back to"));
    cr_expect_not(is_quarantined("A1"));
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 60000);
    cr_expect_eq(on_due(), DOES_MARK);
}

Test(trial, a_change_supersedes_and_the_stable_mark_stays)
{
    bring("B1");
    bring("C1");
    cr_expect_eq(rig.machine.memory.stable[0].artefact.octets[0], 'A');
    cr_expect_eq(on_due(), DOES_MARK);
    cr_expect_eq(rig.machine.memory.stable[0].artefact.octets[0], 'C');
    cr_expect_eq(rig.machine.memory.stable[1].artefact.octets[0], 'A');
}

Test(trial, goes_on_when_the_change_failed)
{
    bring("B1");
    const uint64_t until_ms = rig.machine.due_ms;
    on_change("C1");
    on_obtain_failed("no");
    expect(ROLLOUT_PROBATION, "B1", NULL, NULL);
    cr_expect_eq(rig.machine.due_ms, until_ms);
    cr_expect_eq(on_due(), DOES_MARK);
}

Test(trial, leads_back_to_what_served_before_though_that_was_not_stable)
{
    bring("B1");
    bring("C1");
    on_active_died();
    on_active_died();
    expect(ROLLOUT_STARTING, "C1", "B1", NULL);
    on_ready();
    on_drained();
    expect(ROLLOUT_PROBATION, "B1", NULL, NULL);
    on_active_died();
    on_active_died();
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
}

Test(trial, leads_back_to_the_last_stable_one_when_what_served_before_does_not_start)
{
    bring("B1");
    bring("C1");
    on_active_died();
    on_active_died();
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP));
    expect(ROLLOUT_WAITING, "C1", "A1", "B1");
    cr_expect_not(is_quarantined("B1"), "it has served");
    on_drained();
    on_ready();
    expect(ROLLOUT_SERVING, "A1", NULL, "C1");
}

Test(trial, what_is_bad_goes_on_when_nothing_else_starts)
{
    bring("B1");
    on_active_died();
    on_active_died();
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP));
    expect(ROLLOUT_PROBATION, "B1", NULL, "A1");
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 60000);
    on_drained();
    on_active_died();
    on_active_died();
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
}

Test(trial, a_rollback_comes_before_a_change_that_is_not_started)
{
    bring("B1");
    on_change("C1");
    on_active_died();
    cr_expect_eq(on_active_died(), DOES(CANCEL_OBTAIN) | DOES_QUARANTINE | DOES(START));
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(RETIRE) | DOES(OBTAIN));
    expect(ROLLOUT_OBTAINING, "A1", "C1", "B1");
}

Test(trial, a_change_that_is_started_comes_before_a_rollback)
{
    bring("B1");
    on_change("C1");
    on_obtained();
    on_active_died();
    cr_expect_eq(on_active_died(), DOES_QUARANTINE);
    on_ready();
    on_tested();
    on_due();
    expect(ROLLOUT_PROBATION, "C1", NULL, "B1");
    on_drained();
    on_active_died();
    on_active_died();
    expect(ROLLOUT_STARTING, "C1", "A1", NULL);
}

Test(trial, a_rollback_follows_when_the_change_that_came_before_it_fails)
{
    bring("B1");
    on_change("C1");
    on_obtained();
    on_active_died();
    on_active_died();
    on_candidate_died();
    expect(ROLLOUT_WAITING, "B1", "A1", "C1");
    cr_expect_eq(on_drained(), DOES(START));
}

Test(trial, a_change_during_a_rollback_waits_for_it)
{
    bring("B1");
    on_active_died();
    on_active_died();
    cr_expect_eq(on_change("C1"), 0U);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(RETIRE) | DOES(OBTAIN));
}

Test(trial, what_was_rolled_back_is_not_tried_again_unless_forced)
{
    bring("B1");
    on_active_died();
    on_active_died();
    on_ready();
    on_drained();
    on_change("B1");
    cr_expect_eq(on_obtained(), DOES(GIVE_UP));
    on_forced("B1");
    cr_expect_eq(on_obtained(), DOES(START));
}

Test(trial, only_the_configuration_is_blamed_where_the_artefact_serves_again)
{
    bring("A2");
    on_active_died();
    on_active_died();
    cr_expect(is_quarantined("A2"));
    cr_expect_not(is_quarantined("A1"));
}

Test(trial, by_hand_it_goes_back_to_the_stable_version)
{
    bring("B1");
    cr_expect_eq(on_rollback(), DOES_QUARANTINE | DOES(START));
    on_ready();
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
}

Test(trial, by_hand_it_goes_back_step_by_step_and_what_it_reaches_becomes_stable)
{
    bring("B1");
    on_due();
    bring("C1");
    on_due();
    on_rollback();
    expect(ROLLOUT_STARTING, "C1", "B1", NULL);
    on_ready();
    on_drained();
    expect(ROLLOUT_PROBATION, "B1", NULL, NULL);
    on_rollback();
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
    on_ready();
    on_drained();
    cr_expect_eq(on_due(), DOES_MARK);
    cr_expect_eq(rig.machine.memory.stable[0].artefact.octets[0], 'A');
    cr_expect_eq(on_rollback(), DOES(GIVE_UP));
    cr_expect_not_null(strstr(rig.machine.reason, "no earlier stable version"));
}

Test(trial, by_hand_it_goes_back_once_though_what_serves_dies_meanwhile)
{
    on_change("B1");
    on_obtained();
    on_ready();
    on_tested();
    on_due(); /* A1 drains */
    cr_expect_eq(on_rollback(), DOES_QUARANTINE);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(on_active_died(), 0U);
    expect(ROLLOUT_WAITING, "B1", "A1", "A1");
    cr_expect_eq(on_drained(), DOES(START));
}

Test(trial, five_old_versions_are_remembered)
{
    static const char *const names[] = {"B1", "C1", "D1", "E1", "F1", "G1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bring(names[i]);
        on_due();
    }
    const struct rollout_memory *memory = &rig.machine.memory;
    cr_expect_eq(memory->stable_count, 6);
    cr_expect_eq(memory->stable[0].artefact.octets[0], 'G');
    cr_expect_eq(memory->stable[5].artefact.octets[0], 'B');
}

/* --- stopped by hand -----------------------------------------------------------------------------------------------
 */

Test(trial, what_is_stopped_by_hand_proves_nothing_meanwhile)
{
    bring("B1");
    on_event(ROLLOUT_ON_CALL_OFF);
    cr_expect_eq(rig.machine.due_ms, ROLLOUT_NEVER);
    rig.now_ms += 10 * rig.machine.rules.probation_ms;
    cr_expect_eq(on_event(ROLLOUT_ON_TICK), 0U);
    cr_expect_eq(rig.machine.state, ROLLOUT_PROBATION);
    on_event(ROLLOUT_ON_RESUME);
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + rig.machine.rules.probation_ms, "it begins again");
}

Test(trial, a_mishap_counts_for_nobody)
{
    bring("B1");
    for (unsigned i = 0; i < 10; i++)
        cr_expect_eq(on_died(rig.machine.active.number, ROLLOUT_MISHAP, "no descriptor is left"), 0U);
    cr_expect_eq(rig.machine.state, ROLLOUT_PROBATION);
}

Test(trial, a_candidate_that_a_mishap_kept_from_starting_is_not_to_blame)
{
    go_to(ROLLOUT_STARTING);
    cr_expect_eq(on_died(rig.machine.candidate.number, ROLLOUT_MISHAP, "no descriptor is left"),
                 DOES(RETIRE) | DOES(GIVE_UP));
    cr_expect_not(is_quarantined("B1"));
}

Test(trial, what_fails_its_self_test_is_not_stable_before_it_passes_though_there_is_no_other)
{
    const struct rollout_rules rules = rig.machine.rules;
    rollout_init(&rig.machine, &rules, NULL, 0);
    on_change("A1");
    on_obtained();
    on_ready();
    cr_assert_eq(rig.machine.state, ROLLOUT_PROBATION);
    for (int i = 0; i < 3; i++) {
        on_test_failed("it said no");
        cr_expect_eq(on_due(), DOES(SELF_TEST), "it is asked again");
        cr_expect_gt(rig.machine.due_ms, rig.now_ms);
    }
    on_tested();
    cr_expect_eq(on_due(), DOES_MARK);
}
