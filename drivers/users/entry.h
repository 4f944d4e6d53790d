/* entry.h - one object of a users file becomes a user
 *
 * Every key is optional, unknown keys are ignored, null is the same as absent. A value of a wrong type is an error that
 * names the key.
 */
#ifndef DRIVERS_USERS_ENTRY_H
#define DRIVERS_USERS_ENTRY_H

#include <jansson.h>

#include "drivers/users/arena.h"
#include "drivers/users/secret.h"
#include "drivers/users/user.h"

/* Deepest nesting of `opaque`. A reply may nest DROVER_VALUE_DEPTH_MAX deep, and `opaque` stands a few levels down in
 * it. */
#define ENTRY_OPAQUE_DEPTH_MAX 24

/* Make `*ret_user` of `object`, with all strings copied into `arena`. With `secrets` the secret is read too and its
 * kind noted there; without (NULL) it is ignored and stays "". Errors: INVALID_ARGUMENT, never with a text of the
 * object in it; RESOURCE_EXHAUSTED without a text. */
DROVER_MUST_CHECK enum drover_status entry_read(const json_t *object, struct secret_kinds *secrets, struct arena *arena,
                                                struct user *ret_user, struct drover_error *error);

#endif
