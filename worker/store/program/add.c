/* add.c - `drover-store add FILE`: a copy of an executable or module that the user has built becomes an artefact
 *
 * The store has its bytes from then on: whatever becomes of the file, what was hashed is what runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/binary.h"
#include "worker/store/program/program.h"

#define PART "artefact"
#define BYTES_MAX (UINT64_C(512) << 20)
#define CHUNK_SIZE ((size_t)64 * 1024)

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

static enum drover_status copy_bytes(int from, int to, const char *path, struct drover_error *error)
{
    static char chunk[CHUNK_SIZE];
    uint64_t left = BYTES_MAX;
    for (;;) {
        const ssize_t got = read(from, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return program_trouble(error, errno, path);
        if (got == 0)
            return DROVER_OK;
        if ((uint64_t)got > left)
            return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': larger than %llu bytes", path,
                                    (unsigned long long)BYTES_MAX);
        left -= (uint64_t)got;
        if (!write_all(to, chunk, (size_t)got))
            return program_trouble(error, errno, "the store");
    }
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Refuse what is certainly no driver; the rest is found out by running it. A module needs no right to be executed. */
static enum drover_status judge(int file, const struct stat *about, const char *path, struct drover_error *error)
{
    const enum binary_kind kind = binary_look(file);
    const bool shared = kind == BINARY_MODULE || kind == BINARY_LIBRARY;
    if (!S_ISREG(about->st_mode))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is no file", path);
    if (about->st_size == 0)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is empty", path);
    if (kind == BINARY_DAMAGED)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is %s", path, binary_kind_text(kind));
    if (!shared && (about->st_mode & 0111) == 0)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s': is not executable (chmod +x it)", path);
    return DROVER_OK;
}

/* Copy what is in `from`; a file that somebody writes to meanwhile is no program yet. */
static enum drover_status copy_stable(int from, int to, const char *path, struct drover_error *error)
{
    struct stat before, after;
    if (fstat(from, &before) != 0)
        return program_trouble(error, errno, path);
    enum drover_status status = judge(from, &before, path, error);
    if (status != DROVER_OK)
        return status;
    status = copy_bytes(from, to, path, error);
    if (status != DROVER_OK)
        return status;
    if (fstat(from, &after) != 0)
        return program_trouble(error, errno, path);
    if (!is_same(&before, &after))
        return drover_error_set(error, DROVER_ABORTED, "'%s': is being written to: try again when it is complete",
                                path);
    return DROVER_OK;
}

/* Copy the file at `path` into `tmp`, executable: the bytes make an artefact, not the modes. */
static enum drover_status take(const char *path, const struct store_tmp *tmp, struct drover_error *error)
{
    char *copy = text_format("%s/" PART, store_tmp_path(tmp));
    const int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (from < 0) {
        const int code = errno;
        free(copy);
        return program_trouble(error, code, path);
    }
    const int to = copy ? open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700) : -1;
    enum drover_status status;
    if (!copy)
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    else if (to < 0)
        status = program_trouble(error, errno, copy);
    else
        status = copy_stable(from, to, path, error);
    if (to >= 0)
        close(to);
    close(from);
    free(copy);
    return status;
}

static enum drover_status tell(const struct store *store, const char *name, struct drover_error *error)
{
    char *path = store_path(store, STORE_ARTEFACT, name);
    if (!path)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    const char *form = binary_look_at(path) == BINARY_MODULE ? "module" : "executable";
    const enum drover_status status = program_print(
        json_pack("{s:s, s:s, s:s, s:s}", "event", "done", "artefact", name, "path", path, "form", form), error);
    free(path);
    return status;
}

enum drover_status program_add(const struct store *store, const struct program_options *options, const char *word,
                               int *ret_exit, /* NOLINT(readability-non-const-parameter): as all verbs */
                               struct drover_error *error)
{
    char name[STORE_NAME_SIZE];
    struct store_tmp *tmp = NULL;
    (void)options;
    (void)ret_exit;
    enum drover_status status = store_sweep(store, NULL, error); /* what was killed on its way */
    if (status == DROVER_OK)
        status = store_tmp_new(store, "add", &tmp, error);
    if (status == DROVER_OK)
        status = take(word, tmp, error);
    if (status == DROVER_OK)
        status = store_publish_content(store, STORE_ARTEFACT, tmp, PART, name, error);
    if (status == DROVER_OK)
        status = tell(store, name, error);
    store_tmp_free(tmp);
    return status;
}
