/* test_environment.c - which variables are handed on */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "worker/launch/environment.h"

static void prepare(void)
{
    cr_assert_eq(clearenv(), 0);
    cr_assert_eq(setenv("A", "1", 1), 0);
    cr_assert_eq(setenv("AB", "2", 1), 0);
}

TestSuite(environment, .init = prepare);

/* All entries, each ended by a blank, in their order. */
static const char *made(const struct settings *settings)
{
    static char text[256];
    char **environment = environment_make(settings);

    cr_assert(environment != NULL);
    text[0] = '\0';
    for (char **entry = environment; *entry != NULL; entry++) {
        strcat(text, *entry);
        strcat(text, " ");
    }
    free(environment);
    return text;
}

Test(environment, is_handed_on_as_it_is)
{
    const struct settings settings = {0};

    cr_expect_str_eq(made(&settings), "A=1 AB=2 ");
}

Test(environment, keeps_only_what_is_named_once_it_is_cleared)
{
    const struct settings settings = {.clear_env = true, .keep_env = {.items = {"AB", "NONE"}, .count = 2}};

    cr_expect_str_eq(made(&settings), "AB=2 ");
}

Test(environment, gets_what_is_set_in_place_of_what_was)
{
    const struct settings settings = {.env = {.items = {"A=3", "C="}, .count = 2}};

    cr_expect_str_eq(made(&settings), "AB=2 A=3 C= ");
}
