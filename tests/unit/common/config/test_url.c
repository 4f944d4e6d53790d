/* test_url.c - addresses of git repositories, taken apart */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/config/url.h"

/* What is no word and no path, its form, and how it reads in the end. */
static const struct {
    const char *reference;
    enum url_form form;
    const char *normal, *name;
} good[] = {
    {"https://github.com/owner/repo", URL_SCHEME, "https://github.com/owner/repo", "repo"},
    {"HTTPS://GitHub.COM/Owner/Repo.git", URL_SCHEME, "https://github.com/Owner/Repo.git", "Repo"},
    {"https://git.internal/x", URL_SCHEME, "https://git.internal/x", "x"},
    {"https://host/x/", URL_SCHEME, "https://host/x", "x"},
    {"https://10.0.0.1/x.git", URL_SCHEME, "https://10.0.0.1/x.git", "x"},
    {"https://host:8443/a/b", URL_SCHEME, "https://host:8443/a/b", "b"},
    {"https://[::1]:3000/a/b", URL_SCHEME, "https://[::1]:3000/a/b", "b"},
    {"https://[2001:DB8::1]/a", URL_SCHEME, "https://[2001:db8::1]/a", "a"},
    {"https://user@host/a/b", URL_SCHEME, "https://user@host/a/b", "b"},
    {"https://host/a/b//drivers/echo?ref=v1.0", URL_SCHEME, "https://host/a/b//drivers/echo?ref=v1.0", "echo"},
    {"https://host/a/b//x/", URL_SCHEME, "https://host/a/b//x", "x"},
    {"https://host/a/b?ref=feature/x", URL_SCHEME, "https://host/a/b?ref=feature/x", "b"},
    {"ssh://git@Host:22/a/b.git", URL_SCHEME, "ssh://git@host:22/a/b.git", "b"},
    {"git://host/a", URL_SCHEME, "git://host/a", "a"},
    {"http://127.0.0.1:8080/a", URL_SCHEME, "http://127.0.0.1:8080/a", "a"},
    {"file:///srv/git/x.git", URL_SCHEME, "file:///srv/git/x.git", "x"},
    {"file://localhost/srv/x.git", URL_SCHEME, "file://localhost/srv/x.git", "x"},
    {"file:///srv/x.git//sub?ref=main", URL_SCHEME, "file:///srv/x.git//sub?ref=main", "sub"},
    {"git@github.com:owner/repo.git", URL_SCP, "git@github.com:owner/repo.git", "repo"},
    {"git@internal:repo", URL_SCP, "git@internal:repo", "repo"},
    {"user@HOST:x/y.git//sub?ref=v2", URL_SCP, "user@host:x/y.git//sub?ref=v2", "sub"},
    {"git@[::1]:a/b", URL_SCP, "git@[::1]:a/b", "b"},
    {"git@host:/srv/x.git", URL_SCP, "git@host:/srv/x.git", "x"},
    {"github.com/owner/repo", URL_BARE, "https://github.com/owner/repo", "repo"},
    {"GitHub.com/A/b", URL_BARE, "https://github.com/A/b", "b"},
    {"gitlab.com/group/sub/repo//d?ref=v1", URL_BARE, "https://gitlab.com/group/sub/repo//d?ref=v1", "d"},
    {"git.example.org:8443/a/b", URL_BARE, "https://git.example.org:8443/a/b", "b"},
    {"10.0.0.1/a/b", URL_BARE, "https://10.0.0.1/a/b", "b"},
    {"xn--mnchen-3ya.de/a/b", URL_BARE, "https://xn--mnchen-3ya.de/a/b", "b"},
};

Test(url, addresses_are_brought_into_one_form)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url url;
        enum url_form form = url_form(good[i].reference);
        cr_assert_eq(form, good[i].form, "%s: form %d", good[i].reference, form);
        const char *mistake = url_parse(good[i].reference, form, &url);
        cr_assert_null(mistake, "%s: %s", good[i].reference, mistake);
        char *normal = url_normal(&url);
        struct url_span span = url_name(&url);
        char *name = strndup(span.at, span.size);
        cr_expect_str_eq(normal, good[i].normal);
        cr_expect_str_eq(name, good[i].name, "%s is called %s", good[i].reference, name);
        free(normal);
        free(name);
    }
}

static const char *const no_urls[] = {
    "json",
    "json.bin",
    "json.go",
    "my.dir/json",
    "./a/b",
    "/opt/a.b/c/d",
    "a/b/c",
    "localhost:3000/a/b",
    "host/a/b",
    "v1.2/a/b",
    "a.b1.c2/x",
    "my_host.org/a/b",
    ".hidden/a/b",
    "-x.org/a/b",
    "x-.org/a/b",
    "a..org/a/b",
    "org./a/b",
    "json.d/x/y",
    "m\u00fcnchen.de/a/b",
    "git.org:99999/a/b",
    "git.org:x/a/b",
    "github.com/owner/",
    "github.com/owner",
    "github.com//owner",
    "github.com",
    "github.com/owner?ref=a/b",
    "user@host/a/b",
    "a b.org/x/y",
    "[::1]/a/b",
    "",
    "@host:x",
    "://x",
    "a:b",
    "1.2.3/a/b",
};

Test(url, what_may_be_a_file_is_no_address)
{
    for (size_t i = 0; i < sizeof no_urls / sizeof *no_urls; i++)
        cr_expect_eq(url_form(no_urls[i]), URL_NONE, "%s", no_urls[i]);
}

static const struct {
    const char *reference, *part;
} bad[] = {
    {"ftp://x/y", "a scheme that cannot be fetched"},
    {"git+ssh://x/y", "a scheme that cannot be fetched"},
    {"ext::sh://x/y", NULL}, /* no scheme at all */
    {"https://", "no sound host"},
    {"https:///a/b", "no sound host"},
    {"https://ho_st/a", "no sound host"},
    {"https://-h/a", "no sound host"},
    {"https://h..x/a", "no sound host"},
    {"https://[::1/a", "no sound host"},
    {"https://[x]/a", "no sound host"},
    {"https://m\u00fcnchen.de/a", "no sound host"},
    {"https://host", "no path"},
    {"https://host/", "no path"},
    {"https://host//sub", "no path"},
    {"https://host:0/a", "a port"},
    {"https://host:/a", "a port"},
    {"https://host:65536/a", "a port"},
    {"https://host:9999999999999/a", "a port"},
    {"https://user:pass@host/a", "a password"},
    {"https://user:p@ss@host/a", "a password"},
    {"ssh://-oProxyCommand=x@host/a", "a user"},
    {"git@host:-x", "begins with '-'"},
    {"git@host:", "no path"},
    {"https://host/a/../b", "'.' or '..'"},
    {"https://host/./b", "'.' or '..'"},
    {"https://host/a//../b", "'.' or '..'"},
    {"git@host:../b", "'.' or '..'"},
    {"https://host/a//", "an empty subfolder"},
    {"https://host/a?ref=", "an empty 'ref'"},
    {"https://host/a?ref=--upload-pack=x", "begins with '-'"},
    {"https://host/a?ref=a..b", "no branch"},
    {"https://host/a?ref=a b", "no branch"},
    {"https://host/a?ref=a&depth=1", "no branch"},
    {"https://host/a?ref=HEAD~1", "no branch"},
    {"https://host/a?ref=a?ref=b", "no branch"},
    {"https://host/a?depth=1", "only '?ref='"},
    {"https://host/a?", "only '?ref='"},
    {"https://host/a#main", "has a '#'"},
    {"https://host/a?ref=x#y", "has a '#'"},
    {"file://host/a", "which file: cannot reach"},
    {"file://", "no path"},
};

Test(url, unsound_addresses_are_refused_with_the_reason)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct url url;
        enum url_form form = url_form(bad[i].reference);
        if (!bad[i].part) {
            cr_expect_eq(form, URL_NONE, "%s", bad[i].reference);
            continue;
        }
        cr_assert_neq(form, URL_NONE, "%s", bad[i].reference);
        const char *mistake = url_parse(bad[i].reference, form, &url);
        cr_expect(mistake && strstr(mistake, bad[i].part), "%s: %s", bad[i].reference, mistake ? mistake : "accepted");
    }
}

static const struct {
    const char *reference, *scheme;
    bool usual, needs_loopback, is_loopback;
} schemes[] = {
    {"https://host/a", "https", true, false, false},
    {"HTTPS://localhost/a", "https", true, false, true},
    {"host.org/a/b", "https", true, false, false},
    {"ssh://host/a", "ssh", true, false, false},
    {"git@[::1]:a", "ssh", true, false, true},
    {"file:///a", "file", false, false, true},
    {"http://127.0.0.1:80/a", "http", false, true, true},
    {"http://127.9.9.9/a", "http", false, true, true},
    {"http://127.0.0.1.org/a", "http", false, true, false},
    {"http://127.0.0.999/a", "http", false, true, false},
    {"http://127.0.0.0001/a", "http", false, true, false},
    {"http://127.0.0.1.1/a", "http", false, true, false},
    {"http://128.0.0.1/a", "http", false, true, false},
    {"http://127.1/a", "http", false, true, false},
    {"http://localhost.org/a", "http", false, true, false},
    {"git://LOCALHOST/a", "git", false, true, true},
    {"git://[::2]/a", "git", false, true, false},
};

Test(url, it_is_known_how_it_is_fetched_and_whether_that_leaves_the_machine)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct url url;
        const char *mistake = url_parse(schemes[i].reference, url_form(schemes[i].reference), &url);
        cr_assert_null(mistake, "%s: %s", schemes[i].reference, mistake);
        cr_expect_str_eq(url_scheme(&url), schemes[i].scheme, "%s", schemes[i].reference);
        cr_expect_eq(url_scheme_is_usual(url_scheme(&url)), schemes[i].usual, "%s", schemes[i].reference);
        cr_expect_eq(url_scheme_needs_loopback(url_scheme(&url)), schemes[i].needs_loopback, "%s",
                     schemes[i].reference);
        cr_expect_eq(url_is_loopback(&url), schemes[i].is_loopback, "%s", schemes[i].reference);
    }
}
