/* identity.h - who the program runs as, and that it can become nobody else */
#ifndef DROVER_LAUNCH_IDENTITY_H
#define DROVER_LAUNCH_IDENTITY_H

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* Empty the set of capabilities that could ever be had again, while that is still allowed. */
void identity_bound_capabilities(void);

/* Become the user of the settings, if there is one, with no group besides its own and the one that it is given. Notes
 * what holds. Errors: PERMISSION_DENIED, whatever the policy: a program that is meant for nobody is not run as root. */
DROVER_MUST_CHECK enum drover_status identity_change_user(const struct settings *settings, struct layers *layers,
                                                          struct drover_error *error);

/* Give up every capability; root keeps its number, but is nobody special. Notes what holds. */
void identity_drop_capabilities(struct layers *layers);

/* From here on no execve() gives rights. Notes what holds. */
void identity_give_up_privileges(struct layers *layers);

#endif
