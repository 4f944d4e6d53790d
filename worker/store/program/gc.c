/* gc.c - `drover-store gc`: removes what nobody has used for long; what runs, or is in the lock file, stays */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/text.h"
#include "common/load/lockfile.h"
#include "common/sys/sys.h"
#include "worker/store/program/program.h"

#define MAX_BYTES (UINT64_C(8) << 30)
#define CONTENT_PREFIX "sha256:"

/* What must stay. The names point into the lock, or are owned: those of mirrors. */
struct roots {
    struct store_root *items;
    size_t count;
    char (*mirrors)[STORE_NAME_SIZE];
};

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

static void add_root(struct roots *roots, enum store_kind kind, const char *name)
{
    roots->items[roots->count++] = (struct store_root){kind, name};
}

/* The mirror of a URL has its hash for a name. */
static void add_mirror(struct roots *roots, size_t index, const char *url)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)url, strlen(url));
    text_hex(hash, sizeof hash, roots->mirrors[index]);
    add_root(roots, STORE_GIT, roots->mirrors[index]);
}

static void add_entry(struct roots *roots, size_t index, const struct lock_entry *entry)
{
    add_mirror(roots, index, entry->url);
    add_root(roots, STORE_SRC, entry->content + strlen(CONTENT_PREFIX));
    for (size_t i = 0; i < entry->artefact_count; i++) {
        add_root(roots, STORE_BUILD, entry->artefacts[i].key);
        add_root(roots, STORE_ARTEFACT, entry->artefacts[i].sha256);
    }
}

static enum drover_status find_roots(const struct lock *lock, struct roots *roots, struct drover_error *error)
{
    size_t room = 1;
    for (size_t i = 0; i < lock->count; i++)
        room += 2 + 2 * lock->entries[i].artefact_count;
    roots->items = calloc(room, sizeof *roots->items);
    roots->mirrors = calloc(lock->count + 1, sizeof *roots->mirrors);
    if (!roots->items || !roots->mirrors)
        return no_memory(error);
    for (size_t i = 0; i < lock->count; i++)
        add_entry(roots, i, &lock->entries[i]);
    return DROVER_OK;
}

/* A lock file that cannot be understood ends it all: without it too much would be removed. */
static enum drover_status read_lock(const char *path, struct lock **ret, struct drover_error *error)
{
    struct config_messages messages;
    enum drover_status status = lockfile_read(path, ret, &messages);
    if (status != DROVER_OK)
        status = drover_error_set(error, status, "%s", messages.count > 0 ? messages.lines[0] : "out of memory");
    config_messages_done(&messages);
    return status;
}

static enum drover_status report(const struct store_gc_result *result, size_t swept, bool json,
                                 struct drover_error *error)
{
    char removed[PROGRAM_SIZE_TEXT], kept[PROGRAM_SIZE_TEXT];
    if (json)
        return program_print(json_pack("{s:I, s:I, s:I, s:I, s:I}", "removed", (json_int_t)result->removed,
                                       "removed_bytes", (json_int_t)result->removed_bytes, "kept",
                                       (json_int_t)result->kept, "kept_bytes", (json_int_t)result->kept_bytes, "swept",
                                       (json_int_t)swept),
                             error);
    printf("removed: %" PRIu64 " (%s), kept: %" PRIu64 " (%s)\n", result->removed,
           program_size(result->removed_bytes, removed), result->kept, program_size(result->kept_bytes, kept));
    return DROVER_OK;
}

static enum drover_status collect(const struct store *store, struct store_gc *gc, bool json, struct drover_error *error)
{
    struct store_gc_result result = {0};
    size_t swept = 0;
    enum drover_status status = store_sweep(store, &swept, error);
    if (status == DROVER_OK)
        status = store_gc(store, gc, &result, error);
    return status == DROVER_OK ? report(&result, swept, json, error) : status;
}

enum drover_status program_gc(const struct store *store, const struct program_options *options, const char *word,
                              int *ret_exit, /* NOLINT(readability-non-const-parameter): as all verbs */
                              struct drover_error *error)
{
    struct store_gc gc = {.now_ms = sys_wall_ms(),
                          .min_age_ms = options->min_age_ms,
                          .max_age_ms = options->max_age_ms,
                          .max_bytes = MAX_BYTES};
    struct roots roots = {0};
    struct lock *lock = NULL;
    enum drover_status status = DROVER_OK;
    (void)word;
    (void)ret_exit;
    if (options->max_size && !text_parse_size(options->max_size, &gc.max_bytes))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "'%s' is no size (write it as '512MiB')",
                                options->max_size);
    if (options->lock)
        status = read_lock(options->lock, &lock, error);
    if (status == DROVER_OK && lock)
        status = find_roots(lock, &roots, error);
    gc.roots = roots.items;
    gc.root_count = roots.count;
    if (status == DROVER_OK)
        status = collect(store, &gc, options->json, error);
    free(roots.items);
    free(roots.mirrors);
    lock_free(lock);
    return status;
}
