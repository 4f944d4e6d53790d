/* look.c - `drover-store list` and `drover-store verify`: what is in the store, and whether it is sound */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "worker/store/program/program.h"

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- list ---- */

static json_t *entry_json(const struct store *store, const struct store_entry *entry)
{
    char *path = store_path(store, entry->kind, entry->name);
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:s?}", "kind", store_kind_name(entry->kind), "name", entry->name,
                             "bytes", (json_int_t)entry->bytes, "used_ms", (json_int_t)entry->used_ms, "path", path);
    free(path);
    return json;
}

static enum drover_status list_json(const struct store *store, const struct store_entry *entries, size_t count,
                                    uint64_t bytes, struct drover_error *error)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, entry_json(store, &entries[i])) != 0) {
            json_decref(list);
            return no_memory(error);
        }
    return program_print(json_pack("{s:o, s:I}", "entries", list, "bytes", (json_int_t)bytes), error);
}

static void print_entry(const struct store_entry *entry)
{
    char size[PROGRAM_SIZE_TEXT], used[32] = "";
    const time_t seconds = (time_t)(entry->used_ms / 1000);
    struct tm parts;
    if (localtime_r(&seconds, &parts))
        (void)strftime(used, sizeof used, "%Y-%m-%d %H:%M", &parts);
    printf("%-8s  %s  %10s  %s\n", store_kind_name(entry->kind), entry->name, program_size(entry->bytes, size), used);
}

enum drover_status program_list(const struct store *store, const struct program_options *options, const char *word,
                                int *ret_exit, /* NOLINT(readability-non-const-parameter): as all verbs */
                                struct drover_error *error)
{
    struct store_entry *entries = NULL;
    char size[PROGRAM_SIZE_TEXT];
    size_t count = 0;
    uint64_t bytes = 0;
    enum drover_status status = store_list(store, &entries, &count, error);
    (void)word;
    (void)ret_exit;
    for (size_t i = 0; status == DROVER_OK && i < count; i++)
        bytes += entries[i].bytes;
    if (status == DROVER_OK && options->json) {
        status = list_json(store, entries, count, bytes, error);
    } else if (status == DROVER_OK) {
        for (size_t i = 0; i < count; i++)
            print_entry(&entries[i]);
        printf("%zu %s, %s\n", count, count == 1 ? "entry" : "entries", program_size(bytes, size));
    }
    free(entries);
    return status;
}

/* ---- verify ---- */

struct check {
    const struct store *store;
    json_t *damaged;
    uint64_t checked, lost;
    bool json;
};

/* Note a damaged entry: its error text says where it is now. */
static enum drover_status note(struct check *check, const struct store_entry *entry, const struct drover_error *why,
                               struct drover_error *error)
{
    check->lost++;
    if (!check->json) {
        printf("%s\n", why->text);
        return DROVER_OK;
    }
    json_t *row =
        json_pack("{s:s, s:s, s:s}", "kind", store_kind_name(entry->kind), "name", entry->name, "message", why->text);
    return json_array_append_new(check->damaged, row) == 0 ? DROVER_OK : no_memory(error);
}

static enum drover_status check_entry(struct check *check, const struct store_entry *entry, struct drover_error *error)
{
    struct drover_error why = {0};
    const enum drover_status status = store_check(check->store, entry->kind, entry->name, &why);
    if (status == DROVER_NOT_FOUND) /* removed meanwhile */
        return DROVER_OK;
    check->checked++;
    if (status == DROVER_DATA_LOSS)
        return note(check, entry, &why, error);
    if (status != DROVER_OK)
        *error = why;
    return status;
}

static enum drover_status report(struct check *check, struct drover_error *error)
{
    if (check->json) {
        json_t *damaged = check->damaged;
        check->damaged = NULL;
        return program_print(json_pack("{s:I, s:o}", "checked", (json_int_t)check->checked, "damaged", damaged), error);
    }
    printf("checked: %" PRIu64 ", damaged: %" PRIu64 "%s\n", check->checked, check->lost,
           check->lost > 0 ? " (moved to quarantine; they are made again when they are needed)" : "");
    return DROVER_OK;
}

enum drover_status program_verify(const struct store *store, const struct program_options *options, const char *word,
                                  int *ret_exit, struct drover_error *error)
{
    struct check check = {.store = store, .json = options->json, .damaged = json_array()};
    struct store_entry *entries = NULL;
    size_t count = 0;
    enum drover_status status = check.damaged ? store_list(store, &entries, &count, error) : no_memory(error);
    (void)word;
    for (size_t i = 0; status == DROVER_OK && i < count; i++)
        status = check_entry(&check, &entries[i], error);
    if (status == DROVER_OK)
        status = report(&check, error);
    *ret_exit = check.lost > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    json_decref(check.damaged);
    free(entries);
    return status;
}
