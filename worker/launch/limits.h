/* limits.h - how much of each resource may be used */
#ifndef DROVER_LAUNCH_LIMITS_H
#define DROVER_LAUNCH_LIMITS_H

#include <stdint.h>
#include <sys/types.h>

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* How many processes and threads a user has now; 0 when it cannot be told. */
uint64_t limits_count_tasks(uid_t uid);

/* Run on no more processors than the settings allow. Before the filter of system calls, which forbids to choose again.
 * Notes what holds. */
void limits_choose_processors(const struct settings *settings, struct layers *layers);

/* Set the limits that are given, never above those in force, and forbid core dumps: they would hold secrets. Notes what
 * holds. `tasks` is what limits_count_tasks() found for the user that this is by now. The last thing before the
 * program: little memory may be left for anything else. */
void limits_enforce(const struct settings *settings, uint64_t tasks, struct layers *layers);

#endif
