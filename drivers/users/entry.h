/* entry.h - one object of a users file becomes a user
 *
 * Every key is optional, unknown keys are ignored, null is the same as absent, of a key that is there twice the later
 * one counts. A value of a wrong type is an error at its own line and column, and names the key.
 */
#ifndef DRIVERS_USERS_ENTRY_H
#define DRIVERS_USERS_ENTRY_H

#include "drivers/users/arena.h"
#include "drivers/users/reader.h"
#include "drivers/users/secret.h"
#include "drivers/users/user.h"

/* Deepest nesting of `opaque`. A reply may nest DROVER_VALUE_DEPTH_MAX deep, and `opaque` stands a few levels down in
 * it. */
#define ENTRY_OPAQUE_DEPTH_MAX 24

/* Read the next value of `reader` into `*ret_user`, with all strings in `arena`. With `secrets` the secret is read too
 * and its kind noted there; without (NULL) it is ignored and stays "". Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status entry_read(struct reader *reader, struct secret_kinds *secrets,
                                                struct arena *arena, struct user *ret_user);

#endif
