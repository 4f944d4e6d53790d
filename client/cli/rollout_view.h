/* rollout_view.h - what `drover status` prints of the generations of a service, below its workers */
#ifndef DROVER_CLI_ROLLOUT_VIEW_H
#define DROVER_CLI_ROLLOUT_VIEW_H

#include <stdio.h>

#include <drover/value.h>

#define ROLLOUT_VIEW_COLUMNS 120 /* no line is wider */

/* Print what is under way, whether what serves is on probation, and what is in quarantine: nothing of a service that
 * serves and wants nothing. `service` is its entry in the answer to `status`. */
void rollout_print(FILE *out, const struct drover_value *service);

#endif
