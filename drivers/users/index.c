/* index.c - the table of hashes
 *
 * Source of the hash: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
 */
#include "drivers/users/index.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t fnv1a(uint64_t hash, struct drover_text text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint32_t hash_of(const struct user_wanted *wanted)
{
    const char key = (char)wanted->key;
    uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), (struct drover_text){&key, 1});

    hash = fnv1a(hash, wanted->text);
    if (wanted->key == USER_KEY_NAME_AT) {
        hash = fnv1a(hash, (struct drover_text){"", 1}); /* no text contains a NUL: "ab" at "c" is not "a" at "bc" */
        hash = fnv1a(hash, wanted->idp);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

bool index_init(struct user_index *index, size_t keys)
{
    size_t slots = 16;

    while (slots - slots / 4 < keys)
        slots *= 2;
    index->slots = calloc(slots, sizeof(*index->slots));
    index->mask = slots - 1;
    return index->slots != NULL;
}

void index_done(struct user_index *index)
{
    free(index->slots);
    *index = (struct user_index){0};
}

/* The slot that holds what is wanted, or the free one where it would go. */
static struct index_slot *probe(const struct user_index *index, const struct user *users,
                                const struct user_wanted *wanted, uint32_t hash, size_t *compared)
{
    for (size_t i = 0; i <= index->mask; i++) {
        struct index_slot *slot = &index->slots[(hash + i) & index->mask];

        if (slot->number == 0)
            return slot;
        if (slot->hash != hash)
            continue;
        ++*compared;
        if (user_is(&users[slot->number - 1], wanted))
            return slot;
    }
    return NULL;
}

void index_add(struct user_index *index, const struct user *users, const struct user_wanted *wanted, uint32_t number)
{
    uint32_t hash = hash_of(wanted);
    size_t compared = 0;

    if (wanted->text.size == 0 || (wanted->key == USER_KEY_NAME_AT && wanted->idp.size == 0))
        return;

    struct index_slot *slot = probe(index, users, wanted, hash, &compared);
    assert(slot);
    if (slot->number == 0)
        *slot = (struct index_slot){.hash = hash, .number = number + 1};
}

const struct user *index_find(const struct user_index *index, const struct user *users,
                              const struct user_wanted *wanted, size_t *ret_compared)
{
    size_t compared = 0;
    const struct index_slot *slot = index->slots ? probe(index, users, wanted, hash_of(wanted), &compared) : NULL;

    if (ret_compared)
        *ret_compared = compared;
    return slot && slot->number ? &users[slot->number - 1] : NULL;
}
