/* lockfile.c - see lockfile.h */
#include "common/load/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/load/messages.h"
#include "common/sys/sys.h"

enum drover_status lockfile_read(const char *path, struct lock **ret, struct config_messages *ret_messages)
{
    struct drover_error error = {0};
    char *text = NULL;
    size_t size = 0;
    *ret_messages = (struct config_messages){0};
    enum drover_status status = sys_read_file(path, LOCK_SIZE_MAX, &text, &size, &error);
    if (status == DROVER_NOT_FOUND)
        return (*ret = lock_new()) ? DROVER_OK : DROVER_RESOURCE_EXHAUSTED;
    if (status != DROVER_OK)
        return messages_one(ret_messages, status, strdup(error.text));
    status = lock_parse(text, size, path, ret, ret_messages);
    free(text);
    return status;
}

static enum drover_status fail(struct drover_error *error, const char *path, int code)
{
    enum drover_status status = DROVER_INTERNAL;
    if (code == ENOENT || code == ENOTDIR)
        status = DROVER_NOT_FOUND;
    else if (code == EACCES || code == EPERM || code == EROFS)
        status = DROVER_PERMISSION_DENIED;
    else if (code == ENOSPC || code == EDQUOT || code == ENOMEM || code == EMFILE || code == ENFILE)
        status = DROVER_RESOURCE_EXHAUSTED;
    return drover_error_set(error, status, "lock file '%s': cannot be written: %s", path, strerror(code));
}

/* Is this what the file holds? */
static bool has_text(const char *path, const char *text)
{
    char *old = NULL;
    size_t size = 0;
    if (sys_read_file(path, LOCK_SIZE_MAX, &old, &size, NULL) != DROVER_OK)
        return false;
    bool same = size == strlen(text) && memcmp(old, text, size) == 0;
    free(old);
    return same;
}

/* Write all of `text` and bring it to the disk. 0, or an errno. */
static int write_text(int file, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = write(file, text, left);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return fsync(file) == 0 ? 0 : errno;
}

/* Bring the names of the folder that `path` is in to the disk. Best effort: the file is whole in any case. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0) {
        (void)fsync(folder);
        close(folder);
    }
    free(copy);
}

/* Write `temporary` and let it take the place of `path`. 0, or an errno; then `temporary` is gone. */
static int replace(const char *path, const char *temporary, int file, const char *text)
{
    struct stat about;
    mode_t mode = stat(path, &about) == 0 ? about.st_mode & 07777 : 0644;
    int code = write_text(file, text);
    if (code == 0 && fchmod(file, mode) != 0)
        code = errno;
    if (code == 0 && rename(temporary, path) != 0)
        code = errno;
    if (code != 0)
        (void)unlink(temporary);
    else
        sync_folder(path);
    return code;
}

enum drover_status lockfile_write(const char *path, const struct lock *lock, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    char *text = lock_write(lock), *temporary = text_format("%s.XXXXXX", path);
    if (!text || !temporary) {
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    } else if (!has_text(path, text)) {
        int file = mkostemp(temporary, O_CLOEXEC);
        int code = file < 0 ? errno : replace(path, temporary, file, text);
        if (file >= 0)
            close(file);
        if (code != 0)
            status = fail(error, path, code);
    }
    free(temporary);
    free(text);
    return status;
}
