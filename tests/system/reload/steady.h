/* steady.h - clients that call some services at a steady pace, whatever happens to the drivers behind them
 *
 * Each client is a thread with a connection of its own, which calls `whoami` of one service after the other; now and
 * then a call takes longer, so that a driver that goes is in the middle of one. Who answered, how long it took and what
 * failed is counted. An answer is stale if its generation is older than one that had answered anybody when the call was
 * sent: after a switch nobody meets the old driver again.
 *
 * START: steady_begin(). OPERATION: steady_await_version(); steady_turn() hands out what was counted since the last
 * turn. END: steady_end(). All but the clients' threads is one thread's. Waits are bounded and end the test by abort().
 */
#ifndef DROVER_TESTS_STEADY_H
#define DROVER_TESTS_STEADY_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/broker_rig.h"

#define STEADY_SERVICES_MAX 4
#define STEADY_BUCKETS 256
#define STEADY_TROUBLE 1024

struct steady_options {
    const char *services[STEADY_SERVICES_MAX]; /* of interface `versioned`; NULL: no more. Borrowed */
    unsigned clients;
    unsigned pace_us;     /* of each client: a call is made so long after the one before, or when that has ended */
    uint32_t deadline_ms; /* of each call */
    unsigned slow_every;  /* every so many calls of a client to a service are `take` instead; 0: none */
    unsigned slow_ms;     /* what these take */
};

/* What was counted. */
struct steady_tally {
    uint64_t calls, failed, stale;
    uint64_t worst_us;
    const char *worst_service;
    uint64_t times[STEADY_BUCKETS]; /* calls by how long they took; see steady_quantile_us() */
    char trouble[STEADY_TROUBLE];   /* the first failures, a line each */
};

struct steady;

struct steady *steady_begin(const struct broker_rig *rig, const struct steady_options *options);

/* Wait until this version of a service was the last to answer each of the clients. */
void steady_await_version(struct steady *steady, const char *service, uint64_t version);

/* How many calls have ended since the last turn; wait until it is that many. */
uint64_t steady_calls(struct steady *steady);
void steady_await_calls(struct steady *steady, uint64_t calls);

/* What was counted since the last turn. */
void steady_turn(struct steady *steady, struct steady_tally *ret);

/* Add `tally` to `sum`, which begins as {0}. */
void steady_add(struct steady_tally *sum, const struct steady_tally *tally);

/* So many us, or up to an eighth less, took the call below which a share of `quantile` of all lies. */
uint64_t steady_quantile_us(const struct steady_tally *tally, double quantile);

/* Let all calls end. Returns NULL. */
struct steady *steady_end(struct steady *steady);

#endif
