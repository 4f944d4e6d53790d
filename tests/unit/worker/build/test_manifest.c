/* test_manifest.c - driver.yaml is read strictly, and each mistake is shown where it stands */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "worker/build/manifest.h"

static struct manifest *good(const char *text)
{
    struct manifest *manifest = NULL;
    struct config_messages messages;
    const enum drover_status status = manifest_parse(text, strlen(text), "driver.yaml", &manifest, &messages);
    cr_assert_eq(status, DROVER_OK, "%s", messages.count ? messages.lines[0] : "");
    config_messages_done(&messages);
    return manifest;
}

static void bad(const char *text, const char *const *lines)
{
    struct manifest *manifest = NULL;
    struct config_messages messages;
    size_t count = 0;
    cr_expect_eq(manifest_parse(text, strlen(text), "driver.yaml", &manifest, &messages), DROVER_INVALID_ARGUMENT);
    cr_expect_null(manifest);
    for (; lines[count]; count++) {
        cr_assert_lt(count, messages.count, "missing: %s", lines[count]);
        cr_expect_str_eq(messages.lines[count], lines[count], "\nwas:  %s\nnot:  %s", messages.lines[count],
                         lines[count]);
    }
    cr_expect_eq(messages.count, count, "one more: %s", messages.lines[count]);
    config_messages_done(&messages);
}

#define BAD(text, ...) bad(text, (const char *const[]){__VA_ARGS__, NULL})

Test(manifest, may_say_nothing)
{
    struct manifest *manifest = good("# nothing\n");
    cr_expect_null(manifest->name);
    cr_expect_eq(manifest->system, SYSTEM_UNSAID);
    cr_expect_eq(manifest->sandbox.network, NETWORK_NONE);
    manifest_free(manifest);
    manifest_free(good(""));
    manifest_free(NULL);
}

Test(manifest, reads_every_key)
{
    struct manifest *manifest = good("name: butler\ninterface: hello\nversion: 1.0\n"
                                     "build: {system: cmake, target: all, artefact: bin/butler, pkg_config: [zlib, "
                                     "libxml-2.0]}\n"
                                     "sandbox:\n  network: outbound\n  read: [/srv/a, /srv/b]\n  write: [/srv/c]\n"
                                     "  memory: 64MiB\n  cpu: 1.25\n");
    cr_expect_str_eq(manifest->name, "butler");
    cr_expect_str_eq(manifest->interface, "hello");
    cr_expect_str_eq(manifest->version, "1.0");
    cr_expect_eq(manifest->system, SYSTEM_CMAKE);
    cr_expect_str_eq(manifest->target, "all");
    cr_expect_str_eq(manifest->artefact, "bin/butler");
    cr_expect_eq(manifest->packages.count, 2);
    cr_expect_str_eq(manifest->packages.items[1], "libxml-2.0");
    cr_expect_eq(manifest->sandbox.network, NETWORK_OUTBOUND);
    cr_expect_eq(manifest->sandbox.read.count, 2);
    cr_expect_str_eq(manifest->sandbox.write.items[0], "/srv/c");
    cr_expect_eq(manifest->sandbox.memory_bytes, 64u << 20);
    cr_expect_eq(manifest->sandbox.cpu_milli, 1250);
    manifest_free(manifest);
}

Test(manifest, takes_a_command_as_a_list_or_for_the_shell)
{
    struct manifest *manifest = good("build: {command: [./build.sh, out], artefact: out/x}");
    cr_expect_eq(manifest->system, SYSTEM_COMMAND);
    cr_expect_eq(manifest->command.count, 2);
    manifest_free(manifest);
    manifest = good("build: {system: command, command: 'cc -o x x.c && strip x', artefact: x}");
    cr_expect_eq(manifest->command.count, 3);
    cr_expect_str_eq(manifest->command.items[2], "cc -o x x.c && strip x");
    manifest_free(manifest);
}

Test(manifest, says_what_a_new_version_is_asked)
{
    static const char request[] = "\x82\xa2id\xa1x\xa4"
                                  "list\x92\x01\xc0";
    struct manifest *manifest =
        good("self_test:\n  method: get_user\n  request: {id: x, list: [1, null]}\n  expect: NOT_FOUND\n");
    const struct manifest_self_test *test = &manifest->self_test;
    cr_expect_str_eq(test->method, "get_user");
    cr_assert_eq(test->request_size, sizeof(request) - 1);
    cr_expect_arr_eq(test->request, request, sizeof(request) - 1);
    cr_expect_eq(test->expect, DROVER_NOT_FOUND);
    manifest_free(manifest);
    manifest = good("self_test: {method: ping, request: }");
    cr_expect_str_eq(manifest->self_test.method, "ping");
    cr_expect_null(manifest->self_test.request);
    cr_expect_eq(manifest->self_test.expect, DROVER_OK);
    manifest_free(manifest);
    manifest = good("name: x");
    cr_expect_null(manifest->self_test.method);
    manifest_free(manifest);
}

/* As common/config does for a service, in the same words. */
Test(manifest, lists_all_mistakes_of_a_self_test)
{
    BAD("self_test:\n  method: [find]\n  expect: NOTFOUND\n  reqest: {}\n",
        "driver.yaml:2:11: key 'method': must be the name of a method, not a list",
        "driver.yaml:3:11: key 'expect': must be a status such as OK or NOT_FOUND, not 'NOTFOUND' (nearest: "
        "'NOT_FOUND')",
        "driver.yaml:4:3: key 'reqest': unknown (nearest: 'request')");
    BAD("self_test: {expect: OK}",
        "driver.yaml:1:1: key 'self_test': 'method' is missing: write 'method: NAME' into it");
    BAD("self_test: {}", "driver.yaml:1:1: key 'self_test': 'method' is missing: write 'method: NAME' into it");
    BAD("self_test: find", "driver.yaml:1:12: key 'self_test': must be a map, not 'find'");
    BAD("self_test:", "driver.yaml:1:11: key 'self_test': must be a map, not nothing");
    BAD("self_test: {method: a, method: b, request: 1, request: 2}",
        "driver.yaml:1:24: key 'method': stands here for the second time (the first is at line 1)",
        "driver.yaml:1:47: key 'request': stands here for the second time (the first is at line 1)");
    BAD("self_test: {method: a, request: {n: 99999999999999999999}}",
        "driver.yaml:1:37: the number 99999999999999999999 does not fit into 64 bits (quote it to make it a string)");
}

Test(manifest, refuses_a_request_that_is_too_long_to_be_told)
{
    char text[MANIFEST_REQUEST_MAX + 128];
    const int size =
        snprintf(text, sizeof(text), "self_test: {method: a, request: %0*d.}", (int)MANIFEST_REQUEST_MAX, 0);
    memset(text + strlen("self_test: {method: a, request: "), 'x', MANIFEST_REQUEST_MAX);
    cr_assert_lt((size_t)size, sizeof(text));
    BAD(text, "driver.yaml:1:33: key 'request': 32772 bytes as msgpack, but at most 32768 are allowed here");
}

Test(manifest, names_the_nearest_key)
{
    BAD("nmae: x\nbuild: {sistem: cc}\nsandbox:\n  netwrok: none\n",
        "driver.yaml:1:1: key 'nmae': unknown (nearest: 'name')",
        "driver.yaml:2:9: key 'sistem': unknown (nearest: 'system')",
        "driver.yaml:4:3: key 'netwrok': unknown (nearest: 'network')");
    BAD("zzzzzzzz: 1\n", "driver.yaml:1:1: key 'zzzzzzzz': unknown");
}

Test(manifest, lists_all_mistakes_of_values)
{
    BAD("name: no spaces\nbuild:\n  system: scons\n  artefact: ../../etc/passwd\n  pkg_config: [--libs]\n",
        "driver.yaml:1:7: key 'name': 'no spaces': must be at most 63 letters, digits, '-' and '_', with a letter or "
        "digit first",
        "driver.yaml:3:11: key 'system': must be one of cmake, make, cc, command, not 'scons'",
        "driver.yaml:4:13: key 'artefact': must be a relative path without '..', not '../../etc/passwd'",
        "driver.yaml:5:16: key 'pkg_config': must be a list of names that pkg-config knows, not '--libs'");
    BAD("build: {target: --version}",
        "driver.yaml:1:17: key 'target': must be a text of one line that does not begin with '-', not '--version'");
    BAD("build: {artefact: /etc/passwd}",
        "driver.yaml:1:19: key 'artefact': must be a relative path without '..', not '/etc/passwd'");
    BAD("sandbox: {read: [etc], memory: lots, cpu: 0}",
        "driver.yaml:1:18: key 'read': must be a list of absolute paths without '..', not 'etc'",
        "driver.yaml:1:32: key 'memory': must be a size such as 4096, 64KiB or 10MiB, not 'lots'",
        "driver.yaml:1:43: key 'cpu': must be a number of processors such as 1 or 0.5, not '0'");
}

Test(manifest, knows_what_a_command_needs)
{
    BAD("build: {system: command}", "driver.yaml:1:17: key 'system': 'command' needs the key 'command' beside it");
    BAD("build: {command: make}",
        "driver.yaml:1:8: key 'build': a command needs 'artefact': the path of what it makes");
    BAD("build: {system: make, command: make}",
        "driver.yaml:1:32: key 'command': only for system 'command', not for 'make'");
}

Test(manifest, refuses_what_is_no_map)
{
    BAD("- a\n- b\n", "driver.yaml:1:1: a manifest is a map: 'name: ...', 'interface: ...'");
    BAD("build: cmake\n", "driver.yaml:1:8: key 'build': must be a map, not 'cmake'");
    BAD("name: a\nname: b\n", "driver.yaml:2:1: key 'name': stands here for the second time (the first is at line 1)");
}
