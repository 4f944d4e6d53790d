/* backoff.c - see backoff.h */
#include "worker/host/backoff.h"

#define JITTER_PERCENT 20
#define BITS 64

uint64_t backoff_jitter(uint64_t wait_ms, uint64_t random)
{
    const uint64_t percent = 100 - JITTER_PERCENT + random % (2 * JITTER_PERCENT + 1);
    return wait_ms / 100 * percent + wait_ms % 100 * percent / 100;
}

uint64_t backoff_wait(uint64_t min_ms, uint64_t max_ms, unsigned doublings)
{
    const uint64_t highest = doublings < BITS ? max_ms >> doublings : 0;
    return min_ms > highest ? max_ms : min_ms << doublings;
}

uint64_t backoff_later(uint64_t now_ms, uint64_t wait_ms)
{
    return wait_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + wait_ms;
}
