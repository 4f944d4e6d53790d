/* test_table.c - every cell of rollout.def: in which state an event leaves the machine, and what is to be done */
#include <criterion/criterion.h>

#include "rig.h"

/* What an event is in these cells: about the candidate, or what serves, or what is leaving; B1 is the candidate (C1 in
 * WAITING), of group 7. A change is one to D1. */
static unsigned on(enum rollout_event event)
{
    switch (event) {
    case ROLLOUT_ON_CHANGE:
        return on_change("D1");
    case ROLLOUT_ON_OBTAINED:
        return on_obtained();
    case ROLLOUT_ON_OBTAIN_FAILED:
        return on_obtain_failed("it does not compile");
    case ROLLOUT_ON_READY:
        return on_ready();
    case ROLLOUT_ON_DIED:
        return on_died(rig.machine.candidate.number != 0 ? rig.machine.candidate.number : rig.machine.active.number,
                       ROLLOUT_LOOP, "signal 6");
    case ROLLOUT_ON_SELF_TEST_OK:
        return on_tested();
    case ROLLOUT_ON_SELF_TEST_FAILED:
        return on_test_failed("it said no");
    case ROLLOUT_ON_DRAINED:
        return on_drained();
    case ROLLOUT_ON_TRANSPORT:
        return on_transport((struct rollout_transport){100, 0}, (struct rollout_transport){100, 50});
    case ROLLOUT_ON_RELEASE:
        return on_release(7);
    case ROLLOUT_ON_ABANDON:
        return on_abandon(7, "another one failed");
    case ROLLOUT_ON_UNQUARANTINE:
        return on_unquarantine("B1");
    case ROLLOUT_ON_TICK:
        return rig.machine.due_ms != ROLLOUT_NEVER ? on_due() : on_event(event);
    case ROLLOUT_ON_RECONFIGURED:
        return on_reconfigured("A2");
    case ROLLOUT_ON_ROLLBACK:
    case ROLLOUT_ON_CALL_OFF:
    case ROLLOUT_ON_RESUME:
    case ROLLOUT_ON_STOP:
    case ROLLOUT_EVENT_END:
        break;
    }
    return on_event(event);
}

struct cell {
    enum rollout_state from;
    enum rollout_event event;
    enum rollout_state to;
    unsigned effects;
};

#define CELL(FROM, EVENT, TO, does)                            \
    {                                                          \
        ROLLOUT_##FROM, ROLLOUT_ON_##EVENT, ROLLOUT_##TO, does \
    }
#define OBTAIN DOES(OBTAIN)
#define CANCEL DOES(CANCEL_OBTAIN)
#define START DOES(START)
#define RETIRE DOES(RETIRE)
#define TEST DOES(SELF_TEST)
#define GIVE_UP DOES(GIVE_UP)
#define SAVE DOES(SAVE)
#define BLAME (DOES(RETIRE) | DOES(GIVE_UP) | DOES_QUARANTINE)

/* A cell that is not listed changes nothing. */
static const struct cell cells[] = {
    CELL(EMPTY, CHANGE, OBTAINING, OBTAIN),
    CELL(EMPTY, STOP, STOPPED, 0),

    CELL(SERVING, CHANGE, OBTAINING, OBTAIN),
    CELL(SERVING, ROLLBACK, SERVING, GIVE_UP), /* there is no earlier one */
    CELL(SERVING, RECONFIGURED, PROBATION, 0),
    CELL(SERVING, STOP, STOPPED, RETIRE),

    CELL(PROBATION, CHANGE, OBTAINING, OBTAIN),
    CELL(PROBATION, DIED, STARTING, DOES_QUARANTINE | START),
    CELL(PROBATION, SELF_TEST_FAILED, STARTING, DOES_QUARANTINE | START),
    CELL(PROBATION, TRANSPORT, STARTING, DOES_QUARANTINE | START),
    CELL(PROBATION, ROLLBACK, STARTING, DOES_QUARANTINE | START),
    CELL(PROBATION, STOP, STOPPED, RETIRE),
    CELL(PROBATION, TICK, SERVING, DOES_MARK),

    CELL(OBTAINING, CHANGE, OBTAINING, CANCEL | OBTAIN),
    CELL(OBTAINING, OBTAINED, STARTING, START),
    CELL(OBTAINING, OBTAIN_FAILED, SERVING, GIVE_UP),
    CELL(OBTAINING, ABANDON, SERVING, CANCEL | GIVE_UP),
    CELL(OBTAINING, ROLLBACK, SERVING, CANCEL | GIVE_UP),
    CELL(OBTAINING, CALL_OFF, SERVING, CANCEL | GIVE_UP),
    CELL(OBTAINING, STOP, STOPPED, CANCEL | RETIRE),

    CELL(WAITING, CHANGE, OBTAINING, OBTAIN),
    CELL(WAITING, DRAINED, STARTING, START),
    CELL(WAITING, ROLLBACK, SERVING, GIVE_UP),
    CELL(WAITING, UNQUARANTINE, WAITING, SAVE), /* it failed before */
    CELL(WAITING, CALL_OFF, SERVING, GIVE_UP),
    CELL(WAITING, STOP, STOPPED, RETIRE),

    CELL(STARTING, READY, TESTING, TEST),
    CELL(STARTING, DIED, SERVING, BLAME),
    CELL(STARTING, ABANDON, SERVING, RETIRE | GIVE_UP),
    CELL(STARTING, ROLLBACK, SERVING, BLAME),
    CELL(STARTING, CALL_OFF, SERVING, RETIRE | GIVE_UP),
    CELL(STARTING, STOP, STOPPED, RETIRE),
    CELL(STARTING, TICK, SERVING, BLAME),

    CELL(TESTING, DIED, SERVING, BLAME),
    CELL(TESTING, SELF_TEST_OK, SETTLING, 0),
    CELL(TESTING, SELF_TEST_FAILED, SERVING, BLAME),
    CELL(TESTING, ABANDON, SERVING, RETIRE | GIVE_UP),
    CELL(TESTING, ROLLBACK, SERVING, BLAME),
    CELL(TESTING, CALL_OFF, SERVING, RETIRE | GIVE_UP),
    CELL(TESTING, STOP, STOPPED, RETIRE),
    CELL(TESTING, TICK, SERVING, BLAME),

    CELL(SETTLING, DIED, SERVING, BLAME),
    CELL(SETTLING, SELF_TEST_FAILED, SERVING, BLAME),
    CELL(SETTLING, ABANDON, SERVING, RETIRE | GIVE_UP),
    CELL(SETTLING, ROLLBACK, SERVING, BLAME),
    CELL(SETTLING, CALL_OFF, SERVING, RETIRE | GIVE_UP),
    CELL(SETTLING, STOP, STOPPED, RETIRE),
    CELL(SETTLING, TICK, HELD, DOES(HOLD)),

    CELL(HELD, DIED, SERVING, BLAME),
    CELL(HELD, SELF_TEST_FAILED, SERVING, BLAME),
    CELL(HELD, RELEASE, PROBATION, DOES(SWITCH) | RETIRE),
    CELL(HELD, ABANDON, SERVING, RETIRE | GIVE_UP),
    CELL(HELD, ROLLBACK, SERVING, BLAME),
    CELL(HELD, CALL_OFF, SERVING, RETIRE | GIVE_UP),
    CELL(HELD, STOP, STOPPED, RETIRE),
};

static struct cell cell_of(enum rollout_state from, enum rollout_event event)
{
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        if (cells[i].from == from && cells[i].event == event)
            return cells[i];
    return (struct cell){from, event, from, 0};
}

Test(table, every_state_answers_every_event_as_listed)
{
    for (int state = 0; state < ROLLOUT_STATE_END; state++)
        for (int event = 0; event < ROLLOUT_EVENT_END; event++) {
            const struct cell cell = cell_of((enum rollout_state)state, (enum rollout_event)event);
            go_to(cell.from);
            const unsigned effects = on(cell.event);
            cr_expect_eq(rig.machine.state, cell.to, "%s + %s: got %s", rollout_state_word(cell.from),
                         rollout_event_word(cell.event), rollout_state_word(rig.machine.state));
            cr_expect_eq(effects, cell.effects, "%s + %s: does %x, not %x", rollout_state_word(cell.from),
                         rollout_event_word(cell.event), effects, cell.effects);
        }
}

Test(table, no_cell_is_listed_twice)
{
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        for (size_t j = 0; j < i; j++)
            cr_expect(cells[i].from != cells[j].from || cells[i].event != cells[j].event);
}

Test(table, a_tick_before_its_time_does_nothing)
{
    for (int state = 0; state < ROLLOUT_STATE_END; state++) {
        go_to((enum rollout_state)state);
        if (rig.machine.due_ms != ROLLOUT_NEVER)
            rig.now_ms = rig.machine.due_ms - 1;
        cr_expect_eq(on_event(ROLLOUT_ON_TICK), 0U);
        cr_expect_eq((int)rig.machine.state, state);
    }
}

Test(table, what_is_about_another_generation_changes_nothing)
{
    static const enum rollout_event about[] = {ROLLOUT_ON_READY,        ROLLOUT_ON_DIED,
                                               ROLLOUT_ON_SELF_TEST_OK, ROLLOUT_ON_SELF_TEST_FAILED,
                                               ROLLOUT_ON_DRAINED,      ROLLOUT_ON_TRANSPORT};
    for (int state = 0; state < ROLLOUT_STATE_END; state++)
        for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
            for (uint64_t generation = 0; generation < 1000; generation += 999) {
                const struct rollout_input input = {.event = about[i],
                                                    .now_ms = rig.now_ms,
                                                    .generation = generation,
                                                    .death = ROLLOUT_LOOP,
                                                    .fresh = {100, 100}};
                go_to((enum rollout_state)state);
                rollout_apply(&rig.machine, &input, &rig.output);
                cr_expect_eq(rig.output.effects, 0U);
                cr_expect_eq((int)rig.machine.state, state);
            }
}

/* A1 is stable, B1 on probation, and C1, of group 7, in a state of its way; in WAITING, A1 still drains. */
static void go_to_beside_probation(enum rollout_state state)
{
    go_to(ROLLOUT_PROBATION);
    if (state == ROLLOUT_WAITING) {
        const struct rollout_generation stable = {.number = 1, .version = version_of("A1")};
        rig.machine.leaving = stable;
    }
    on_grouped("C1", 7);
    if (state >= ROLLOUT_WAITING)
        on_obtained();
    if (state >= ROLLOUT_TESTING)
        on_ready();
    if (state >= ROLLOUT_SETTLING)
        on_tested();
    if (state == ROLLOUT_HELD)
        on_due();
    expect(state, "B1", "C1", state == ROLLOUT_WAITING ? "A1" : NULL);
}

Test(table, what_is_on_probation_is_watched_in_every_state_of_a_candidate)
{
    static const enum rollout_event bad[] = {ROLLOUT_ON_DIED, ROLLOUT_ON_SELF_TEST_FAILED, ROLLOUT_ON_TRANSPORT};
    for (int state = ROLLOUT_OBTAINING; state <= ROLLOUT_HELD; state++)
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            go_to_beside_probation((enum rollout_state)state);
            const struct rollout_input input = {.event = bad[i],
                                                .now_ms = rig.now_ms,
                                                .generation = rig.machine.active.number,
                                                .death = ROLLOUT_LOOP,
                                                .fresh = {100, 100}};
            rollout_apply(&rig.machine, &input, &rig.output);
            cr_expect_eq(rig.output.effects & DOES_QUARANTINE, DOES_QUARANTINE, "%s + %s",
                         rollout_state_word((enum rollout_state)state), rollout_event_word(bad[i]));
            cr_expect(is_quarantined("B1") && rig.machine.trial.condemned);
            cr_expect_eq(rig.machine.has_pending, state <= ROLLOUT_WAITING, "what does not run yet is set aside");
        }
}

Test(table, a_hash_is_released_in_every_state_but_the_last)
{
    for (int state = 0; state < ROLLOUT_STOPPED; state++) {
        const struct rollout_version version = version_of("X1");
        go_to((enum rollout_state)state);
        rollout_memory_quarantine(&rig.machine.memory, &version, true, "it crashed");
        cr_expect_eq(on_unquarantine("X1"), DOES(SAVE), "%s", rollout_state_word((enum rollout_state)state));
        cr_expect_eq((int)rig.machine.state, state);
    }
}

Test(table, a_candidate_is_given_up_with_its_group_in_every_state_of_it)
{
    for (int state = ROLLOUT_OBTAINING; state <= ROLLOUT_HELD; state++) {
        go_to_beside_probation((enum rollout_state)state);
        cr_expect_neq(on_abandon(7, "no") & DOES(GIVE_UP), 0U);
        cr_expect_eq(rig.machine.state, ROLLOUT_PROBATION);
    }
}

Test(table, what_is_leaving_ends_when_nothing_else_is_there)
{
    go_to(ROLLOUT_EMPTY);
    on_grouped("A1", 7);
    on_obtained();
    on_candidate_died();
    expect(ROLLOUT_EMPTY, NULL, NULL, "A1");
    cr_expect_eq(on_drained(), 0U);
    expect(ROLLOUT_EMPTY, NULL, NULL, NULL);
}
