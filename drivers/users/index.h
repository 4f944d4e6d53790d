/* index.h - finds a user by one of its strings without walking the list
 *
 * One table of hashes for all keys (user.h): open addressing, linear probing, 8 bytes a slot. A slot holds no string:
 * the hash and the number of a user are enough, because user_is() compares with the user itself. That is a tenth of the
 * memory of a node per key, and nothing to release one by one. Keys come from the operator's file, so a plain hash will
 * do.
 *
 * Invariant: of several users with the same key only the one that was added first is in the table. At least a quarter
 * of the slots is free, so every probe ends.
 */
#ifndef DRIVERS_USERS_INDEX_H
#define DRIVERS_USERS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/users/user.h"

struct index_slot {
    uint32_t hash;
    uint32_t number; /* of the user, plus 1; 0: the slot is free */
};

/* `{0}` is an index in which nobody is found. */
struct user_index {
    struct index_slot *slots;
    size_t mask; /* slots - 1 */
};

/* Make an empty index with room for `keys` keys. False: no memory. */
DROVER_MUST_CHECK bool index_init(struct user_index *index, size_t keys);

/* Release what the index holds. */
void index_done(struct user_index *index);

/* Add the key `wanted` of user `number` of `users`, unless the text is empty or some user has this key already. The
 * caller adds no more keys than index_init() was told. */
void index_add(struct user_index *index, const struct user *users, const struct user_wanted *wanted, uint32_t number);

/* The user that `wanted` asks for, borrowed from `users` (the same list as for index_add()), or NULL. If `ret_compared`
 * is not NULL it gets the number of users that had to be looked at, so that a test can see that nothing is walked. */
const struct user *index_find(const struct user_index *index, const struct user *users,
                              const struct user_wanted *wanted, size_t *ret_compared);

#endif
