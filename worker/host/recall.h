/* recall.h - what a service could go back to, told before there is a host
 *
 * Reads only, so that it may be asked of a folder that belongs to another process.
 */
#ifndef DROVER_HOST_RECALL_H
#define DROVER_HOST_RECALL_H

#include <stdbool.h>

#include "worker/host/host.h"

/* Does `folder` (the host's option `memory`) hold a version that proved stable of just this service: with the same
 * configuration, its pin included? False also when that cannot be read. Whether its bytes are still there is seen when
 * it is started. */
bool recall_has_stable(const char *folder, const struct host_service *service);

#endif
