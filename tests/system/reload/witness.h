/* witness.h - a client that calls a service all the time, and remembers what became of each call
 *
 * It has a thread of its own, numbers its calls from 1 on, keeps at most WITNESS_DEPTH of them open and makes some
 * hundred a second: enough to notice a gap, and to leave the machine to others.
 *
 * START: witness_begin(). OPERATION: the test's; witness_await() lets calls pass. END: witness_end(), then look at
 * what it has seen, then witness_done(). A call with two outcomes, or with none, ends the test by abort() (caller.h).
 */
#ifndef DROVER_TESTS_WITNESS_H
#define DROVER_TESTS_WITNESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "orders.h"
#include "tests/support/caller.h"

#define WITNESS_DEPTH 8
#define WITNESS_DEADLINE_MS 20000

struct witness {
    const struct broker_rig *rig;
    const char *service, *method;
    pthread_t thread;
    atomic_bool stop;
    atomic_size_t ended;  /* calls */
    struct caller caller; /* the thread's, until witness_end() */
};

/* Call `SERVICE.METHOD {n: number}`. */
void witness_begin(struct witness *witness, const struct broker_rig *rig, const char *service, const char *method);

/* Wait until `count` calls more have ended. */
void witness_await(const struct witness *witness, size_t count);

/* No further call; waits for the outcome of those that are open. */
void witness_end(struct witness *witness);

/* One line about the first call that did not end well, or NULL. Borrowed until witness_done(). */
const char *witness_complaint(const struct witness *witness);

/* How many of its calls do not agree with the ledger: an answer of a call that was not run once, one said not to be
 * started that was, one that was run more than once. The first one is printed. */
size_t witness_count_lies(const struct witness *witness, const struct orders_ledger *ledger);

void witness_done(struct witness *witness);

#endif
