/* verify.c - are entries what their names say; and what is not goes into quarantine */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/store/state.h"

#define QUARANTINE_MAX 10000 /* of one entry */

/* Compare the hash of what is at `path` with its name. */
static enum drover_status compare(enum store_kind kind, const char *path, const char *name, struct drover_error *error)
{
    char hash[STORE_NAME_SIZE];
    struct drover_error why = {0};
    enum drover_status status = kind == STORE_SRC ? store_tree_hash(path, hash, &why) : sys_hash_file(path, hash, &why);
    if (status == DROVER_FAILED_PRECONDITION || status == DROVER_ABORTED)
        return drover_error_set(error, DROVER_DATA_LOSS, "store: %s '%.12s' is damaged: %.300s", store_kind_name(kind),
                                name, why.text);
    if (status != DROVER_OK)
        return drover_error_set(error, status, "%s", why.text);
    if (strcmp(hash, name) == 0)
        return DROVER_OK;
    return drover_error_set(error, DROVER_DATA_LOSS, "store: %s '%s' is damaged: its content has the hash %s",
                            store_kind_name(kind), name, hash);
}

/* Does the folder at `path` have all of `files`? */
static enum drover_status has_files(enum store_kind kind, const char *path, const char *name, const char *const *files,
                                    struct drover_error *error)
{
    for (; *files; files++) {
        struct stat about;
        char *file = text_format("%s/%s", path, *files);
        if (!file)
            return store_no_memory(error);
        bool has = lstat(file, &about) == 0 && S_ISREG(about.st_mode);
        free(file);
        if (!has)
            return drover_error_set(error, DROVER_DATA_LOSS, "store: %s '%.12s' is damaged: it has no file '%s'",
                                    store_kind_name(kind), name, *files);
    }
    return DROVER_OK;
}

static enum drover_status verify_at(enum store_kind kind, const char *path, const char *name,
                                    struct drover_error *error)
{
    static const char *const build_files[] = {"meta.json", "log.txt", NULL};
    static const char *const git_files[] = {"HEAD", "config", NULL};
    struct stat about;
    if (lstat(path, &about) != 0)
        return store_fail(error, errno, "store: %s '%s'", store_kind_name(kind), path);
    if ((about.st_mode & S_IFMT) != store_kinds[kind].type)
        return drover_error_set(error, DROVER_DATA_LOSS, "store: %s '%.12s' is damaged: it is of another type",
                                store_kind_name(kind), name);
    switch (kind) {
    case STORE_SRC:
    case STORE_ARTEFACT:
        return compare(kind, path, name, error);
    case STORE_GIT:
        return has_files(kind, path, name, git_files, error);
    case STORE_BUILD:
        return has_files(kind, path, name, build_files, error);
    case STORE_KINDS:
        break;
    }
    return drover_error_set(error, DROVER_INTERNAL, "store: a kind that is none");
}

enum drover_status store_verify(const struct store *store, enum store_kind kind, const char *name,
                                struct drover_error *error)
{
    if (!store_is_name(name))
        return drover_error_set(error, DROVER_NOT_FOUND, "store: '%s' is no name of a %s", name, store_kind_name(kind));
    char *path = store_path(store, kind, name);
    enum drover_status status = path ? verify_at(kind, path, name, error) : store_no_memory(error);
    free(path);
    return status;
}

/* Move `from` to a name in quarantine/ that is free. */
static enum drover_status put_aside(const struct store *store, enum store_kind kind, const char *name, const char *from,
                                    char **ret_path, struct drover_error *error)
{
    for (unsigned i = 1; i <= QUARANTINE_MAX; i++) {
        char *to = store_below(store, "quarantine/%s-%s.%u", store_kind_name(kind), name, i);
        if (!to)
            return store_no_memory(error);
        int code = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
        if (code == 0) {
            store_step(store, "quarantine");
            *ret_path = to;
            return DROVER_OK;
        }
        free(to);
        if (code != EEXIST)
            return store_fail(error, code, "store: '%s' cannot be moved to quarantine", from);
    }
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "store: '%s' is in quarantine %d times: look why", from,
                            QUARANTINE_MAX);
}

enum drover_status store_quarantine(const struct store *store, enum store_kind kind, const char *name, char **ret_path,
                                    struct drover_error *error)
{
    char *there = NULL;
    char *path = store_path(store, kind, name);
    enum drover_status status = path ? put_aside(store, kind, name, path, &there, error) : store_no_memory(error);
    free(path);
    if (status == DROVER_OK && ret_path)
        *ret_path = there;
    else
        free(there);
    return status;
}

enum drover_status store_check(const struct store *store, enum store_kind kind, const char *name,
                               struct drover_error *error)
{
    struct drover_error why = {0};
    struct store_lock *lock = NULL;
    char *there = NULL;
    enum drover_status status = store_verify(store, kind, name, error);
    if (status != DROVER_DATA_LOSS)
        return status;
    /* Another process may have put it aside and made it anew meanwhile: the new one must stay. */
    status = store_lock(store, "quarantine", STORE_NO_DEADLINE, &lock, error);
    if (status != DROVER_OK)
        return status;
    status = store_verify(store, kind, name, &why);
    if (status == DROVER_DATA_LOSS)
        status = store_quarantine(store, kind, name, &there, error);
    else
        (void)drover_error_set(error, status, "%s", why.text);
    if (there)
        status = drover_error_set(error, DROVER_DATA_LOSS, "%.300s; it is now '%s'", why.text, there);
    free(there);
    store_unlock(lock);
    return status;
}
