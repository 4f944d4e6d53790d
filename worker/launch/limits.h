/* limits.h - how much of each resource may be used */
#ifndef DROVER_LAUNCH_LIMITS_H
#define DROVER_LAUNCH_LIMITS_H

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* Set the limits that are given, never above those in force, and forbid core dumps: they would hold secrets. Notes what
 * holds. The last thing before the program: little memory may be left for anything else. */
void limits_enforce(const struct settings *settings, struct layers *layers);

#endif
