/* arena.h - memory that is given in small pieces and released at once
 *
 * A directory of 100 000 users is a million short strings that live and die together.
 */
#ifndef DRIVERS_USERS_ARENA_H
#define DRIVERS_USERS_ARENA_H

#include <stddef.h>

struct arena_block;

/* `{0}` is an empty arena. */
struct arena {
    struct arena_block *blocks; /* the newest first */
};

/* `size` bytes aligned to `align` (a power of two), not set to anything. They belong to the arena. NULL: no memory. */
void *arena_alloc(struct arena *arena, size_t size, size_t align);

/* A copy of `size` bytes and a NUL after them. It belongs to the arena. NULL: no memory. */
char *arena_copy(struct arena *arena, const void *data, size_t size);

/* Release everything. The arena is empty afterwards. */
void arena_done(struct arena *arena);

#endif
