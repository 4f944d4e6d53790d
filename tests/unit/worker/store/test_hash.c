/* test_hash.c - which trees of files are the same */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base/text.h"
#include "fixture.h"
#include "worker/store/walk.h"

static char sample[STORE_NAME_SIZE];

/* The hash of the sample after something was done to it. */
static const char *hash_of(const char *path)
{
    static char hex[STORE_NAME_SIZE];
    ASSERT_OK(store_tree_hash(path, hex, &fixture.error));
    return hex;
}

static void set_up(void)
{
    fixture_set_up();
    make_sample(at("t"));
    strcpy(sample, hash_of(at("t")));
}

TestSuite(hash, .init = set_up, .fini = fixture_tear_down);

Test(hash, is_what_the_header_says)
{
    /* Of one file "a" with "xy", not executable, and one "b/c", empty and executable. */
    static const unsigned char listing[] = "drover-tree-1\0"
                                           "\1\0\0\0\0\0\0\0a\0\2\0\0\0\0\0\0\0xy"
                                           "\3\0\0\0\0\0\0\0b/c\1\0\0\0\0\0\0\0";
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[STORE_NAME_SIZE];
    crypto_hash_sha256(hash, listing, sizeof listing); /* the last octet of the last size is the array's own NUL */
    text_hex(hash, sizeof hash, hex);

    make_folder(at("u"));
    make_folder(at("u/b"));
    write_file(at("u/b/c"), "", 0755);
    write_file(at("u/a"), "xy", 0644);
    cr_expect_str_eq(hash_of(at("u")), hex);
}

Test(hash, does_not_depend_on_place_time_or_other_bits_of_the_mode)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    make_sample(at("elsewhere"));
    cr_assert_eq(chmod(at("elsewhere/src/a.c"), 0600), 0);
    cr_assert_eq(chmod(at("elsewhere/run.sh"), 04711), 0);
    cr_assert_eq(utimensat(AT_FDCWD, at("elsewhere/src/a.c"), times, 0), 0);
    make_folder(at("elsewhere/empty"));
    cr_expect_str_eq(hash_of(at("elsewhere")), sample);
}

Test(hash, changes_with_a_byte)
{
    write_file(at("t/src/a.c"), "int c;\n", 0644);
    cr_expect_str_neq(hash_of(at("t")), sample);
}

Test(hash, changes_with_a_name)
{
    cr_assert_eq(rename(at("t/src/a.c"), at("t/src/c.c")), 0);
    cr_expect_str_neq(hash_of(at("t")), sample);
}

Test(hash, changes_with_the_x_bit)
{
    cr_assert_eq(chmod(at("t/run.sh"), 0644), 0);
    cr_expect_str_neq(hash_of(at("t")), sample);
}

Test(hash, changes_when_a_file_moves_to_another_folder)
{
    cr_assert_eq(rename(at("t/src/deep/b.c"), at("t/src/b.c")), 0);
    cr_expect_str_neq(hash_of(at("t")), sample);
}

Test(hash, tells_where_one_file_ends_and_the_next_begins)
{
    char first[STORE_NAME_SIZE];
    make_folder(at("u"));
    write_file(at("u/a"), "1", 0644);
    write_file(at("u/b"), "23", 0644);
    strcpy(first, hash_of(at("u")));
    write_file(at("u/a"), "12", 0644);
    write_file(at("u/b"), "3", 0644);
    cr_expect_str_neq(hash_of(at("u")), first);
}

Test(hash, refuses_what_is_neither_file_nor_folder)
{
    char hex[STORE_NAME_SIZE];
    cr_assert_eq(symlink("/etc/passwd", at("t/src/link")), 0);
    ASSERT_STATUS(store_tree_hash(at("t"), hex, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("'src/link' is a symlink");
    cr_assert_eq(unlink(at("t/src/link")), 0);
    cr_assert_eq(mkfifo(at("t/pipe"), 0600), 0);
    ASSERT_STATUS(store_tree_hash(at("t"), hex, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("'pipe' is a named pipe");
}

Test(hash, refuses_to_begin_at_a_symlink)
{
    char hex[STORE_NAME_SIZE];
    cr_assert_eq(symlink("t", at("link")), 0);
    cr_expect_neq(store_tree_hash(at("link"), hex, &fixture.error), DROVER_OK);
}

/* `levels` folders, each in the one before, made relative to an open folder: no path is long enough. */
static void make_deep(const char *path, unsigned levels)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(folder, 0);
    for (unsigned i = 0; i < levels; i++) {
        cr_assert_eq(mkdirat(folder, "a-folder-with-a-long-name", 0700), 0);
        int next = openat(folder, "a-folder-with-a-long-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(next, 0);
        close(folder);
        folder = next;
    }
    int file = openat(folder, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    close(file);
    close(folder);
}

Test(hash, refuses_a_tree_that_is_too_deep)
{
    char hex[STORE_NAME_SIZE];
    make_deep(at("t"), WALK_DEPTH_MAX);
    ASSERT_STATUS(store_tree_hash(at("t"), hex, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("too deep");
}

Test(hash, is_not_needed_to_remove_a_tree_deeper_than_any_path)
{
    make_deep(at("t"), 400);
    make_folder(at("t/deep-0"));
    write_file(at("t/deep-0/deep-1"), "", 0);
    cr_assert_eq(symlink("/etc", at("t/deep-0/link")), 0);
    cr_assert_eq(chmod(at("t/deep-0"), 0), 0);
    cr_expect_eq(walk_remove(AT_FDCWD, at("t")), 0);
    cr_expect_not(exists(at("t")));
    cr_expect(exists("/etc/passwd"));
}
