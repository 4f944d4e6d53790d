/* remember.h - what services remember of their versions, on disk: one file a service, so that a restarted broker starts
 * what has proved stable, and does not try again what has not
 *
 *     FOLDER/<service>        the text of worker/rollout/stable.h
 *     FOLDER/<service>.new    being written; of no meaning
 *     FOLDER/<service>.bad    the last one that could not be read, for a person to look at
 *
 * A name of a service has no dot in it. The folder belongs to one process at a time, the broker with the lock of its
 * state_dir; others only read. A file is replaced as a whole or not at all, wherever the process or the power goes.
 */
#ifndef DROVER_HOST_REMEMBER_H
#define DROVER_HOST_REMEMBER_H

#include <drover/status.h>

#include "worker/rollout/memory.h"

/* Read what `service` remembers. Without a file, or a folder, it is nothing. A file that cannot be read or understood
 * is moved aside, to end in ".bad", and nothing is remembered: `*ret` is always set, and `error` then says in one line
 * what was wrong and where the file is now. Errors: INVALID_ARGUMENT (mistakes, or the name is none),
 * PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status remember_load(const char *folder, const char *service, struct rollout_memory *ret,
                                                   struct drover_error *error);

/* The same for those to whom the folder does not belong: the file stays where it is. NOT_FOUND when there is none. */
DROVER_MUST_CHECK enum drover_status remember_look(const char *folder, const char *service, struct rollout_memory *ret,
                                                   struct drover_error *error);

/* Write it, and make the folder (its parent exists), which is open to its owner alone. On failure the file is as it
 * was. Errors: INVALID_ARGUMENT (the name is none), NOT_FOUND (no parent), PERMISSION_DENIED, RESOURCE_EXHAUSTED
 * (no memory, no space), INTERNAL; each names the file. */
DROVER_MUST_CHECK enum drover_status remember_save(const char *folder, const char *service,
                                                   const struct rollout_memory *memory, struct drover_error *error);

/* Remove it; what was moved aside stays. That there is none is no error. Errors: as remember_save(). */
DROVER_MUST_CHECK enum drover_status remember_forget(const char *folder, const char *service,
                                                     struct drover_error *error);

#endif
