/* timers.h - deadlines on a hierarchical timing wheel
 *
 * Setting and cancelling cost the same for one timer and for a million: a slot is a doubly linked list, four wheels of
 * 64 slots cover 64 ms, 4 s, 4 min and 4.6 h, and a bit map a wheel says which slots hold anything. A timer farther
 * away than the last wheel is put at its end and looked at again there.
 *
 * Source: G. Varghese, T. Lauck: Hashed and Hierarchical Timing Wheels, SOSP 1987.
 *
 * Invariant: a set timer is in exactly one slot, and never fires before its time.
 */
#ifndef DROVER_CORE_TIMERS_H
#define DROVER_CORE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMERS_WHEELS 4
#define TIMERS_SLOTS 64

/* Lives in the object it belongs to; `{0}` is an idle timer. */
struct timer {
    struct timer *next, **link; /* `link` is NULL when the timer is not set */
    uint64_t at_ms;
    uint8_t wheel, slot;
};

struct timers {
    uint64_t now_ms;
    uint64_t used[TIMERS_WHEELS]; /* bit n: slot n holds a timer */
    struct timer *slots[TIMERS_WHEELS][TIMERS_SLOTS];
    struct timer *due; /* expired, not yet taken */
};

void timers_init(struct timers *timers, uint64_t now_ms);

/* Set or move a timer; a time that has passed fires at the next timers_expire(). */
void timers_set(struct timers *timers, struct timer *timer, uint64_t at_ms);

/* Stop a timer. One that is not set is left alone. */
void timers_cancel(struct timers *timers, struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->link != NULL;
}

/* Take one timer whose time has come, or NULL. Call until it returns NULL. */
struct timer *timers_expire(struct timers *timers, uint64_t now_ms);

/* No timer fires before this; UINT64_MAX when none is set. May be earlier than the first timer. */
uint64_t timers_next_ms(const struct timers *timers);

#endif
