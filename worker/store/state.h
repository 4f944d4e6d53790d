/* state.h - what the files of the store share */
#ifndef DROVER_STORE_STATE_H
#define DROVER_STORE_STATE_H

#include <sys/types.h>

#include "worker/store/store.h"

struct store {
    char *path; /* absolute */
    struct store_hook hook;
};

struct store_lock {
    int file; /* its flock is the lock */
};

struct store_tmp {
    char *path;
    int folder; /* locked while it is in use, so that store_sweep() leaves it alone */
};

struct store_kind_row {
    const char *folder, *suffix;
    mode_t type; /* S_IFDIR or S_IFREG */
};

/* One row a kind, in the order of the enum. */
extern const struct store_kind_row store_kinds[STORE_KINDS];

/* Set `error` to the text and what errno `code` means; returns the status that belongs to it. */
enum drover_status store_fail(struct drover_error *error, int code, const char *format, ...) DROVER_PRINTF(3, 4);
enum drover_status store_no_memory(struct drover_error *error);

/* Tell the hook, if there is one. */
void store_step(const struct store *store, const char *what);

/* printf below the store's folder, for the caller to free(); NULL when there is no memory. */
char *store_below(const struct store *store, const char *format, ...) DROVER_PRINTF(2, 3);

/* fsync a folder by its path. */
enum drover_status store_sync_folder(const char *path, struct drover_error *error);

#endif
