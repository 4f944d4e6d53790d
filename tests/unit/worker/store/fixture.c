/* fixture.c - a store in a temporary folder, and things to put into it */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/store/walk.h"

struct fixture fixture;

void fixture_set_up(void)
{
    memset(&fixture, 0, sizeof fixture);
    strcpy(fixture.folder, "/tmp/drover-store-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture.folder));
    snprintf(fixture.path, sizeof fixture.path, "%s/store", fixture.folder);
    ASSERT_OK(store_open(fixture.path, NULL, &fixture.store, &fixture.error));
}

void fixture_tear_down(void)
{
    store_free(fixture.store);
    cr_expect_eq(walk_remove(AT_FDCWD, fixture.folder), 0);
}

const char *at(const char *format, ...)
{
    static char buffers[4][4096];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    int size = snprintf(buffer, sizeof buffers[0], "%s/", fixture.path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + size, sizeof buffers[0] - (size_t)size, format, arguments);
    va_end(arguments);
    return buffer;
}

bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

void write_file(const char *path, const char *text, unsigned mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0, "%s", path);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(fchmod(file, mode), 0);
    close(file);
}

void make_folder(const char *path)
{
    cr_assert_eq(mkdir(path, 0700), 0, "%s", path);
}

unsigned count_names(const char *folder)
{
    unsigned count = 0;
    DIR *stream = opendir(folder);
    cr_assert_not_null(stream, "%s", folder);
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

void make_sample(const char *path)
{
    char below[4096];
    make_folder(path);
    snprintf(below, sizeof below, "%s/run.sh", path);
    write_file(below, "#!/bin/sh\n", 0755);
    snprintf(below, sizeof below, "%s/src", path);
    make_folder(below);
    snprintf(below, sizeof below, "%s/src/a.c", path);
    write_file(below, "int a;\n", 0644);
    snprintf(below, sizeof below, "%s/src/deep", path);
    make_folder(below);
    snprintf(below, sizeof below, "%s/src/deep/b.c", path);
    write_file(below, "int b;\n", 0644);
}

void publish_sample(struct store *store, char ret_name[STORE_NAME_SIZE])
{
    struct store_tmp *tmp = NULL;
    char path[4096];
    ASSERT_OK(store_tmp_new(store, "sample", &tmp, &fixture.error));
    snprintf(path, sizeof path, "%s/tree", store_tmp_path(tmp));
    make_sample(path);
    ASSERT_OK(store_publish_content(store, STORE_SRC, tmp, "tree", ret_name, &fixture.error));
    store_tmp_free(tmp);
}

void publish_artefact(struct store *store, const char *text, char ret_name[STORE_NAME_SIZE])
{
    struct store_tmp *tmp = NULL;
    char path[4096];
    ASSERT_OK(store_tmp_new(store, "artefact", &tmp, &fixture.error));
    snprintf(path, sizeof path, "%s/driver", store_tmp_path(tmp));
    write_file(path, text, 0755);
    ASSERT_OK(store_publish_content(store, STORE_ARTEFACT, tmp, "driver", ret_name, &fixture.error));
    store_tmp_free(tmp);
}
