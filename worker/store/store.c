/* store.c - opens a store, knows its layout and its entries (store.h) */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/store/state.h"

const struct store_kind_row store_kinds[STORE_KINDS] = {
#define STORE_KIND(NAME, folder, suffix, type) [STORE_##NAME] = {folder, suffix, type},
#include "worker/store/kinds.def"
#undef STORE_KIND
};

/* The folders, and who besides the owner may look into them: builds run as another user, who reads sources by path. */
static const struct {
    const char *name;
    mode_t mode;
} folders[] = {
    {"git", 0700}, {"src", 0755},   {"artefact", 0755},   {"build", 0755},
    {"tmp", 0711}, {"locks", 0700}, {"quarantine", 0700},
};

enum drover_status store_fail(struct drover_error *error, int code, const char *format, ...)
{
    char what[DROVER_ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    const char *why = strerrordesc_np(code);
    if (!why)
        return drover_error_set(error, sys_status_of(code), "%s: error %d", what, code);
    return drover_error_set(error, sys_status_of(code), "%s: %c%s", what, tolower((unsigned char)why[0]), why + 1);
}

enum drover_status store_no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "store: out of memory");
}

void store_step(const struct store *store, const char *what)
{
    if (store->hook.step)
        store->hook.step(what, store->hook.context);
}

char *store_below(const struct store *store, const char *format, ...)
{
    char *name = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&name, format, arguments);
    va_end(arguments);
    char *path = size < 0 ? NULL : text_format("%s/%s", store->path, name);
    if (size >= 0)
        free(name);
    return path;
}

enum drover_status store_sync_folder(const char *path, struct drover_error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return store_fail(error, errno, "folder '%s'", path);
    int code = fsync(folder) == 0 ? 0 : errno;
    close(folder);
    return code == 0 ? DROVER_OK : store_fail(error, code, "folder '%s': not written to the disk", path);
}

/* Make `path` unless it is there; `mode` is exact for a new one. */
static enum drover_status make_folder(const char *path, mode_t mode, struct drover_error *error)
{
    if (mkdir(path, 0700) == 0)
        return chmod(path, mode) == 0 ? DROVER_OK : store_fail(error, errno, "folder '%s'", path);
    int code = errno;
    struct stat about;
    if (code == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return DROVER_OK;
    return store_fail(error, code, "folder '%s' cannot be made", path);
}

/* Whoever may write to a store says what drivers are run. */
static enum drover_status check_owner(const char *path, struct drover_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return store_fail(error, errno, "store '%s'", path);
    if (about.st_uid != geteuid())
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "store '%s': belongs to user %u, not to user %u: run this as its owner", path,
                                about.st_uid, geteuid());
    if (about.st_mode & (S_IWGRP | S_IWOTH))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "store '%s': others may write to it: 'chmod go-w' it, if what it holds is trusted",
                                path);
    return DROVER_OK;
}

static enum drover_status make_layout(const struct store *store, struct drover_error *error)
{
    enum drover_status status = make_folder(store->path, 0755, error);
    if (status == DROVER_OK)
        status = check_owner(store->path, error);
    for (size_t i = 0; i < sizeof folders / sizeof *folders && status == DROVER_OK; i++) {
        char *path = store_below(store, "%s", folders[i].name);
        status = path ? make_folder(path, folders[i].mode, error) : store_no_memory(error);
        free(path);
    }
    return status;
}

enum drover_status store_open(const char *path, const struct store_hook *hook, struct store **ret,
                              struct drover_error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return store_no_memory(error);
    if (hook)
        store->hook = *hook;
    store->path = sys_absolute_path(path);
    enum drover_status status = store->path ? make_layout(store, error) : store_no_memory(error);
    if (status == DROVER_OK)
        *ret = store;
    else
        store_free(store);
    return status;
}

struct store *store_free(struct store *store)
{
    if (!store)
        return NULL;
    free(store->path);
    free(store);
    return NULL;
}

const char *store_kind_name(enum store_kind kind)
{
    return store_kinds[kind].folder;
}

bool store_is_name(const char *name)
{
    return strlen(name) == STORE_NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == STORE_NAME_SIZE - 1;
}

char *store_path(const struct store *store, enum store_kind kind, const char *name)
{
    return store_below(store, "%s/%s%s", store_kinds[kind].folder, name, store_kinds[kind].suffix);
}

bool store_has(const struct store *store, enum store_kind kind, const char *name)
{
    struct stat about;
    char *path = store_is_name(name) ? store_path(store, kind, name) : NULL;
    bool has = path && lstat(path, &about) == 0;
    free(path);
    return has;
}
