/* settings.h - the settings that a driver is checked with: JSON, turned into what WELCOME bears */
#ifndef DROVER_CHECK_SETTINGS_H
#define DROVER_CHECK_SETTINGS_H

#include <drover/value.h>

/* Read `given`: JSON, or '@' and the name of a file with JSON; NULL is an empty map. Writes one map. Errors:
 * INVALID_ARGUMENT (no JSON, no object, nested too deeply), those of sys_read_file(), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status settings_read(const char *given, struct drover_writer *writer,
                                                   struct drover_error *error);

#endif
