/* lockkeeper.h - the lock file of a running broker: what drivers from repositories are held to
 *
 * START: lockkeeper_read(). OPERATION: lockkeeper_note() for each driver that was obtained; what is new goes into the
 * file, which is meant to be kept with the configuration. END: lockkeeper_done().
 */
#ifndef DROVER_IO_LOCKKEEPER_H
#define DROVER_IO_LOCKKEEPER_H

#include <stdbool.h>

#include <drover/status.h>

#include "common/config/config.h"
#include "common/config/lock.h"
#include "worker/host/host.h"

enum lockkeeper_mode {
    LOCKKEEPER_WRITES, /* what the file does not have is added */
    LOCKKEEPER_LOCKED, /* any difference is an error of that service */
    LOCKKEEPER_FROZEN, /* and the network is not used */
};

struct lockkeeper {
    struct lock *lock;
    char *path;
    enum lockkeeper_mode mode;
    bool warned; /* that it cannot be written */
};

/* Read the file of `config`, which may not exist. On failure every mistake is a line of `*ret_messages`; release it
 * with config_messages_done() in any case. Errors: those of lockfile_read(). */
DROVER_MUST_CHECK enum drover_status lockkeeper_read(struct lockkeeper *keeper, const struct config *config,
                                                     enum lockkeeper_mode mode, struct config_messages *ret_messages);

/* Read it again: somebody may have changed it. Errors: those of lockfile_read(), in one line; then it stays as it was.
 */
DROVER_MUST_CHECK enum drover_status lockkeeper_refresh(struct lockkeeper *keeper, struct drover_error *error);

void lockkeeper_done(struct lockkeeper *keeper);

/* Why a service that the file does not have cannot be run, in one line, for the caller to free(): what it has instead.
 * NULL when there is no memory. */
char *lockkeeper_explain(const struct lockkeeper *keeper, const struct config_service *service);

/* A driver was obtained: put what is new into the file; what somebody else has put there meanwhile stays. That it
 * cannot be written is logged, once. */
void lockkeeper_note(struct lockkeeper *keeper, const struct config_service *service,
                     const struct host_obtained *obtained);

#endif
