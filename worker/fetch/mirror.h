/* mirror.h - the bare mirror of one repository: its branches and tags, and all that they need
 *
 * START: mirror_open() finds or makes it; the caller has the lock of the URL. OPERATION: mirror_fetch() brings it up to
 * date. END: mirror_close(). A mirror is a cache: one that is damaged is put into quarantine and made anew.
 */
#ifndef DROVER_FETCH_MIRROR_H
#define DROVER_FETCH_MIRROR_H

#include <git2.h>

#include "worker/fetch/credentials.h"
#include "worker/fetch/report.h"
#include "worker/fetch/request.h"

struct mirror {
    const struct request *request; /* borrowed, as the next two */
    const struct store *store;
    struct report *report;
    git_repository *repository;
    struct store_lock *hold;
    char *path;
};

/* Open the mirror, or make one that is empty. What an earlier fetch left behind when it was killed is removed.
 * Errors: NOT_FOUND (there is none, and the request is offline), DATA_LOSS (it cannot be opened). */
DROVER_MUST_CHECK enum drover_status mirror_open(struct mirror *mirror, const struct store *store,
                                                 const struct request *request, struct report *report,
                                                 struct drover_error *error);

/* Ask the server. Errors: UNAVAILABLE (it cannot be reached), UNAUTHENTICATED (credentials, certificate, host key),
 * NOT_FOUND (no such repository), FAILED_PRECONDITION (redirected), RESOURCE_EXHAUSTED (a limit), INTERNAL. */
DROVER_MUST_CHECK enum drover_status mirror_fetch(struct mirror *mirror, struct credentials *credentials,
                                                  struct drover_error *error);

void mirror_close(struct mirror *mirror);

#endif
