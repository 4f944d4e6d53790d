/* tmp.c - private folders in which entries are made, and what dead processes left of them
 *
 * A folder below tmp/ is locked by its maker as long as it is in use. A new one is made while tmp/ itself is locked for
 * sharing: store_sweep(), which has it alone, never meets one that is made but not locked yet.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/store/state.h"
#include "worker/store/walk.h"

/* Open tmp/ and lock it. */
static enum drover_status lock_folder(const char *path, int operation, int *ret_folder, struct drover_error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return store_fail(error, errno, "folder '%s'", path);
    int code;
    do {
        code = flock(folder, operation) == 0 ? 0 : errno;
    } while (code == EINTR);
    if (code == 0) {
        *ret_folder = folder;
        return DROVER_OK;
    }
    close(folder);
    return store_fail(error, code, "folder '%s': not locked", path);
}

/* Make the folder `tmp->path`, whose last six letters are to be filled in, and lock it. */
static enum drover_status make(const struct store *store, struct store_tmp *tmp, struct drover_error *error)
{
    if (!mkdtemp(tmp->path))
        return store_fail(error, errno, "folder '%s' cannot be made", tmp->path);
    store_step(store, "make tmp");
    enum drover_status status = lock_folder(tmp->path, LOCK_EX, &tmp->folder, error);
    if (status != DROVER_OK)
        (void)rmdir(tmp->path);
    return status;
}

/* make(), while tmp/ is locked for sharing. */
static enum drover_status make_locked(const struct store *store, struct store_tmp *tmp, struct drover_error *error)
{
    int all = -1;
    char *above = store_below(store, "tmp");
    enum drover_status status = above ? lock_folder(above, LOCK_SH, &all, error) : store_no_memory(error);
    if (status == DROVER_OK)
        status = make(store, tmp, error);
    if (all >= 0)
        close(all);
    free(above);
    return status;
}

enum drover_status store_tmp_new(const struct store *store, const char *label, struct store_tmp **ret,
                                 struct drover_error *error)
{
    struct store_tmp *tmp = calloc(1, sizeof *tmp);
    if (!tmp)
        return store_no_memory(error);
    tmp->folder = -1;
    tmp->path = store_below(store, "tmp/%s-XXXXXX", label);
    enum drover_status status = tmp->path ? make_locked(store, tmp, error) : store_no_memory(error);
    if (status == DROVER_OK) {
        *ret = tmp;
    } else {
        free(tmp->path);
        free(tmp);
    }
    return status;
}

const char *store_tmp_path(const struct store_tmp *tmp)
{
    return tmp->path;
}

struct store_tmp *store_tmp_free(struct store_tmp *tmp)
{
    if (!tmp)
        return NULL;
    (void)walk_remove(AT_FDCWD, tmp->path);
    close(tmp->folder);
    free(tmp->path);
    free(tmp);
    return NULL;
}

/* Remove `name` of `folder` if nobody has it locked. True when it is gone. */
static bool sweep_one(int folder, const char *name)
{
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool free_to_go = file < 0 ? errno == ELOOP || errno == EACCES : flock(file, LOCK_EX | LOCK_NB) == 0;
    bool gone = free_to_go && walk_remove(folder, name) == 0;
    if (file >= 0)
        close(file);
    return gone;
}

/* sweep_one() for all that is in the open `folder`. */
static enum drover_status sweep_folder(int folder, const char *path, size_t *removed, struct drover_error *error)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        int code = errno;
        if (copy >= 0)
            close(copy);
        return store_fail(error, code, "folder '%s'", path);
    }
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *removed += sweep_one(folder, entry->d_name);
    }
    closedir(stream);
    return DROVER_OK;
}

enum drover_status store_sweep(const struct store *store, size_t *ret_removed, struct drover_error *error)
{
    static const char *const swept[] = {"tmp", "locks"};
    enum drover_status status = DROVER_OK;
    size_t removed[2] = {0};
    for (size_t i = 0; i < sizeof swept / sizeof *swept && status == DROVER_OK; i++) {
        int folder = -1;
        char *path = store_below(store, "%s", swept[i]);
        status = path ? lock_folder(path, LOCK_EX, &folder, error) : store_no_memory(error);
        if (status == DROVER_OK)
            status = sweep_folder(folder, path, &removed[i], error);
        if (folder >= 0)
            close(folder);
        free(path);
    }
    if (status == DROVER_OK && ret_removed)
        *ret_removed = removed[0];
    return status;
}
