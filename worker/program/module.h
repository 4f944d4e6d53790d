/* module.h - a driver in a shared object, brought into this process */
#ifndef DROVER_PROGRAM_MODULE_H
#define DROVER_PROGRAM_MODULE_H

#include <drover/worker.h>

/* Load the module at `path` (which may be /proc/self/fd/N) for the life of the process; its table is stored in
 * `*ret_driver`. Nothing of the file is run before it was seen to be a module. Errors: FAILED_PRECONDITION (no module,
 * symbols that nobody has, another ABI), NOT_FOUND, PERMISSION_DENIED; one line that names the path. */
DROVER_MUST_CHECK enum drover_status module_load(const char *path, const struct drover_driver **ret_driver,
                                                 struct drover_error *error);

#endif
