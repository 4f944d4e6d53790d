/* test_debounce.c - when a burst of events is over, in virtual time */
#include <criterion/criterion.h>

#include "worker/watch/debounce.h"

static struct debounce debounce;

static void set_up(void)
{
    debounce_init(&debounce, 150);
}

TestSuite(debounce, .init = set_up);

Test(debounce, without_an_event_nothing_is_ever_due)
{
    cr_expect_eq(debounce_due_ms(&debounce), DEBOUNCE_NEVER);
    cr_expect_not(debounce_take(&debounce, DEBOUNCE_NEVER));
    cr_expect_not(debounce_is_spent(&debounce, DEBOUNCE_NEVER));
}

Test(debounce, one_event_is_due_after_the_quiet_time_and_once)
{
    debounce_event(&debounce, 1000);
    cr_expect_eq(debounce_due_ms(&debounce), 1150);
    cr_expect_not(debounce_take(&debounce, 1149));
    cr_expect(debounce_take(&debounce, 1150));
    cr_expect_not(debounce_take(&debounce, 9999));
    cr_expect_eq(debounce_due_ms(&debounce), DEBOUNCE_NEVER);
}

Test(debounce, every_event_begins_the_quiet_time_anew)
{
    debounce_event(&debounce, 1000);
    debounce_event(&debounce, 1100);
    debounce_event(&debounce, 1249);
    cr_expect_not(debounce_take(&debounce, 1398));
    cr_expect(debounce_take(&debounce, 1399));
}

Test(debounce, events_without_end_are_told_two_seconds_after_the_first)
{
    uint64_t now_ms = 1000;
    for (; !debounce_take(&debounce, now_ms); now_ms += 100) {
        cr_assert_lt(now_ms, 10000);
        debounce_event(&debounce, now_ms);
    }
    cr_expect_eq(now_ms, 3000);
}

Test(debounce, an_event_after_the_end_begins_a_burst_of_its_own)
{
    debounce_event(&debounce, 1000);
    cr_assert(debounce_take(&debounce, 1150));
    debounce_event(&debounce, 1151);
    cr_expect_eq(debounce_due_ms(&debounce), 1301);
    for (uint64_t now_ms = 1200; now_ms <= 3100; now_ms += 100)
        debounce_event(&debounce, now_ms);
    cr_expect_eq(debounce_due_ms(&debounce), 1151 + DEBOUNCE_LIMIT_MS);
}

Test(debounce, while_it_is_held_only_the_limit_counts)
{
    debounce_event(&debounce, 1000);
    debounce_hold(&debounce, true);
    cr_expect_not(debounce_take(&debounce, 2999));
    debounce_event(&debounce, 1800);
    debounce_hold(&debounce, false);
    cr_expect_eq(debounce_due_ms(&debounce), 1950);
    debounce_hold(&debounce, true);
    cr_expect(debounce_is_spent(&debounce, 3000));
    cr_expect(debounce_take(&debounce, 3000));
    debounce_event(&debounce, 4000);
    cr_expect_eq(debounce_due_ms(&debounce), 4150, "the end of a burst lets it go");
}

Test(debounce, a_quiet_time_above_the_limit_is_waited_for)
{
    debounce_init(&debounce, 5000);
    debounce_event(&debounce, 1000);
    debounce_event(&debounce, 2000);
    cr_expect_eq(debounce_due_ms(&debounce), 6000);
}

Test(debounce, without_a_quiet_time_an_event_is_due_at_once)
{
    debounce_init(&debounce, 0);
    debounce_event(&debounce, 1000);
    cr_expect(debounce_take(&debounce, 1000));
}

Test(debounce, times_do_not_wrap_around)
{
    debounce_init(&debounce, UINT64_MAX - 5);
    debounce_event(&debounce, 1000);
    cr_expect_eq(debounce_due_ms(&debounce), DEBOUNCE_NEVER);
    debounce_init(&debounce, 150);
    debounce_event(&debounce, UINT64_MAX - 10);
    cr_expect_eq(debounce_due_ms(&debounce), DEBOUNCE_NEVER);
}
