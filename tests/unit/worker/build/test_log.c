/* test_log.c - the log of a build is bounded, reads as if built at home, and knows why a build failed */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/stat.h>

#include "common/sys/sys.h"
#include "folder.h"
#include "worker/build/log.h"

TestSuite(build_log, .init = (void (*)(void))folder_make, .fini = folder_remove);

static struct build_log *new_log(void)
{
    struct build_log *log = NULL;
    cr_assert_eq(build_log_new(folder_path("log.txt"), "/store/tmp/build-x/work", NULL, NULL, &log, NULL), DROVER_OK);
    return log;
}

static char *end(struct build_log *log)
{
    char *text = NULL;
    size_t size;
    cr_assert_eq(build_log_end(log, NULL), DROVER_OK);
    build_log_free(log);
    cr_assert_eq(sys_read_file(folder_path("log.txt"), 64u << 20, &text, &size, NULL), DROVER_OK);
    return text;
}

static bool feed(struct build_log *log, const char *text)
{
    return build_log_feed(log, text, strlen(text));
}

Test(build_log, cuts_the_folder_of_the_build_out)
{
    struct build_log *log = new_log();
    feed(log, "cc -I/store/tmp/build-x/work/sdk/include /store/tmp/build-x/work/source/a.c\n"
              "in /store/tmp/build-x/work, /store/tmp/build-x/workshop/a\n");
    char *text = end(log);
    cr_expect_str_eq(text, "cc -Isdk/include a.c\nin , /store/tmp/build-x/workshop/a\n");
    free(text);
}

Test(build_log, joins_pieces_and_ends_the_last_line)
{
    struct build_log *log = new_log();
    feed(log, "one\ntw");
    feed(log, "o\nthree");
    build_log_say(log, "four %d", 4);
    char *text = end(log);
    cr_expect_str_eq(text, "one\ntwo\nthree\nfour 4\n");
    free(text);
}

Test(build_log, makes_control_characters_harmless)
{
    struct build_log *log = new_log();
    feed(log, "\x1b[31mred\x1b[0m\ta\r\n");
    char *text = end(log);
    cr_expect_null(strchr(text, '\x1b'));
    cr_expect_null(strchr(text, '\r'));
    free(text);
}

Test(build_log, cuts_long_lines)
{
    struct build_log *log = new_log();
    for (unsigned i = 0; i < 3000; i++)
        feed(log, "0123456789");
    feed(log, "\nnext\n");
    char *text = end(log);
    cr_expect_eq(strcspn(text, "\n"), LOG_LINE_MAX);
    cr_expect_str_eq(strchr(text, '\n'), "\nnext\n");
    free(text);
}

Test(build_log, takes_no_more_than_its_limit)
{
    static char block[64 * 1024];
    struct build_log *log = new_log();
    size_t taken = 0;
    memset(block, 'y', sizeof(block));
    for (size_t i = 99; i < sizeof(block); i += 100)
        block[i] = '\n';
    while (taken < 2 * LOG_BYTES_MAX && build_log_feed(log, block, sizeof(block)))
        taken += sizeof(block);
    cr_expect_leq(taken, LOG_BYTES_MAX);
    char *text = end(log);
    cr_expect_leq(strlen(text), LOG_BYTES_MAX + LOG_LINE_MAX);
    free(text);
}

struct explained {
    char output[512], reason[256];
};

ParameterizedTestParameters(build_log, tells_why)
{
    static struct explained rows[] = {
        {"", ""},
        {"nothing special\nthe end\n", "the end"},
        {"cc -c a.c\na.c: In function 'f':\na.c:3:5: error: 'x' undeclared\na.c:9:1: error: second\nmake: *** "
         "[Makefile:2: "
         "a.o] Error 1\n",
         "a.c:3:5: error: 'x' undeclared"},
        {"a.c:1:10: fatal error: nope.h: No such file or directory\ncompilation terminated.\n",
         "a.c:1:10: fatal error: nope.h: No such file or directory"},
        {"/usr/bin/ld: a.o: in function `main':\na.c:4: undefined reference to `f'\ncollect2: error: ld returned 1 "
         "exit "
         "status\n",
         "a.c:4: undefined reference to `f'"},
        {"/usr/bin/ld: cannot find -lnope: No such file or directory\n",
         "/usr/bin/ld: cannot find -lnope: No such file or directory"},
        {"CMake Error at CMakeLists.txt:3 (find_package):\n  Could not find nope.\n\n-- Configuring incomplete, errors "
         "occurred!\n",
         "CMakeLists.txt:3: error: Could not find nope."},
        {"Makefile:2: *** missing separator.  Stop.\n", "Makefile:2: *** missing separator.  Stop."},
        {"sh: 1: cannot create /x: Permission denied\nmake: *** [Makefile:2: all] Error 2\n",
         "sh: 1: cannot create /x: Permission denied (make: *** [Makefile:2: all] Error 2)"},
        {"make: *** No targets specified and no makefile found.  Stop.\n",
         "make: *** No targets specified and no makefile found.  Stop."},
    };
    return cr_make_param_array(struct explained, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct explained *row, build_log, tells_why)
{
    struct build_log *log = new_log();
    feed(log, row->output);
    build_log_break(log);
    cr_expect_str_eq(build_log_reason(log), row->reason, "was: %s\nnot: %s", build_log_reason(log), row->reason);
    free(end(log));
}
