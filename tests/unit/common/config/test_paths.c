/* test_paths.c - paths as text */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "common/config/paths.h"

static const struct {
    const char *directory, *path, *resolved, *folded;
} rows[] = {
    {"/etc/drover", "users.json", "/etc/drover/users.json", "/etc/drover/users.json"},
    {"/etc/drover", "/abs", "/abs", "/abs"},
    {"/etc/drover", "./a//b/./c/", "/etc/drover/a/b/c", "/etc/drover/a/b/c"},
    {"/etc/drover", "../x", "/etc/drover/../x", "/etc/x"},
    {"/etc/drover", "../../../x", "/etc/drover/../../../x", "/x"},
    {"/etc/drover", "..", "/etc/drover/..", "/etc"},
    {"/etc/drover", "", "/etc/drover", "/etc/drover"},
    {"/etc/drover/", ".", "/etc/drover", "/etc/drover"},
    {"/", "x", "/x", "/x"},
    {"/", "/", "/", "/"},
    {"/", "..", "/..", "/"},
    {"/a", "...", "/a/...", "/a/..."},
};

Test(paths, are_joined_and_cleaned)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *resolved = path_resolve(rows[i].directory, rows[i].path);
        char *folded = path_resolve_folded(rows[i].directory, rows[i].path);
        cr_expect_str_eq(resolved, rows[i].resolved);
        cr_expect_str_eq(folded, rows[i].folded);
        free(resolved);
        free(folded);
    }
}

Test(paths, a_parent_is_a_component_of_two_dots)
{
    cr_expect(path_has_parent(".."));
    cr_expect(path_has_parent("../x"));
    cr_expect(path_has_parent("a/../b"));
    cr_expect(path_has_parent("/a/.."));
    cr_expect_not(path_has_parent("a..b/c"));
    cr_expect_not(path_has_parent("..."));
    cr_expect_not(path_has_parent("./a"));
    cr_expect_not(path_has_parent(""));
}

Test(paths, the_base_is_what_follows_the_last_slash)
{
    cr_expect_str_eq(path_base("/a/b.c"), "b.c");
    cr_expect_str_eq(path_base("b.c"), "b.c");
}
