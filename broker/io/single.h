/* single.h - one broker on a socket path and on a state directory, by locks that end with the process */
#ifndef DROVER_IO_SINGLE_H
#define DROVER_IO_SINGLE_H

#include <drover/status.h>

/* Take the lock file `path`; it is made if need be, and its content says who has it. The lock is held until the process
 * ends. Waits a second for one that is just ending. Errors: ALREADY_EXISTS naming the process that has it,
 * PERMISSION_DENIED. */
DROVER_MUST_CHECK enum drover_status single_lock(const char *path, struct drover_error *error);

/* Make a folder if its parent exists; one that is there is fine. Errors: PERMISSION_DENIED. */
DROVER_MUST_CHECK enum drover_status single_make_folder(const char *path, unsigned mode, struct drover_error *error);

#endif
