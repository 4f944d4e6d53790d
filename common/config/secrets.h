/* secrets.h - `${env:NAME}` and `${file:PATH}` in the values of a file */
#ifndef DROVER_CONFIG_SECRETS_H
#define DROVER_CONFIG_SECRETS_H

#include "common/config/node.h"

/* Replace what stands for a secret in every value below `root` (not in keys); `$${env:` and `$${file:` stand for
 * themselves without the first `$`. What cannot be had is a mistake in the report, and its node BROKEN. */
void secrets_expand(struct node *root, const struct config_sources *sources, const char *directory,
                    struct report *report);

#endif
