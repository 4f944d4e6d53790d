/* plan.h - what a configuration file would change, if it were put into force
 *
 * START: plan_make(). OPERATION: look at the mistakes; without any, at the obstacles and the steps; what runs is not
 * touched. END: plan_done(), also after a failure.
 */
#ifndef DROVER_IO_PLAN_H
#define DROVER_IO_PLAN_H

#include <stddef.h>

#include <drover/status.h>

#include "broker/io/lockkeeper.h"
#include "broker/io/roster.h"
#include "common/config/diff.h"

struct plan_step {
    char *service;
    enum config_action action;
    char *why; /* one line; "" when there is no more to say */
};

/* Everything is owned. */
struct plan {
    struct config_messages mistakes; /* of the file, or of the lock file beside it; then the rest is empty */
    struct roster roster;            /* what would be in force */
    struct plan_step *steps;         /* at most one a service */
    size_t count;
    char **obstacles; /* one line each: what only a restart of the broker can change */
    size_t obstacle_count;
};

/* Compare the file at `path` (NULL: the one that is in force) with what is in force. A file from elsewhere is read as
 * if it stood in the place of that. The lock file is read again too: a driver that it holds to another commit by now is
 * a step. Mistakes are no failure. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status plan_make(struct plan *plan, const char *path, const struct roster *in_force,
                                               struct lockkeeper *keeper, struct drover_error *error);

/* The step of a service, or NULL. */
const struct plan_step *plan_find(const struct plan *plan, const char *service);

void plan_done(struct plan *plan);

#endif
