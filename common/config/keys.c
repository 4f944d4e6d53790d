/* keys.c - the table that options.def makes */
#include "common/config/keys.h"

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

static const struct key keys[ROW_COUNT] = {
#define CONFIG_KEY(map, word, type, member, least, most, value) \
    {.where = WHERE_##map,                                      \
     .name = #word,                                             \
     .kind = KIND_##type,                                       \
     .offset = offsetof(struct OWNER_##map, member),            \
     .low = (least),                                            \
     .high = (most),                                            \
     .initial = (value)},
#define CONFIG_LIST(map, word, type, member, most)                 \
    {.where = WHERE_##map,                                         \
     .name = #word,                                                \
     .kind = KIND_##type,                                          \
     .offset = offsetof(struct OWNER_##map, member),               \
     .count_offset = offsetof(struct OWNER_##map, member##_count), \
     .high = (most),                                               \
     .is_list = true},
#define CONFIG_MAP(map, word, within) {.where = WHERE_##map, .name = #word, .kind = KIND_MAP, .inner = WHERE_##within},
#define CONFIG_OTHER(map, word, type) {.where = WHERE_##map, .name = #word, .kind = KIND_##type},
#define CONFIG_PLANNED(map, word) {.where = WHERE_##map, .name = #word, .kind = KIND_PLANNED},
#include "common/config/options.def"
};

const struct key *key_find(enum key_where where, const struct node *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (keys[i].where == where && node_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static bool is_number(const struct key *key)
{
    return !key->is_list &&
           (key->kind == KIND_NUMBER || key->kind == KIND_TIME || key->kind == KIND_SIZE || key->kind == KIND_MODE);
}

bool key_is_choice(const struct key *key)
{
    return key->kind == KIND_SANDBOX || key->kind == KIND_NETWORK;
}

void keys_set_defaults(enum key_where where, void *target)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char *member = (char *)target + keys[i].offset;
        if (keys[i].where != where)
            continue;
        if (keys[i].kind == KIND_BOOL)
            *(bool *)member = keys[i].initial != 0;
        else if (is_number(&keys[i]))
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
