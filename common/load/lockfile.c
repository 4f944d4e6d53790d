/* lockfile.c - see lockfile.h */
#include "common/load/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/load/messages.h"
#include "common/sys/replace.h"
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
    return drover_error_set(error, sys_status_of(code), "lock file '%s': cannot be written: %s", path, strerror(code));
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

/* Give `file` the mode of what it replaces, and let it take its place. 0, or an errno; then `temporary` is gone. */
static int replace(const char *path, const char *temporary, int file, const char *text)
{
    struct stat about;
    const mode_t mode = stat(path, &about) == 0 ? about.st_mode & 07777 : 0644;
    if (fchmod(file, mode) == 0)
        return replace_file(path, temporary, file, text, strlen(text));
    const int code = errno;
    (void)unlink(temporary);
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
