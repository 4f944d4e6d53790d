/* filter.h - which system calls are refused, by seccomp */
#ifndef DROVER_LAUNCH_FILTER_H
#define DROVER_LAUNCH_FILTER_H

#include "worker/launch/layers.h"
#include "worker/launch/profile.h"

/* Refuse, for good: calls that no driver and no compiler needs and through which kernels were broken; new
 * namespaces; sockets beyond `network`. no_new_privs must be set. Notes what holds. */
void filter_enforce(enum sandbox_network network, struct layers *layers);

#endif
