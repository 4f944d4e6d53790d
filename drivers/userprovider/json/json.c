/* json.c - userprovider from a JSON file
 *
 * The file that the setting `users` names is read at configure and at reconfigure. One that has changed under the same
 * name is taken by a restart.
 */
#include <drover/worker.h>

#include "drivers/users/lookup.h"
#include "drivers/users/users.h"

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    return users_configure(settings, USERS_FOR_LOOKUP, ret_state, error);
}

static const struct drover_driver json = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "userprovider",
    .interface_version = LOOKUP_INTERFACE_VERSION,
    .name = "json",
    .version = "1.0.0",
    .summary = "users from a JSON file; setting: users (path of the file)",
    .methods = lookup_methods,
    .method_count = LOOKUP_METHOD_COUNT,
    .configure = configure,
    .release = users_release,
    .reconfigure = users_reconfigure,
};

DROVER_DRIVER(json)
