/* test_obtain.c - the rules by which a driver is got, in virtual time */
#include <criterion/criterion.h>

#include "worker/host/obtain.h"

#define MIDDLE 20 /* a random number that makes no jitter */

static struct obtain obtain;
static uint64_t now_ms;

static void start(enum obtain_state first)
{
    const struct obtain_rules rules = {.first = first, .retry_min_ms = 200, .retry_max_ms = 1000};
    obtain_init(&obtain, &rules);
    now_ms = 5000;
}

static unsigned apply(enum obtain_event event)
{
    const struct obtain_input input = {.event = event, .now_ms = now_ms, .random = MIDDLE};
    return obtain_apply(&obtain, &input);
}

static unsigned tick_when_due(void)
{
    now_ms = obtain.due_ms;
    return apply(OBTAIN_ON_TICK);
}

Test(obtain, stores_a_file)
{
    start(OBTAIN_STORING);
    cr_expect_eq(apply(OBTAIN_ON_BEGIN), (unsigned)OBTAIN_DO_STORE);
    cr_expect(obtain_is_busy(&obtain));
    cr_expect_eq(apply(OBTAIN_ON_DONE), (unsigned)OBTAIN_DO_ANNOUNCE);
    cr_expect_eq(obtain.state, OBTAIN_OBTAINED);
    cr_expect_not(obtain_is_busy(&obtain));
}

Test(obtain, builds_a_folder)
{
    start(OBTAIN_BUILDING);
    cr_expect_eq(apply(OBTAIN_ON_BEGIN), (unsigned)OBTAIN_DO_BUILD);
    cr_expect_eq(apply(OBTAIN_ON_DONE), (unsigned)OBTAIN_DO_ANNOUNCE);
}

Test(obtain, fetches_a_repository_and_then_builds_it)
{
    start(OBTAIN_FETCHING);
    cr_expect_eq(apply(OBTAIN_ON_BEGIN), (unsigned)OBTAIN_DO_FETCH);
    cr_expect_eq(apply(OBTAIN_ON_DONE), (unsigned)OBTAIN_DO_BUILD);
    cr_expect_eq(apply(OBTAIN_ON_DONE), (unsigned)OBTAIN_DO_ANNOUNCE);
}

Test(obtain, tries_again_later_what_may_pass)
{
    static const uint64_t waits[] = {200, 400, 800, 1000, 1000};
    start(OBTAIN_FETCHING);
    (void)apply(OBTAIN_ON_BEGIN);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        cr_expect_eq(apply(OBTAIN_ON_TROUBLE), 0U);
        cr_expect_eq(obtain.state, OBTAIN_WAITING);
        cr_expect(obtain_is_busy(&obtain), "it is on its way all the same");
        cr_expect_eq(obtain.due_ms - now_ms, waits[i], "wait %zu is %llu ms", i,
                     (unsigned long long)(obtain.due_ms - now_ms));
        cr_expect_eq(apply(OBTAIN_ON_TICK), 0U, "not before its time");
        cr_expect_eq(tick_when_due(), (unsigned)OBTAIN_DO_FETCH);
    }
}

Test(obtain, fetches_again_when_a_build_was_cut_short)
{
    start(OBTAIN_FETCHING);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_DONE);
    (void)apply(OBTAIN_ON_TROUBLE);
    cr_expect_eq(tick_when_due(), (unsigned)OBTAIN_DO_FETCH);
}

Test(obtain, forgets_its_waits_when_it_succeeds)
{
    start(OBTAIN_BUILDING);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_TROUBLE);
    (void)tick_when_due();
    (void)apply(OBTAIN_ON_TROUBLE);
    (void)tick_when_due();
    (void)apply(OBTAIN_ON_DONE);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_TROUBLE);
    cr_expect_eq(obtain.due_ms - now_ms, 200U);
}

Test(obtain, does_not_wait_when_it_is_asked_by_hand)
{
    start(OBTAIN_FETCHING);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_TROUBLE);
    cr_expect_eq(apply(OBTAIN_ON_BEGIN), (unsigned)OBTAIN_DO_FETCH);
}

Test(obtain, stays_failed_until_it_is_asked_again)
{
    start(OBTAIN_BUILDING);
    (void)apply(OBTAIN_ON_BEGIN);
    cr_expect_eq(apply(OBTAIN_ON_REFUSED), (unsigned)OBTAIN_DO_GIVE_UP);
    cr_expect_eq(obtain.state, OBTAIN_FAILED);
    cr_expect_eq(obtain.due_ms, OBTAIN_NEVER);
    cr_expect_not(obtain.anew);
    cr_expect_eq(apply(OBTAIN_ON_BEGIN), (unsigned)OBTAIN_DO_BUILD);
    cr_expect(obtain.anew, "a build that failed is made anew");
    (void)apply(OBTAIN_ON_DONE);
    (void)apply(OBTAIN_ON_BEGIN);
    cr_expect_not(obtain.anew, "but one that succeeded is not");
}

Test(obtain, does_not_build_anew_because_a_fetch_failed)
{
    start(OBTAIN_FETCHING);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_REFUSED);
    (void)apply(OBTAIN_ON_BEGIN);
    cr_expect_not(obtain.anew);
}

Test(obtain, cancels_the_helper_when_it_is_stopped)
{
    static const enum obtain_state stages[] = {OBTAIN_STORING, OBTAIN_FETCHING, OBTAIN_BUILDING};
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        start(stages[i]);
        (void)apply(OBTAIN_ON_BEGIN);
        cr_expect_eq(apply(OBTAIN_ON_STOP), (unsigned)OBTAIN_DO_CANCEL);
        cr_expect_eq(obtain.state, OBTAIN_IDLE);
    }
    start(OBTAIN_FETCHING);
    (void)apply(OBTAIN_ON_BEGIN);
    (void)apply(OBTAIN_ON_TROUBLE);
    cr_expect_eq(apply(OBTAIN_ON_STOP), 0U, "no helper runs while it waits");
    cr_expect_eq(obtain.due_ms, OBTAIN_NEVER);
}

/* What comes at the wrong time changes nothing: a whole matrix of it. */
Test(obtain, keeps_to_its_table_whatever_happens)
{
    for (int event = 0; event < OBTAIN_EVENT_END; event++) {
        start(OBTAIN_FETCHING);
        const unsigned effects = apply((enum obtain_event)event);
        cr_expect_eq(effects != 0, event == OBTAIN_ON_BEGIN, "idle: %s", obtain_event_word((enum obtain_event)event));
        (void)apply(OBTAIN_ON_BEGIN);
        const struct obtain before = obtain;
        (void)apply(OBTAIN_ON_BEGIN);
        cr_expect_eq(memcmp(&before, &obtain, sizeof(before)), 0, "asked twice is asked once");
    }
}
