/* json.c - authprovider from a JSON file
 *
 * The file that the setting `users` names is read at configure and at reconfigure. One that has changed under the same
 * name is taken by a restart.
 */
#include <drover/worker.h>

#include "drivers/users/login.h"
#include "drivers/users/users.h"

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    return users_configure(settings, USERS_FOR_LOGIN, ret_state, error);
}

static const struct drover_driver json = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "authprovider",
    .interface_version = LOGIN_INTERFACE_VERSION,
    .name = "json",
    .version = "1.0.0",
    .summary = "logins from a JSON file with secrets; setting: users (path of the file)",
    .methods = login_methods,
    .method_count = LOGIN_METHOD_COUNT,
    .configure = configure,
    .release = users_release,
    .reconfigure = users_reconfigure,
};

DROVER_DRIVER(json)
