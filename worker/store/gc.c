/* gc.c - removes entries: one by name, or those that nobody needs
 *
 * An entry disappears by one rename into tmp/ and is taken apart there. Who holds an entry (store_hold()) has its file
 * locked: it is removed only by who can lock it alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/store/state.h"

/* Move the entry at `path` into `tmp` if nobody holds it. 0 or an errno; EWOULDBLOCK when somebody does. */
static int take_away(const char *path, const struct store_tmp *tmp)
{
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return errno;
    int code = flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    char *to = code == 0 ? text_format("%s/gone", tmp->path) : NULL;
    if (code == 0)
        code = !to ? ENOMEM : rename(path, to) == 0 ? 0 : errno;
    free(to);
    close(file);
    return code;
}

enum drover_status store_remove(const struct store *store, enum store_kind kind, const char *name,
                                struct drover_error *error)
{
    if (!store_has(store, kind, name))
        return drover_error_set(error, DROVER_NOT_FOUND, "store: %s '%s' is not in it", store_kind_name(kind), name);
    struct store_tmp *tmp = NULL;
    enum drover_status status = store_tmp_new(store, "remove", &tmp, error);
    if (status != DROVER_OK)
        return status;
    char *path = store_path(store, kind, name);
    int code = path ? take_away(path, tmp) : ENOMEM;
    if (code == EWOULDBLOCK)
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION, "store: %s '%s' is in use", store_kind_name(kind),
                                  name);
    else if (code != 0)
        status = store_fail(error, code, "store: %s '%s' cannot be removed", store_kind_name(kind), name);
    else
        store_step(store, "remove");
    free(path);
    store_tmp_free(tmp);
    return status;
}

static bool is_root(const struct store_gc *gc, const struct store_entry *entry)
{
    for (size_t i = 0; i < gc->root_count; i++) {
        if (gc->roots[i].kind == entry->kind && strcmp(gc->roots[i].name, entry->name) == 0)
            return true;
    }
    return false;
}

static int by_last_use(const void *a, const void *b)
{
    const struct store_entry *first = a, *second = b;
    if (first->used_ms != second->used_ms)
        return first->used_ms < second->used_ms ? -1 : 1;
    return strcmp(first->name, second->name);
}

/* How long ago the entry was used; a time to come is now. */
static uint64_t age_ms(const struct store_gc *gc, const struct store_entry *entry)
{
    return gc->now_ms > entry->used_ms ? gc->now_ms - entry->used_ms : 0;
}

enum drover_status store_gc(const struct store *store, const struct store_gc *gc, struct store_gc_result *ret,
                            struct drover_error *error)
{
    struct store_gc_result result = {0};
    struct store_entry *entries = NULL;
    size_t count = 0;
    enum drover_status status = store_list(store, &entries, &count, error);
    if (status != DROVER_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        result.kept_bytes += entries[i].bytes;
    result.kept = count;
    if (count > 1)
        qsort(entries, count, sizeof *entries, by_last_use);
    for (size_t i = 0; i < count && status == DROVER_OK; i++) {
        const struct store_entry *entry = &entries[i];
        const uint64_t age = age_ms(gc, entry);
        if (is_root(gc, entry) || age < gc->min_age_ms)
            continue;
        if (age <= gc->max_age_ms && result.kept_bytes <= gc->max_bytes)
            continue;
        status = store_remove(store, entry->kind, entry->name, error);
        if (status == DROVER_OK) {
            result.removed++;
            result.removed_bytes += entry->bytes;
            result.kept--;
            result.kept_bytes -= entry->bytes;
        } else if (status == DROVER_NOT_FOUND || status == DROVER_FAILED_PRECONDITION) {
            status = DROVER_OK; /* somebody was first, or is using it */
        }
    }
    free(entries);
    if (status == DROVER_OK)
        *ret = result;
    return status;
}
