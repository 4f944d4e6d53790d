/* library.h - libgit2 as drover-fetch uses it: nobody else's configuration, bounded, its errors as ours */
#ifndef DROVER_FETCH_LIBRARY_H
#define DROVER_FETCH_LIBRARY_H

#include <git2.h>

#include "worker/fetch/request.h"

/* Take the environment out of libgit2's sight, limit the process, start the library. `home` is a folder in which
 * it finds .ssh/known_hosts and nothing else; borrowed. Called once, before any other thread.
 * Errors: FAILED_PRECONDITION (no such certificates), INTERNAL. */
DROVER_MUST_CHECK enum drover_status library_start(const struct request *request, const char *home,
                                                   struct drover_error *error);

/* Give back what library_start() took, if it was called. */
void library_stop(void);

/* The error `code` that a function of libgit2 just returned while doing `what`. */
enum drover_status library_error(int code, const struct request *request, const char *what, struct drover_error *error);

#endif
