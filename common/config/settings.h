/* settings.h - a driver's settings: from YAML to the msgpack map that its worker is given */
#ifndef DROVER_CONFIG_SETTINGS_H
#define DROVER_CONFIG_SETTINGS_H

#include "common/config/node.h"

/* Write `node` and all below it. Plain scalars get their types by the core schema of YAML 1.2, all others are strings;
 * keys are strings. Numbers that do not fit are mistakes in the report. */
void settings_write(const struct node *node, struct report *report, struct drover_writer *writer);

/* The same into new memory, for the caller to free(). Nothing is set when there is none, as the report says then. */
void settings_pack(const struct node *node, struct report *report, void **ret_data, size_t *ret_size);

#endif
