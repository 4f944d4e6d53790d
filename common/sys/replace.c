/* replace.c - a file that gets its next content as a whole or not at all
 *
 * The order matters: the bytes are on the disk before the name is, else a loss of power may leave a name without bytes.
 */
#include "common/sys/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, data, size);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return fsync(file) == 0 ? 0 : errno;
}

void replace_sync_folder(const char *path)
{
    char *copy = strdup(path);
    const int folder = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0) {
        (void)fsync(folder);
        close(folder);
    }
    free(copy);
}

int replace_file(const char *path, const char *temporary, int file, const void *data, size_t size)
{
    int code = write_all(file, data, size);
    if (code == 0 && rename(temporary, path) != 0)
        code = errno;
    if (code != 0)
        (void)unlink(temporary);
    else
        replace_sync_folder(path);
    return code;
}
