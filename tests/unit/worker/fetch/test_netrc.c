/* test_netrc.c - looking a host up in a netrc file */
#include <criterion/criterion.h>

#include <string.h>

#include "worker/fetch/netrc.h"

static char text[1024];
static const char *login, *password;

static bool find(const char *file, const char *host, const char *user)
{
    login = password = "(none)";
    strcpy(text, file);
    return netrc_find(text, host, user, &login, &password);
}

#define TWO                                             \
    "machine one.example login anna password secret1\n" \
    "machine two.example\n  login bert\n  account x\n  password secret2\n"

Test(netrc, finds_the_entry_of_a_host)
{
    cr_assert(find(TWO, "one.example", NULL));
    cr_expect_str_eq(login, "anna");
    cr_expect_str_eq(password, "secret1");
    cr_assert(find(TWO, "TWO.example", ""));
    cr_expect_str_eq(login, "bert");
    cr_expect_str_eq(password, "secret2");
}

Test(netrc, gives_no_entry_to_another_host)
{
    cr_expect_not(find(TWO, "three.example", NULL));
    cr_expect_not(find(TWO, "one.example.evil", NULL));
    cr_expect_not(find(TWO, "one", NULL));
    cr_expect_not(find("", "one.example", NULL));
    cr_expect_str_eq(password, "(none)");
}

Test(netrc, tells_users_of_one_host_apart)
{
    static const char two_users[] = "machine h login a password pa\nmachine h login b password pb\n";
    cr_assert(find(two_users, "h", "b"));
    cr_expect_str_eq(password, "pb");
    cr_expect_not(find(two_users, "h", "c"));
    cr_assert(find(two_users, "h", NULL));
    cr_expect_str_eq(password, "pa");
}

Test(netrc, takes_the_default_where_it_stands)
{
    cr_assert(find(TWO "default login guest password guessed", "three.example", NULL));
    cr_expect_str_eq(login, "guest");
    cr_assert(find(TWO "default login guest password guessed", "one.example", NULL));
    cr_expect_str_eq(login, "anna");
}

Test(netrc, reads_quotes_comments_and_skips_macros)
{
    cr_assert(find("# machine h password no\nmachine h login \"a b\" password \"x\\\"y\"", "h", NULL));
    cr_expect_str_eq(login, "a b");
    cr_expect_str_eq(password, "x\"y");
    cr_assert(find("machine h password #hash", "h", NULL));
    cr_expect_str_eq(password, "#hash");
    cr_assert(find("machine g\nmacdef init\nmachine h password no\n\nmachine h password yes", "h", NULL));
    cr_expect_str_eq(password, "yes");
}

Test(netrc, stands_a_file_that_breaks_off)
{
    static const char *const broken[] = {"machine",
                                         "machine h",
                                         "machine h login",
                                         "machine h password",
                                         "machine h password \"",
                                         "default",
                                         "macdef",
                                         "login x password y",
                                         "#"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        bool found = find(broken[i], "h", NULL);
        cr_expect(!found || *password == '\0', "%s", broken[i]);
    }
}
