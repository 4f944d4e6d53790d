/* test_names.c - the white list of names */
#include <criterion/criterion.h>

#include <string.h>

#include "worker/fetch/names.h"

Test(names, accepts_what_sources_are_called)
{
    static const char *const good[] = {
        "a",     "main.c", "CMakeLists.txt", ".gitignore", ".clang-format", "a b", "x+y@2=z,~1",
        "#tmp#", "50%",    "a^b!",           "(1)[2]{3}",  "\xc3\xa4",      "...", ".github",
        "git",   "a.git",  ".gitattributes", "_",          "\xe6\x96\x87"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect_null(names_mistake(good[i]), "%s: %s", good[i], names_mistake(good[i]));
}

Test(names, refuses_what_leads_elsewhere_or_is_gits)
{
    static const char *const bad[] = {"",     ".",     "..",    "a/b",   "/a",    ".git",   ".GIT",
                                      ".Git", ".git.", ".git ", "git~1", "GIT~2", ".git . "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not_null(names_mistake(bad[i]), "%s", bad[i]);
}

Test(names, refuses_what_other_programs_would_misread)
{
    static const char *const bad[] = {"-rf",  "--help", " a",       "a ",           "a\nb",    "a\tb", "a\033[31m",
                                      "a;b",  "a|b",    "a&b",      "$(a)",         "`a`",     "a'b",  "a\"b",
                                      "a\\b", "a*",     "a?",       "<a",           "a>",      "a:b",  "\x7f",
                                      "\xff", "\xc3",   "\xc0\xaf", "\xed\xa0\x80", "\xc2\x85"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not_null(names_mistake(bad[i]), "%s", bad[i]);
}

Test(names, refuses_what_no_file_system_takes)
{
    char name[257];
    memset(name, 'a', sizeof name);
    name[255] = '\0';
    cr_expect_null(names_mistake(name));
    name[255] = 'a';
    name[256] = '\0';
    cr_expect_not_null(names_mistake(name));
}
