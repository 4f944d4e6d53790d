/* lease.h - calls in the hands of workers: dispatch, windows, and what becomes of a lost worker's calls
 *
 * A dispatch makes a lease; only the worker's terminal frame for it, or the worker's loss, ends it. A worker has room
 * while its leases are fewer than its window. The window is not the concurrency: it grows with every fast answer, so
 * that the worker never waits for the broker, and falls back when the oldest lease is old, so that little waits behind
 * a slow call.
 *
 * Invariant: a worker's leases are in the order of their sequence, the first `running` of them may have been begun.
 */
#ifndef DROVER_CORE_LEASE_H
#define DROVER_CORE_LEASE_H

#include "broker/core/state.h"

/* The least loaded worker of a service that has room; NULL when none has. */
struct worker *lease_find_worker(struct core *core, struct service *service);

/* Give a call that is in no list to a worker. */
void lease_start(struct core *core, struct worker *worker, struct call *call);

/* The worker's terminal frame came: take the call out of its hands. The record stays. */
void lease_end(struct core *core, struct call *call);

/* Give queued calls to workers as long as there are both. */
void lease_pump(struct core *core, struct service *service);

/* The caller gave up: tell the worker, keep the lease. The call must have no client any more. */
void lease_cancel(struct core *core, struct call *call);

/* Give this worker nothing more. */
void lease_close(struct worker *worker);

/* The worker gave the call back unstarted: it goes back to the head of the queue. Such a worker is leaving: if it were
 * given calls still, they would go to and fro without end. */
void lease_give_back(struct core *core, struct call *call);

/* The timer of a leased call whose outcome was told is due: is its worker hung? */
void lease_check_hang(struct core *core, struct call *call);

/* Arm the timer of a leased call for that. */
void lease_watch_hang(struct core *core, struct call *call);

/* Take back every lease with a sequence above `started`. */
void lease_take_back(struct core *core, struct worker *worker, uint64_t started);

/* What is still leased to a worker that is gone may have been begun: repeat it or tell that it is unknown. */
void lease_lose(struct core *core, struct worker *worker);

/* Say so once when a closed worker has nothing left. */
void lease_check_drained(struct core *core, struct worker *worker);

#endif
