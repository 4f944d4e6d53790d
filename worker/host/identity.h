/* identity.h - whom a worker runs as, and its folder
 *
 * A worker is the host's own user, unless the service names another one; but a driver that drover has fetched or
 * compiled itself is never root.
 */
#ifndef DROVER_HOST_IDENTITY_H
#define DROVER_HOST_IDENTITY_H

#include "worker/host/launch.h"

struct identity {
    bool changes; /* it is another user than the host */
    uid_t uid;
    gid_t gid;
};

/* Errors: NOT_FOUND (there is no such user), PERMISSION_DENIED (only root can start it as another user; it would be
 * root; it could not come to the host's endpoint), UNAVAILABLE (users cannot be looked up), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status identity_choose(const struct launch_plan *plan,
                                                     const struct launch_sandbox *sandbox, struct identity *ret,
                                                     struct drover_error *error);

/* Make a folder for it alone, and the one above it, to which nobody else may look. NULL: none is made. Errors:
 * PERMISSION_DENIED, with the reason. */
DROVER_MUST_CHECK enum drover_status identity_make_folder(const struct identity *identity, const char *folder,
                                                          struct drover_error *error);

#endif
