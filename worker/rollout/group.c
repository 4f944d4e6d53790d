/* group.c - several services that change together */
#include "worker/rollout/group.h"

enum rollout_verdict rollout_group_judge(const struct rollout *const members[], size_t count, uint64_t group,
                                         size_t *ret_culprit)
{
    size_t seen[] = {[ROLLOUT_STAND_BUSY] = 0, [ROLLOUT_STAND_HELD] = 0, [ROLLOUT_STAND_DONE] = 0};
    for (size_t i = 0; i < count; i++) {
        const enum rollout_stand stand = rollout_stand(members[i], group);
        if (stand != ROLLOUT_STAND_LOST) {
            seen[stand]++;
            continue;
        }
        if (ret_culprit != NULL)
            *ret_culprit = i;
        return ROLLOUT_GROUP_ABANDON;
    }
    if (seen[ROLLOUT_STAND_BUSY] > 0)
        return ROLLOUT_GROUP_WAIT;
    return seen[ROLLOUT_STAND_HELD] > 0 ? ROLLOUT_GROUP_RELEASE : ROLLOUT_GROUP_DONE;
}
