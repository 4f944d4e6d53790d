/* heap_body.c - counted bodies of plain memory; see heap_body.h */
#include <stdlib.h>
#include <string.h>

#include "tests/support/heap_body.h"

struct block {
    size_t references;
    size_t size;
    unsigned char bytes[];
};

static size_t live, settled;

static struct block *block_of(const struct body *body)
{
    struct block *block = NULL;
    memcpy(&block, body->store, sizeof(block));
    return block;
}

static void point_to(struct body *body, struct block *block)
{
    memcpy(body->store, &block, sizeof(block));
    body->size = block->size;
    body->present = true;
    block->references++;
    live++;
}

static bool make(struct body *to, const void *data, size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return false;
    block->references = 0;
    block->size = size;
    if (size > 0)
        memcpy(block->bytes, data, size);
    point_to(to, block);
    return true;
}

static void share(struct body *to, const struct body *from)
{
    point_to(to, block_of(from));
}

static void settle(struct body *body)
{
    (void)body;
    settled++;
}

static const void *data_of(const struct body *body)
{
    return block_of(body)->bytes;
}

static void release(struct body *body)
{
    struct block *block = block_of(body);
    live--;
    if (--block->references == 0)
        free(block);
    memset(body->store, 0, sizeof(body->store));
    body->present = false;
    body->size = 0;
}

const struct body_ops heap_bodies = {
    .make = make, .share = share, .settle = settle, .data = data_of, .release = release};

size_t heap_bodies_live(void)
{
    return live;
}

size_t heap_bodies_settled(void)
{
    return settled;
}

struct body heap_body_new(const void *data, size_t size)
{
    struct body body = {.present = false};
    if (!make(&body, data, size))
        abort();
    return body;
}
