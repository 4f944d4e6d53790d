/* test_sys.c - clock, randomness, files, paths and limits */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "common/sys/sys.h"

static char folder[] = "/tmp/drover-sys-XXXXXX";
static char path[PATH_MAX];

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(sys_file, .init = make_folder, .fini = remove_folder);

static void write_file(const char *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    for (size_t done = 0; done < size;) {
        ssize_t written = write(file, data + done, size - done);
        cr_assert_gt(written, 0);
        done += (size_t)written;
    }
    close(file);
}

static void expect_read_error(const char *name, size_t limit, enum drover_status status, const char *text)
{
    char *data = (char *)"untouched";
    size_t size = 77;
    struct drover_error error = {0};
    cr_assert_eq(sys_read_file(name, limit, &data, &size, &error), status, "%s", error.text);
    cr_assert_not_null(strstr(error.text, name), "'%s' does not name the file", error.text);
    cr_assert_not_null(strstr(error.text, text), "'%s'", error.text);
    cr_assert_str_eq(data, "untouched");
    cr_assert_eq(size, 77);
}

Test(sys, clock_does_not_go_back)
{
    uint64_t before = sys_now_us(), before_ms = sys_now_ms();
    cr_assert_geq(sys_now_us(), before);
    cr_assert_geq(sys_now_ms(), before_ms);
    cr_assert_geq(before_ms, before / 1000);
}

Test(sys, wall_clock_counts_from_1970)
{
    /* 2020-01-01 and 2200-01-01: a wrong unit or a wrong clock is far outside. */
    cr_assert_gt(sys_wall_ms(), UINT64_C(1577836800000));
    cr_assert_lt(sys_wall_ms(), UINT64_C(7258118400000));
}

Test(sys, random_octets_fill_the_whole_buffer_and_nothing_else)
{
    unsigned char buffer[600] = {0};
    sys_random(buffer, 590);
    for (size_t i = 590; i < sizeof buffer; i++)
        cr_assert_eq(buffer[i], 0);
    /* Eight zero octets in a row would be one chance in 2^64. */
    for (size_t i = 0; i + 8 <= 590; i++)
        cr_assert_neq(memcmp(buffer + i, "\0\0\0\0\0\0\0\0", 8), 0);
    sys_random(buffer, 0);
}

Test(sys, random_numbers_differ)
{
    cr_assert_neq(sys_random64(), sys_random64());
}

Test(sys_file, is_read_whole_with_a_nul_behind_it)
{
    write_file("one\0two", 7);
    char *data = NULL;
    size_t size = 0;
    cr_assert_eq(sys_read_file(path, 7, &data, &size, NULL), DROVER_OK);
    cr_assert_eq(size, 7);
    cr_assert_arr_eq(data, "one\0two", 8);
    free(data);
}

Test(sys_file, is_read_when_empty)
{
    write_file("", 0);
    char *data = NULL;
    size_t size = 77;
    cr_assert_eq(sys_read_file(path, 0, &data, &size, NULL), DROVER_OK);
    cr_assert_eq(size, 0);
    cr_assert_str_eq(data, "");
    free(data);
}

Test(sys_file, is_read_when_its_size_is_not_known)
{
    char *data = NULL;
    size_t size = 0;
    cr_assert_eq(sys_read_file("/proc/self/status", 1 << 20, &data, &size, NULL), DROVER_OK);
    cr_assert_gt(size, 0);
    cr_assert_eq(strlen(data), size);
    free(data);
}

Test(sys_file, is_read_from_a_pipe_in_pieces)
{
    enum { TOTAL = 200000 };
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t writer = fork();
    cr_assert_geq(writer, 0);
    if (writer == 0) {
        close(ends[0]);
        char octet[1000];
        memset(octet, 'p', sizeof octet);
        for (int i = 0; i < TOTAL / 1000; i++) {
            if (write(ends[1], octet, sizeof octet) != (ssize_t)sizeof octet)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    char name[40];
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    char *data = NULL;
    size_t size = 0;
    cr_assert_eq(sys_read_file(name, TOTAL, &data, &size, NULL), DROVER_OK);
    cr_assert_eq(size, TOTAL);
    cr_assert_eq(strspn(data, "p"), TOTAL);
    free(data);
    close(ends[0]);
    cr_assert_eq(waitpid(writer, NULL, 0), writer);
}

Test(sys_file, is_refused_one_octet_beyond_the_limit)
{
    write_file("12345", 5);
    expect_read_error(path, 4, DROVER_RESOURCE_EXHAUSTED, "larger than 4 bytes");
    expect_read_error(path, 0, DROVER_RESOURCE_EXHAUSTED, "larger than 0 bytes");
    expect_read_error("/dev/zero", 100000, DROVER_RESOURCE_EXHAUSTED, "larger than 100000 bytes");
}

Test(sys_file, is_not_found_when_missing)
{
    expect_read_error("/nonexistent/file", 10, DROVER_NOT_FOUND, "no such file");
    write_file("", 0);
    char below[PATH_MAX + 8];
    snprintf(below, sizeof below, "%s/x", path);
    expect_read_error(below, 10, DROVER_NOT_FOUND, "not a directory");
}

Test(sys_file, is_no_directory)
{
    expect_read_error(folder, 10, DROVER_INTERNAL, "is a directory");
}

Test(sys_file, is_denied_without_the_right_to_read)
{
    write_file("secret", 6);
    cr_assert_eq(chmod(path, 0), 0);
    if (geteuid() == 0) {
        cr_assert_eq(chmod(folder, 0755), 0);
        cr_assert_eq(seteuid(65534), 0);
    }
    expect_read_error(path, 10, DROVER_PERMISSION_DENIED, "permission denied");
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
}

Test(sys_file, is_hashed)
{
    char hex[65];
    write_file("abc", 3);
    cr_assert_eq(sys_hash_file(path, hex, NULL), DROVER_OK);
    /* FIPS 180-4, the examples for SHA-256. */
    cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    write_file("", 0);
    cr_assert_eq(sys_hash_file(path, hex, NULL), DROVER_OK);
    cr_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(sys_file, is_hashed_when_larger_than_a_chunk)
{
    enum { MILLION = 1000000 };
    char *data = malloc(MILLION);
    cr_assert_not_null(data);
    memset(data, 'a', MILLION);
    write_file(data, MILLION);
    free(data);
    char hex[65];
    cr_assert_eq(sys_hash_file(path, hex, NULL), DROVER_OK);
    cr_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The descriptor that the next open() will give. */
static int next_descriptor(void)
{
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(file, 0);
    close(file);
    return file;
}

Test(sys_file, is_closed_again_whatever_happens)
{
    write_file("12345", 5);
    int before = next_descriptor();
    char *data = NULL, hex[65];
    size_t size = 0;
    cr_assert_eq(sys_read_file(path, 5, &data, &size, NULL), DROVER_OK);
    free(data);
    cr_assert_eq(sys_read_file(path, 4, &data, &size, NULL), DROVER_RESOURCE_EXHAUSTED);
    cr_assert_eq(sys_read_file(folder, 4, &data, &size, NULL), DROVER_INTERNAL);
    cr_assert_eq(sys_hash_file(path, hex, NULL), DROVER_OK);
    cr_assert_eq(sys_hash_file(folder, hex, NULL), DROVER_INTERNAL);
    cr_assert_eq(next_descriptor(), before);
}

Test(sys_file, is_not_hashed_when_it_cannot_be_read)
{
    char hex[65] = "untouched";
    struct drover_error error = {0};
    cr_assert_eq(sys_hash_file("/nonexistent", hex, &error), DROVER_NOT_FOUND);
    cr_assert_str_eq(error.text, "file '/nonexistent': no such file or directory");
    cr_assert_eq(sys_hash_file(folder, hex, &error), DROVER_INTERNAL);
    cr_assert_str_eq(hex, "untouched");
}

Test(sys, program_dir_holds_the_running_program)
{
    char expected[PATH_MAX];
    cr_assert_not_null(realpath(DROVER_BINARY_DIR "/tests", expected));
    char *directory = sys_program_dir();
    cr_assert_str_eq(directory, expected);
    free(directory);
}

Test(sys, helpers_are_beside_the_program_or_where_they_are_installed)
{
    char expected[PATH_MAX];
    cr_assert_not_null(realpath(DROVER_BINARY_DIR "/tests", expected));
    strcat(expected, "/unit.common.sys.sys");
    char *found = sys_helper_path("unit.common.sys.sys");
    cr_expect_str_eq(found, expected);
    free(found);
    found = sys_helper_path("nosuch");
    const char *ending = "/tests/../libexec/drover/nosuch";
    cr_expect_str_eq(found + strlen(found) - strlen(ending), ending);
    free(found);
}

struct place {
    char path[64];
    char absolute[64];
};

ParameterizedTestParameters(sys, makes_paths_absolute)
{
    static struct place rows[] = {
        {"/", "/"},
        {"/usr", "/usr"},
        {"/usr/", "/usr"},
        {"//usr///lib", "/usr/lib"},
        {"/usr/./lib/.", "/usr/lib"},
        {"/usr/../etc", "/etc"},
        {"/usr/lib/..", "/usr"},
        {"/usr/..", "/"},
        {"/../../etc", "/etc"},
        {"/a/b/../../c/./d", "/c/d"},
        {"/...", "/..."},
        {"/.hidden/..x", "/.hidden/..x"},
        {"x", "/usr/x"},
        {"./x", "/usr/x"},
        {"../x", "/x"},
        {".", "/usr"},
        {"", "/usr"},
        {"..", "/"},
    };
    return cr_make_param_array(struct place, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct place *row, sys, makes_paths_absolute)
{
    cr_assert_eq(chdir("/usr"), 0);
    char *absolute = sys_absolute_path(row->path);
    cr_assert_str_eq(absolute, row->absolute, "'%s' became '%s'", row->path, absolute);
    free(absolute);
}

Test(sys, seeding_libzmq_changes_what_rand_draws)
{
    srand(1);
    int first = rand(), second = rand();
    sys_seed_libzmq();
    int drawn = rand(), next = rand();
    cr_assert(drawn != first || next != second);
}

Test(sys, raises_the_descriptor_limit_as_far_as_it_goes)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 64 ? limit.rlim_max : 64;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(sys_raise_descriptor_limit(), limit.rlim_max);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(limit.rlim_cur, limit.rlim_max);
}
