/* export.c - writes the files of a commit into a folder, and nothing but files */
#include "worker/fetch/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/fetch/library.h"
#include "worker/fetch/names.h"

#define DEPTH_MAX 32
#define PATH_SIZE 4096

#define MODE_FOLDER 0040000
#define MODE_FILE 0100644
#define MODE_FILE_GROUP 0100664 /* what very old versions of git wrote */
#define MODE_PROGRAM 0100755
#define MODE_LINK 0120000
#define MODE_SUBMODULE 0160000

struct exporter {
    const struct request *request;
    git_repository *repository;
    git_odb *odb;
    uint64_t entries, bytes;
    unsigned depth;
    size_t path_size;
    char path[PATH_SIZE]; /* of the entry at hand, from the top of the tree */
    struct drover_error *error;
};

/* An error at the entry at hand. */
static enum drover_status refuse(struct exporter *exporter, enum drover_status status, const char *what)
{
    char shown[200];
    text_printable(exporter->path, exporter->path_size, shown, sizeof shown);
    return drover_error_set(exporter->error, status, "'%s': '%s' %s", exporter->request->shown, shown, what);
}

static enum drover_status fail_to_write(struct exporter *exporter)
{
    const int code = errno;
    char what[128];
    snprintf(what, sizeof what, "cannot be written: %s", strerrordesc_np(code));
    return refuse(exporter, code == ENOSPC || code == EDQUOT ? DROVER_RESOURCE_EXHAUSTED : DROVER_INTERNAL, what);
}

static enum drover_status refuse_mode(struct exporter *exporter, unsigned mode)
{
    char what[96];
    if (mode == MODE_LINK)
        return refuse(exporter, DROVER_FAILED_PRECONDITION, "is a symlink, which a driver's source may not have");
    if (mode == MODE_SUBMODULE)
        return refuse(exporter, DROVER_FAILED_PRECONDITION, "is a submodule, which a driver's source may not have");
    if (mode & (S_ISUID | S_ISGID | S_ISVTX))
        snprintf(what, sizeof what, "is %s (mode %o), which a driver's source may not have",
                 mode & S_ISUID   ? "setuid"
                 : mode & S_ISGID ? "setgid"
                                  : "sticky",
                 mode);
    else
        snprintf(what, sizeof what, "has the mode %o: only 100644 and 100755 are allowed", mode);
    return refuse(exporter, DROVER_FAILED_PRECONDITION, what);
}

static enum drover_status check_entry(struct exporter *exporter, const char *name, unsigned mode)
{
    char what[96];
    if (++exporter->entries > exporter->request->max_entries) {
        snprintf(what, sizeof what, "is one entry too many: no more than %" PRIu64 " are allowed (--max-entries)",
                 exporter->request->max_entries);
        return refuse(exporter, DROVER_RESOURCE_EXHAUSTED, what);
    }
    const char *mistake = names_mistake(name);
    if (mistake) {
        snprintf(what, sizeof what, "has a name that %s", mistake);
        return refuse(exporter, DROVER_FAILED_PRECONDITION, what);
    }
    if (mode != MODE_FOLDER && mode != MODE_FILE && mode != MODE_FILE_GROUP && mode != MODE_PROGRAM)
        return refuse_mode(exporter, mode);
    return DROVER_OK;
}

/* Look at the object's type and size before it is read: a few hundred octets may stand for gigabytes. */
static enum drover_status check_size(struct exporter *exporter, const git_oid *id)
{
    char what[96];
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (git_odb_read_header(&size, &type, exporter->odb, id) != 0 || type != GIT_OBJECT_BLOB)
        return refuse(exporter, DROVER_DATA_LOSS, "is missing or damaged in the mirror");
    if (size <= exporter->request->max_bytes - exporter->bytes) {
        exporter->bytes += size;
        return DROVER_OK;
    }
    snprintf(what, sizeof what, "is too large: all files may have %" PRIu64 " bytes (--max-bytes)",
             exporter->request->max_bytes);
    return refuse(exporter, DROVER_RESOURCE_EXHAUSTED, what);
}

static bool write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, data, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return true;
}

static enum drover_status export_file(struct exporter *exporter, int folder, const git_tree_entry *entry)
{
    const git_oid *id = git_tree_entry_id(entry);
    const mode_t mode = git_tree_entry_filemode_raw(entry) == MODE_PROGRAM ? 0755 : 0644;
    git_odb_object *object = NULL;
    enum drover_status status = check_size(exporter, id);
    if (status != DROVER_OK)
        return status;
    if (git_odb_read(&object, exporter->odb, id) != 0)
        return refuse(exporter, DROVER_DATA_LOSS, "is missing or damaged in the mirror");
    int file = openat(folder, git_tree_entry_name(entry), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST)
        status = refuse(exporter, DROVER_FAILED_PRECONDITION, "is there twice");
    else if (file < 0 || !write_all(file, git_odb_object_data(object), git_odb_object_size(object)))
        status = fail_to_write(exporter);
    if (file >= 0 && close(file) != 0 && status == DROVER_OK)
        status = fail_to_write(exporter);
    git_odb_object_free(object);
    return status;
}

static enum drover_status export_tree(struct exporter *exporter, int folder, const git_oid *id);

static enum drover_status export_folder(struct exporter *exporter, int folder, const git_tree_entry *entry)
{
    const char *name = git_tree_entry_name(entry);
    if (exporter->depth == DEPTH_MAX)
        return refuse(exporter, DROVER_RESOURCE_EXHAUSTED, "is too deep");
    if (mkdirat(folder, name, 0755) != 0)
        return errno == EEXIST ? refuse(exporter, DROVER_FAILED_PRECONDITION, "is there twice")
                               : fail_to_write(exporter);
    int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return fail_to_write(exporter);
    exporter->depth++;
    const enum drover_status status = export_tree(exporter, inner, git_tree_entry_id(entry));
    exporter->depth--;
    close(inner);
    return status;
}

static enum drover_status export_entry(struct exporter *exporter, int folder, const git_tree_entry *entry)
{
    const char *name = git_tree_entry_name(entry);
    const unsigned mode = (unsigned)git_tree_entry_filemode_raw(entry);
    const size_t start = exporter->path_size, room = sizeof exporter->path - start;
    const int size = snprintf(exporter->path + start, room, "%s%s", start ? "/" : "", name);
    enum drover_status status;
    if ((size_t)size >= room) {
        status = refuse(exporter, DROVER_RESOURCE_EXHAUSTED, "has an entry that is too deep");
    } else {
        exporter->path_size += (size_t)size;
        status = check_entry(exporter, name, mode);
        if (status == DROVER_OK)
            status =
                mode == MODE_FOLDER ? export_folder(exporter, folder, entry) : export_file(exporter, folder, entry);
    }
    exporter->path_size = start;
    exporter->path[start] = '\0';
    return status;
}

static enum drover_status export_tree(struct exporter *exporter, int folder, const git_oid *id)
{
    git_tree *tree = NULL;
    enum drover_status status = DROVER_OK;
    if (git_tree_lookup(&tree, exporter->repository, id) != 0)
        return refuse(exporter, DROVER_DATA_LOSS, "is missing or damaged in the mirror");
    const size_t count = git_tree_entrycount(tree);
    for (size_t i = 0; i < count && status == DROVER_OK; i++)
        status = export_entry(exporter, folder, git_tree_entry_byindex(tree, i));
    git_tree_free(tree);
    return status;
}

/* The tree of the commit, or of the subfolder that the request wants. */
static enum drover_status find_tree(git_repository *repository, const struct request *request, const git_oid *id,
                                    git_oid *ret, struct drover_error *error)
{
    git_commit *commit = NULL;
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    enum drover_status status = DROVER_OK;
    int code = git_commit_lookup(&commit, repository, id);
    if (code == 0)
        code = git_commit_tree(&tree, commit);
    if (code != 0) {
        (void)library_error(code, request, "its mirror is damaged", error);
        status = drover_error_set(error, DROVER_DATA_LOSS, "%s", error->text);
    } else if (!request->subdir) {
        *ret = *git_tree_id(tree);
    } else if (git_tree_entry_bypath(&entry, tree, request->subdir) != 0) {
        status = drover_error_set(error, DROVER_NOT_FOUND, "'%s': has no folder '%.200s' at this commit",
                                  request->shown, request->subdir);
    } else if (git_tree_entry_filemode_raw(entry) != GIT_FILEMODE_TREE) {
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': '%.200s' is %s, no folder", request->shown,
                                  request->subdir,
                                  git_tree_entry_filemode_raw(entry) == GIT_FILEMODE_LINK     ? "a symlink"
                                  : git_tree_entry_filemode_raw(entry) == GIT_FILEMODE_COMMIT ? "a submodule"
                                                                                              : "a file");
    } else {
        *ret = *git_tree_entry_id(entry);
    }
    git_tree_entry_free(entry);
    git_tree_free(tree);
    git_commit_free(commit);
    return status;
}

enum drover_status export_commit(git_repository *repository, const struct request *request, const git_oid *commit,
                                 const char *path, git_oid *ret_tree, struct drover_error *error)
{
    git_oid tree;
    struct exporter exporter = {.request = request, .repository = repository, .error = error};
    enum drover_status status = find_tree(repository, request, commit, &tree, error);
    if (status != DROVER_OK)
        return status;
    int folder = -1;
    if (mkdir(path, 0755) == 0)
        folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return fail_to_write(&exporter);
    const int code = git_repository_odb(&exporter.odb, repository);
    status = code == 0 ? export_tree(&exporter, folder, &tree) : library_error(code, request, "its mirror", error);
    git_odb_free(exporter.odb);
    close(folder);
    if (status == DROVER_OK)
        *ret_tree = tree;
    return status;
}
