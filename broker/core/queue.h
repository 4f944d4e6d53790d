/* queue.h - calls of one service that wait for a worker, fair between principals
 *
 * Deficit round robin over lanes, one lane a principal. A lane that is new to the ring is served first, once (as in
 * fq_codel): who seldom calls does not wait behind who always does. A lane that runs empty keeps its place until its
 * turn has passed, so that this cannot be had again and again.
 *
 * Sources: M. Shreedhar, G. Varghese: Efficient Fair Queueing using Deficit Round Robin, SIGCOMM 1995; RFC 8290.
 *
 * Invariant: a queued call is in exactly one lane; `queue.count` is the sum of the lanes' counts.
 */
#ifndef DROVER_CORE_QUEUE_H
#define DROVER_CORE_QUEUE_H

#include "broker/core/state.h"

/* May `principal` add a call of `size` bytes? Refuses when calls or bytes are at their limit, or when the principal
 * has more calls queued than there are free places. Errors: RESOURCE_EXHAUSTED with retry_after_ms. */
DROVER_MUST_CHECK enum drover_status queue_admit(const struct core *core, const struct service *service,
                                                 const struct principal *principal, struct drover_error *error);

/* Put a call at the end of its principal's lane, or (front) at its head. False when there is no memory. */
DROVER_MUST_CHECK bool queue_push(struct core *core, struct call *call, bool front);

/* Take out the next call; NULL when the queue is empty. */
struct call *queue_pop(struct core *core, struct service *service);

/* Take a call out of its lane; one that is not queued is left alone. */
void queue_remove(struct core *core, struct call *call);

/* End a call that is queued, or in no list: tell the error and free the record. */
void queue_end(struct core *core, struct call *call, const struct drover_error *error);

/* When it is worth coming back to a full queue, in ms. */
uint32_t queue_retry_after_ms(const struct service *service);

/* Drop the lanes of an empty queue. */
void queue_done(struct core *core, struct service *service);

#endif
