/* lookup.h - the methods of interface userprovider over a directory in memory
 *
 * Shared by its drivers, which differ in where their directory comes from. Their state is a `struct users` made with
 * USERS_FOR_LOOKUP.
 */
#ifndef DRIVERS_USERS_LOOKUP_H
#define DRIVERS_USERS_LOOKUP_H

#include <drover/worker.h>

#define LOOKUP_INTERFACE_VERSION "1.0.0"
#define LOOKUP_METHOD_COUNT 4

extern const struct drover_method lookup_methods[LOOKUP_METHOD_COUNT];

#endif
