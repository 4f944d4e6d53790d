/* data.h - the data thread: the broker's sockets and the core
 *
 * START: data_new() makes and binds the sockets on the main thread, so that what is wrong with an endpoint is said at
 * start; data_start() hands them to the thread. OPERATION: the thread receives, steps the core, sends; orders come in
 * and notices go out over data_pair(). END: ORDER_QUIT, data_join(), data_free().
 *
 * Control work never runs here, so that it never delays a call.
 */
#ifndef DROVER_IO_DATA_H
#define DROVER_IO_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

struct data;

struct data_options {
    char *const *listen; /* endpoints for clients */
    size_t listen_count;
    uint64_t mode;       /* permissions of ipc sockets */
    int64_t group;       /* their group, or -1 */
    const char *workers; /* ipc endpoint for local workers, in a folder of mode 0700 */
    uint64_t owner_uid;
};

/* Errors name the endpoint. Errors: INVALID_ARGUMENT, UNAVAILABLE (address in use), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status data_new(const struct data_options *options, struct data **ret_data,
                                              struct drover_error *error);
DROVER_MUST_CHECK enum drover_status data_start(struct data *data, struct drover_error *error);

/* The control thread's end of the PAIR. */
void *data_pair(const struct data *data);

/* The random number of this start of the broker. */
uint64_t data_incarnation(const struct data *data);

/* Wait for the thread after ORDER_QUIT, at most `limit_ms`. False when it has not ended: then data_free() must not be
 * called. */
DROVER_MUST_CHECK bool data_join(struct data *data, uint64_t limit_ms);

/* The thread has ended, or was never started. NULL is allowed. Returns NULL. */
struct data *data_free(struct data *data);

#endif
