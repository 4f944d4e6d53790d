/* group.h - several services that change together: all of them switch, or none does
 *
 * A group is a number that the changes of its services carry. Its owner looks at the group after each step of one of
 * them, and applies the verdict to all of them, before anything else: RELEASE or ABANDON with the group's number.
 */
#ifndef DROVER_ROLLOUT_GROUP_H
#define DROVER_ROLLOUT_GROUP_H

#include <stddef.h>

#include "worker/rollout/rollout.h"

enum rollout_verdict {
    ROLLOUT_GROUP_WAIT,    /* one is not so far yet */
    ROLLOUT_GROUP_RELEASE, /* all can switch, or serve already what is wanted */
    ROLLOUT_GROUP_ABANDON, /* one was given up, or replaced by a later change */
    ROLLOUT_GROUP_DONE,    /* all serve */
};

/* Judge a group of `count` services, none of which is NULL. On ABANDON `*ret_culprit` is the index of the first that
 * cannot (it may be NULL). */
enum rollout_verdict rollout_group_judge(const struct rollout *const members[], size_t count, uint64_t group,
                                         size_t *ret_culprit);

#endif
