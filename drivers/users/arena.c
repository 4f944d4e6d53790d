/* arena.c - a list of blocks; only the newest has room left */
#include "drivers/users/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* bytes of `data` */
    alignas(max_align_t) char data[];
};

static struct arena_block *block_new(size_t size, struct arena_block *next)
{
    struct arena_block *block = size > SIZE_MAX / 2 ? NULL : malloc(sizeof(*block) + size);

    if (block)
        *block = (struct arena_block){.next = next, .size = size};
    return block;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align)
{
    struct arena_block *block = arena->blocks;
    size_t start = block ? (block->used + align - 1) & ~(align - 1) : 0;

    if (!block || start > block->size || size > block->size - start) {
        block = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE, block);
        if (!block)
            return NULL;
        arena->blocks = block;
        start = 0;
    }
    block->used = start + size;
    return block->data + start;
}

char *arena_copy(struct arena *arena, const void *data, size_t size)
{
    char *copy = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1, 1);

    if (!copy)
        return NULL;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

void arena_done(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
}
