/* test_reference.c - every row of the table of references, with plugins off and on
 *
 * The disk is a list. Relative paths start at /etc/drover; the driver path is /usr/lib/drivers, then /srv/drivers.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/config/reference.h"

static const struct {
    const char *path;
    enum reference_disk_kind kind;
} disk_entries[] = {
    {"/opt/acme/auth.bin", REFERENCE_DISK_EXECUTABLE},
    {"/opt/my drivers/x", REFERENCE_DISK_EXECUTABLE},
    {"/opt/acme/auth.so", REFERENCE_DISK_MODULE},
    {"/opt/acme/auth.plugin", REFERENCE_DISK_MODULE},
    {"/opt/acme/lib.so", REFERENCE_DISK_LIBRARY},
    {"/opt/acme/lib.so.1", REFERENCE_DISK_LIBRARY},
    {"/opt/acme/text.so", REFERENCE_DISK_FILE},
    {"/opt/acme/exec.so", REFERENCE_DISK_EXECUTABLE},
    {"/opt/acme/readme", REFERENCE_DISK_FILE},
    {"/opt/acme/src", REFERENCE_DISK_DIRECTORY},
    {"/dev/null", REFERENCE_DISK_OTHER},
    {"/etc/drover/x", REFERENCE_DISK_EXECUTABLE},
    {"/etc/drover/json.bin", REFERENCE_DISK_EXECUTABLE},
    {"/etc/drover/my.dir/json", REFERENCE_DISK_EXECUTABLE},
    {"/etc/drover/pkg/user/json", REFERENCE_DISK_EXECUTABLE},
    {"/srv/drivers/pkg/group/json", REFERENCE_DISK_EXECUTABLE},
    {"/usr/lib/drivers/pkg/user/json", REFERENCE_DISK_EXECUTABLE},
    {"/etc/drover/localhost:3000/here/b", REFERENCE_DISK_EXECUTABLE},
    {"/etc/drover/host.org/both/ways", REFERENCE_DISK_EXECUTABLE},
    {"/srv/drivers/host.org/far/away", REFERENCE_DISK_DIRECTORY},
    {"/etc/drover/git@host:both/ways.git", REFERENCE_DISK_DIRECTORY},
    {"/srv/drivers/userprovider/json", REFERENCE_DISK_EXECUTABLE},
    {"/usr/lib/drivers/userprovider/own", REFERENCE_DISK_EXECUTABLE},
    {"/usr/lib/drivers/userprovider/demo", REFERENCE_DISK_DIRECTORY},
    {"/usr/lib/drivers/userprovider/src", REFERENCE_DISK_DIRECTORY},
    {"/usr/lib/drivers/userprovider/flat", REFERENCE_DISK_FILE},
    {"/srv/drivers/userprovider/flat", REFERENCE_DISK_EXECUTABLE},
    {"/usr/lib/drivers/userprovider/mod", REFERENCE_DISK_MODULE},
    {"/usr/lib/drivers/userprovider/text", REFERENCE_DISK_FILE},
    {"/etc", REFERENCE_DISK_DIRECTORY},
};

static enum reference_disk_kind look(void *context, const char *path)
{
    cr_assert_eq(path[0], '/', "only absolute paths are looked at, not %s", path);
    (*(size_t *)context)++;
    for (size_t i = 0; i < sizeof disk_entries / sizeof *disk_entries; i++)
        if (strcmp(disk_entries[i].path, path) == 0)
            return disk_entries[i].kind;
    return REFERENCE_DISK_NOTHING;
}

/* A disk with one file, which is not executable. */
static enum reference_disk_kind look_at_file(void *context, const char *path)
{
    return strcmp(context, path) == 0 ? REFERENCE_DISK_FILE : REFERENCE_DISK_NOTHING;
}

static char *driver_path[] = {"/usr/lib/drivers", "/srv/drivers"};
static char *every_scheme[] = {"https", "ssh", "file", "http", "git"};

static size_t looks;

static struct reference_resolution resolve(const char *reference, const char *interface, bool plugins)
{
    struct reference_setting setting = {.interface = interface,
                                        .directory = "/etc/drover",
                                        .plugins = plugins,
                                        .driver_path = driver_path,
                                        .driver_path_count = 2,
                                        .fetch_allow = every_scheme,
                                        .fetch_allow_count = 5};
    struct reference_disk disk = {look, &looks};
    struct reference_resolution resolution;
    looks = 0;
    reference_resolve(reference, &setting, &disk, &resolution);
    return resolution;
}

/* Does one of the steps hold `part`? */
static bool has_step(const struct reference_resolution *resolution, const char *part)
{
    for (size_t i = 0; i < resolution->step_count; i++)
        if (strstr(resolution->steps[i], part))
            return true;
    return false;
}

/* What is the same in both modes. */
enum { OFF = 1, ON = 2, BOTH = 3 };

static const struct row {
    const char *reference;
    int modes;
    enum reference_kind kind;
    const char *target, *name; /* NULL when refused */
    const char *reason;        /* a part of it */
} rows[] = {
    /* one word */
    {"json", OFF, REFERENCE_BUILTIN, "userprovider/json", "json", "is built in"},
    {"json", ON, REFERENCE_EXECUTABLE, "/srv/drivers/userprovider/json", "json", "is an executable"},
    {"demo", OFF, REFERENCE_BUILTIN, "userprovider/demo", "demo", "is built in"},
    {"demo", ON, REFERENCE_SOURCE, "/usr/lib/drivers/userprovider/demo", "demo", "is a source directory"},
    {"own", OFF, REFERENCE_REFUSED, NULL, NULL, "'own' is not built in (interface 'userprovider' has 'json', 'demo'"},
    {"own", ON, REFERENCE_EXECUTABLE, "/usr/lib/drivers/userprovider/own", "own", "is an executable"},
    {"flat", ON, REFERENCE_EXECUTABLE, "/srv/drivers/userprovider/flat", "flat", "is an executable"},
    {"flat", OFF, REFERENCE_REFUSED, NULL, NULL, "is not built in"},
    {"src", OFF, REFERENCE_REFUSED, NULL, NULL, "is not built in"},
    {"src", ON, REFERENCE_SOURCE, "/usr/lib/drivers/userprovider/src", "src", "is a source directory"},
    {"mod", ON, REFERENCE_MODULE, "/usr/lib/drivers/userprovider/mod", "mod", "is a module"},
    {"text", ON, REFERENCE_REFUSED, NULL, NULL,
     "is neither an executable nor a source directory in the driver path, and not built in"},
    {"jsn", OFF, REFERENCE_REFUSED, NULL, NULL, "driver 'jsn' is not built in (nearest: 'json')"},
    {"jsn", ON, REFERENCE_REFUSED, NULL, NULL,
     "was not found in the driver path and is not built in (nearest: 'json')"},
    {"JSON", OFF, REFERENCE_REFUSED, NULL, NULL, "(nearest: 'json')"},
    {"oc10-sql", OFF, REFERENCE_REFUSED, NULL, NULL, "is not built in"},
    {"my_driver", OFF, REFERENCE_REFUSED, NULL, NULL, "is not built in"},
    /* a path */
    {"/opt/acme/auth.bin", BOTH, REFERENCE_EXECUTABLE, "/opt/acme/auth.bin", "auth", "is an executable"},
    {"/opt//acme/./auth.bin", BOTH, REFERENCE_EXECUTABLE, "/opt/acme/auth.bin", "auth", "is an executable"},
    {"/opt/my drivers/x", BOTH, REFERENCE_EXECUTABLE, "/opt/my drivers/x", "x", "is an executable"},
    {"./x", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/x", "x", "is an executable"},
    {"./json.bin", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/json.bin", "json", "is an executable"},
    {"my.dir/json", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/my.dir/json", "json", "is an executable"},
    {"pkg/user/json", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/pkg/user/json", "json", "is an executable"},
    {"pkg/group/json", BOTH, REFERENCE_EXECUTABLE, "/srv/drivers/pkg/group/json", "json", "is an executable"},
    {"localhost:3000/here/b", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/localhost:3000/here/b", "b", "is an executable"},
    {"./host.org/both/ways", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/host.org/both/ways", "ways", "is an executable"},
    {"/opt/acme/auth.so", BOTH, REFERENCE_MODULE, "/opt/acme/auth.so", "auth", "is a module"},
    {"/opt/acme/auth.plugin", BOTH, REFERENCE_MODULE, "/opt/acme/auth.plugin", "auth", "is a module"},
    {"/opt/acme/lib.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "a shared object needs a drover driver in it"},
    {"/opt/acme/lib.so.1", BOTH, REFERENCE_REFUSED, NULL, NULL, "a shared object needs a drover driver in it"},
    {"/opt/acme/text.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "a shared object needs a drover driver in it"},
    {"/opt/acme/exec.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "a shared object needs a drover driver in it"},
    {"/opt/acme/src", BOTH, REFERENCE_SOURCE, "/opt/acme/src", "src", "is a source directory"},
    {"/opt/acme/src/", BOTH, REFERENCE_SOURCE, "/opt/acme/src", "src", "is a source directory"},
    {"/opt/acme/readme", BOTH, REFERENCE_REFUSED, NULL, NULL, "is not executable (chmod +x"},
    {"/dev/null", BOTH, REFERENCE_REFUSED, NULL, NULL, "is neither a file nor a directory"},
    {"/opt/none", BOTH, REFERENCE_REFUSED, NULL, NULL, "'/opt/none' does not exist"},
    {"./none", BOTH, REFERENCE_REFUSED, NULL, NULL, "'/etc/drover/none' does not exist"},
    {"my.dir/none", BOTH, REFERENCE_REFUSED, NULL, NULL, "'/etc/drover/my.dir/none' does not exist"},
    {"./gr\u00fc\u00df", BOTH, REFERENCE_REFUSED, NULL, NULL, "'/etc/drover/gr\u00fc\u00df' does not exist"},
    {"localhost:3000/a/b", BOTH, REFERENCE_REFUSED, NULL, NULL, "put 'https://' or 'ssh://' in front"},
    {"[::1]/a/b", BOTH, REFERENCE_REFUSED, NULL, NULL, "put 'https://' or 'ssh://' in front"},
    {"~/x", BOTH, REFERENCE_REFUSED, NULL, NULL, "'~' is not expanded"},
    /* a URL */
    {"github.com/owner/repo", BOTH, REFERENCE_GIT, "https://github.com/owner/repo", "repo", "is a git URL"},
    {"github.com/owner/repo//drivers/x?ref=v1.2", BOTH, REFERENCE_GIT,
     "https://github.com/owner/repo//drivers/x?ref=v1.2", "x", "is a git URL"},
    {"github.com/jimil749/json", BOTH, REFERENCE_GIT, "https://github.com/jimil749/json", "json", "is a git URL"},
    {"https://github.com/jimil749/json", BOTH, REFERENCE_GIT, "https://github.com/jimil749/json", "json",
     "is a git URL"},
    {"GitHub.com/A/b", BOTH, REFERENCE_GIT, "https://github.com/A/b", "b", "is a git URL"},
    {"git::https://github.com/jimil749/json", BOTH, REFERENCE_GIT, "https://github.com/jimil749/json", "json",
     "is a git URL"},
    {"git@github.com:a/b.git", BOTH, REFERENCE_GIT, "git@github.com:a/b.git", "b", "is a git URL"},
    {"user@host:x/y.git", BOTH, REFERENCE_GIT, "user@host:x/y.git", "y", "is a git URL"},
    {"ssh://git@host/a/b.git", BOTH, REFERENCE_GIT, "ssh://git@host/a/b.git", "b", "is a git URL"},
    {"ssh://git@[2001:db8::1]:2222/a/b.git", BOTH, REFERENCE_GIT, "ssh://git@[2001:db8::1]:2222/a/b.git", "b",
     "is a git URL"},
    {"file:///srv/git/x.git", BOTH, REFERENCE_GIT, "file:///srv/git/x.git", "x", "is a git URL"},
    {"https://10.0.0.1/x.git", BOTH, REFERENCE_GIT, "https://10.0.0.1/x.git", "x", "is a git URL"},
    {"https://git.internal/x", BOTH, REFERENCE_GIT, "https://git.internal/x", "x", "is a git URL"},
    {"https://git.internal:8443/x", BOTH, REFERENCE_GIT, "https://git.internal:8443/x", "x", "is a git URL"},
    {"https://[::1]:3000/a/b//sub?ref=v1", BOTH, REFERENCE_GIT, "https://[::1]:3000/a/b//sub?ref=v1", "sub",
     "is a git URL"},
    {"https://localhost:3000/a/b", BOTH, REFERENCE_GIT, "https://localhost:3000/a/b", "b", "is a git URL"},
    {"https://host/gr\u00fc\u00df/x", BOTH, REFERENCE_GIT, "https://host/gr\u00fc\u00df/x", "x", "is a git URL"},
    {"host.org:8443/a/b", BOTH, REFERENCE_GIT, "https://host.org:8443/a/b", "b", "is a git URL"},
    {"http://127.0.0.1:8080/x.git", BOTH, REFERENCE_GIT, "http://127.0.0.1:8080/x.git", "x", "is a git URL"},
    {"http://[::1]/x.git", BOTH, REFERENCE_GIT, "http://[::1]/x.git", "x", "is a git URL"},
    {"git://localhost/x.git", BOTH, REFERENCE_GIT, "git://localhost/x.git", "x", "is a git URL"},
    {"http://host/x.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "by 'http' only this machine itself may be reached"},
    {"git://127.0.0.1.example.org/x", BOTH, REFERENCE_REFUSED, NULL, NULL, "use https:// or ssh://"},
    {"ssh://", BOTH, REFERENCE_REFUSED, NULL, NULL, "no sound host"},
    {"file:///", BOTH, REFERENCE_REFUSED, NULL, NULL, "no path to a repository"},
    {"m\u00fcnchen.de/a/b", BOTH, REFERENCE_REFUSED, NULL, NULL, "does not exist"},
    {"host.org/both/ways", BOTH, REFERENCE_REFUSED, NULL, NULL,
     "write './host.org/both/ways' or 'git::host.org/both/ways'"},
    {"host.org/far/away", BOTH, REFERENCE_REFUSED, NULL, NULL,
     "write './host.org/far/away' or 'git::host.org/far/away'"},
    {"git@host:both/ways.git", BOTH, REFERENCE_REFUSED, NULL, NULL,
     "write './git@host:both/ways.git' or 'git::git@host:both/ways.git'"},
    {"https://host/a?ref=--upload-pack=x", BOTH, REFERENCE_REFUSED, NULL, NULL, "a 'ref' that begins with '-'"},
    {"ftp://x", BOTH, REFERENCE_REFUSED, NULL, NULL, "a scheme that cannot be fetched: use https:// or ssh://"},
    /* forced */
    {"builtin:json", BOTH, REFERENCE_BUILTIN, "userprovider/json", "json", "is built in"},
    {"builtin:jsn", BOTH, REFERENCE_REFUSED, NULL, NULL, "(nearest: 'json')"},
    {"builtin:", BOTH, REFERENCE_REFUSED, NULL, NULL, "a word must follow"},
    {"builtin:../x", BOTH, REFERENCE_REFUSED, NULL, NULL, "a word must follow"},
    {"path:x", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/x", "x", "is an executable"},
    {"path:json.bin", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/json.bin", "json", "is an executable"},
    {"path:host.org/both/ways", BOTH, REFERENCE_EXECUTABLE, "/etc/drover/host.org/both/ways", "ways", "an executable"},
    {"path:", BOTH, REFERENCE_REFUSED, NULL, NULL, "a path must follow"},
    {"src:/opt/acme/src", BOTH, REFERENCE_SOURCE, "/opt/acme/src", "src", "is a source directory"},
    {"path:/opt/acme/src", BOTH, REFERENCE_SOURCE, "/opt/acme/src", "src", "is a source directory"},
    {"path:/opt/acme/auth.so", BOTH, REFERENCE_MODULE, "/opt/acme/auth.so", "auth", "is a module"},
    {"src:/opt/acme/auth.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "needs a source directory"},
    {"src:/opt/acme/auth.bin", BOTH, REFERENCE_REFUSED, NULL, NULL, "needs a source directory"},
    {"src:", BOTH, REFERENCE_REFUSED, NULL, NULL, "a path must follow"},
    {"git::host.org/both/ways", BOTH, REFERENCE_GIT, "https://host.org/both/ways", "ways", "is a git URL"},
    {"git::/srv/x.git", BOTH, REFERENCE_GIT, "file:///srv/x.git", "x", "is a git URL"},
    {"git::/srv/x.git//sub?ref=main", BOTH, REFERENCE_GIT, "file:///srv/x.git//sub?ref=main", "sub", "is a git URL"},
    {"git::git@host:both/ways.git", BOTH, REFERENCE_GIT, "git@host:both/ways.git", "ways", "is a git URL"},
    {"git::x", BOTH, REFERENCE_REFUSED, NULL, NULL, "a URL must follow 'git::'"},
    {"git::", BOTH, REFERENCE_REFUSED, NULL, NULL, "a URL must follow 'git::'"},
    /* anything else */
    {"", BOTH, REFERENCE_REFUSED, NULL, NULL, "is empty"},
    {"foo bar", BOTH, REFERENCE_REFUSED, NULL, NULL, "is no name (letters, digits, '-', '_'), no path and no URL"},
    {"json ", BOTH, REFERENCE_REFUSED, NULL, NULL, "(nearest: 'json')"},
    {"../../etc", BOTH, REFERENCE_REFUSED, NULL, NULL, "contains '..': write the absolute path (nearest: '/etc')"},
    {"..", BOTH, REFERENCE_REFUSED, NULL, NULL, "contains '..'"},
    {"a/../b", BOTH, REFERENCE_REFUSED, NULL, NULL, "contains '..'"},
    {"/opt/../etc", BOTH, REFERENCE_REFUSED, NULL, NULL, "contains '..'"},
    {"host.org/a/../b", BOTH, REFERENCE_REFUSED, NULL, NULL, "contains '..'"},
    {".", BOTH, REFERENCE_REFUSED, NULL, NULL, "has a dot"},
    {"json.bin", BOTH, REFERENCE_REFUSED, NULL, NULL, "write './json.bin'"},
    {"json.go", BOTH, REFERENCE_REFUSED, NULL, NULL, "write './json.go'"},
    {"js\u00f6n", BOTH, REFERENCE_REFUSED, NULL, NULL, "is no name"},
    {"json\n", BOTH, REFERENCE_REFUSED, NULL, NULL, "control characters"},
    {"/opt/\x1b[31m", BOTH, REFERENCE_REFUSED, NULL, NULL, "control characters"},
    {"json;rm", BOTH, REFERENCE_REFUSED, NULL, NULL, "is no name"},
    {"$(id)", BOTH, REFERENCE_REFUSED, NULL, NULL, "is no name"},
    {"user:pass@host:x/y", BOTH, REFERENCE_REFUSED, NULL, NULL, "looks like a host with a password"},
    {"localhost:3000", BOTH, REFERENCE_REFUSED, NULL, NULL, "is no name"},
};

static void expect_text(const char *what, const struct row *row, const char *text, const char *expected)
{
    if (!expected)
        cr_expect_null(text, "'%s': %s is '%s'", row->reference, what, text);
    else
        cr_expect(text && strcmp(text, expected) == 0, "'%s': %s is '%s', not '%s'", row->reference, what,
                  text ? text : "(null)", expected);
}

static void check_row(const struct row *row, bool plugins)
{
    struct reference_resolution resolution = resolve(row->reference, "userprovider", plugins);
    cr_expect_eq(resolution.kind, row->kind, "'%s' with plugins %d is %s", row->reference, plugins,
                 reference_kind_name(resolution.kind));
    expect_text("target", row, resolution.target, row->target);
    expect_text("name", row, resolution.name, row->name);
    cr_assert_not_null(resolution.reason, "'%s'", row->reference);
    cr_expect_not_null(strstr(resolution.reason, row->reason), "'%s': %s", row->reference, resolution.reason);
    cr_expect_null(strchr(resolution.reason, '\n'), "'%s'", row->reference);
    cr_expect_gt(resolution.step_count, 0, "'%s'", row->reference);
    reference_resolution_done(&resolution);
}

Test(reference, resolves_as_the_table_says_without_plugins)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].modes & OFF)
            check_row(&rows[i], false);
}

Test(reference, resolves_as_the_table_says_with_plugins)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].modes & ON)
            check_row(&rows[i], true);
}

Test(reference, words_are_looked_up_for_their_interface)
{
    struct reference_resolution resolution = resolve("echo", "echo", false);
    cr_expect_str_eq(resolution.target, "echo/echo");
    reference_resolution_done(&resolution);
    resolution = resolve("json", "nosuch", false);
    cr_expect_not_null(strstr(resolution.reason, "interface 'nosuch' has no built-in drivers"), "%s",
                       resolution.reason);
    reference_resolution_done(&resolution);
}

Test(reference, without_plugins_a_word_looks_at_no_disk)
{
    struct reference_resolution resolution = resolve("json", "userprovider", false);
    cr_expect_eq(looks, 0);
    reference_resolution_done(&resolution);
}

Test(reference, a_driver_that_plugins_did_not_find_is_the_built_in_one_with_a_warning)
{
    struct reference_resolution resolution = resolve("json", "authprovider", true);
    cr_expect_eq(resolution.kind, REFERENCE_BUILTIN);
    cr_expect_str_eq(resolution.warning, "driver 'json' was not found in the driver path: the built-in one is used");
    cr_expect(has_step(&resolution, "'/usr/lib/drivers/authprovider/json' is not there"));
    cr_expect(has_step(&resolution, "'/srv/drivers/authprovider/json' is not there"));
    reference_resolution_done(&resolution);
}

Test(reference, a_driver_that_plugins_cannot_use_is_the_built_in_one_with_a_warning)
{
    static char *folder[] = {"/opt"};
    static const char *const unusable[] = {"/opt/userprovider/json"};
    struct reference_setting setting = {.interface = "userprovider",
                                        .directory = "/etc/drover",
                                        .plugins = true,
                                        .driver_path = folder,
                                        .driver_path_count = 1};
    struct reference_disk disk = {look_at_file, (void *)unusable[0]};
    struct reference_resolution resolution;
    reference_resolve("json", &setting, &disk, &resolution);
    cr_expect_eq(resolution.kind, REFERENCE_BUILTIN);
    cr_expect_str_eq(resolution.warning, "driver 'json' is neither an executable nor a source directory in the driver "
                                         "path: the built-in one is used");
    cr_expect(has_step(&resolution, "'/opt/userprovider/json' is a file that is not executable"));
    reference_resolution_done(&resolution);
}

/* What is fetched is told apart from where it is. */
static const struct {
    const char *reference, *url, *ref, *subdir;
} parts[] = {
    {"github.com/owner/repo", "https://github.com/owner/repo", NULL, NULL},
    {"https://host/a.git?ref=feature/x", "https://host/a.git", "feature/x", NULL},
    {"https://host/a.git//drivers/echo", "https://host/a.git", NULL, "drivers/echo"},
    {"git::ssh://git@Host:22/a//b/c/?ref=v1", "ssh://git@host:22/a", "v1", "b/c"},
    {"git@host:a/b.git//sub?ref=0123456789012345678901234567890123456789", "git@host:a/b.git",
     "0123456789012345678901234567890123456789", "sub"},
    {"git::/srv/x.git//sub?ref=main", "file:///srv/x.git", "main", "sub"},
    {"https://[::1]:3000/a/b/", "https://[::1]:3000/a/b", NULL, NULL},
};

static void expect_part(const char *reference, const char *text, const char *expected)
{
    cr_expect(expected ? text && strcmp(text, expected) == 0 : !text, "%s: '%s', not '%s'", reference,
              text ? text : "(null)", expected ? expected : "(null)");
}

Test(reference, a_url_is_told_apart_from_ref_and_subfolder)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct reference_resolution resolution = resolve(parts[i].reference, "userprovider", i % 2);
        cr_assert_eq(resolution.kind, REFERENCE_GIT, "%s: %s", parts[i].reference, resolution.reason);
        expect_part(parts[i].reference, resolution.url, parts[i].url);
        expect_part(parts[i].reference, resolution.ref, parts[i].ref);
        expect_part(parts[i].reference, resolution.subdir, parts[i].subdir);
        reference_resolution_done(&resolution);
    }
}

Test(reference, only_urls_have_the_parts_of_a_url)
{
    static const char *const others[] = {"json", "./x", "/opt/acme/src", "/opt/acme/auth.so", "foo bar", "ftp://x/y"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct reference_resolution resolution = resolve(others[i], "userprovider", true);
        cr_expect(!resolution.url && !resolution.ref && !resolution.subdir, "%s", others[i]);
        reference_resolution_done(&resolution);
    }
}

static struct reference_resolution resolve_allowing(const char *reference, char **allow, size_t count)
{
    struct reference_setting setting = {
        .interface = "userprovider", .directory = "/etc/drover", .fetch_allow = allow, .fetch_allow_count = count};
    struct reference_disk disk = {look, &looks};
    struct reference_resolution resolution;
    reference_resolve(reference, &setting, &disk, &resolution);
    return resolution;
}

Test(reference, what_may_not_be_fetched_is_refused_with_the_way_out)
{
    static char *allow[] = {"https"};
    static const char *const bad[] = {"ssh://git@host/a", "git@host:a/b",       "file:///srv/x",
                                      "git::/srv/x",      "http://localhost/x", "git://[::1]/x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reference_resolution resolution = resolve_allowing(bad[i], allow, 1);
        cr_expect_eq(resolution.kind, REFERENCE_REFUSED, "%s", bad[i]);
        cr_expect(strstr(resolution.reason, "is not allowed by 'broker.fetch.allow': add it there"), "%s: %s", bad[i],
                  resolution.reason);
        cr_expect(has_step(&resolution, "is not in 'broker.fetch.allow'"), "%s", bad[i]);
        cr_expect(!resolution.url && !resolution.target, "%s", bad[i]);
        reference_resolution_done(&resolution);
    }
    struct reference_resolution resolution = resolve_allowing("https://host/a", allow, 1);
    cr_expect_eq(resolution.kind, REFERENCE_GIT);
    reference_resolution_done(&resolution);
    resolution = resolve_allowing("https://host/a", allow, 0);
    cr_expect_eq(resolution.kind, REFERENCE_REFUSED, "an empty list allows nothing");
    reference_resolution_done(&resolution);
}

Test(reference, where_nobody_says_what_may_be_fetched_the_unusual_gets_a_warning)
{
    struct reference_resolution resolution = resolve_allowing("file:///srv/x", NULL, 0);
    cr_expect_eq(resolution.kind, REFERENCE_GIT);
    cr_expect(resolution.warning && strstr(resolution.warning, "'broker.fetch.allow'"));
    reference_resolution_done(&resolution);
    resolution = resolve_allowing("git@host:a/b", NULL, 0);
    cr_expect_eq(resolution.kind, REFERENCE_GIT);
    cr_expect_null(resolution.warning);
    reference_resolution_done(&resolution);
    resolution = resolve_allowing("http://host/x", NULL, 0);
    cr_expect_eq(resolution.kind, REFERENCE_REFUSED, "not even then");
    reference_resolution_done(&resolution);
}

Test(reference, what_was_found_is_no_warning)
{
    static const char *const found[] = {"json", "own", "./x", "builtin:json", "/opt/acme/auth.bin"};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        struct reference_resolution resolution = resolve(found[i], "userprovider", true);
        cr_expect_null(resolution.warning, "%s: %s", found[i], resolution.warning);
        reference_resolution_done(&resolution);
    }
}

Test(reference, the_steps_of_a_relative_path_are_all_places_in_their_order)
{
    struct reference_resolution resolution = resolve("pkg/group/json", "userprovider", false);
    cr_assert_eq(resolution.step_count, 4);
    cr_expect_str_eq(resolution.steps[0], "'/etc/drover/pkg/group/json' is not there");
    cr_expect_str_eq(resolution.steps[1], "'/usr/lib/drivers/pkg/group/json' is not there");
    cr_expect_str_eq(resolution.steps[2], "'/srv/drivers/pkg/group/json' is an executable");
    reference_resolution_done(&resolution);
}

Test(reference, a_url_shows_in_the_steps_as_it_will_be_fetched)
{
    struct reference_resolution resolution = resolve("GitHub.com/A/b//sub?ref=v1", "userprovider", false);
    cr_expect(has_step(&resolution, "'https://github.com/A/b//sub?ref=v1'"));
    reference_resolution_done(&resolution);
}

Test(reference, very_long_ones_are_refused_in_a_short_line)
{
    char *text = malloc(65537);
    memset(text, 'a', 65536);
    for (size_t size = 65536; size >= 64; size /= 2) {
        text[size] = '\0';
        struct reference_resolution resolution = resolve(text, "userprovider", true);
        cr_expect_eq(resolution.kind, REFERENCE_REFUSED, "%zu", size);
        cr_expect_lt(strlen(resolution.reason), 400, "%zu: %s", size, resolution.reason);
        reference_resolution_done(&resolution);
    }
    free(text);
}

Test(reference, passwords_do_not_show)
{
    static const char *const texts[] = {
        "https://user:hunter2@host/a",  "git::https://user:hunter2@host/a",
        "ssh://user:hunter2@host:22/a", "https://user:hun@ter2@host/hunter2",
        "user:hunter2@host:x/y",        "user:hunter2@host",
        "ftp://user:hunter2@host/a",    "https://user:hunter2@/a?x=y",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reference_resolution resolution = resolve(texts[i], "userprovider", false);
        bool in_path = i == 3; /* there it is part of the path, which is no secret */
        cr_expect_eq(resolution.kind, REFERENCE_REFUSED);
        cr_expect(in_path || !strstr(resolution.reason, "hunter2"), "%s", resolution.reason);
        cr_expect(!strstr(resolution.reason, "hun@"), "%s", resolution.reason);
        cr_expect(in_path || !has_step(&resolution, "hunter2"), "%s", texts[i]);
        reference_resolution_done(&resolution);
    }
}

static const struct {
    const char *reference, *name;
} names[] = {
    {"json", "json"},
    {"builtin:json", "json"},
    {"/opt/acme/auth.bin", "auth"},
    {"./x.tar.gz", "x.tar"},
    {"pkg/user/json/", "json"},
    {"/opt/.hidden", ".hidden"},
    {"path:json.bin", "json"},
    {"src:/srv/echo", "echo"},
    {"git@host:owner/repo.git", "repo"},
    {"github.com/owner/repo//drivers/echo?ref=v1", "echo"},
    {"git::https://host/a/b", "b"},
    {"../x", "x"},
    {"", NULL},
    {"foo bar", NULL},
    {"json.bin", NULL},
    {"/", NULL},
};

Test(reference, the_settings_section_is_named_after_the_driver)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *name = NULL;
        cr_assert(reference_driver_name(names[i].reference, &name));
        if (names[i].name)
            cr_expect(name && strcmp(name, names[i].name) == 0, "'%s' is called %s", names[i].reference, name);
        else
            cr_expect_null(name, "'%s' is called %s", names[i].reference, name);
        free(name);
    }
}

Test(reference, kinds_have_the_names_of_the_manual)
{
    cr_expect_str_eq(reference_kind_name(REFERENCE_REFUSED), "refused");
    cr_expect_str_eq(reference_kind_name(REFERENCE_BUILTIN), "builtin");
    cr_expect_str_eq(reference_kind_name(REFERENCE_EXECUTABLE), "executable");
    cr_expect_str_eq(reference_kind_name(REFERENCE_MODULE), "module");
    cr_expect_str_eq(reference_kind_name(REFERENCE_SOURCE), "source");
    cr_expect_str_eq(reference_kind_name(REFERENCE_GIT), "git");
}

Test(reference, the_registry_knows_interface_and_name)
{
    cr_expect(reference_is_builtin("userprovider", "json"));
    cr_expect(reference_is_builtin("echo", "echo"));
    cr_expect_not(reference_is_builtin("echo", "json"));
    cr_expect_not(reference_is_builtin("userprovider", "jso"));
}

Test(reference, done_may_be_said_twice)
{
    struct reference_resolution resolution = resolve("json", "userprovider", true);
    reference_resolution_done(&resolution);
    reference_resolution_done(&resolution);
}

/* ---- paths that no driver can come from now ---- */

static struct reference_resolution resolve_leniently(const char *reference, bool plugins)
{
    struct reference_setting setting = {.interface = "userprovider",
                                        .directory = "/etc/drover",
                                        .plugins = plugins,
                                        .driver_path = driver_path,
                                        .driver_path_count = 2,
                                        .lenient = true};
    struct reference_disk disk = {look, &looks};
    struct reference_resolution resolution;
    reference_resolve(reference, &setting, &disk, &resolution);
    return resolution;
}

static const struct {
    const char *reference;
    enum reference_kind kind;
    const char *target, *name;
} awaited[] = {
    {"/opt/none", REFERENCE_EXECUTABLE, "/opt/none", "none"},
    {"/opt/none.so", REFERENCE_MODULE, "/opt/none.so", "none"},
    {"/opt/none/", REFERENCE_SOURCE, "/opt/none", "none"},
    {"src:/opt/none", REFERENCE_SOURCE, "/opt/none", "none"},
    {"path:none", REFERENCE_EXECUTABLE, "/etc/drover/none", "none"},
    {"./none.bin", REFERENCE_EXECUTABLE, "/etc/drover/none.bin", "none"},
    {"etc/none", REFERENCE_EXECUTABLE, "/etc/drover/etc/none", "none"},
    {"/opt/acme/readme", REFERENCE_EXECUTABLE, "/opt/acme/readme", "readme"},
    {"/opt/acme/text.so", REFERENCE_MODULE, "/opt/acme/text.so", "text"},
    {"/opt/acme/exec.so", REFERENCE_MODULE, "/opt/acme/exec.so", "exec"},
    {"/opt/acme/lib.so.1", REFERENCE_MODULE, "/opt/acme/lib.so.1", "lib.so"},
    {"/dev/null", REFERENCE_EXECUTABLE, "/dev/null", "null"},
    {"src:/opt/acme/auth.bin", REFERENCE_SOURCE, "/opt/acme/auth.bin", "auth"},
};

Test(reference, leniently_a_path_is_what_it_seems_to_be)
{
    for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) {
        const char *reference = awaited[i].reference;
        struct reference_resolution strict = resolve(reference, "userprovider", false);
        struct reference_resolution resolution = resolve_leniently(reference, i % 2);
        cr_expect_eq(strict.kind, REFERENCE_REFUSED, "%s", reference);
        cr_expect_null(strict.obstacle);
        cr_expect_eq(resolution.kind, awaited[i].kind, "%s: %s", reference, resolution.reason);
        cr_expect_str_eq(resolution.target, awaited[i].target);
        cr_expect_str_eq(resolution.name, awaited[i].name);
        cr_assert_not_null(resolution.obstacle, "%s", reference);
        cr_expect_str_eq(resolution.obstacle, strict.reason);
        reference_resolution_done(&resolution);
        reference_resolution_done(&strict);
    }
}

/* With both places of the driver path known, it is awaited where its folder is. */
static enum reference_disk_kind look_for_folder(void *context, const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    return size == strlen(context) && strncmp(context, path, size) == 0 ? REFERENCE_DISK_DIRECTORY
                                                                        : REFERENCE_DISK_NOTHING;
}

Test(reference, leniently_a_missing_path_is_awaited_in_the_first_place_that_has_its_folder)
{
    struct reference_setting setting = {.interface = "userprovider",
                                        .directory = "/etc/drover",
                                        .driver_path = driver_path,
                                        .driver_path_count = 2,
                                        .lenient = true};
    struct reference_disk disk = {look_for_folder, "/srv/drivers/pkg/new"};
    struct reference_resolution resolution;
    reference_resolve("pkg/new/x", &setting, &disk, &resolution);
    cr_expect_str_eq(resolution.target, "/srv/drivers/pkg/new/x");
    reference_resolution_done(&resolution);
}

Test(reference, leniently_all_that_is_no_path_is_refused_as_ever)
{
    static const char *const references[] = {
        "jsn", "own", "text", "../x", "a.b", "path:", "src:", "git::./x", "", "host:pw@x/y", "builtin:jsn", "a\nb"};
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct reference_resolution resolution = resolve_leniently(references[i], strcmp(references[i], "own") != 0);
        cr_expect_eq(resolution.kind, REFERENCE_REFUSED, "%s", references[i]);
        cr_expect_null(resolution.obstacle);
        reference_resolution_done(&resolution);
    }
}

Test(reference, leniently_what_is_there_is_what_it_is)
{
    struct reference_resolution resolution = resolve_leniently("/opt/acme/auth.plugin", false);
    cr_expect_eq(resolution.kind, REFERENCE_MODULE);
    cr_expect_null(resolution.obstacle);
    reference_resolution_done(&resolution);
}
