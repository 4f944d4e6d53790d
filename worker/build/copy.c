/* copy.c - copies a source tree, without following a link (copy.h)
 *
 * OPERATION: folders are opened relative to their parents, so a name that changes into a link while we copy leads
 * nowhere. Limits are counted over the whole tree.
 */
#include "worker/build/copy.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/build/trouble.h"

#define CHUNK_SIZE ((size_t)32 * 1024)

struct copier {
    const struct owner *owner;
    uint64_t bytes_left;
    unsigned entries_left;
};

/* A folder that is copied. */
struct level {
    int from, to;
    const char *path; /* from the top, for messages */
    unsigned depth;
};

static bool is_version_control(const char *name)
{
    return strcmp(name, ".git") == 0 || strcmp(name, ".hg") == 0 || strcmp(name, ".svn") == 0;
}

static bool is_compiled(const unsigned char *head, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
    } kinds[] = {{"\177ELF", 4}, {"!<arch>\n", 8}, {"!<thin>\n", 8}, {"gpch", 4}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (size >= kinds[i].size && memcmp(head, kinds[i].magic, kinds[i].size) == 0)
            return true;
    }
    return false;
}

static bool write_all(int file, const unsigned char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* Copy what is in `from`, at most `*bytes_left`, which is counted down. */
static enum drover_status copy_bytes(int from, int to, const char *path, uint64_t *bytes_left, bool *ret_compiled,
                                     struct drover_error *error)
{
    unsigned char chunk[CHUNK_SIZE];
    bool first = true;
    for (;;) {
        const ssize_t got = read(from, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return trouble_errno(error, errno, "file '%s'", path);
        if (got == 0)
            return DROVER_OK;
        if ((uint64_t)got > *bytes_left)
            return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "file '%s': more than a driver may hold", path);
        if (first)
            *ret_compiled = is_compiled(chunk, (size_t)got);
        first = false;
        *bytes_left -= (uint64_t)got;
        if (!write_all(to, chunk, (size_t)got))
            return trouble_errno(error, errno, "copy of '%s'", path);
    }
}

static bool give(int file, const struct owner *owner)
{
    return owner->uid == (uid_t)-1 || fchown(file, owner->uid, owner->gid) == 0;
}

static bool set_time(int file, time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    return futimens(file, times) == 0;
}

static enum drover_status copy_regular(struct copier *copier, const struct level *level, const char *name,
                                       const char *path, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    struct stat about;
    bool compiled = false;
    int to = -1;
    const int from = openat(level->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0 || fstat(from, &about) != 0) {
        status = trouble_errno(error, errno, "file '%s'", path);
    } else {
        const mode_t mode = about.st_mode & S_IXUSR ? 0755 : 0644;
        to = openat(level->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (to < 0)
            status = trouble_errno(error, errno, "copy of '%s'", path);
        else
            status = copy_bytes(from, to, path, &copier->bytes_left, &compiled, error);
        if (status == DROVER_OK &&
            (fchmod(to, mode) != 0 || !give(to, copier->owner) || !set_time(to, compiled ? 1 : COPY_TIME)))
            status = trouble_errno(error, errno, "copy of '%s'", path);
    }
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return status;
}

static enum drover_status copy_level(struct copier *copier, const struct level *level, struct drover_error *error);

static enum drover_status copy_folder(struct copier *copier, const struct level *above, const char *name,
                                      const char *path, struct drover_error *error)
{
    struct level level = {.path = path, .depth = above->depth + 1, .from = -1, .to = -1};
    enum drover_status status = DROVER_OK;
    if (level.depth > COPY_DEPTH_MAX)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "folder '%s': deeper than %d levels", path,
                                COPY_DEPTH_MAX);
    level.from = openat(above->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (level.from < 0)
        return trouble_errno(error, errno, "folder '%s'", path);
    if (mkdirat(above->to, name, 0755) == 0)
        level.to = openat(above->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (level.to < 0 || fchmod(level.to, 0755) != 0 || !give(level.to, copier->owner))
        status = trouble_errno(error, errno, "copy of '%s'", path);
    else
        status = copy_level(copier, &level, error);
    close(level.from);
    if (level.to >= 0)
        close(level.to);
    return status;
}

static enum drover_status copy_entry(struct copier *copier, const struct level *level, const char *name,
                                     struct drover_error *error)
{
    struct stat about;
    if (copier->entries_left-- == 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "folder '%s': more than %d files", level->path,
                                COPY_ENTRIES_MAX);
    char *path = text_format("%s/%s", level->path, name);
    if (!path)
        return trouble_memory(error);
    enum drover_status status;
    if (fstatat(level->from, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        status = trouble_errno(error, errno, "'%s'", path);
    else if (S_ISDIR(about.st_mode))
        status = is_version_control(name) ? DROVER_OK : copy_folder(copier, level, name, path, error);
    else if (S_ISREG(about.st_mode))
        status = is_version_control(name) ? DROVER_OK : copy_regular(copier, level, name, path, error);
    else
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                  "'%s': a driver's source may hold files and folders only, not a %s", path,
                                  S_ISLNK(about.st_mode) ? "symlink" : "device, pipe or socket");
    free(path);
    return status;
}

static enum drover_status copy_level(struct copier *copier, const struct level *level, struct drover_error *error)
{
    const int copy = openat(level->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        const int code = errno;
        if (copy >= 0)
            close(copy);
        return trouble_errno(error, code, "folder '%s'", level->path);
    }
    enum drover_status status = DROVER_OK;
    struct dirent *entry;
    while (status == DROVER_OK && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = copy_entry(copier, level, entry->d_name, error);
    }
    closedir(stream);
    return status;
}

enum drover_status copy_tree(const char *from, const char *to, const struct owner *owner, struct drover_error *error)
{
    struct copier copier = {.owner = owner, .bytes_left = COPY_BYTES_MAX, .entries_left = COPY_ENTRIES_MAX};
    struct level level = {.path = from, .from = -1, .to = -1};
    enum drover_status status = DROVER_OK;
    level.from = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (level.from < 0)
        return errno == ENOTDIR ? drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is no folder", from)
                                : trouble_errno(error, errno, "folder '%s'", from);
    if (mkdir(to, 0755) == 0)
        level.to = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (level.to < 0 || fchmod(level.to, 0755) != 0 || !give(level.to, owner))
        status = trouble_errno(error, errno, "folder '%s'", to);
    else
        status = copy_level(&copier, &level, error);
    close(level.from);
    if (level.to >= 0)
        close(level.to);
    return status;
}

/* NOLINTNEXTLINE(readability-function-size): from, called, to, mode, limit and an error */
enum drover_status copy_descriptor(int from, const char *name, const char *to, mode_t mode, uint64_t most_bytes,
                                   struct drover_error *error)
{
    bool compiled;
    const int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (target < 0)
        return trouble_errno(error, errno, "file '%s'", to);
    enum drover_status status = copy_bytes(from, target, name, &most_bytes, &compiled, error);
    if (status == DROVER_OK && fchmod(target, mode) != 0)
        status = trouble_errno(error, errno, "file '%s'", to);
    if (close(target) != 0 && status == DROVER_OK)
        status = trouble_errno(error, errno, "file '%s'", to);
    return status;
}

enum drover_status copy_file(const char *from, const char *to, mode_t mode, uint64_t most_bytes,
                             struct drover_error *error)
{
    enum drover_status status;
    struct stat about;
    const int source = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (source < 0 || fstat(source, &about) != 0)
        status = trouble_errno(error, errno, "file '%s'", from);
    else if (!S_ISREG(about.st_mode))
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is no regular file", from);
    else
        status = copy_descriptor(source, from, to, mode, most_bytes, error);
    if (source >= 0)
        close(source);
    return status;
}
