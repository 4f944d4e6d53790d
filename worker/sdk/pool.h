/* pool.h - executors: the threads that run calls when a driver's concurrency is above 1
 *
 * Executors take calls from the backlog, run them and put them back as ended; they never touch the socket.
 * END: backlog_halt() first, then pool_free(), which waits for the calls that are running.
 */
#ifndef DROVER_SDK_POOL_H
#define DROVER_SDK_POOL_H

#include "worker/sdk/backlog.h"
#include "worker/sdk/served.h"

struct pool;

/* Start `count` executors. Both parameters are borrowed. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status pool_new(struct backlog *backlog, const struct served *served, unsigned count,
                                              struct pool **ret_pool, struct drover_error *error);

/* NULL is allowed. Returns NULL. */
struct pool *pool_free(struct pool *pool);

#endif
