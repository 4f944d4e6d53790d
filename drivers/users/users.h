/* users.h - a directory of users in memory
 *
 * Made once, by users_load() from a file or by users_new() from a table; after that it is only read, so that any number
 * of threads may use it at once, until users_reconfigure() puts another in its place. What is returned is borrowed from
 * the directory.
 *
 * A directory is made for one of two uses. For look-ups it does not even read the secrets. For logins it
 * has the secrets, and is searched by username only.
 */
#ifndef DRIVERS_USERS_USERS_H
#define DRIVERS_USERS_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>
#include <drover/value.h>

#include "drivers/users/user.h"

struct users;

enum users_use { USERS_FOR_LOOKUP, USERS_FOR_LOGIN };

/* Read a file: a JSON array of users (entry.h says what a user may have). On success stores the directory in
 * `*ret_users`. Errors, with the place in the file: INVALID_ARGUMENT, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status users_load(const char *path, enum users_use use, struct users **ret_users,
                                                struct drover_error *error);

/* What both json drivers do at configure: users_load() of the file that the setting `users` names. The result goes to
 * `*ret_state` as configure of struct drover_driver wants it. */
DROVER_MUST_CHECK enum drover_status users_configure(const struct drover_value *settings, enum users_use use,
                                                     void **ret_state, struct drover_error *error);

/* What they do at reconfigure: read the file as users_configure() does, and only when it is good put its users in place
 * of those of the directory `state`, which is for the same use afterwards. Errors: as users_configure(); then the
 * directory is as it was. */
DROVER_MUST_CHECK enum drover_status users_reconfigure(void *state, const struct drover_value *settings,
                                                       struct drover_error *error);

/* A directory of `count` users of a table. The table is copied, what it points to is borrowed and must outlive the
 * directory. Searches distinguish upper and lower case. Errors: as users_load(). */
DROVER_MUST_CHECK enum drover_status users_new(const struct user *table, size_t count, enum users_use use,
                                               struct users **ret_users, struct drover_error *error);

/* Release a directory. NULL is allowed. Always returns NULL. */
struct users *users_free(struct users *users);

/* The same as the `release` of struct drover_driver. */
void users_release(void *state);

/* How many users there are. */
size_t users_count(const struct users *users);

/* The first user whose opaque_id or username is `opaque_id`, and whose idp is `idp` unless that is empty; or NULL. */
const struct user *users_get(const struct users *users, struct drover_text idp, struct drover_text opaque_id);

/* The first user whose `claim` ("mail", "username" or "uid") is exactly `value`; or NULL, also for other claims. */
const struct user *users_by_claim(const struct users *users, struct drover_text claim, struct drover_text value);

/* All users that mention `query` (user_mentions()), by username in the order of bytes. On success stores an array for
 * the caller to free() in `*ret_found` and their number in `*ret_count`. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status users_find(const struct users *users, struct drover_text query,
                                                const struct user ***ret_found, size_t *ret_count,
                                                struct drover_error *error);

/* The last user with this username, if the secret is right; needs USERS_FOR_LOGIN. It takes the same time and fails
 * with the same error whether there is no such user or the secret is wrong. Errors: UNAUTHENTICATED,
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status users_login(const struct users *users, struct drover_text username,
                                                 struct drover_text secret, const struct user **ret_user,
                                                 struct drover_error *error);

#endif
