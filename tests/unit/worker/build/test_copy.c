/* test_copy.c - a source is copied without anything that a driver must not hold, and says nothing of when */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "worker/build/copy.h"

TestSuite(copy, .init = (void (*)(void))folder_make, .fini = folder_remove);

static const struct owner nobody_else = {.uid = (uid_t)-1};

static enum drover_status copy(struct drover_error *error)
{
    return copy_tree(folder_path("from"), folder_path("to"), &nobody_else, error);
}

static struct stat about(const char *name)
{
    struct stat result = {0};
    cr_assert_eq(stat(folder_path(name), &result), 0, "%s is missing", name);
    return result;
}

Test(copy, makes_modes_and_times_uniform)
{
    folder_write("from/a.c", 0600, "int a;");
    folder_write("from/sub/run.sh", 0750, "#!/bin/sh");
    cr_assert_eq(copy(NULL), DROVER_OK);
    cr_expect_eq(about("to/a.c").st_mode & 07777, 0644);
    cr_expect_eq(about("to/sub/run.sh").st_mode & 07777, 0755);
    cr_expect_eq(about("to/a.c").st_mtim.tv_sec, COPY_TIME);
    cr_expect_eq(about("to/sub/run.sh").st_mtim.tv_sec, COPY_TIME);
}

Test(copy, makes_older_what_was_compiled)
{
    folder_write("from/a.o", 0644, "\177ELF and so on");
    folder_write("from/b.a", 0644, "!<arch>\nand so on");
    cr_assert_eq(copy(NULL), DROVER_OK);
    cr_expect_lt(about("to/a.o").st_mtim.tv_sec, COPY_TIME);
    cr_expect_lt(about("to/b.a").st_mtim.tv_sec, COPY_TIME);
}

Test(copy, leaves_version_control_behind)
{
    folder_write("from/.git/config", 0644, "x");
    folder_write("from/sub/.git", 0644, "gitdir: elsewhere");
    folder_write("from/.gitignore", 0644, "x");
    cr_assert_eq(copy(NULL), DROVER_OK);
    cr_expect_neq(access(folder_path("to/.git"), F_OK), 0);
    cr_expect_neq(access(folder_path("to/sub/.git"), F_OK), 0);
    cr_expect_eq(access(folder_path("to/.gitignore"), F_OK), 0);
}

Test(copy, refuses_links)
{
    struct drover_error error = {0};
    folder_write("from/a.c", 0644, "int a;");
    cr_assert_eq(symlink("/etc/passwd", folder_path("from/b.c")), 0);
    cr_expect_eq(copy(&error), DROVER_FAILED_PRECONDITION);
    cr_expect_not_null(
        strstr(error.text, "from/b.c': a driver's source may hold files and folders only, not a symlink"), "%s",
        error.text);
}

Test(copy, refuses_pipes)
{
    struct drover_error error = {0};
    folder_write("from/a.c", 0644, "int a;");
    cr_assert_eq(mkfifo(folder_path("from/pipe"), 0644), 0);
    cr_expect_eq(copy(&error), DROVER_FAILED_PRECONDITION);
}

Test(copy, refuses_a_tree_without_bottom)
{
    char path[400] = "from";
    for (unsigned i = 0; i < COPY_DEPTH_MAX + 2; i++)
        strcat(path, "/d");
    folder_write(strcat(path, "/f"), 0644, "");
    cr_expect_eq(copy(NULL), DROVER_FAILED_PRECONDITION);
}

Test(copy, says_what_is_missing)
{
    struct drover_error error = {0};
    cr_expect_eq(copy(&error), DROVER_NOT_FOUND);
    cr_expect_not_null(strstr(error.text, "/from'"));
    folder_write("from", 0644, "a file");
    cr_expect_eq(copy(&error), DROVER_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "is no folder"));
}

Test(copy, of_a_file_has_a_limit_and_follows_no_link)
{
    folder_write("a", 0644, "12345");
    cr_expect_eq(copy_file(folder_path("a"), folder_path("b"), 0755, 5, NULL), DROVER_OK);
    cr_expect_eq(about("b").st_mode & 07777, 0755);
    cr_expect_eq(copy_file(folder_path("a"), folder_path("c"), 0644, 4, NULL), DROVER_RESOURCE_EXHAUSTED);
    cr_assert_eq(symlink("a", folder_path("link")), 0);
    cr_expect_eq(copy_file(folder_path("link"), folder_path("d"), 0644, 5, NULL), DROVER_FAILED_PRECONDITION);
}
