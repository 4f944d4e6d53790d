/* publish.c - makes what lies in tmp/ an entry
 *
 * START: the part lies in a private folder below tmp/. OPERATION: modes are made uniform, everything is written to the
 * disk, files first, folders after what is in them; then one rename, which fails if somebody was first; then the folder
 * that has the new name is written to the disk. END: the entry is there, whole, also after the power was cut; or `part`
 * is where it was.
 */
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
#include "worker/store/walk.h"

#define FILE_MODE 0644
#define PROGRAM_MODE 0755
#define FOLDER_MODE 0755
#define ARTEFACT_MODE 0555

/* Give an entry of the tree the mode that all of its kind have, and let its bytes start on their way. */
static enum drover_status tidy_file(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    (void)context;
    if (fchmod(entry->file, entry->about->st_mode & S_IXUSR ? PROGRAM_MODE : FILE_MODE) != 0)
        return store_fail(error, errno, "file '%s'", entry->path);
    /* Only a hint: it makes the fsync() of many small files one journal's commit instead of one each. */
    (void)sync_file_range(entry->file, 0, 0, SYNC_FILE_RANGE_WRITE);
    return DROVER_OK;
}

static enum drover_status tidy_folder(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    (void)context;
    return fchmod(entry->file, FOLDER_MODE) == 0 ? DROVER_OK : store_fail(error, errno, "folder '%s'", entry->path);
}

static enum drover_status sync_entry(const struct walk_entry *entry, void *context, struct drover_error *error)
{
    const struct store *store = context;
    if (fsync(entry->file) != 0)
        return store_fail(error, errno, "'%s': not written to the disk", entry->path);
    store_step(store, S_ISDIR(entry->about->st_mode) ? "sync folder" : "sync file");
    return DROVER_OK;
}

/* Give all of the part at `path` the modes of its kind. */
static enum drover_status tidy(enum store_kind kind, const char *path, struct drover_error *error)
{
    static const struct walk_visitor visitor = {.file = tidy_file, .folder = tidy_folder};
    if (kind == STORE_GIT)
        return DROVER_OK; /* its modes are libgit2's business */
    if (store_kinds[kind].type == S_IFDIR)
        return walk_tree(path, &visitor, NULL, error);
    return chmod(path, ARTEFACT_MODE) == 0 ? DROVER_OK : store_fail(error, errno, "file '%s'", path);
}

static enum drover_status sync_file(const struct store *store, const char *path, struct drover_error *error)
{
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return store_fail(error, errno, "file '%s'", path);
    int code = fsync(file) == 0 ? 0 : errno;
    close(file);
    if (code != 0)
        return store_fail(error, code, "file '%s': not written to the disk", path);
    store_step(store, "sync file");
    return DROVER_OK;
}

/* Bring all of the part at `path` to the disk. */
static enum drover_status sync_part(const struct store *store, enum store_kind kind, const char *path,
                                    struct drover_error *error)
{
    static const struct walk_visitor visitor = {.file = sync_entry, .folder = sync_entry};
    struct store copy = *store;
    if (store_kinds[kind].type == S_IFDIR)
        return walk_tree(path, &visitor, &copy, error);
    return sync_file(store, path, error);
}

/* Is `path` of the type that the kind's entries are? */
static enum drover_status check_type(enum store_kind kind, const char *path, struct drover_error *error)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return store_fail(error, errno, "'%s'", path);
    if ((about.st_mode & S_IFMT) == store_kinds[kind].type)
        return DROVER_OK;
    return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': no %s, which each %s is", path,
                            store_kinds[kind].type == S_IFDIR ? "folder" : "regular file", store_kinds[kind].folder);
}

/* Rename `from` to the entry's place and write that to the disk. 0 or an errno; EEXIST when there is one. */
static int rename_to_entry(const struct store *store, enum store_kind kind, const char *from, const char *to,
                           struct drover_error *error)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
        return errno;
    store_step(store, "rename");
    char *above = store_below(store, "%s", store_kinds[kind].folder);
    enum drover_status status = above ? store_sync_folder(above, error) : store_no_memory(error);
    free(above);
    store_step(store, "sync parent");
    return status == DROVER_OK ? 0 : EIO;
}

/* Make `from`, which is on the disk, the entry `name`. A damaged entry that is in the way is put aside, once. */
static enum drover_status take_place(const struct store *store, enum store_kind kind, const char *name,
                                     const char *from, bool *ret_is_new, struct drover_error *error)
{
    char *to = store_path(store, kind, name);
    if (!to)
        return store_no_memory(error);
    enum drover_status status = DROVER_OK;
    int code = rename_to_entry(store, kind, from, to, error);
    if (code == EEXIST) {
        status = store_check(store, kind, name, error);
        if (status == DROVER_DATA_LOSS || status == DROVER_NOT_FOUND) {
            status = DROVER_OK;
            code = rename_to_entry(store, kind, from, to, error);
        }
    }
    if (code != 0 && code != EEXIST)
        status = store_fail(error, code, "store: '%s' cannot be published", to);
    else if (status == DROVER_OK && ret_is_new)
        *ret_is_new = code == 0;
    free(to);
    return status;
}

/* What comes before the name of an entry is known: the part is of the right type, and tidy. */
static enum drover_status prepare(enum store_kind kind, const char *path, struct drover_error *error)
{
    enum drover_status status = check_type(kind, path, error);
    return status == DROVER_OK ? tidy(kind, path, error) : status;
}

static char *part_path(const struct store_tmp *tmp, const char *part)
{
    return text_format("%s/%s", tmp->path, part);
}

/* NOLINTNEXTLINE(readability-function-size): what, where from and two results */
enum drover_status store_publish_named(const struct store *store, enum store_kind kind, const char *name,
                                       const struct store_tmp *tmp, const char *part, bool *ret_is_new,
                                       struct drover_error *error)
{
    if (!store_is_name(name))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "store: '%s' is no name of a %s", name,
                                store_kind_name(kind));
    char *path = part_path(tmp, part);
    if (!path)
        return store_no_memory(error);
    enum drover_status status = prepare(kind, path, error);
    if (status == DROVER_OK)
        status = sync_part(store, kind, path, error);
    if (status == DROVER_OK)
        status = take_place(store, kind, name, path, ret_is_new, error);
    free(path);
    return status;
}

static enum drover_status publish_content(const struct store *store, enum store_kind kind, const char *path,
                                          char name[STORE_NAME_SIZE], struct drover_error *error)
{
    struct drover_error ignored;
    enum drover_status status = prepare(kind, path, error);
    if (status == DROVER_OK)
        status = kind == STORE_SRC ? store_tree_hash(path, name, error) : sys_hash_file(path, name, error);
    /* What is there and sound need not be written to the disk again. */
    if (status != DROVER_OK || (store_has(store, kind, name) && store_verify(store, kind, name, &ignored) == DROVER_OK))
        return status;
    status = sync_part(store, kind, path, error);
    return status == DROVER_OK ? take_place(store, kind, name, path, NULL, error) : status;
}

enum drover_status store_publish_content(const struct store *store, enum store_kind kind, const struct store_tmp *tmp,
                                         const char *part, char ret_name[STORE_NAME_SIZE], struct drover_error *error)
{
    char name[STORE_NAME_SIZE];
    char *path = part_path(tmp, part);
    if (!path)
        return store_no_memory(error);
    enum drover_status status = publish_content(store, kind, path, name, error);
    if (status == DROVER_OK)
        memcpy(ret_name, name, sizeof name);
    free(path);
    return status;
}
