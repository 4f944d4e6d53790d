/* diff.h - what it takes to get from one configuration to another
 *
 * Pure. What a change of a key means stands in its row of options.def; what follows from several keys, or from the disk
 * (what a reference is resolved to, which files the settings name), in diff.c.
 */
#ifndef DROVER_CONFIG_DIFF_H
#define DROVER_CONFIG_DIFF_H

#include <stddef.h>

#include "common/config/config.h"

/* What becomes of a service. Of several changes the one that stands lower here counts for all. */
enum config_action {
    CONFIG_ADJUST,      /* limits and timings only: nothing is started or stopped */
    CONFIG_RECONFIGURE, /* the driver's settings too: its workers may be able to take them as they run */
    CONFIG_REPLACE,     /* its workers would be others: a new generation */
    CONFIG_ADD,
    CONFIG_REMOVE,
    CONFIG_ACTION_END,
};

struct config_step {
    const char *service;                 /* borrowed, as are the next two */
    const struct config_service *before; /* NULL: it is added */
    const struct config_service *after;  /* NULL: it is removed */
    enum config_action action;
    char *why; /* one line: the keys that are changed, "replicas, grants.read" */
};

struct config_diff {
    struct config_step
        *steps; /* at most one for a service: in the order of the new file, then those that are removed */
    size_t step_count;
    char **obstacles; /* one line for each changed key that only a restart of the broker can take */
    size_t obstacle_count;
};

/* Compare two configurations that were parsed without mistakes; the result borrows from both. Both should have been
 * parsed with a disk, or both without. Errors: RESOURCE_EXHAUSTED (no memory). */
DROVER_MUST_CHECK enum drover_status config_compare(const struct config *before, const struct config *after,
                                                    struct config_diff **ret_diff);

/* NULL is allowed. Returns NULL. */
struct config_diff *config_diff_free(struct config_diff *diff);

/* "adjust", "reconfigure", "replace", "add", "remove". */
const char *config_action_name(enum config_action action);

#endif
