/* test_request.c - which addresses are fetched from */
#include <criterion/criterion.h>

#include <string.h>

#include "worker/fetch/request.h"

static struct request request;
static struct drover_error error;

static enum drover_status judge(const char *url, const char *allow)
{
    request_done(&request);
    request = (struct request){.url = url, .allow = allow};
    return request_check(&request, &error);
}

static void tear_down(void)
{
    request_done(&request);
}

TestSuite(request, .fini = tear_down);

Test(request, takes_one_repository_for_one_however_its_host_is_written)
{
    char name[STORE_NAME_SIZE];
    cr_assert_eq(judge("https://GitHub.com/Owner/repo", "https"), DROVER_OK, "%s", error.text);
    strcpy(name, request.name);
    cr_assert_eq(judge("github.com/Owner/repo", "https"), DROVER_OK, "%s", error.text);
    cr_expect_str_eq(request.name, name);
    cr_assert_eq(judge("https://github.com/owner/repo", "https"), DROVER_OK, "%s", error.text);
    cr_expect_str_neq(request.name, name);
}

Test(request, knows_the_scheme_of_each_form)
{
    cr_assert_eq(judge("git@host.example:owner/repo.git", "ssh"), DROVER_OK, "%s", error.text);
    cr_expect_eq(request.scheme, SCHEME_SSH);
    cr_expect_str_eq(request.user, "git");
    cr_expect_str_eq(request.shown, "git@host.example:owner/repo.git");
    cr_assert_eq(judge("ssh://git@host.example:2222/owner/repo", "ssh"), DROVER_OK, "%s", error.text);
    cr_expect_str_eq(request.port, "2222");
    cr_assert_eq(judge("file:///srv/x", "file"), DROVER_OK, "%s", error.text);
    cr_expect_eq(request.scheme, SCHEME_FILE);
}

Test(request, allows_only_what_is_listed)
{
    cr_expect_eq(judge("https://host.example/o/r", "ssh,file"), DROVER_PERMISSION_DENIED);
    cr_expect_eq(judge("https://host.example/o/r", "http"), DROVER_PERMISSION_DENIED);
    cr_expect_eq(judge("https://host.example/o/r", ""), DROVER_PERMISSION_DENIED);
    cr_expect_eq(judge("git@host.example:o/r", "https"), DROVER_PERMISSION_DENIED);
    cr_expect_eq(judge("https://host.example/o/r", "ssh,https"), DROVER_OK);
}

Test(request, allows_http_and_git_to_this_machine_only)
{
    static const char *const here[] = {"http://localhost/x", "http://127.0.0.1:80/x", "git://127.1.2.3/x",
                                       "http://[::1]/x"};
    static const char *const elsewhere[] = {
        "http://127.0.0.1.example/x", "git://128.0.0.1/x", "http://localhost.example/x",
        "http://0.0.0.0/x",           "http://[::2]/x",    "git://1270.0.0.1/x"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        cr_expect_eq(judge(here[i], "http,git"), DROVER_OK, "%s: %s", here[i], error.text);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        cr_expect_eq(judge(elsewhere[i], "http,git"), DROVER_PERMISSION_DENIED, "%s", elsewhere[i]);
}

Test(request, shows_no_user_who_may_be_a_token)
{
    cr_assert_eq(judge("https://ghp-token@host.example/o/r", "https"), DROVER_OK, "%s", error.text);
    cr_expect_str_eq(request.shown, "https://***@host.example/o/r");
    cr_expect_str_eq(request.address, "https://ghp-token@host.example/o/r");
    cr_expect_neq(judge("https://u:secret@host.example/o/r", "https"), DROVER_OK);
    cr_expect_null(strstr(error.text, "secret"));
    cr_expect_neq(judge("https://host.example/o/r?token=secret", "https"), DROVER_OK);
    cr_expect_null(strstr(error.text, "secret"));
}

Test(request, refuses_subfolders_that_lead_out)
{
    static const char *const bad[] = {"..", "../x", "a/../b", "/a", "a//b", "a/", "./a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request_done(&request);
        request = (struct request){.url = "https://host.example/o/r", .allow = "https", .subdir = bad[i]};
        cr_expect_eq(request_check(&request, &error), DROVER_INVALID_ARGUMENT, "%s", bad[i]);
    }
}
