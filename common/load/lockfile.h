/* lockfile.h - the lock file on the disk; what is in it is common/config/lock.h */
#ifndef DROVER_LOAD_LOCKFILE_H
#define DROVER_LOAD_LOCKFILE_H

#include "common/config/lock.h"

/* Read the lock file at `path`. One that does not exist is a lock without entries. On failure every mistake is a line
 * of `*ret_messages` (one, when the file cannot be read); release it with config_messages_done() in any case. Errors:
 * INVALID_ARGUMENT, PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status lockfile_read(const char *path, struct lock **ret,
                                                   struct config_messages *ret_messages);

/* Write it as a whole or not at all: readers see the old text or the new one, wherever the power goes. A file that has
 * the text already is left alone; a new one has mode 0644. Errors: PERMISSION_DENIED, NOT_FOUND (no such folder),
 * RESOURCE_EXHAUSTED, INTERNAL; each names the path. */
DROVER_MUST_CHECK enum drover_status lockfile_write(const char *path, const struct lock *lock,
                                                    struct drover_error *error);

#endif
