/* keys.h - options.def as a table: which keys a map of the file may have, and where their values go */
#ifndef DROVER_CONFIG_KEYS_H
#define DROVER_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/node.h"

/* The maps of the file that have keys known beforehand. */
enum key_where {
    WHERE_root,
    WHERE_broker,
    WHERE_service,
    WHERE_queue,
    WHERE_restart,
    WHERE_fetch,
    WHERE_grants,
    WHERE_END,
};

enum key_kind {
    KIND_BOOL,
    KIND_NUMBER,
    KIND_TIME,
    KIND_SIZE,
    KIND_MODE,
    KIND_NAME,
    KIND_GROUP,
    KIND_USER,
    KIND_SCHEME,
    KIND_SANDBOX,
    KIND_NETWORK,
    KIND_REFERENCE,
    KIND_HASH,
    KIND_PATH,
    KIND_ENDPOINT,
    KIND_END, /* of those with one value */
    KIND_MAP,
    KIND_SERVICES,
    KIND_SETTINGS,
    KIND_PLANNED,
};

struct key {
    const char *name;
    enum key_where where;
    enum key_where inner; /* of a map */
    enum key_kind kind;   /* of a list: of its items */
    bool is_list;
    size_t offset;       /* of the member in struct config or struct config_service */
    size_t count_offset; /* of a list: of the member that counts */
    uint64_t low, high;  /* of a list: at most `high` items */
    uint64_t initial;    /* of a number or a choice: the default */
};

/* The key `name` of a map; NULL when there is none. */
const struct key *key_find(enum key_where where, const struct node *name);

/* Is it one of several words, kept as an enum? */
bool key_is_choice(const struct key *key);

/* Set all members that keys of `where` can set, and that are no strings, to their defaults in `target`. */
void keys_set_defaults(enum key_where where, void *target);

/* The implemented key nearest to `name` in writing; `extra` (which may be NULL) counts as one. NULL when none is
 * near. */
const char *key_nearest(enum key_where where, const char *name, const char *extra);

#endif
