/* folder.c - see folder.h */
#include "folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[] = "/tmp/drover-build-XXXXXX";

const char *folder_make(void)
{
    if (!mkdtemp(top))
        abort();
    return top;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *position)
{
    (void)about;
    (void)type;
    (void)position;
    return remove(path);
}

void folder_remove(void)
{
    (void)nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_path(const char *name)
{
    static char buffers[8][512];
    static unsigned next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof(buffers[0]), "%s/%s", top, name);
    return buffer;
}

const char *folder_write_bytes(const char *name, mode_t mode, const void *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", top, name);
    for (char *slash = strchr(path + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0 || chmod(path, mode) != 0)
        abort();
    return folder_path(name);
}

const char *folder_write(const char *name, mode_t mode, const char *text)
{
    return folder_write_bytes(name, mode, text, strlen(text));
}
