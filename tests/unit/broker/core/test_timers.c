/* test_timers.c - the timing wheel, beside a list that is searched from end to end */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/timers.h"

enum { COUNT = 200, STEPS = 20000 };

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % below;
}

/* From a few ms to beyond the last wheel, so that every wheel is used. */
static uint64_t draw_delay(void)
{
    static const uint64_t spans[] = {2, 64, 65, 4096, 300000, 20000000, 400000000};
    return draw(spans[draw(sizeof(spans) / sizeof(spans[0]))]);
}

static uint64_t earliest(const struct timer *list, size_t count)
{
    uint64_t at_ms = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        at_ms = timer_is_set(&list[i]) && list[i].at_ms < at_ms ? list[i].at_ms : at_ms;
    return at_ms;
}

/* Everything that comes out is due and was set; afterwards nothing that is due is left. */
static void expire_all(struct timers *timers, struct timer *list, uint64_t now_ms)
{
    struct timer *timer = NULL;
    for (size_t i = 0; (timer = timers_expire(timers, now_ms)) != NULL; i++) {
        cr_assert_lt(i, (size_t)COUNT, "a timer fires again and again");
        cr_assert_leq(timer->at_ms, now_ms, "timer of %llu fired at %llu", (unsigned long long)timer->at_ms,
                      (unsigned long long)now_ms);
        cr_assert_not(timer_is_set(timer));
    }
    cr_assert_gt(earliest(list, COUNT), now_ms, "a timer that is due did not fire");
}

Test(timers, fire_when_a_naive_list_says_so)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct timer list[COUNT] = {0};
        struct timers timers;
        uint64_t now_ms = seed * 1000003;
        random_state = seed;
        timers_init(&timers, now_ms);
        for (size_t step = 0; step < STEPS; step++) {
            struct timer *timer = &list[draw(COUNT)];
            const uint64_t what = draw(10);
            if (what < 5)
                timers_set(&timers, timer, now_ms + draw_delay());
            else if (what < 7)
                timers_cancel(&timers, timer);
            else
                expire_all(&timers, list, now_ms += draw_delay() % 5000);
            cr_assert_leq(timers_next_ms(&timers), earliest(list, COUNT), "it would be slept over");
        }
    }
}

/* Sleeping until timers_next_ms() each time gets every timer out at its very millisecond. */
Test(timers, fire_at_their_millisecond_for_who_sleeps_as_told)
{
    struct timer list[COUNT] = {0};
    struct timers timers;
    random_state = 42;
    timers_init(&timers, 77);
    for (size_t i = 0; i < COUNT; i++)
        timers_set(&timers, &list[i], 77 + draw_delay());
    size_t fired = 0;
    uint64_t next_ms = 0;
    for (size_t wake = 0; (next_ms = timers_next_ms(&timers)) != UINT64_MAX; wake++) {
        cr_assert_lt(wake, (size_t)COUNT * 200, "far timers wake too often");
        struct timer *timer = NULL;
        while ((timer = timers_expire(&timers, next_ms)) != NULL) {
            cr_assert_eq(timer->at_ms > 77 ? timer->at_ms : 77, next_ms);
            fired++;
        }
    }
    cr_assert_eq(fired, (size_t)COUNT);
}

Test(timers, that_have_passed_already_fire_at_the_next_look)
{
    struct timer timer = {0};
    struct timers timers;
    timers_init(&timers, 5000);
    timers_set(&timers, &timer, 3000);
    cr_assert_leq(timers_next_ms(&timers), UINT64_C(5000));
    cr_assert_eq(timers_expire(&timers, 5000), &timer);
    cr_assert_null(timers_expire(&timers, 5000));
    cr_assert_eq(timers_next_ms(&timers), UINT64_MAX);
}

Test(timers, farther_away_than_the_last_wheel_fire_once_and_in_time)
{
    const uint64_t far_ms = UINT64_C(40) * 24 * 3600 * 1000;
    struct timer timer = {0};
    struct timers timers;
    timers_init(&timers, 123456789);
    timers_set(&timers, &timer, 123456789 + far_ms);
    cr_assert_null(timers_expire(&timers, 123456789 + far_ms - 1));
    cr_assert(timer_is_set(&timer));
    cr_assert_eq(timers_expire(&timers, 123456789 + far_ms), &timer);
    cr_assert_null(timers_expire(&timers, 123456789 + 2 * far_ms));
}

Test(timers, of_one_slot_are_cancelled_one_by_one)
{
    struct timer list[3] = {0};
    struct timers timers;
    timers_init(&timers, 0);
    for (size_t i = 0; i < 3; i++)
        timers_set(&timers, &list[i], 50);
    timers_cancel(&timers, &list[1]);
    timers_cancel(&timers, &list[1]);
    cr_assert_eq(timers_next_ms(&timers), UINT64_C(50));
    timers_cancel(&timers, &list[0]);
    cr_assert_eq(timers_expire(&timers, 50), &list[2]);
    cr_assert_null(timers_expire(&timers, 50));
}

Test(timers, cancelled_between_their_time_and_their_turn_do_not_fire)
{
    struct timer list[2] = {0};
    struct timers timers;
    timers_init(&timers, 0);
    timers_set(&timers, &list[0], 10);
    timers_set(&timers, &list[1], 10);
    struct timer *first = timers_expire(&timers, 10);
    struct timer *other = first == &list[0] ? &list[1] : &list[0];
    timers_cancel(&timers, other);
    cr_assert_null(timers_expire(&timers, 10));
    timers_set(&timers, other, 20);
    cr_assert_eq(timers_expire(&timers, 20), other);
}

Test(timers, moved_while_set_fire_at_the_new_time_only)
{
    struct timer timer = {0};
    struct timers timers;
    timers_init(&timers, 0);
    timers_set(&timers, &timer, 10);
    timers_set(&timers, &timer, 100000);
    cr_assert_null(timers_expire(&timers, 99999));
    timers_set(&timers, &timer, 100010);
    cr_assert_null(timers_expire(&timers, 100009));
    cr_assert_eq(timers_expire(&timers, 100010), &timer);
}
