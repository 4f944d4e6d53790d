/* environment.h - what a supervised worker inherits from its host
 *
 * START: environment_take() before any thread exists. It reads the variables of common/wire/startword.h, maps the
 * page, and removes both from what the driver's own children would inherit. END: environment_done().
 */
#ifndef DROVER_SDK_ENVIRONMENT_H
#define DROVER_SDK_ENVIRONMENT_H

#include <stdbool.h>

#include <drover/status.h>

#include "common/wire/startword.h"

struct environment {
    char *endpoint;              /* owned */
    struct startword_page *page; /* mapped; NULL without a host on this machine */
    int lifeline_fd;             /* owned; -1 for none */
};

/* Is this process started by a host at all, or by hand? */
bool environment_is_supervised(void);

/* Take over the inheritance. Errors: FAILED_PRECONDITION (a descriptor that is none, a page that is none),
 * RESOURCE_EXHAUSTED. On failure nothing needs to be released. */
DROVER_MUST_CHECK enum drover_status environment_take(struct environment *ret_environment, struct drover_error *error);

/* Release all. The page stays mapped until the process ends: executors may still look at it. */
void environment_done(struct environment *environment);

/* End the process as soon as the host is gone, also while a driver is busy: starts a thread that waits for the end of
 * the lifeline. Nothing to do without a lifeline. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status environment_watch_lifeline(struct environment *environment,
                                                                struct drover_error *error);

#endif
