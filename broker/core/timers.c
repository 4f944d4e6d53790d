/* timers.c - the timing wheel; see timers.h */
#include "broker/core/timers.h"

enum { SLOT_BITS = 6, SLOT_MASK = TIMERS_SLOTS - 1 };

void timers_init(struct timers *timers, uint64_t now_ms)
{
    *timers = (struct timers){.now_ms = now_ms};
}

static void link_timer(struct timer **head, struct timer *timer)
{
    timer->next = *head;
    timer->link = head;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    *head = timer;
}

static void unlink_timer(struct timer *timer)
{
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timer->next = NULL;
    timer->link = NULL;
}

static unsigned slot_of(uint64_t at_ms, unsigned wheel)
{
    return (unsigned)(at_ms >> (SLOT_BITS * wheel)) & SLOT_MASK;
}

/* The wheel whose slots are the finest that still tell `at_ms` from now. */
static unsigned wheel_of(uint64_t at_ms, uint64_t now_ms)
{
    for (unsigned wheel = 0; wheel < TIMERS_WHEELS; wheel++) {
        if ((at_ms >> (SLOT_BITS * wheel)) - (now_ms >> (SLOT_BITS * wheel)) < TIMERS_SLOTS)
            return wheel;
    }
    return TIMERS_WHEELS;
}

static void place(struct timers *timers, struct timer *timer)
{
    if (timer->at_ms <= timers->now_ms) {
        timer->wheel = TIMERS_WHEELS;
        link_timer(&timers->due, timer);
        return;
    }
    unsigned wheel = wheel_of(timer->at_ms, timers->now_ms);
    uint64_t at_ms = timer->at_ms;
    if (wheel == TIMERS_WHEELS) { /* too far away: the last slot of the last wheel, to be placed again from there */
        wheel = TIMERS_WHEELS - 1;
        at_ms = timers->now_ms + ((uint64_t)SLOT_MASK << (SLOT_BITS * wheel));
    }
    const unsigned slot = slot_of(at_ms, wheel);
    timer->wheel = (uint8_t)wheel;
    timer->slot = (uint8_t)slot;
    link_timer(&timers->slots[wheel][slot], timer);
    timers->used[wheel] |= UINT64_C(1) << slot;
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
    if (timer->link == NULL)
        return;
    unlink_timer(timer);
    if (timer->wheel < TIMERS_WHEELS && timers->slots[timer->wheel][timer->slot] == NULL)
        timers->used[timer->wheel] &= ~(UINT64_C(1) << timer->slot);
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t at_ms)
{
    timers_cancel(timers, timer);
    timer->at_ms = at_ms;
    place(timers, timer);
}

/* When the first used slot of a wheel begins; UINT64_MAX when the wheel is empty. A slot equal to the present one can
 * only hold timers a whole turn away on the wheels above the first, so it counts as the last. */
static uint64_t wheel_next_ms(const struct timers *timers, unsigned wheel)
{
    const uint64_t used = timers->used[wheel];
    if (used == 0)
        return UINT64_MAX;
    const uint64_t base = timers->now_ms >> (SLOT_BITS * wheel);
    const unsigned present = (unsigned)base & SLOT_MASK;
    const unsigned shift = (present + 1) & SLOT_MASK;
    const uint64_t turned = shift == 0 ? used : (used >> shift) | (used << (TIMERS_SLOTS - shift));
    const uint64_t ahead = (uint64_t)__builtin_ctzll(turned) + 1;
    return (base + ahead) << (SLOT_BITS * wheel);
}

uint64_t timers_next_ms(const struct timers *timers)
{
    if (timers->due != NULL)
        return timers->now_ms;
    uint64_t next_ms = UINT64_MAX;
    for (unsigned wheel = 0; wheel < TIMERS_WHEELS; wheel++) {
        const uint64_t wheel_ms = wheel_next_ms(timers, wheel);
        next_ms = wheel_ms < next_ms ? wheel_ms : next_ms;
    }
    return next_ms;
}

/* Place every timer of a slot again: it is due now, or belongs on a finer wheel. */
static void empty_slot(struct timers *timers, unsigned wheel, unsigned slot)
{
    struct timer *timer = timers->slots[wheel][slot];
    timers->slots[wheel][slot] = NULL;
    timers->used[wheel] &= ~(UINT64_C(1) << slot);
    while (timer != NULL) {
        struct timer *next = timer->next;
        timer->next = NULL;
        timer->link = NULL;
        place(timers, timer);
        timer = next;
    }
}

struct timer *timers_expire(struct timers *timers, uint64_t now_ms)
{
    while (timers->due == NULL) {
        const uint64_t next_ms = timers_next_ms(timers);
        if (next_ms > now_ms) {
            timers->now_ms = now_ms > timers->now_ms ? now_ms : timers->now_ms;
            return NULL;
        }
        timers->now_ms = next_ms;
        for (unsigned wheel = TIMERS_WHEELS; wheel-- > 0;) {
            if ((next_ms & ((UINT64_C(1) << (SLOT_BITS * wheel)) - 1)) == 0)
                empty_slot(timers, wheel, slot_of(next_ms, wheel));
        }
    }
    struct timer *timer = timers->due;
    unlink_timer(timer);
    return timer;
}
