/* demo.c - userprovider with three fixed users */
#include <drover/worker.h>

#include "drivers/users/demo_users.h"
#include "drivers/users/lookup.h"
#include "drivers/users/users.h"

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    struct users *users = NULL;
    enum drover_status status = users_new(demo_users, DEMO_USER_COUNT, USERS_FOR_LOOKUP, &users, error);

    (void)settings;
    if (status == DROVER_OK)
        *ret_state = users;
    return status;
}

static const struct drover_driver demo = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "userprovider",
    .interface_version = LOOKUP_INTERFACE_VERSION,
    .name = "demo",
    .version = "1.0.0",
    .summary = "three fixed users: einstein, marie, richard; no settings",
    .methods = lookup_methods,
    .method_count = LOOKUP_METHOD_COUNT,
    .configure = configure,
    .release = users_release,
};

DROVER_DRIVER(demo)
