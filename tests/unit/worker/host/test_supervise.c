/* test_supervise.c - the rules of one replica, in virtual time */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <string.h>

#include "worker/host/supervise.h"

#define NO_JITTER 20 /* the random number that makes 100 % */

static const struct supervise_rules rules = {
    .restart_min_ms = 200, .restart_max_ms = 30000, .ready_limit_ms = 10000, .drain_limit_ms = 40000};

static struct supervise machine;
static uint64_t now_ms;

static unsigned on_random(enum supervise_event event, uint64_t random)
{
    const struct supervise_input input = {.event = event, .now_ms = now_ms, .random = random};
    return supervise_apply(&machine, &input);
}

static unsigned on(enum supervise_event event)
{
    return on_random(event, NO_JITTER);
}

static unsigned on_config_exit(void)
{
    const struct supervise_input input = {
        .event = SUPERVISE_ON_EXITED, .now_ms = now_ms, .random = NO_JITTER, .config_exit = true};
    return supervise_apply(&machine, &input);
}

static void set_up(void)
{
    now_ms = 1000000;
    supervise_init(&machine, &rules);
}

TestSuite(supervise, .init = set_up);

/* Bring the machine to `state` by the shortest way. */
static void bring_to(enum supervise_state state)
{
    set_up();
    if (state == SUPERVISE_STOPPED)
        return;
    cr_assert_eq(on(SUPERVISE_ON_RESTART), SUPERVISE_DO_LAUNCH);
    if (state == SUPERVISE_BACKOFF)
        on(SUPERVISE_ON_EXITED);
    if (state == SUPERVISE_LAUNCHING || state == SUPERVISE_BACKOFF)
        return;
    on(SUPERVISE_ON_SPAWNED);
    if (state == SUPERVISE_STARTING)
        return;
    on(SUPERVISE_ON_READY);
    if (state == SUPERVISE_READY)
        return;
    on(state == SUPERVISE_ABORTING ? SUPERVISE_ON_HUNG : SUPERVISE_ON_DRAIN);
    if (state == SUPERVISE_TERMINATING || state == SUPERVISE_KILLING)
        on(SUPERVISE_ON_DRAINED);
    if (state == SUPERVISE_KILLING) {
        now_ms = machine.due_ms;
        on(SUPERVISE_ON_TICK);
    }
    cr_assert_eq(machine.state, state);
}

static void start(void)
{
    cr_assert_eq(on(SUPERVISE_ON_RESTART), SUPERVISE_DO_LAUNCH);
    on(SUPERVISE_ON_SPAWNED);
    cr_assert_eq(machine.state, SUPERVISE_STARTING);
}

/* Wait out the backoff; the next process runs then. */
static void start_again(void)
{
    cr_assert_eq(machine.state, SUPERVISE_BACKOFF);
    now_ms = machine.due_ms;
    cr_assert_eq(on(SUPERVISE_ON_TICK), SUPERVISE_DO_LAUNCH);
    on(SUPERVISE_ON_SPAWNED);
}

static uint64_t backoff_ms(void)
{
    cr_assert_eq(machine.state, SUPERVISE_BACKOFF);
    return machine.due_ms - now_ms;
}

/* Every cell of the table: in which state an event leaves the machine, and what is to be done. */

struct cell {
    enum supervise_state from;
    enum supervise_event event;
    enum supervise_state to;
    unsigned effects;
};

#define IN(FROM) SUPERVISE_##FROM
#define CELL(FROM, EVENT, TO, does)                  \
    {                                                \
        IN(FROM), SUPERVISE_ON_##EVENT, IN(TO), does \
    }
#define NOTHING 0
#define LAUNCH SUPERVISE_DO_LAUNCH
#define CANCEL SUPERVISE_DO_CANCEL
#define CLOSE SUPERVISE_DO_CLOSE
#define TERM (SUPERVISE_DO_CLOSE | SUPERVISE_DO_TERMINATE)
#define ABORT (SUPERVISE_DO_CLOSE | SUPERVISE_DO_ABORT)
#define KILL SUPERVISE_DO_KILL

static const struct cell cells[] = {
    CELL(STOPPED, SPAWNED, STOPPED, NOTHING),
    CELL(STOPPED, READY, STOPPED, NOTHING),
    CELL(STOPPED, CONFIG_ERROR, STOPPED, NOTHING),
    CELL(STOPPED, EXITED, STOPPED, NOTHING),
    CELL(STOPPED, HUNG, STOPPED, NOTHING),
    CELL(STOPPED, DRAINED, STOPPED, NOTHING),
    CELL(STOPPED, RESTART, LAUNCHING, LAUNCH),
    CELL(STOPPED, DRAIN, STOPPED, NOTHING),
    CELL(STOPPED, STOP, STOPPED, NOTHING),
    CELL(STOPPED, TICK, STOPPED, NOTHING),

    CELL(BACKOFF, SPAWNED, BACKOFF, NOTHING),
    CELL(BACKOFF, READY, BACKOFF, NOTHING),
    CELL(BACKOFF, CONFIG_ERROR, BACKOFF, NOTHING),
    CELL(BACKOFF, EXITED, BACKOFF, NOTHING),
    CELL(BACKOFF, HUNG, BACKOFF, NOTHING),
    CELL(BACKOFF, DRAINED, BACKOFF, NOTHING),
    CELL(BACKOFF, RESTART, LAUNCHING, LAUNCH),
    CELL(BACKOFF, DRAIN, STOPPED, NOTHING),
    CELL(BACKOFF, STOP, STOPPED, NOTHING),
    CELL(BACKOFF, TICK, LAUNCHING, LAUNCH),

    CELL(LAUNCHING, SPAWNED, STARTING, NOTHING),
    CELL(LAUNCHING, READY, LAUNCHING, NOTHING),
    CELL(LAUNCHING, CONFIG_ERROR, LAUNCHING, NOTHING),
    CELL(LAUNCHING, EXITED, BACKOFF, NOTHING),
    CELL(LAUNCHING, HUNG, LAUNCHING, NOTHING),
    CELL(LAUNCHING, DRAINED, LAUNCHING, NOTHING),
    CELL(LAUNCHING, RESTART, LAUNCHING, NOTHING),
    CELL(LAUNCHING, DRAIN, STOPPED, CANCEL),
    CELL(LAUNCHING, STOP, STOPPED, CANCEL),
    CELL(LAUNCHING, TICK, LAUNCHING, NOTHING),

    CELL(STARTING, SPAWNED, STARTING, NOTHING),
    CELL(STARTING, READY, READY, NOTHING),
    CELL(STARTING, CONFIG_ERROR, TERMINATING, TERM),
    CELL(STARTING, EXITED, BACKOFF, NOTHING),
    CELL(STARTING, HUNG, ABORTING, ABORT),
    CELL(STARTING, DRAINED, STARTING, NOTHING),
    CELL(STARTING, RESTART, TERMINATING, TERM),
    CELL(STARTING, DRAIN, TERMINATING, TERM),
    CELL(STARTING, STOP, TERMINATING, TERM),
    CELL(STARTING, TICK, ABORTING, ABORT),

    CELL(READY, SPAWNED, READY, NOTHING),
    CELL(READY, READY, READY, NOTHING),
    CELL(READY, CONFIG_ERROR, READY, NOTHING),
    CELL(READY, EXITED, LAUNCHING, LAUNCH), /* it had been ready for 5 minutes: TICK is judged last */
    CELL(READY, HUNG, ABORTING, ABORT),
    CELL(READY, DRAINED, DRAINING, CLOSE), /* it gave its calls back unasked: it is replaced */
    CELL(READY, RESTART, DRAINING, CLOSE),
    CELL(READY, DRAIN, DRAINING, CLOSE),
    CELL(READY, STOP, DRAINING, CLOSE),
    CELL(READY, TICK, READY, NOTHING),

    CELL(DRAINING, SPAWNED, DRAINING, NOTHING),
    CELL(DRAINING, READY, DRAINING, NOTHING),
    CELL(DRAINING, CONFIG_ERROR, DRAINING, NOTHING),
    CELL(DRAINING, EXITED, STOPPED, NOTHING),
    CELL(DRAINING, HUNG, ABORTING, ABORT),
    CELL(DRAINING, DRAINED, TERMINATING, TERM),
    CELL(DRAINING, RESTART, DRAINING, NOTHING),
    CELL(DRAINING, DRAIN, DRAINING, NOTHING),
    CELL(DRAINING, STOP, DRAINING, NOTHING),
    CELL(DRAINING, TICK, TERMINATING, TERM),

    CELL(TERMINATING, SPAWNED, TERMINATING, NOTHING),
    CELL(TERMINATING, READY, TERMINATING, NOTHING),
    CELL(TERMINATING, CONFIG_ERROR, TERMINATING, NOTHING),
    CELL(TERMINATING, EXITED, STOPPED, NOTHING),
    CELL(TERMINATING, HUNG, TERMINATING, NOTHING),
    CELL(TERMINATING, DRAINED, TERMINATING, NOTHING),
    CELL(TERMINATING, RESTART, TERMINATING, NOTHING),
    CELL(TERMINATING, DRAIN, TERMINATING, NOTHING),
    CELL(TERMINATING, STOP, TERMINATING, NOTHING),
    CELL(TERMINATING, TICK, KILLING, KILL),

    CELL(ABORTING, SPAWNED, ABORTING, NOTHING),
    CELL(ABORTING, READY, ABORTING, NOTHING),
    CELL(ABORTING, CONFIG_ERROR, ABORTING, NOTHING),
    CELL(ABORTING, EXITED, BACKOFF, NOTHING),
    CELL(ABORTING, HUNG, ABORTING, NOTHING),
    CELL(ABORTING, DRAINED, ABORTING, NOTHING),
    CELL(ABORTING, RESTART, ABORTING, NOTHING),
    CELL(ABORTING, DRAIN, ABORTING, NOTHING),
    CELL(ABORTING, STOP, ABORTING, NOTHING),
    CELL(ABORTING, TICK, KILLING, KILL),

    CELL(KILLING, SPAWNED, KILLING, NOTHING),
    CELL(KILLING, READY, KILLING, NOTHING),
    CELL(KILLING, CONFIG_ERROR, KILLING, NOTHING),
    CELL(KILLING, EXITED, STOPPED, NOTHING),
    CELL(KILLING, HUNG, KILLING, NOTHING),
    CELL(KILLING, DRAINED, KILLING, NOTHING),
    CELL(KILLING, RESTART, KILLING, NOTHING),
    CELL(KILLING, DRAIN, KILLING, NOTHING),
    CELL(KILLING, STOP, KILLING, NOTHING),
    CELL(KILLING, TICK, KILLING, NOTHING),
};

Test(supervise, every_state_answers_every_event_as_listed)
{
    bool seen[SUPERVISE_STATE_END][SUPERVISE_EVENT_END] = {{false}};
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        const struct cell *cell = &cells[i];
        bring_to(cell->from);
        if (cell->event == SUPERVISE_ON_TICK && machine.due_ms != SUPERVISE_NEVER)
            now_ms = machine.due_ms;
        if (cell->from == SUPERVISE_READY && cell->event == SUPERVISE_ON_EXITED)
            now_ms += SUPERVISE_STEADY_MS;
        const unsigned effects = on(cell->event);
        cr_expect_eq(machine.state, cell->to, "%s + %s: got %s", supervise_state_word(cell->from),
                     supervise_event_word(cell->event), supervise_state_word(machine.state));
        cr_expect_eq(effects, cell->effects, "%s + %s: does %x, not %x", supervise_state_word(cell->from),
                     supervise_event_word(cell->event), effects, cell->effects);
        seen[cell->from][cell->event] = true;
    }
    for (int state = 0; state < SUPERVISE_STATE_END; state++)
        for (int event = 0; event < SUPERVISE_EVENT_END; event++)
            cr_expect(seen[state][event], "%s + %s is not in the table",
                      supervise_state_word((enum supervise_state)state),
                      supervise_event_word((enum supervise_event)event));
}

Test(supervise, a_tick_before_its_time_does_nothing)
{
    for (int state = 0; state < SUPERVISE_STATE_END; state++) {
        bring_to((enum supervise_state)state);
        if (machine.due_ms == SUPERVISE_NEVER)
            continue;
        now_ms = machine.due_ms - 1;
        cr_expect_eq(on(SUPERVISE_ON_TICK), 0U);
        cr_expect_eq((int)machine.state, state);
    }
}

/* Starting */

Test(supervise, a_worker_that_is_not_ready_in_time_is_aborted_then_killed)
{
    start();
    now_ms += 10000;
    cr_expect_eq(on(SUPERVISE_ON_TICK), (unsigned)ABORT);
    cr_expect_eq(machine.cause, SUPERVISE_LATE);
    now_ms += 4999;
    cr_expect_eq(on(SUPERVISE_ON_TICK), 0U);
    now_ms += 1;
    cr_expect_eq(on(SUPERVISE_ON_TICK), (unsigned)KILL);
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(machine.deaths_in_a_row, 1U, "a death before ready");
    cr_expect_eq(backoff_ms(), 200U);
}

Test(supervise, the_start_limit_runs_from_the_fork_not_from_the_decision)
{
    on(SUPERVISE_ON_RESTART);
    now_ms += 60000;
    on(SUPERVISE_ON_SPAWNED);
    cr_expect_eq(machine.due_ms, now_ms + 10000);
}

Test(supervise, ready_after_the_start_limit_is_too_late)
{
    start();
    now_ms += 10000;
    on(SUPERVISE_ON_TICK);
    on(SUPERVISE_ON_READY);
    cr_expect_eq(machine.state, SUPERVISE_ABORTING);
}

/* Starting again */

Test(supervise, restarts_at_once_after_ten_seconds_of_being_ready)
{
    start();
    on(SUPERVISE_ON_READY);
    now_ms += 10000;
    cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH);
}

Test(supervise, waits_after_less_than_ten_seconds_of_being_ready)
{
    start();
    on(SUPERVISE_ON_READY);
    now_ms += 9999;
    cr_expect_eq(on(SUPERVISE_ON_EXITED), 0U);
    cr_expect_eq(backoff_ms(), 200U);
}

Test(supervise, time_before_ready_does_not_count_as_ready)
{
    start();
    now_ms += 9999;
    on(SUPERVISE_ON_READY);
    now_ms += 9999;
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(machine.state, SUPERVISE_BACKOFF);
}

Test(supervise, delays_double_up_to_the_highest)
{
    static const uint64_t expected[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    start();
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        now_ms += 9000; /* slow enough for no crash loop */
        on(SUPERVISE_ON_EXITED);
        cr_expect_eq(machine.looping, false);
        cr_expect_eq(backoff_ms(), expected[i], "death %zu: %lu", i, (unsigned long)backoff_ms());
        start_again();
    }
}

Test(supervise, jitter_is_a_fifth_either_way)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t random = 0; random < 1000; random++) {
        set_up();
        start();
        on_random(SUPERVISE_ON_EXITED, random);
        least = backoff_ms() < least ? backoff_ms() : least;
        most = backoff_ms() > most ? backoff_ms() : most;
    }
    cr_expect_eq(least, 160U);
    cr_expect_eq(most, 240U);
}

Test(supervise, a_lowest_delay_above_the_highest_gives_the_highest)
{
    machine.rules.restart_min_ms = 500;
    machine.rules.restart_max_ms = 100;
    start();
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(backoff_ms(), 100U);
}

Test(supervise, no_delay_overflows)
{
    machine.rules.restart_min_ms = UINT64_MAX / 2;
    machine.rules.restart_max_ms = UINT64_MAX;
    start();
    for (int i = 0; i < 40; i++) {
        on_random(SUPERVISE_ON_EXITED, 40);
        cr_assert_gt(machine.due_ms, now_ms);
        machine.due_ms = now_ms;
        start_again();
    }
}

Test(supervise, five_minutes_of_health_make_the_delays_forgotten)
{
    start();
    for (int i = 0; i < 4; i++) {
        on(SUPERVISE_ON_EXITED);
        start_again();
    }
    on(SUPERVISE_ON_READY);
    now_ms += 300000 - 1;
    on(SUPERVISE_ON_TICK);
    cr_expect_eq(machine.doublings, 4U);
    cr_expect_not(machine.healthy);
    now_ms += 1;
    on(SUPERVISE_ON_TICK);
    cr_expect_eq(machine.doublings, 0U);
    cr_expect(machine.healthy);
    cr_expect_eq(machine.due_ms, SUPERVISE_NEVER);
    on(SUPERVISE_ON_EXITED);
    cr_expect_not(machine.healthy);
}

Test(supervise, restarting_at_once_does_not_make_the_delays_forgotten)
{
    start();
    on(SUPERVISE_ON_EXITED);
    start_again();
    on(SUPERVISE_ON_READY);
    now_ms += 20000;
    cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH);
    on(SUPERVISE_ON_SPAWNED);
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(backoff_ms(), 400U);
}

Test(supervise, one_that_gets_ready_and_dies_soon_waits_eight_times_the_lowest_at_most)
{
    machine.rules.restart_min_ms = 10;
    start();
    for (int i = 0; i < 200; i++) {
        on(SUPERVISE_ON_READY);
        now_ms += 5;
        on(SUPERVISE_ON_EXITED);
        cr_assert_not(machine.looping);
        cr_assert_leq(backoff_ms(), 80U);
        start_again();
    }
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(backoff_ms(), 160U, "and a death before ready goes on from there");
}

Test(supervise, exit_status_zero_unasked_is_a_death_like_any_other)
{
    start();
    on(SUPERVISE_ON_READY);
    on(SUPERVISE_ON_EXITED); /* the machine is not told the status, save for 78 */
    cr_expect_eq(machine.state, SUPERVISE_BACKOFF);
}

Test(supervise, counts_its_launches)
{
    start();
    for (int i = 0; i < 3; i++) {
        on(SUPERVISE_ON_EXITED);
        start_again();
    }
    cr_expect_eq(machine.launches, 4U);
}

/* Crash loop */

static void die_before_ready(int times, uint64_t lifetime_ms)
{
    for (int i = 0; i < times; i++) {
        if (machine.state == SUPERVISE_BACKOFF)
            start_again();
        now_ms += lifetime_ms;
        on(SUPERVISE_ON_EXITED);
    }
}

Test(supervise, five_deaths_before_ready_in_thirty_seconds_are_a_loop)
{
    start();
    die_before_ready(4, 1);
    cr_expect_not(machine.looping);
    die_before_ready(1, 1);
    cr_expect(machine.looping);
    cr_expect_eq(backoff_ms(), 30000U, "from now on it is only probed");
}

Test(supervise, five_deaths_in_exactly_thirty_seconds_are_a_loop_and_in_more_are_none)
{
    for (uint64_t extra = 0; extra < 2; extra++) {
        set_up();
        start();
        on(SUPERVISE_ON_EXITED);
        die_before_ready(3, 1);
        const uint64_t first_ms = machine.death_ms[0];
        start_again();
        now_ms = first_ms + 30000 + extra;
        on(SUPERVISE_ON_EXITED);
        cr_expect_eq(machine.looping, extra == 0);
    }
}

Test(supervise, the_last_five_deaths_count_not_the_first)
{
    start();
    die_before_ready(4, 9000);
    cr_expect_not(machine.looping);
    machine.rules.restart_max_ms = 100;
    die_before_ready(4, 1);
    cr_expect(machine.looping, "four quick ones after a slow one");
}

Test(supervise, deaths_of_ready_workers_are_no_loop)
{
    start();
    for (int i = 0; i < 50; i++) {
        on(SUPERVISE_ON_READY);
        on(SUPERVISE_ON_EXITED);
        start_again();
    }
    cr_expect_not(machine.looping);
}

Test(supervise, being_ready_in_between_starts_the_count_again)
{
    start();
    die_before_ready(4, 1);
    start_again();
    on(SUPERVISE_ON_READY);
    on(SUPERVISE_ON_EXITED);
    die_before_ready(4, 1);
    cr_expect_not(machine.looping);
}

Test(supervise, a_loop_goes_on_while_it_is_probed_and_ends_with_ready)
{
    start();
    die_before_ready(5, 1);
    for (int i = 0; i < 10; i++) {
        start_again();
        cr_expect(machine.looping, "the circuit stays open during a probe");
        on(SUPERVISE_ON_EXITED);
        cr_expect_eq(backoff_ms(), 30000U);
    }
    start_again();
    on(SUPERVISE_ON_READY);
    cr_expect_not(machine.looping);
    cr_expect_eq(machine.state, SUPERVISE_READY);
}

Test(supervise, restart_by_hand_ends_a_loop_and_forgets_the_delays)
{
    start();
    die_before_ready(5, 1);
    cr_expect_eq(on(SUPERVISE_ON_RESTART), (unsigned)LAUNCH);
    cr_expect_not(machine.looping);
    on(SUPERVISE_ON_SPAWNED);
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(backoff_ms(), 200U);
}

Test(supervise, failures_to_start_the_program_are_deaths_before_ready)
{
    on(SUPERVISE_ON_RESTART);
    for (int i = 0; i < 5; i++) {
        on(SUPERVISE_ON_EXITED);
        now_ms = machine.due_ms;
        on(SUPERVISE_ON_TICK);
    }
    cr_expect(machine.looping);
}

/* Configuration errors */

Test(supervise, exit_status_78_stops_until_a_restart)
{
    start();
    cr_expect_eq(on_config_exit(), 0U);
    cr_expect_eq(machine.state, SUPERVISE_STOPPED);
    cr_expect(machine.config_error);
    cr_expect_eq(machine.due_ms, SUPERVISE_NEVER);
    cr_expect_eq(on(SUPERVISE_ON_RESTART), (unsigned)LAUNCH);
    cr_expect_not(machine.config_error);
}

Test(supervise, exit_status_78_of_a_ready_worker_stops_too)
{
    start();
    on(SUPERVISE_ON_READY);
    now_ms += 60000;
    on_config_exit();
    cr_expect_eq(machine.state, SUPERVISE_STOPPED);
}

Test(supervise, exit_status_78_during_a_restart_by_hand_starts_again)
{
    start();
    on(SUPERVISE_ON_READY);
    on(SUPERVISE_ON_RESTART);
    cr_expect_eq(on_config_exit(), (unsigned)LAUNCH);
}

Test(supervise, a_worker_that_told_a_configuration_error_stays_down_whatever_its_status)
{
    start();
    on(SUPERVISE_ON_CONFIG_ERROR);
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(machine.state, SUPERVISE_STOPPED);
    cr_expect(machine.config_error);
}

Test(supervise, restart_while_a_misconfigured_worker_ends_starts_again)
{
    start();
    on(SUPERVISE_ON_CONFIG_ERROR);
    on(SUPERVISE_ON_RESTART);
    cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH);
}

/* The ladders */

Test(supervise, stop_waits_ten_seconds_for_leases_then_term_then_five_seconds_then_kill)
{
    start();
    on(SUPERVISE_ON_READY);
    cr_expect_eq(on(SUPERVISE_ON_STOP), (unsigned)CLOSE);
    now_ms += 9999;
    cr_expect_eq(on(SUPERVISE_ON_TICK), 0U);
    now_ms += 1;
    cr_expect_eq(on(SUPERVISE_ON_TICK), (unsigned)TERM);
    now_ms += 4999;
    cr_expect_eq(on(SUPERVISE_ON_TICK), 0U);
    now_ms += 1;
    cr_expect_eq(on(SUPERVISE_ON_TICK), (unsigned)KILL);
    cr_expect_eq(on(SUPERVISE_ON_EXITED), 0U);
    cr_expect_eq(machine.state, SUPERVISE_STOPPED);
}

Test(supervise, drain_and_restart_wait_as_long_as_the_service_allows)
{
    static const enum supervise_event by_hand[] = {SUPERVISE_ON_DRAIN, SUPERVISE_ON_RESTART};
    for (size_t i = 0; i < 2; i++) {
        bring_to(SUPERVISE_READY);
        on(by_hand[i]);
        cr_expect_eq(machine.due_ms, now_ms + 40000);
    }
}

Test(supervise, stop_shortens_a_drain_and_never_lengthens_it)
{
    bring_to(SUPERVISE_DRAINING);
    on(SUPERVISE_ON_STOP);
    cr_expect_eq(machine.due_ms, now_ms + 10000);
    bring_to(SUPERVISE_DRAINING);
    now_ms += 35000;
    on(SUPERVISE_ON_STOP);
    cr_expect_eq(machine.due_ms, now_ms + 5000);
}

Test(supervise, drained_ends_the_wait_at_once)
{
    start();
    on(SUPERVISE_ON_READY);
    on(SUPERVISE_ON_STOP);
    cr_expect_eq(on(SUPERVISE_ON_DRAINED), (unsigned)TERM);
}

Test(supervise, restart_starts_again_at_once_and_is_no_failure)
{
    start();
    on(SUPERVISE_ON_READY);
    on(SUPERVISE_ON_RESTART);
    on(SUPERVISE_ON_DRAINED);
    cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH);
    cr_expect_eq(machine.doublings, 0U);
}

Test(supervise, the_last_word_by_hand_decides)
{
    static const enum supervise_state ways[] = {SUPERVISE_DRAINING, SUPERVISE_TERMINATING, SUPERVISE_ABORTING,
                                                SUPERVISE_KILLING};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        bring_to(ways[i]);
        on(SUPERVISE_ON_RESTART);
        on(SUPERVISE_ON_DRAIN);
        on(SUPERVISE_ON_EXITED);
        cr_expect_eq(machine.state, SUPERVISE_STOPPED);
        bring_to(ways[i]);
        on(SUPERVISE_ON_DRAIN);
        on(SUPERVISE_ON_RESTART);
        cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH);
    }
}

Test(supervise, a_hung_worker_is_aborted_then_killed_and_replaced)
{
    start();
    on(SUPERVISE_ON_READY);
    now_ms += 40000;
    cr_expect_eq(on(SUPERVISE_ON_HUNG), (unsigned)ABORT);
    cr_expect_eq(machine.cause, SUPERVISE_HUNG);
    now_ms += 5000;
    cr_expect_eq(on(SUPERVISE_ON_TICK), (unsigned)KILL);
    cr_expect_eq(on(SUPERVISE_ON_EXITED), (unsigned)LAUNCH, "it had been ready for more than 10 s");
    cr_expect_eq(machine.cause, SUPERVISE_UNASKED);
}

Test(supervise, hanging_during_a_drain_does_not_bring_it_back)
{
    bring_to(SUPERVISE_DRAINING);
    cr_expect_eq(on(SUPERVISE_ON_HUNG), (unsigned)ABORT);
    on(SUPERVISE_ON_EXITED);
    cr_expect_eq(machine.state, SUPERVISE_STOPPED);
}

/* Invariants under random events */

Test(supervise, holds_its_invariants_whatever_happens)
{
    uint64_t random = 88172645463325252U;
    for (int step = 0; step < 200000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const bool had_process = supervise_has_process(&machine);
        const enum supervise_event event = (enum supervise_event)(random % SUPERVISE_EVENT_END);
        const struct supervise_input input = {
            .event = event, .now_ms = now_ms, .random = random >> 8, .config_exit = random % 11 == 0};
        const unsigned effects = supervise_apply(&machine, &input);
        if (had_process && event != SUPERVISE_ON_EXITED)
            cr_assert(supervise_has_process(&machine), "only a death ends a process");
        if (machine.state == SUPERVISE_STOPPED)
            cr_assert(!machine.wanted && machine.due_ms == SUPERVISE_NEVER);
        if (machine.state == SUPERVISE_BACKOFF)
            cr_assert(machine.wanted && machine.due_ms != SUPERVISE_NEVER);
        cr_assert_eq((effects & LAUNCH) != 0, machine.state == SUPERVISE_LAUNCHING && effects != 0);
        now_ms += (random >> 20) % 20000;
    }
}
