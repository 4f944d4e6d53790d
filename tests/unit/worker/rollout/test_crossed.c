/* test_crossed.c - what comes at the wrong moment: nothing waits for ever, nothing good is lost, nobody is blamed who
 * did nothing */
#include <criterion/criterion.h>

#include <string.h>

#include "rig.h"

#define GROUP 7

TestSuite(crossed, .init = rig_set_up);

/* A machine that remembers this version as stable. */
static void remember(const char *name)
{
    rig_set_up();
    rig.memory.stable[rig.memory.stable_count++] = version_of(name);
    rig_begin();
}

static void quarantine(const char *name)
{
    const struct rollout_version version = version_of(name);
    rollout_memory_quarantine(&rig.machine.memory, &version, true, "it crashed");
}

static unsigned on_loop(void)
{
    return on_died(rig.machine.candidate.number, ROLLOUT_LOOP, "exit status 1");
}

static unsigned on_active_died(void)
{
    return on_died(rig.machine.active.number, ROLLOUT_CRASH, "signal 11");
}

/* A change to a file, whose artefact is known at once. */
static unsigned on_file(const char *name, uint64_t group)
{
    const struct rollout_input input = {
        .event = ROLLOUT_ON_CHANGE, .now_ms = rig.now_ms, .change = {.version = version_of(name), .group = group}};
    rollout_apply(&rig.machine, &input, &rig.output);
    return rig.output.effects;
}

/* --- the first start -----------------------------------------------------------------------------------------------
 */

Test(crossed, a_stable_version_that_a_change_cut_short_is_tried_again_when_the_change_cannot_be_had)
{
    remember("A1");
    on_change("B1");
    on_change("C1");
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES(OBTAIN));
    expect(ROLLOUT_OBTAINING, NULL, "C1", "A1");
    cr_expect_eq(on_obtain_failed("it does not compile"), DOES(GIVE_UP));
    expect(ROLLOUT_WAITING, NULL, "A1", "A1");
    cr_expect_eq(on_drained(), DOES(START));
    cr_expect_eq(on_ready(), DOES(SWITCH));
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
    cr_expect_not(is_quarantined("A1"));
}

Test(crossed, a_stable_version_that_a_change_cut_short_is_tried_again_when_the_change_does_not_start)
{
    remember("A1");
    on_change("B1");
    on_candidate_died();
    cr_expect_eq(on_change("C1"), DOES(RETIRE) | DOES(GIVE_UP) | DOES(OBTAIN));
    on_drained();
    on_obtained();
    cr_expect_eq(on_loop(), DOES(RETIRE) | DOES(GIVE_UP));
    cr_expect_eq(on_drained(), DOES(START));
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES_QUARANTINE);
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
    cr_expect(is_quarantined("C1"));
    cr_expect_not(is_quarantined("A1"));
}

Test(crossed, when_neither_starts_the_change_is_the_first_again)
{
    remember("A1");
    on_change("B1");
    on_candidate_died();
    on_change("C1");
    on_drained();
    on_obtained();
    on_loop();
    on_drained();
    expect(ROLLOUT_STARTING, NULL, "A1", NULL);
    cr_expect_eq(on_loop(), DOES(RETIRE) | DOES(GIVE_UP));
    cr_expect_eq(on_drained(), DOES(START));
    expect(ROLLOUT_STARTING, NULL, "C1", NULL);
    cr_expect_eq(on_loop(), 0U);
    cr_expect_eq(rig.machine.memory.quarantine_count, 0);
}

/* It is tested while it serves, however short its probation is. */
Test(crossed, a_first_generation_is_not_stable_before_it_has_answered_its_self_test)
{
    rig.rules.probation_ms = 0;
    rig_begin();
    on_change("A1");
    on_obtained();
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST));
    rig.now_ms += 1;
    cr_expect_eq(on_event(ROLLOUT_ON_TICK), 0U);
    cr_expect_eq(rig.machine.memory.stable_count, 0);
    cr_expect_eq(on_tested(), 0U);
    cr_expect_eq(on_due(), DOES_MARK);
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}

Test(crossed, a_self_test_that_fails_after_a_short_probation_counts)
{
    remember("A1");
    quarantine("A1");
    rig.machine.rules.probation_ms = 100;
    on_change("B1");
    on_obtained();
    on_unquarantine("A1");
    on_ready();
    cr_expect_eq(on_due(), 0U);
    cr_expect_eq(on_test_failed("wrong"), DOES_QUARANTINE | DOES(START));
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
}

Test(crossed, an_answer_to_the_self_test_is_not_waited_for_without_end)
{
    rig.rules.probation_ms = 100;
    rig_begin();
    on_change("A1");
    on_obtained();
    on_ready();
    const uint64_t begin_ms = rig.now_ms;
    cr_expect_eq(on_due(), 0U);
    cr_expect_eq(on_due(), DOES_MARK);
    cr_expect_eq(rig.now_ms - begin_ms, rig.rules.self_test_limit_ms);
}

Test(crossed, an_answer_to_the_self_test_counts_while_a_change_is_under_way)
{
    rig.rules.probation_ms = 100;
    rig_begin();
    on_change("A1");
    on_obtained();
    on_ready();
    const struct rollout_input answer = {
        .event = ROLLOUT_ON_SELF_TEST_OK, .now_ms = rig.now_ms, .generation = rig.machine.active.number};
    for (int state = ROLLOUT_OBTAINING; state <= ROLLOUT_SETTLING; state++) {
        const struct rollout before = rig.machine;
        if (state == ROLLOUT_WAITING) {
            rig.machine.leaving = (struct rollout_generation){.number = 99, .version = version_of("Z1")};
        }
        if (state >= ROLLOUT_OBTAINING)
            on_change("B1");
        if (state >= ROLLOUT_WAITING)
            on_obtained();
        if (state >= ROLLOUT_TESTING)
            on_ready();
        if (state >= ROLLOUT_SETTLING)
            on_tested();
        cr_assert_eq((int)rig.machine.state, state);
        rollout_apply(&rig.machine, &answer, &rig.output);
        cr_expect_eq(rig.output.effects, 0U);
        cr_expect_eq((int)rig.machine.state, state);
        rig.now_ms += 1000;
        on_rollback();
        expect(ROLLOUT_PROBATION, "A1", NULL,
               state >= ROLLOUT_STARTING  ? "B1"
               : state == ROLLOUT_WAITING ? "Z1"
                                          : NULL);
        cr_expect_eq(on_due(), DOES_MARK);
        rig.machine = before;
    }
}

/* --- groups --------------------------------------------------------------------------------------------------------
 */

Test(crossed, a_group_does_not_wait_for_what_is_in_quarantine)
{
    quarantine("B1");
    cr_expect_eq(on_file("B1", GROUP), DOES(GIVE_UP));
    expect(ROLLOUT_EMPTY, NULL, NULL, NULL);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
    on_unquarantine("B1");
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST, "it was given up");
}

Test(crossed, a_group_does_not_wait_for_what_is_in_quarantine_until_another_version_serves)
{
    remember("A1");
    quarantine("B1");
    cr_expect_eq(on_file("B1", GROUP), DOES(GIVE_UP) | DOES(START));
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
}

Test(crossed, a_group_does_not_wait_for_what_could_not_be_had)
{
    on_change("B1");
    on_grouped("B1", GROUP);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_BUSY);
    cr_expect_eq(on_obtain_failed("no such host"), DOES(GIVE_UP));
    expect(ROLLOUT_EMPTY, NULL, NULL, NULL);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
}

Test(crossed, a_group_does_not_wait_for_a_crash_loop)
{
    on_change("A1");
    on_obtained();
    on_grouped("A1", GROUP);
    cr_expect_eq(on_candidate_died(), 0U);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_BUSY, "supervision starts it again");
    cr_expect_eq(on_loop(), 0U);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST));
}

/* --- going back ----------------------------------------------------------------------------------------------------
 */

Test(crossed, by_hand_what_stays_since_nothing_else_starts_is_not_in_quarantine)
{
    serve("A1");
    bring("B1");
    on_due();
    on_rollback();
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES(SAVE));
    expect(ROLLOUT_SERVING, "B1", NULL, "A1");
    cr_expect_not(is_quarantined("B1"), "a restarted broker starts it");
    cr_expect_eq(rig.machine.memory.stable[0].artefact.octets[0], 'B');
}

Test(crossed, by_hand_what_stays_since_the_service_is_stopped_is_not_in_quarantine)
{
    serve("A1");
    bring("B1");
    on_due();
    on_rollback();
    cr_expect_eq(on_event(ROLLOUT_ON_CALL_OFF), DOES(RETIRE) | DOES(GIVE_UP) | DOES(SAVE));
    expect(ROLLOUT_SERVING, "B1", NULL, "A1");
    cr_expect_not(is_quarantined("B1"));
}

Test(crossed, what_fails_twice_beside_itself_is_to_blame)
{
    serve("A1");
    bring("B1");
    on_forced("B1");
    on_obtained();
    on_active_died();
    on_active_died();
    expect(ROLLOUT_STARTING, "B1", "B1", NULL);
    cr_expect_neq(on_candidate_died() & DOES(GIVE_UP), 0U);
    expect(ROLLOUT_WAITING, "B1", "A1", "B1");
    cr_expect(is_quarantined("B1"));
}

Test(crossed, what_could_not_be_had_is_obtained_again_after_a_change_back)
{
    serve("A1");
    on_change("B1");
    on_obtain_failed("no");
    cr_expect_eq(on_change("A1"), DOES(FORGET));
    cr_expect_eq(on_change("B1"), DOES(OBTAIN));
}

/* --- reconfiguration -----------------------------------------------------------------------------------------------
 */

Test(crossed, what_takes_a_configuration_beside_a_candidate_is_known_by_it_when_that_fails)
{
    for (int state = ROLLOUT_OBTAINING; state <= ROLLOUT_HELD; state++) {
        go_to((enum rollout_state)state);
        cr_expect_eq(on_reconfigured("A2"), 0U);
        cr_expect_eq((int)rig.machine.state, state);
        cr_expect_neq(on_rollback() & DOES(GIVE_UP), 0U);
        cr_assert_eq(rig.machine.state, ROLLOUT_PROBATION);
        cr_expect_eq(on_due(), DOES_MARK);
        const struct rollout_version version = version_of("A2");
        cr_expect(rollout_version_same(&rig.machine.memory.stable[0], &version));
    }
}

Test(crossed, what_takes_a_configuration_while_it_is_left_is_left)
{
    serve("A1");
    bring("B1");
    on_active_died();
    on_active_died();
    cr_expect_eq(on_reconfigured("B2"), 0U);
    expect(ROLLOUT_STARTING, "B2", "A1", NULL);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(RETIRE));
    expect(ROLLOUT_SERVING, "A1", NULL, "B2");
}

Test(crossed, what_takes_a_configuration_while_it_is_left_by_hand_and_stays_is_on_probation)
{
    serve("A1");
    bring("A2");
    on_due();
    on_rollback();
    expect(ROLLOUT_STARTING, "A2", "A1", NULL);
    cr_expect_eq(on_reconfigured("A3"), 0U);
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP));
    expect(ROLLOUT_PROBATION, "A3", NULL, "A1");
    cr_expect_eq(on_due(), DOES_MARK);
}

Test(crossed, what_has_taken_the_configuration_that_it_has_goes_on)
{
    serve("A1");
    cr_expect_eq(on_reconfigured("A1"), 0U);
    expect(ROLLOUT_SERVING, "A1", NULL, NULL);
}
