/* served.h - the driver as this process serves it: its table, its state, who the broker says we are
 *
 * Written by the socket's thread while nothing runs, read by everybody. Layout 1 of the driver's table ends before
 * `reconfigure`, which is looked at through served_can_reconfigure() only.
 */
#ifndef DROVER_SDK_SERVED_H
#define DROVER_SDK_SERVED_H

#include <drover/worker.h>

#include "common/wire/greeting.h"

struct served {
    const struct drover_driver *driver; /* borrowed for the life of the process */
    void *state;                        /* what configure made */
    bool configured;
    uint64_t max_body;              /* bytes; a larger reply is not sent */
    struct drover_worker_info info; /* strings are owned */
};

/* Is the table usable? Errors: FAILED_PRECONDITION, naming what is missing. */
DROVER_MUST_CHECK enum drover_status served_check(const struct drover_driver *driver, struct drover_error *error);

/* Configure the driver from WELCOME, after releasing the state of an earlier session. Errors: what the driver's
 * configure returned; INVALID_ARGUMENT (settings that are no map, or for a driver that takes none),
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status served_configure(struct served *served, const struct wire_welcome *welcome,
                                                      struct drover_error *error);

/* Release the driver's state and all strings. */
void served_done(struct served *served);

/* Let the configured driver take other settings; no method runs meanwhile. On failure it has those it had. Errors: what
 * the driver's reconfigure returned; UNIMPLEMENTED (it has none). */
DROVER_MUST_CHECK enum drover_status
served_reconfigure(const struct served *served, const struct drover_value *settings, struct drover_error *error);

/* Can it? */
bool served_can_reconfigure(const struct served *served);

/* How many calls run at once: 1 to WIRE_CONCURRENCY_MAX. */
unsigned served_concurrency(const struct served *served);

/* The method of that name; NULL when there is none. */
const struct drover_method *served_method(const struct served *served, struct drover_text name);

/* The method's name that is nearest to `word`, or NULL. */
const char *served_nearest_method(const struct served *served, const char *word);

#endif
