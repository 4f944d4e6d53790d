/* tuning.h - new settings for a generation that serves, without a restart
 *
 * All of its workers are given them (HOST_RECONFIGURE). When all have taken them the generation has them; when one has
 * not, or died meanwhile, the others are given the old ones again, and a new generation is made as for any change.
 */
#ifndef DROVER_HOST_TUNING_H
#define DROVER_HOST_TUNING_H

#include "worker/host/state.h"

/* Can this be tried? All is quiet, and nothing but the settings is different. */
bool tuning_is_possible(const struct service *service, const struct wanted *wanted);

/* Begin; takes a reference of `wanted`. */
void tuning_begin(struct service *service, struct wanted *wanted, const struct rollout_hash *configuration);

/* What one worker said. */
void tuning_take(struct replica *replica, bool taken, const char *text);

/* ANSWERED_WELL: all have taken them; ANSWERED_BADLY: they have not; NOT_ASKED: nothing is under way; ASKED: wait.
 * After one of the first two the tuning is over. */
enum answer tuning_judge(struct service *service);

/* It is not wanted any more. */
void tuning_end(struct service *service);

#endif
