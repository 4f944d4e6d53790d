/* backoff.h - how long to wait before something that failed is tried again; pure */
#ifndef DROVER_HOST_BACKOFF_H
#define DROVER_HOST_BACKOFF_H

#include <stdint.h>

/* `wait_ms` +-20 %, so that those who failed together do not come back together. */
uint64_t backoff_jitter(uint64_t wait_ms, uint64_t random);

/* `min_ms`, doubled `doublings` times, but at most `max_ms`; without jitter. */
uint64_t backoff_wait(uint64_t min_ms, uint64_t max_ms, unsigned doublings);

/* `now_ms` + `wait_ms`, where a wait may be for ever (UINT64_MAX). */
uint64_t backoff_later(uint64_t now_ms, uint64_t wait_ms);

#endif
