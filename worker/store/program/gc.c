/* gc.c - `drover-store gc`: removes what nobody has used for long; what runs, what is in the lock file, and what
 * services remember to go back to, stays */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/store/program/program.h"
#include "worker/store/program/roots.h"

#define MAX_BYTES (UINT64_C(8) << 30)

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

/* A broker has both of them in its state_dir, and the store may be a link to somewhere else. */
static char *versions_beside(const char *store)
{
    char *path = text_format("%s/../versions", store), *plain = path ? sys_absolute_path(path) : NULL;
    free(path);
    return plain;
}

static enum drover_status add_beside(const char *store, struct roots *roots, struct drover_error *error)
{
    char *folder = versions_beside(store);
    enum drover_status status = folder ? roots_add_versions(roots, folder, error)
                                       : drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    free(folder);
    return status;
}

static enum drover_status find_roots(const struct program_options *options, struct roots *roots,
                                     struct drover_error *error)
{
    enum drover_status status = options->lock ? roots_add_lock(roots, options->lock, error) : DROVER_OK;
    if (status != DROVER_OK)
        return status;
    if (options->versions)
        return roots_add_versions(roots, options->versions, error);
    return add_beside(options->store, roots, error);
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
    (void)word;
    (void)ret_exit;
    if (options->max_size && !text_parse_size(options->max_size, &gc.max_bytes))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "'%s' is no size (write it as '512MiB')",
                                options->max_size);
    enum drover_status status = find_roots(options, &roots, error);
    gc.roots = roots.items;
    gc.root_count = roots.count;
    if (status == DROVER_OK)
        status = collect(store, &gc, options->json, error);
    roots_done(&roots);
    return status;
}
