/* namespaces.h - a network and System V objects of its own */
#ifndef DROVER_LAUNCH_NAMESPACES_H
#define DROVER_LAUNCH_NAMESPACES_H

#include <drover/status.h>

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* Leave the namespaces of IPC, and of the network unless it is granted; without privileges through a namespace of users
 * in which this user is itself. Notes what holds: that none are to be had is no error. Errors: INTERNAL (half way: the
 * user could not be entered in the new namespace, and is nobody now). */
DROVER_MUST_CHECK enum drover_status namespaces_enter(const struct settings *settings, struct layers *layers,
                                                      struct drover_error *error);

#endif
