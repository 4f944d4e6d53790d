/* environment.h - the variables that the program inherits */
#ifndef DROVER_LAUNCH_ENVIRONMENT_H
#define DROVER_LAUNCH_ENVIRONMENT_H

#include "worker/launch/settings.h"

/* The environment: this process's, or of it only what is kept, then what is set, which wins. The caller frees the array
 * alone, its entries are borrowed. NULL when there is no memory. */
char **environment_make(const struct settings *settings);

#endif
