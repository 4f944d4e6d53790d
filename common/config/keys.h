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
    WHERE_self_test,
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
    KIND_METHOD,
    KIND_STATUS,
    KIND_BY_HAND,   /* auto or manual: true is manual */
    KIND_BY_ITSELF, /* manual or auto: true is auto */
    KIND_END,       /* of those with one value */
    KIND_MAP,
    KIND_SERVICES,
    KIND_SETTINGS,
    KIND_REQUEST,
    KIND_PLANNED,
};

/* What it takes to change a key while the broker runs. */
enum key_change {
    CHANGE_NOTHING,     /* nothing that runs depends on it */
    CHANGE_ADJUST,      /* its service's limits and timings are set */
    CHANGE_RECONFIGURE, /* its service's workers get other settings */
    CHANGE_REPLACE,     /* its service gets other workers */
    CHANGE_FETCHED,     /* the services whose drivers come from repositories are adjusted */
    CHANGE_RESTART,     /* the broker must be restarted */
};

/* Which struct a key fills in. */
enum key_owner {
    OF_config,
    OF_config_service,
};

struct key {
    const char *name;
    enum key_where where;
    enum key_where inner; /* of a map */
    enum key_kind kind;   /* of a list: of its items */
    enum key_change change;
    enum key_owner owner;
    bool is_list;
    size_t offset;       /* of the member in struct config or struct config_service */
    size_t count_offset; /* of a list: of the member that counts */
    uint64_t low, high;  /* of a list: at most `high` items */
    uint64_t initial;    /* of a number or a choice: the default */
};

/* The keys one by one; NULL beyond the last. */
const struct key *key_at(size_t index);

/* The key `name` of a map; NULL when there is none. */
const struct key *key_find(enum key_where where, const struct node *name);

/* Is it one of several words, kept as an enum? */
bool key_is_choice(const struct key *key);

/* Is it one of two words, kept as a bool? */
bool key_is_switch(const struct key *key);

/* Is it a number, kept as an uint64_t? */
bool key_is_number(const struct key *key);

/* Write a key with the maps that it stands in, "broker.fetch.allow" or, of a service, "queue.calls", into `buffer`.
 * Returns it. */
const char *key_path(const struct key *key, char *buffer, size_t size);

/* Set all members that keys of `where` can set, and that are no strings, to their defaults in `target`. */
void keys_set_defaults(enum key_where where, void *target);

/* The implemented key nearest to `name` in writing; `extra` (which may be NULL) counts as one. NULL when none is
 * near. */
const char *key_nearest(enum key_where where, const char *name, const char *extra);

#endif
