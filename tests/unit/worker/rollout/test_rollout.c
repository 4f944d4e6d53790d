/* test_rollout.c - the way of a candidate, up to the switch or back */
#include <criterion/criterion.h>

#include <string.h>

#include "rig.h"

static void set_up(void)
{
    rig_set_up();
    serve("A1");
}

TestSuite(rollout, .init = set_up);

Test(rollout, goes_through_all_steps_in_their_order)
{
    const uint64_t old = rig.machine.active.number;
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
    cr_expect_eq(rig.output.obtain.source.octets[0], 'B');
    cr_expect_eq(on_obtained(), DOES(START));
    cr_expect_eq(rig.output.start.number, old + 1);
    cr_expect_eq(rig.output.start.version.artefact.octets[0], 'B');
    cr_expect_eq(on_ready(), DOES(SELF_TEST));
    cr_expect_eq(rig.output.test, old + 1);
    cr_expect_eq(on_tested(), 0U);
    expect(ROLLOUT_SETTLING, "A1", "B1", NULL);
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 2000);
    cr_expect_eq(on_due(), DOES(SWITCH) | DOES(RETIRE));
    cr_expect_eq(rig.output.switch_to, old + 1);
    cr_expect_eq(rig.output.retire_count, 1);
    cr_expect_eq(rig.output.retire[0], old);
    expect(ROLLOUT_PROBATION, "B1", NULL, "A1");
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 60000);
    cr_expect_eq(on_drained(), 0U);
    cr_expect_eq(on_due(), DOES_MARK);
    cr_expect_eq(rig.output.stable.artefact.octets[0], 'B');
    expect(ROLLOUT_SERVING, "B1", NULL, NULL);
    cr_expect_str_empty(rig.machine.reason);
}

Test(rollout, does_not_touch_what_serves_before_the_switch)
{
    const enum rollout_state states[] = {ROLLOUT_OBTAINING, ROLLOUT_STARTING, ROLLOUT_TESTING, ROLLOUT_SETTLING};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        go_to(states[i]);
        const uint64_t active = rig.machine.active.number;
        on_rollback(); /* whatever ends the candidate */
        cr_expect_eq(rig.machine.active.number, active);
        cr_expect(rig.output.retire_count == 0 || rig.output.retire[0] != active);
    }
}

Test(rollout, forgets_a_change_to_what_serves)
{
    cr_expect_eq(on_change("A1"), DOES(FORGET));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(rollout, takes_another_configuration_for_a_change)
{
    bring("A2");
    expect(ROLLOUT_PROBATION, "A2", NULL, NULL);
}

Test(rollout, replaces_what_serves_by_the_same_when_it_is_forced)
{
    cr_expect_eq(on_forced("A1"), DOES(OBTAIN));
    on_obtained();
    on_ready();
    on_tested();
    cr_expect_eq(on_due(), DOES(SWITCH) | DOES(RETIRE));
    expect(ROLLOUT_SERVING, "A1", NULL, "A1"); /* it has been stable before */
}

Test(rollout, forgets_another_source_that_gives_the_same_bytes)
{
    struct rollout_input input = {.event = ROLLOUT_ON_OBTAINED, .now_ms = rig.now_ms};
    on_change("B1");
    input.version = rig.machine.candidate.version;
    input.version.artefact = rig.machine.active.version.artefact;
    rollout_apply(&rig.machine, &input, &rig.output);
    cr_expect_eq(rig.output.effects, DOES(FORGET));
    expect(ROLLOUT_SERVING, "B1", NULL, NULL);
    cr_expect_eq(on_change("B1"), DOES(FORGET));
}

Test(rollout, ignores_what_was_obtained_for_an_earlier_change)
{
    on_change("B1");
    on_change("C1");
    const struct rollout_input input = {.event = ROLLOUT_ON_OBTAINED, .version = version_of("B1")};
    rollout_apply(&rig.machine, &input, &rig.output);
    cr_expect_eq(rig.output.effects, 0U);
    expect(ROLLOUT_OBTAINING, "A1", "C1", NULL);
}

Test(rollout, gives_the_reason_when_a_driver_cannot_be_had_and_does_not_try_it_again_unchanged)
{
    on_change("B1");
    cr_expect_eq(on_obtain_failed("hello.c:3: expected ';'"), DOES(GIVE_UP));
    cr_expect_not_null(strstr(rig.machine.reason, "could not be had: hello.c:3: expected ';'"));
    cr_expect_not(is_quarantined("B1"));
    cr_expect_eq(on_change("B1"), DOES(GIVE_UP));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
    cr_expect_eq(on_forced("B1"), DOES(OBTAIN));
}

Test(rollout, obtains_again_after_something_else_was_wanted)
{
    on_change("B1");
    on_obtain_failed("no");
    cr_expect_eq(on_change("C1"), DOES(OBTAIN));
    on_obtain_failed("no");
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
}

Test(rollout, obtains_again_after_something_else_served)
{
    on_change("B1");
    on_obtain_failed("no");
    bring("C1");
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
}

Test(rollout, puts_a_candidate_that_dies_into_quarantine)
{
    on_change("B1");
    on_obtained();
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    cr_expect_eq(rig.output.quarantined.artefact.octets[0], 'B');
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
    cr_expect_str_eq(rig.machine.reason, "420000000000: signal 11");
    cr_expect_str_eq(rig.machine.memory.quarantine[0].why, "signal 11");
}

Test(rollout, obtains_what_is_in_quarantine_but_does_not_start_it)
{
    on_change("B1");
    on_obtained();
    on_candidate_died();
    on_drained();
    on_change("B1"); /* a source: its artefact is not known */
    cr_expect_eq(on_obtained(), DOES(GIVE_UP));
    cr_expect_not_null(strstr(rig.machine.reason, "is in quarantine ("));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(rollout, refuses_a_file_in_quarantine_at_once)
{
    const struct rollout_input input = {.event = ROLLOUT_ON_CHANGE, .change = {.version = version_of("B1")}};
    on_change("B1");
    on_obtained();
    on_candidate_died();
    rollout_apply(&rig.machine, &input, &rig.output);
    cr_expect_eq(rig.output.effects, DOES(GIVE_UP));
}

Test(rollout, a_good_version_after_a_bad_one_is_taken)
{
    on_change("B1");
    on_obtained();
    on_candidate_died();
    on_drained();
    bring("C1");
    expect(ROLLOUT_PROBATION, "C1", NULL, NULL);
    cr_expect_str_empty(rig.machine.reason);
}

Test(rollout, starts_what_is_in_quarantine_by_force_and_lets_it_out_when_it_does_well)
{
    on_change("B1");
    on_obtained();
    on_candidate_died();
    on_drained();
    on_forced("B1");
    cr_expect_eq(on_obtained(), DOES(START));
    on_ready();
    on_tested();
    on_due();
    cr_expect(is_quarantined("B1"));
    cr_expect_eq(on_due(), DOES_MARK);
    cr_expect_not(is_quarantined("B1"));
}

Test(rollout, starts_what_was_let_out_of_quarantine_by_hand)
{
    on_change("B1");
    on_obtained();
    on_candidate_died();
    on_drained();
    cr_expect_eq(on_unquarantine("B1"), DOES(SAVE));
    cr_expect_eq(on_unquarantine("B1"), 0U);
    bring("B1");
}

Test(rollout, blames_a_refused_configuration_and_not_the_artefact)
{
    on_change("B2");
    on_obtained();
    on_died(rig.machine.candidate.number, ROLLOUT_CONFIGURATION, "key 'files': must be a list");
    cr_expect(is_quarantined("B2"));
    cr_expect_not(is_quarantined("B3"));
    on_drained();
    bring("B3");
}

Test(rollout, tries_a_refused_configuration_again_when_it_is_asked_for_anew)
{
    on_change("B2");
    on_obtained();
    on_died(rig.machine.candidate.number, ROLLOUT_CONFIGURATION, "key 'files': must be a list");
    on_drained();
    cr_expect_eq(on_forgiven("B3"), 0U);
    cr_expect_eq(on_forgiven("B2"), DOES(SAVE));
    bring("B2");
}

Test(rollout, does_not_forgive_an_artefact_that_is_bad_with_any_configuration)
{
    on_change("B2");
    on_obtained();
    on_candidate_died();
    on_drained();
    cr_expect_eq(on_forgiven("B2"), 0U);
    cr_expect(is_quarantined("B2"));
}

Test(rollout, blames_the_configuration_where_the_artefact_serves)
{
    on_change("A2");
    on_obtained();
    on_candidate_died();
    cr_expect(is_quarantined("A2"));
    cr_expect_not(is_quarantined("A1"));
}

Test(rollout, blames_an_artefact_with_every_configuration)
{
    on_change("B2");
    on_obtained();
    on_candidate_died();
    cr_expect(is_quarantined("B3"));
}

Test(rollout, what_serves_is_not_blamed_when_it_fails_beside_itself)
{
    on_forced("A1");
    on_obtained();
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP));
    cr_expect_not(is_quarantined("A1"));
}

Test(rollout, gives_up_a_candidate_that_hangs_at_its_start)
{
    on_change("B1");
    on_obtained();
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 30000);
    cr_expect_eq(on_due(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    cr_expect_not_null(strstr(rig.machine.reason, "was not ready in time"));
}

Test(rollout, gives_up_a_candidate_that_does_not_answer_its_self_test)
{
    on_change("B1");
    on_obtained();
    on_ready();
    cr_expect_eq(rig.machine.due_ms, rig.now_ms + 10000);
    cr_expect_eq(on_due(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    cr_expect_not_null(strstr(rig.machine.reason, "did not answer its self-test in time"));
}

Test(rollout, gives_up_a_candidate_that_answers_wrongly)
{
    on_change("B1");
    on_obtained();
    on_ready();
    cr_expect_eq(on_test_failed("expected 3, got 4"), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    cr_expect_not_null(strstr(rig.machine.reason, "failed its self-test: expected 3, got 4"));
}

Test(rollout, gives_up_a_candidate_that_dies_while_it_settles)
{
    go_to(ROLLOUT_SETTLING);
    rig.now_ms = rig.machine.due_ms - 1;
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
}

Test(rollout, the_newest_change_replaces_one_that_is_not_started)
{
    on_change("B1");
    cr_expect_eq(on_change("C1"), DOES(CANCEL_OBTAIN) | DOES(OBTAIN));
    cr_expect_eq(on_change("C1"), DOES(FORGET));
    expect(ROLLOUT_OBTAINING, "A1", "C1", NULL);
}

Test(rollout, a_change_back_cancels_one_that_is_not_started)
{
    on_change("B1");
    cr_expect_eq(on_change("A1"), DOES(CANCEL_OBTAIN) | DOES(FORGET));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(rollout, a_change_waits_for_the_end_of_one_that_is_started_and_the_newest_wins)
{
    on_change("B1");
    on_obtained();
    cr_expect_eq(on_change("C1"), 0U);
    cr_expect_eq(on_change("D1"), 0U);
    on_ready();
    on_tested();
    cr_expect_eq(on_due(), DOES(SWITCH) | DOES(RETIRE) | DOES(OBTAIN));
    expect(ROLLOUT_OBTAINING, "B1", "D1", "A1");
}

Test(rollout, a_change_waits_for_the_end_of_one_that_fails)
{
    on_change("B1");
    on_obtained();
    on_change("C1");
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE | DOES(OBTAIN));
    expect(ROLLOUT_OBTAINING, "A1", "C1", "B1");
}

Test(rollout, a_change_to_what_is_under_way_drops_the_one_that_waits)
{
    on_change("B1");
    on_obtained();
    on_change("C1");
    cr_expect_eq(on_change("B1"), DOES(FORGET));
    on_ready();
    on_tested();
    cr_expect_eq(on_due(), DOES(SWITCH) | DOES(RETIRE));
    expect(ROLLOUT_PROBATION, "B1", NULL, "A1");
}

Test(rollout, a_change_back_gives_up_one_that_is_started_without_blame)
{
    on_change("B1");
    on_obtained();
    on_change("C1");
    cr_expect_eq(on_change("A1"), DOES(RETIRE) | DOES(GIVE_UP) | DOES(FORGET));
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
    cr_expect_not(is_quarantined("B1"));
}

Test(rollout, a_start_waits_until_the_old_generation_has_ended)
{
    bring("B1");
    on_change("C1");
    on_obtained();
    on_ready();
    on_tested();
    on_due(); /* B1 drains */
    on_change("D1");
    cr_expect_eq(on_obtained(), 0U);
    expect(ROLLOUT_WAITING, "C1", "D1", "B1");
    cr_expect_eq(on_drained(), DOES(START));
    expect(ROLLOUT_STARTING, "C1", "D1", NULL);
}

Test(rollout, a_start_waits_until_a_candidate_that_failed_has_ended)
{
    on_change("B1");
    on_obtained();
    on_candidate_died();
    on_change("C1");
    cr_expect_eq(on_obtained(), 0U);
    expect(ROLLOUT_WAITING, "A1", "C1", "B1");
}

Test(rollout, by_hand_a_change_is_withdrawn_before_the_switch)
{
    on_change("B1");
    on_obtained();
    on_ready();
    on_change("C1");
    cr_expect_eq(on_rollback(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
    cr_expect_not_null(strstr(rig.machine.reason, "rolled back by hand"));
}

Test(rollout, by_hand_a_change_is_not_obtained_again_once_it_is_withdrawn)
{
    on_change("B1");
    cr_expect_eq(on_rollback(), DOES(CANCEL_OBTAIN) | DOES(GIVE_UP));
    cr_expect_eq(on_change("B1"), DOES(GIVE_UP));
}

Test(rollout, after_stop_there_is_nothing_but_the_retirement_of_what_runs)
{
    go_to(ROLLOUT_SETTLING);
    cr_expect_eq(on_stop(), DOES(RETIRE));
    cr_expect_eq(rig.output.retire_count, 2);
    expect(ROLLOUT_STOPPED, NULL, NULL, NULL);
    for (int event = 0; event < ROLLOUT_EVENT_END; event++)
        cr_expect_eq(on_event((enum rollout_event)event), 0U);
    cr_expect_eq(on_change("C1"), 0U);
}

Test(rollout, every_time_is_a_setting)
{
    rig.rules = (struct rollout_rules){.settle_ms = 1,
                                       .probation_ms = 2,
                                       .start_limit_ms = 3,
                                       .self_test_limit_ms = ROLLOUT_NEVER,
                                       .probation_deaths = 1};
    rig_begin();
    serve("A1");
    on_change("B1");
    on_obtained();
    cr_expect_eq(rig.machine.due_ms - rig.now_ms, 3);
    on_ready();
    cr_expect_eq(rig.machine.due_ms, ROLLOUT_NEVER);
    on_tested();
    cr_expect_eq(rig.machine.due_ms - rig.now_ms, 1);
    on_due();
    cr_expect_eq(rig.machine.due_ms - rig.now_ms, 2);
}

Test(rollout, reasons_are_one_printable_line)
{
    char reason[1000];
    memset(reason, 'x', sizeof(reason) - 1);
    memcpy(reason, "a\nb\033[1m\377", 8);
    reason[sizeof(reason) - 1] = '\0';
    on_change("B1");
    on_obtained();
    on_died(rig.machine.candidate.number, ROLLOUT_CRASH, reason);
    cr_expect_not_null(strstr(rig.machine.reason, ": a?b?[1m?xxx"));
    cr_expect_lt(strlen(rig.machine.reason), sizeof(rig.machine.reason));
}
