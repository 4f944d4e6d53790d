/* files.c - small things done with files and paths (files.h) */
#include "worker/build/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/build/trouble.h"

enum drover_status files_make_folder(const char *path, mode_t mode, struct drover_error *error)
{
    if (mkdir(path, 0700) == 0 && chmod(path, mode) == 0)
        return DROVER_OK;
    return trouble_errno(error, errno, "folder '%s' cannot be made", path);
}

enum drover_status files_write(const char *path, mode_t mode, const char *text, struct drover_error *error)
{
    FILE *file = fopen(path, "wxe");
    if (!file)
        return trouble_errno(error, errno, "file '%s' cannot be made", path);
    const bool written = fputs(text, file) >= 0 && fchmod(fileno(file), mode) == 0;
    const int code = errno;
    if (fclose(file) == 0 && written)
        return DROVER_OK;
    return trouble_errno(error, written ? errno : code, "file '%s' cannot be written", path);
}

bool files_is_regular(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool ends_in(const char *name, const char *const *endings)
{
    const size_t size = strlen(name);
    for (; *endings; endings++) {
        const size_t ending = strlen(*endings);
        if (size > ending && strcmp(name + size - ending, *endings) == 0)
            return true;
    }
    return false;
}

static bool is_regular_in(DIR *stream, const char *name)
{
    struct stat about;
    return fstatat(dirfd(stream), name, &about, 0) == 0 && S_ISREG(about.st_mode);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum drover_status files_list(const char *folder, const char *const *endings, struct words *names,
                              struct drover_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return trouble_errno(error, errno, "folder '%s'", folder);
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (ends_in(entry->d_name, endings) && is_regular_in(stream, entry->d_name))
            words_add(names, entry->d_name);
    }
    closedir(stream);
    if (names->no_memory)
        return trouble_memory(error);
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(*names->items), compare);
    return DROVER_OK;
}
