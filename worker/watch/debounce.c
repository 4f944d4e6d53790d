/* debounce.c - when a burst of events is over */
#include "worker/watch/debounce.h"

#include <string.h>

static uint64_t later(uint64_t from_ms, uint64_t by_ms)
{
    return from_ms < DEBOUNCE_NEVER - by_ms ? from_ms + by_ms : DEBOUNCE_NEVER;
}

static uint64_t limit_ms(const struct debounce *debounce)
{
    const uint64_t most_ms = debounce->quiet_ms > DEBOUNCE_LIMIT_MS ? debounce->quiet_ms : DEBOUNCE_LIMIT_MS;
    return later(debounce->first_ms, most_ms);
}

void debounce_init(struct debounce *debounce, uint64_t quiet_ms)
{
    memset(debounce, 0, sizeof(*debounce));
    debounce->quiet_ms = quiet_ms;
}

void debounce_event(struct debounce *debounce, uint64_t now_ms)
{
    if (!debounce->pending)
        debounce->first_ms = now_ms;
    debounce->last_ms = now_ms;
    debounce->pending = true;
}

void debounce_hold(struct debounce *debounce, bool held)
{
    debounce->held = held;
}

uint64_t debounce_due_ms(const struct debounce *debounce)
{
    if (!debounce->pending)
        return DEBOUNCE_NEVER;
    const uint64_t quiet_ms = later(debounce->last_ms, debounce->quiet_ms);
    const uint64_t most_ms = limit_ms(debounce);
    return debounce->held || most_ms < quiet_ms ? most_ms : quiet_ms;
}

bool debounce_is_spent(const struct debounce *debounce, uint64_t now_ms)
{
    return debounce->pending && now_ms >= limit_ms(debounce);
}

bool debounce_take(struct debounce *debounce, uint64_t now_ms)
{
    if (!debounce->pending || now_ms < debounce_due_ms(debounce))
        return false;
    debounce->pending = false;
    debounce->held = false;
    return true;
}
