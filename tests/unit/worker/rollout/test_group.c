/* test_group.c - several services that change together: all or none */
#include <criterion/criterion.h>

#include "rig.h"
#include "worker/rollout/group.h"

#define GROUP 7

static struct rollout machines[2];
static const struct rollout *const members[] = {&machines[0], &machines[1]};

static void with(size_t index)
{
    rig.machine = machines[index];
}

static void keep(size_t index)
{
    machines[index] = rig.machine;
}

static enum rollout_verdict judge(void)
{
    size_t culprit = 99;
    const enum rollout_verdict verdict = rollout_group_judge(members, 2, GROUP, &culprit);
    cr_expect_eq(culprit == 99, verdict != ROLLOUT_GROUP_ABANDON);
    return verdict;
}

static void set_up(void)
{
    for (size_t i = 0; i < 2; i++) {
        rig_set_up();
        serve("A1");
        on_grouped("B1", GROUP);
        keep(i);
    }
}

static void bring_to_hold(size_t index)
{
    with(index);
    on_obtained();
    on_ready();
    on_tested();
    cr_expect_eq(on_due(), DOES(HOLD));
    keep(index);
}

TestSuite(group, .init = set_up);

Test(group, waits_until_all_could_switch_and_then_all_do)
{
    cr_expect_eq(judge(), ROLLOUT_GROUP_WAIT);
    bring_to_hold(0);
    cr_expect_eq(judge(), ROLLOUT_GROUP_WAIT);
    bring_to_hold(1);
    cr_expect_eq(judge(), ROLLOUT_GROUP_RELEASE);
    for (size_t i = 0; i < 2; i++) {
        with(i);
        cr_expect_eq(on_release(GROUP), DOES(SWITCH) | DOES(RETIRE));
        keep(i);
        cr_expect_eq(judge(), i == 0 ? ROLLOUT_GROUP_RELEASE : ROLLOUT_GROUP_DONE);
    }
}

Test(group, none_switches_when_one_fails)
{
    bring_to_hold(0);
    with(1);
    on_obtain_failed("it does not compile");
    keep(1);
    cr_expect_eq(judge(), ROLLOUT_GROUP_ABANDON);
    with(0);
    cr_expect_eq(on_abandon(GROUP, "it does not compile"), DOES(RETIRE) | DOES(GIVE_UP));
    expect(ROLLOUT_SERVING, "A1", NULL, "B1");
    cr_expect_not(is_quarantined("B1"));
}

Test(group, is_given_up_when_one_dies_while_it_is_held)
{
    bring_to_hold(0);
    bring_to_hold(1);
    with(0);
    on_candidate_died();
    keep(0);
    cr_expect_eq(judge(), ROLLOUT_GROUP_ABANDON);
}

Test(group, is_given_up_when_a_later_change_replaces_one)
{
    with(0);
    on_change("C1");
    keep(0);
    cr_expect_eq(judge(), ROLLOUT_GROUP_ABANDON);
}

Test(group, a_service_that_serves_already_what_is_wanted_is_done)
{
    with(0);
    on_grouped("A1", GROUP);
    keep(0);
    cr_expect_eq(rollout_stand(&machines[0], GROUP), ROLLOUT_STAND_DONE);
    bring_to_hold(1);
    cr_expect_eq(judge(), ROLLOUT_GROUP_RELEASE);
}

Test(group, another_group_is_not_released)
{
    bring_to_hold(0);
    with(0);
    cr_expect_eq(on_release(GROUP + 1), 0U);
    cr_expect_eq(on_abandon(GROUP + 1, "no"), 0U);
    expect(ROLLOUT_HELD, "A1", "B1", NULL);
}

Test(group, takes_over_the_same_change_that_is_under_way)
{
    rig_set_up();
    serve("A1");
    on_change("B1");
    on_obtained();
    on_ready();
    on_tested();
    cr_expect_eq(on_grouped("B1", GROUP), DOES(FORGET));
    cr_expect_eq(on_due(), DOES(HOLD));
    cr_expect_eq(on_change("B1"), DOES(FORGET));
    cr_expect_eq(on_release(GROUP), DOES(SWITCH) | DOES(RETIRE));
}

Test(group, a_change_that_waits_is_busy_and_can_be_abandoned)
{
    rig_set_up();
    serve("A1");
    on_change("B1");
    on_obtained();
    on_grouped("C1", GROUP);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_BUSY);
    cr_expect_eq(on_abandon(GROUP, "no"), 0U);
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
    expect(ROLLOUT_STARTING, "A1", "B1", NULL);
}

Test(group, a_new_service_is_held_too_and_has_one_try)
{
    rig_set_up();
    on_grouped("A1", GROUP);
    on_obtained();
    cr_expect_eq(on_ready(), DOES(SELF_TEST));
    on_tested();
    cr_expect_eq(on_due(), DOES(HOLD));
    cr_expect_eq(on_candidate_died(), DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE);
    expect(ROLLOUT_EMPTY, NULL, NULL, "A1");
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_LOST);
}

Test(group, a_first_start_under_way_goes_on_by_itself_and_then_the_group_learns_of_it)
{
    rig_set_up();
    on_change("A1");
    on_obtained();
    cr_expect_eq(on_grouped("A1", GROUP), DOES(FORGET));
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_BUSY);
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(SELF_TEST) | DOES(FORGET));
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_DONE);
}

Test(group, a_rollback_under_way_is_not_given_up_with_a_group_that_wants_the_same)
{
    rig_set_up();
    serve("A1");
    bring("B1");
    on_rollback();
    cr_expect_eq(on_grouped("A1", GROUP), DOES(FORGET));
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_BUSY);
    const struct rollout before = rig.machine;
    cr_expect_eq(on_abandon(GROUP, "no"), 0U);
    expect(ROLLOUT_STARTING, "B1", "A1", NULL);
    rig.machine = before;
    cr_expect_eq(on_ready(), DOES(SWITCH) | DOES(RETIRE) | DOES(FORGET));
    cr_expect_eq(rollout_stand(&rig.machine, GROUP), ROLLOUT_STAND_DONE);
}
