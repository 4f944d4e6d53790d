/* list.c - what is in a store, and what may go */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/store/state.h"
#include "worker/store/walk.h"

struct list {
    struct store_entry *items;
    size_t count, capacity;
};

static enum drover_status add_size(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    (void)error;
    *(uint64_t *)context += (uint64_t)entry->about->st_size;
    return DROVER_OK;
}

/* Size and time of an entry. False when it is gone. What is unreadable in it counts nothing: list it all the same. */
static bool measure(const char *path, struct store_entry *entry)
{
    static const struct walk_visitor visitor = {.file = add_size};
    struct drover_error ignored;
    struct stat about;
    if (lstat(path, &about) != 0)
        return false;
    entry->used_ms = (uint64_t)about.st_mtim.tv_sec * 1000 + (uint64_t)about.st_mtim.tv_nsec / 1000000;
    if (!S_ISDIR(about.st_mode))
        entry->bytes = (uint64_t)about.st_size;
    else
        (void)!walk_tree(path, &visitor, &entry->bytes, &ignored);
    return true;
}

static enum drover_status list_add(const struct store *store, struct list *list, enum store_kind kind, const char *name,
                                   struct drover_error *error)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct store_entry *items = reallocarray(list->items, capacity, sizeof *items);
        if (!items)
            return store_no_memory(error);
        list->items = items;
        list->capacity = capacity;
    }
    struct store_entry *entry = &list->items[list->count];
    *entry = (struct store_entry){.kind = kind};
    memcpy(entry->name, name, STORE_NAME_SIZE - 1);
    char *path = store_path(store, kind, entry->name);
    if (!path)
        return store_no_memory(error);
    list->count += measure(path, entry);
    free(path);
    return DROVER_OK;
}

/* Is `file` the name of an entry's file or folder? */
static bool is_entry(enum store_kind kind, const char *file)
{
    char name[STORE_NAME_SIZE] = "";
    if (strlen(file) != STORE_NAME_SIZE - 1 + strlen(store_kinds[kind].suffix))
        return false;
    memcpy(name, file, STORE_NAME_SIZE - 1);
    return store_is_name(name) && strcmp(file + STORE_NAME_SIZE - 1, store_kinds[kind].suffix) == 0;
}

static enum drover_status list_kind(const struct store *store, struct list *list, enum store_kind kind,
                                    struct drover_error *error)
{
    char *path = store_below(store, "%s", store_kinds[kind].folder);
    if (!path)
        return store_no_memory(error);
    enum drover_status status = DROVER_OK;
    DIR *stream = opendir(path);
    if (!stream) {
        status = store_fail(error, errno, "folder '%s'", path);
        free(path);
        return status;
    }
    struct dirent *entry;
    while (status == DROVER_OK && (entry = readdir(stream)) != NULL) {
        if (is_entry(kind, entry->d_name))
            status = list_add(store, list, kind, entry->d_name, error);
    }
    closedir(stream);
    free(path);
    return status;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct store_entry *first = a, *second = b;
    if (first->kind != second->kind)
        return first->kind < second->kind ? -1 : 1;
    return strcmp(first->name, second->name);
}

enum drover_status store_list(const struct store *store, struct store_entry **ret, size_t *ret_count,
                              struct drover_error *error)
{
    struct list list = {0};
    enum drover_status status = DROVER_OK;
    for (int kind = 0; kind < STORE_KINDS && status == DROVER_OK; kind++)
        status = list_kind(store, &list, (enum store_kind)kind, error);
    if (status != DROVER_OK) {
        free(list.items);
        return status;
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, by_kind_and_name);
    *ret = list.items;
    *ret_count = list.count;
    return DROVER_OK;
}
