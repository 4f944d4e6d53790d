/* folder.h - a folder of its own for each test, with files in it */
#ifndef TEST_LOAD_FOLDER_H
#define TEST_LOAD_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

static char folder[] = "/tmp/drover-load-XXXXXX";

/* Where `name` is below the folder; good until eight more were asked for. */
static inline const char *at(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void put_file(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "we");
    cr_assert_not_null(file, "%s", name);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static inline void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static inline size_t count_files(void)
{
    size_t count = 0;
    DIR *stream = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static inline void remove_folder(void)
{
    DIR *stream = opendir(folder);
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        if (unlink(at(entry->d_name)) != 0)
            (void)rmdir(at(entry->d_name));
    if (stream)
        closedir(stream);
    (void)rmdir(folder);
}

#endif
