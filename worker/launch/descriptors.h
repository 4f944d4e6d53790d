/* descriptors.h - which descriptors the program inherits */
#ifndef DROVER_LAUNCH_DESCRIPTORS_H
#define DROVER_LAUNCH_DESCRIPTORS_H

#include <drover/status.h>

#include "worker/launch/sealed.h"
#include "worker/launch/settings.h"

/* Close all but 0 to 2, those to be kept, the one for the report and the artefact; the report's, and the artefact's
 * unless it stays, go with execve(). Errors: INVALID_ARGUMENT (one that is named is not open), INTERNAL. */
DROVER_MUST_CHECK enum drover_status descriptors_enforce(const struct settings *settings, const struct sealed *sealed,
                                                         struct drover_error *error);

#endif
