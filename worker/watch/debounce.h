/* debounce.h - when a burst of events is over
 *
 * Pure. A burst begins with an event and is over when there was none for `quiet_ms`, or DEBOUNCE_LIMIT_MS after its
 * first event, whichever comes first (a longer `quiet_ms` is waited for in full). While it is held, because a file is
 * known to be written just now, only the limit ends it.
 */
#ifndef DROVER_WATCH_DEBOUNCE_H
#define DROVER_WATCH_DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#define DEBOUNCE_LIMIT_MS UINT64_C(2000)
#define DEBOUNCE_NEVER UINT64_MAX

struct debounce {
    uint64_t quiet_ms;
    uint64_t first_ms, last_ms; /* events of the burst */
    bool pending;               /* there is a burst */
    bool held;
};

/* No burst. */
void debounce_init(struct debounce *debounce, uint64_t quiet_ms);

/* Begin a burst, or prolong it. */
void debounce_event(struct debounce *debounce, uint64_t now_ms);

/* Hold the burst, or let it go; the end of the burst lets it go, too. */
void debounce_hold(struct debounce *debounce, bool held);

/* When the burst is over; DEBOUNCE_NEVER when there is none. */
uint64_t debounce_due_ms(const struct debounce *debounce);

/* True when the burst has reached its limit. */
bool debounce_is_spent(const struct debounce *debounce, uint64_t now_ms);

/* True, once, when a burst is over: it is forgotten. */
bool debounce_take(struct debounce *debounce, uint64_t now_ms);

#endif
