/* module.c - see module.h */
#include "worker/program/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/sys/binary.h"

static enum drover_status check_kind(const char *path, struct drover_error *error)
{
    const enum binary_kind kind = binary_look_at(path);
    const int code = errno;

    if (kind == BINARY_MODULE)
        return DROVER_OK;
    if (kind != BINARY_UNREADABLE)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "module '%s' is %s%s", path, binary_kind_text(kind),
                                kind == BINARY_EXECUTABLE ? ", which is started without drover-worker" : "");
    return drover_error_set(error, code == EACCES ? DROVER_PERMISSION_DENIED : DROVER_NOT_FOUND, "module '%s': %s",
                            path, strerror(code));
}

/* What dlerror() says begins with the path again. */
static const char *without_path(const char *text, const char *path)
{
    const size_t size = strlen(path);
    if (strncmp(text, path, size) == 0 && strncmp(text + size, ": ", 2) == 0)
        return text + size + 2;
    return text;
}

/* dlopen() looks a name without a slash up in the system's folders. */
static void *open_module(const char *path, struct drover_error *error)
{
    char *place = strchr(path, '/') ? strdup(path) : text_format("./%s", path);
    void *handle = place ? dlopen(place, RTLD_NOW | RTLD_LOCAL) : NULL;
    const char *why = place && !handle ? dlerror() : "no memory";

    if (!handle)
        (void)drover_error_set(error, DROVER_FAILED_PRECONDITION, "module '%s' cannot be loaded: %s", path,
                               without_path(why, place ? place : path));
    free(place);
    return handle;
}

enum drover_status module_load(const char *path, const struct drover_driver **ret_driver, struct drover_error *error)
{
    enum drover_status status = check_kind(path, error);
    if (status != DROVER_OK)
        return status;
    void *handle = open_module(path, error);
    if (!handle)
        return error->status;
    const struct drover_driver *const *descriptor = dlsym(handle, BINARY_DESCRIPTOR);
    if (!descriptor || !*descriptor)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "module '%s': its " BINARY_DESCRIPTOR " is empty",
                                path);
    const uint32_t abi = (*descriptor)->abi;
    if (abi < DROVER_DRIVER_ABI_OLDEST || abi > DROVER_DRIVER_ABI)
        return drover_error_set(
            error, DROVER_FAILED_PRECONDITION,
            "module '%s' has ABI %u, this drover knows %u to %u (compile the driver against this drover)", path, abi,
            DROVER_DRIVER_ABI_OLDEST, DROVER_DRIVER_ABI);
    *ret_driver = *descriptor;
    return DROVER_OK;
}
