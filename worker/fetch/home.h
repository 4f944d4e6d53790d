/* home.h - a home directory that has .ssh/known_hosts and nothing else
 *
 * libgit2 knows host keys from one file in the home directory only, and reads git's configuration in the same place. So
 * it gets a home of its own in the store's tmp/, with the host keys that count.
 */
#ifndef DROVER_FETCH_HOME_H
#define DROVER_FETCH_HOME_H

#include "worker/fetch/request.h"

/* Make it in the folder `path`, which exists and is empty. Errors: FAILED_PRECONDITION (the file of --known-hosts
 * cannot be read), INTERNAL. */
DROVER_MUST_CHECK enum drover_status home_make(const struct request *request, const char *path,
                                               struct drover_error *error);

/* The path of `file` in the real home directory, for the caller to free(); NULL when there is none, or no memory.
 * Called before library_start(), which hides it. */
char *home_file(const char *file);

#endif
