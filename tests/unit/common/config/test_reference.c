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
    {"/opt/acme/auth.so", REFERENCE_DISK_FILE},
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

static char *driver_path[] = {"/usr/lib/drivers", "/srv/drivers"};

static size_t looks;

static struct reference_resolution resolve(const char *reference, const char *interface, bool plugins)
{
    struct reference_setting setting = {.interface = interface,
                                        .directory = "/etc/drover",
                                        .plugins = plugins,
                                        .driver_path = driver_path,
                                        .driver_path_count = 2};
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
    {"demo", ON, REFERENCE_BUILTIN, "userprovider/demo", "demo", "is built in"},
    {"own", OFF, REFERENCE_REFUSED, NULL, NULL, "'own' is not built in (interface 'userprovider' has 'json', 'demo'"},
    {"own", ON, REFERENCE_EXECUTABLE, "/usr/lib/drivers/userprovider/own", "own", "is an executable"},
    {"flat", ON, REFERENCE_EXECUTABLE, "/srv/drivers/userprovider/flat", "flat", "is an executable"},
    {"src", ON, REFERENCE_REFUSED, NULL, NULL, "has no executable in the driver path and is not built in"},
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
    {"/opt/acme/auth.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a module: not implemented in this version"},
    {"/opt/acme/exec.so", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a module: not implemented in this version"},
    {"/opt/acme/src", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a source directory: not implemented in this version"},
    {"/opt/acme/src/", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a source directory: not implemented in this version"},
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
    {"github.com/owner/repo", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented in this version"},
    {"https://github.com/jimil749/json", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"GitHub.com/A/b", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"git::https://github.com/jimil749/json", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"git@github.com:a/b.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"user@host:x/y.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"ssh://git@host/a/b.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"file:///srv/git/x.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"https://10.0.0.1/x.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"https://git.internal/x", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"https://[::1]:3000/a/b//sub?ref=v1", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"host.org:8443/a/b", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
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
    {"src:/opt/acme/src", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a source directory: not implemented"},
    {"src:/opt/acme/auth.bin", BOTH, REFERENCE_REFUSED, NULL, NULL, "needs a source directory"},
    {"src:", BOTH, REFERENCE_REFUSED, NULL, NULL, "a path must follow"},
    {"git::host.org/both/ways", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
    {"git::/srv/x.git", BOTH, REFERENCE_REFUSED, NULL, NULL, "is a git URL: not implemented"},
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

Test(reference, a_folder_that_cannot_be_compiled_yet_is_passed_over_with_a_warning)
{
    struct reference_resolution resolution = resolve("demo", "userprovider", true);
    cr_expect_eq(resolution.kind, REFERENCE_BUILTIN);
    cr_assert_not_null(resolution.warning);
    cr_expect_not_null(strstr(resolution.warning, "but not as an executable"), "%s", resolution.warning);
    cr_expect(has_step(&resolution, "'/usr/lib/drivers/userprovider/demo' is a source directory"));
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
