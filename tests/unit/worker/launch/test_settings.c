/* test_settings.c - the command line of drover-launch */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/launch/settings.h"

#define WORDS_MAX 128
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Read words that are parted by blanks. */
static enum drover_status parse(const char *line, struct settings *ret, struct drover_error *error)
{
    static char copy[2048];
    static char *words[WORDS_MAX];
    int count = 0;

    cr_assert(strlen(line) < sizeof(copy));
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return settings_read(count, words, ret, error);
}

static struct settings must_parse(const char *line)
{
    struct settings settings = {0};
    struct drover_error error = {0};

    cr_assert_eq(parse(line, &settings, &error), DROVER_OK, "%s", error.text);
    return settings;
}

Test(settings, grant_nothing_when_nothing_is_said)
{
    const struct settings settings = must_parse("drover-launch -- /bin/true --help");

    cr_expect_eq(settings.policy, SANDBOX_REQUIRED);
    cr_expect_eq(settings.network, SANDBOX_NETWORK_NONE);
    cr_expect_eq(settings.read.count + settings.write.count + settings.exec.count, 0);
    cr_expect_eq(settings.report_fd, -1);
    cr_expect(settings.artefact == NULL && settings.module == NULL);
    cr_expect_not(settings.changes_user);
    cr_expect_not(settings.help);
    cr_expect_str_eq(settings.command[0], "/bin/true");
    cr_expect_str_eq(settings.command[1], "--help");
}

Test(settings, hold_what_is_said)
{
    const struct settings settings = must_parse(
        "drover-launch --policy best-effort --network outbound --read /a --read /b --write /c --exec /d --user 7:8 "
        "--group 9 "
        "--memory 2GiB --cpu 120 --file-size 1MiB --processes 9 --descriptors 10 --namespaces --parent 11 --keep-fd 3 "
        "--keep-fd 4 --report-fd 5 --clear-env --keep-env PATH --env A=B=C --processors 2 --module /m.so "
        "--artefact " HASH " -- /name");

    cr_expect_eq(settings.policy, SANDBOX_BEST_EFFORT);
    cr_expect_eq(settings.network, SANDBOX_NETWORK_OUTBOUND);
    cr_expect_str_eq(settings.read.items[1], "/b");
    cr_expect_str_eq(settings.write.items[0], "/c");
    cr_expect_str_eq(settings.exec.items[0], "/d");
    cr_expect(settings.changes_user && settings.uid == 7 && settings.gid == 8);
    cr_expect_eq(settings.limits[LIMIT_MEMORY].value, UINT64_C(2) << 30);
    cr_expect_eq(settings.limits[LIMIT_CPU].value, 120);
    cr_expect_eq(settings.limits[LIMIT_FILE_SIZE].value, 1 << 20);
    cr_expect_eq(settings.limits[LIMIT_PROCESSES].value, 9);
    cr_expect_eq(settings.limits[LIMIT_DESCRIPTORS].value, 10);
    cr_expect(settings.namespaces && settings.clear_env);
    cr_expect_eq(settings.parent, 11);
    cr_expect(settings.keep_count == 2 && settings.keep[0] == 3 && settings.keep[1] == 4);
    cr_expect_eq(settings.report_fd, 5);
    cr_expect(settings.has_group && settings.group == 9);
    cr_expect_eq(settings.processors, 2);
    cr_expect_str_eq(settings.artefact, HASH);
    cr_expect_str_eq(settings.module, "/m.so");
    cr_expect_str_eq(settings.env.items[0], "A=B=C");
}

/* A line that is refused, and what the message must name. */
struct row {
    const char *line, *named;
};

static const struct row refused[] = {
    {"x", "nothing to run"},
    {"x --", "nothing to run"},
    {"x -- true", "'true' has no '/'"},
    {"x --raed /a -- /x", "nearest: '--read'"},
    {"x --policy strict -- /x", "'--policy': 'strict'"},
    {"x --network on -- /x", "'--network': 'on'"},
    {"x --user 5 -- /x", "'--user': '5'"},
    {"x --user :5 -- /x", "'--user'"},
    {"x --user 5: -- /x", "'--user'"},
    {"x --user root:root -- /x", "'--user'"},
    {"x --user 4294967295:1 -- /x", "'--user'"},
    {"x --user 1:4294967295 -- /x", "'--user'"},
    {"x --user 11111111111111111111111111111111:1 -- /x", "'--user'"},
    {"x --memory much -- /x", "'--memory': 'much'"},
    {"x --memory 0 -- /x", "'--memory'"},
    {"x --cpu 5s -- /x", "'--cpu': '5s'"},
    {"x --processes -1 -- /x", "'--processes'"},
    {"x --parent 99999999999 -- /x", "'--parent'"},
    {"x --keep-fd 3x -- /x", "'--keep-fd'"},
    {"x --report-fd -1 -- /x", "'--report-fd'"},
    {"x --group drover -- /x", "'--group'"},
    {"x --processors few -- /x", "'--processors'"},
    {"x --module /m.so -- /x", "'--module' needs '--artefact'"},
    {"x --artefact 00 -- /x", "'--artefact': '00'"},
    {"x --artefact " HASH "0 -- /x", "'--artefact'"},
    {"x --env A -- /x", "'--env': 'A'"},
    {"x --env =A -- /x", "'--env'"},
    {"x --keep-env A=B -- /x", "'--keep-env'"},
};

Test(settings, are_refused_with_the_name_of_the_option)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct settings settings = {0};
        struct drover_error error = {0};
        cr_expect_eq(parse(refused[i].line, &settings, &error), DROVER_INVALID_ARGUMENT, "%s", refused[i].line);
        cr_expect(strstr(error.text, refused[i].named) != NULL, "%s: %s", refused[i].line, error.text);
    }
}

Test(settings, need_no_command_for_help)
{
    cr_expect(must_parse("x --help").help);
    cr_expect(must_parse("x --version").version);
}
