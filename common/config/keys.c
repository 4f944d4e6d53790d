/* keys.c - the table that options.def makes */
#include "common/config/keys.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/config.h"

/* Which struct the keys of a map fill in. */
#define OWNER_root config
#define OWNER_broker config
#define OWNER_service config_service
#define OWNER_queue config_service
#define OWNER_restart config_service
#define OWNER_fetch config
#define OWNER_grants config_service
#define OWNER_self_test config_service

/* A name given twice in a map is an enumerator given twice. */
enum {
#define CONFIG_KEY(where, name, ...) ROW_##where##_##name,
#define CONFIG_LIST CONFIG_KEY
#define CONFIG_MAP CONFIG_KEY
#define CONFIG_OTHER CONFIG_KEY
#define CONFIG_PLANNED(where, name) ROW_##where##_##name,
#include "common/config/options.def"
#undef CONFIG_KEY
#undef CONFIG_LIST
#undef CONFIG_MAP
#undef CONFIG_OTHER
#undef CONFIG_PLANNED
    ROW_COUNT
};

#define OF_OWNER(owner) OF_##owner
#define OWNED_BY(owner) OF_OWNER(owner)

static const struct key keys[ROW_COUNT] = {
#define CONFIG_KEY(map, word, type, member, least, most, value, when_changed) \
    {.where = WHERE_##map,                                                    \
     .name = #word,                                                           \
     .kind = KIND_##type,                                                     \
     .change = CHANGE_##when_changed,                                         \
     .owner = OWNED_BY(OWNER_##map),                                          \
     .offset = offsetof(struct OWNER_##map, member),                          \
     .low = (least),                                                          \
     .high = (most),                                                          \
     .initial = (value)},
#define CONFIG_LIST(map, word, type, member, most, when_changed)   \
    {.where = WHERE_##map,                                         \
     .name = #word,                                                \
     .kind = KIND_##type,                                          \
     .change = CHANGE_##when_changed,                              \
     .owner = OWNED_BY(OWNER_##map),                               \
     .offset = offsetof(struct OWNER_##map, member),               \
     .count_offset = offsetof(struct OWNER_##map, member##_count), \
     .high = (most),                                               \
     .is_list = true},
#define CONFIG_MAP(map, word, within) \
    {.where = WHERE_##map, .name = #word, .kind = KIND_MAP, .owner = OWNED_BY(OWNER_##map), .inner = WHERE_##within},
#define CONFIG_OTHER(map, word, type, when_changed) \
    {.where = WHERE_##map,                          \
     .name = #word,                                 \
     .kind = KIND_##type,                           \
     .owner = OWNED_BY(OWNER_##map),                \
     .change = CHANGE_##when_changed},
#define CONFIG_PLANNED(map, word) \
    {.where = WHERE_##map, .name = #word, .kind = KIND_PLANNED, .owner = OWNED_BY(OWNER_##map)},
#include "common/config/options.def"
};

const struct key *key_at(size_t index)
{
    return index < ROW_COUNT ? &keys[index] : NULL;
}

const struct key *key_find(enum key_where where, const struct node *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (keys[i].where == where && node_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

bool key_is_number(const struct key *key)
{
    return !key->is_list &&
           (key->kind == KIND_NUMBER || key->kind == KIND_TIME || key->kind == KIND_SIZE || key->kind == KIND_MODE);
}

bool key_is_choice(const struct key *key)
{
    return key->kind == KIND_SANDBOX || key->kind == KIND_NETWORK || key->kind == KIND_STATUS;
}

bool key_is_switch(const struct key *key)
{
    return key->kind == KIND_BOOL || key->kind == KIND_BY_HAND || key->kind == KIND_BY_ITSELF;
}

/* The map that `where` is the inside of; NULL: the file, or a service. */
static const struct key *map_around(enum key_where where)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (keys[i].kind == KIND_MAP && keys[i].inner == where)
            return &keys[i];
    return NULL;
}

const char *key_path(const struct key *key, char *buffer, size_t size)
{
    const struct key *map = map_around(key->where), *outer = map ? map_around(map->where) : NULL;
    snprintf(buffer, size, "%s%s%s%s%s", outer ? outer->name : "", outer ? "." : "", map ? map->name : "",
             map ? "." : "", key->name);
    return buffer;
}

void keys_set_defaults(enum key_where where, void *target)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char *member = (char *)target + keys[i].offset;
        if (keys[i].where != where)
            continue;
        if (key_is_switch(&keys[i]))
            *(bool *)member = keys[i].initial != 0;
        else if (key_is_number(&keys[i]))
            *(uint64_t *)(void *)member = keys[i].initial;
        else if (key_is_choice(&keys[i]))
            *(unsigned *)(void *)member = (unsigned)keys[i].initial;
    }
}

const char *key_nearest(enum key_where where, const char *name, const char *extra)
{
    const char *names[ROW_COUNT + 1];
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (keys[i].where == where && keys[i].kind != KIND_PLANNED)
            names[count++] = keys[i].name;
    if (extra)
        names[count++] = extra;
    return text_nearest(name, names, count);
}
