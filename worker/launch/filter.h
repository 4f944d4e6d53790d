/* filter.h - which system calls are refused, by seccomp */
#ifndef DROVER_LAUNCH_FILTER_H
#define DROVER_LAUNCH_FILTER_H

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* Refuse, for good: calls that no driver and no compiler needs and through which kernels were broken; new
 * namespaces; sockets beyond the network of the settings; where processors are limited, to choose others.
 * no_new_privs must be set. Notes what holds. */
void filter_enforce(const struct settings *settings, struct layers *layers);

#endif
