/* test_profile.c - the command lines for a compile and for a worker: drover-launch reads back what was meant */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "worker/launch/settings.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char *const command[] = {"/usr/bin/cc", "-c", "--read", NULL};

static struct sandbox_common common(void)
{
    return (struct sandbox_common){.launcher = "/launch", .report_fd = -1, .command = command};
}

/* What drover-launch makes of a command line; its words are released with the process. */
static struct settings read_back(char **argv)
{
    struct settings settings = {0};
    struct drover_error error = {0};
    int count = 0;

    while (argv[count] != NULL)
        count++;
    cr_assert_eq(settings_read(count, argv, &settings, &error), DROVER_OK, "%s", error.text);
    return settings;
}

static bool has(const struct option_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

Test(profile, of_a_compile_grants_its_folder_and_the_system)
{
    const struct sandbox_compile compile = {.common = common(), .folder = "/build"};
    char **argv = NULL;

    cr_assert_eq(sandbox_compile_argv(&compile, &argv, NULL), DROVER_OK);
    const struct settings settings = read_back(argv);
    cr_expect_eq(settings.policy, SANDBOX_REQUIRED);
    cr_expect_eq(settings.network, SANDBOX_NETWORK_NONE);
    cr_expect(has(&settings.write, "/build") && has(&settings.write, "/dev/null") && settings.write.count == 2);
    cr_expect(has(&settings.exec, "/build") && has(&settings.exec, "/usr"));
    cr_expect(has(&settings.env, "TMPDIR=/build"));
    cr_expect(settings.clear_env && settings.keep_env.count == 0);
    cr_expect_eq(settings.limits[LIMIT_MEMORY].value, UINT64_C(2) << 30);
    cr_expect_eq(settings.limits[LIMIT_CPU].value, 120);
    cr_expect_eq(settings.limits[LIMIT_FILE_SIZE].value, 256 << 20);
    cr_expect_eq(settings.limits[LIMIT_DESCRIPTORS].value, 256);
    cr_expect(settings.limits[LIMIT_PROCESSES].given);
    cr_expect_str_eq(settings.command[2], "--read");
    argv = sandbox_argv_free(argv);
}

Test(profile, of_a_worker_reaches_its_broker_and_what_is_granted)
{
    static const char *const readable[] = {"/data", NULL}, *const writable[] = {"/spool", NULL};
    static const int kept[] = {3, 4};
    struct sandbox_worker worker = {
        .common = common(), .folder = "/state", .artefact = HASH, .keep_fds = kept, .keep_count = 2};
    char **argv = NULL;

    worker.common.read = readable;
    worker.common.write = writable;
    worker.common.memory_bytes = 4096;
    worker.common.parent = 77;
    worker.common.report_fd = 5;
    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    const struct settings settings = read_back(argv);
    cr_expect_eq(settings.network, SANDBOX_NETWORK_UNIX);
    cr_expect(has(&settings.exec, "/data") && has(&settings.write, "/spool") && has(&settings.write, "/state"));
    cr_expect_not(has(&settings.exec, "/state"));
    cr_expect_eq(settings.limits[LIMIT_MEMORY].value, 4096);
    cr_expect_not(settings.limits[LIMIT_CPU].given);
    cr_expect_eq(settings.parent, 77);
    cr_expect(settings.report_fd == 5 && settings.keep_count == 2);
    cr_expect_str_eq(settings.artefact, HASH);
    cr_expect_null(settings.module);
    cr_expect_eq(settings.processors, 0);
    cr_expect(has(&settings.env, "TMPDIR=/state"));
    cr_expect(has(&settings.keep_env, "DROVER_WORKER_ENDPOINT"));
    argv = sandbox_argv_free(argv);
}

Test(profile, of_a_worker_hands_over_a_module_and_its_libraries)
{
    const struct sandbox_worker worker = {
        .common = common(), .artefact = HASH, .module = "/a/driver.so", .libraries = "/tmp", .processors = 2};
    char **argv = NULL;

    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    const struct settings settings = read_back(argv);
    cr_expect_str_eq(settings.module, "/a/driver.so");
    cr_expect(has(&settings.read, "/tmp") && has(&settings.env, "LD_LIBRARY_PATH=/tmp"));
    cr_expect_eq(settings.processors, 2);
    cr_expect_eq(settings.write.count, 1, "without a folder there is only /dev/null");
    argv = sandbox_argv_free(argv);
}

Test(profile, of_a_worker_without_a_sandbox_leaves_the_environment)
{
    struct sandbox_worker worker = {.common = common(), .folder = "/state"};
    char **argv = NULL;

    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    cr_expect(read_back(argv).clear_env);
    argv = sandbox_argv_free(argv);
    worker.common.policy = SANDBOX_OFF;
    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    cr_expect_not(read_back(argv).clear_env);
    argv = sandbox_argv_free(argv);
}

Test(profile, of_a_worker_may_stay_root_unless_it_is_given_a_user)
{
    struct sandbox_worker worker = {.common = common(), .stays_root = true, .group = 7};
    char **argv = NULL;

    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    cr_expect_not(read_back(argv).changes_user);
    argv = sandbox_argv_free(argv);
    worker.common.uid = 42;
    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    const struct settings settings = read_back(argv);
    cr_expect(settings.changes_user && settings.uid == 42 && settings.has_group && settings.group == 7);
    argv = sandbox_argv_free(argv);
}

Test(profile, of_a_worker_with_outbound_may_resolve_names)
{
    const struct sandbox_worker worker = {.common = common(), .folder = "/state", .network = SANDBOX_NETWORK_OUTBOUND};
    char **argv = NULL;

    cr_assert_eq(sandbox_worker_argv(&worker, &argv, NULL), DROVER_OK);
    const struct settings settings = read_back(argv);
    cr_expect_eq(settings.network, SANDBOX_NETWORK_OUTBOUND);
    cr_expect_eq(has(&settings.read, "/etc/hosts"), access("/etc/hosts", F_OK) == 0);
    argv = sandbox_argv_free(argv);
}

Test(profile, is_never_root)
{
    struct sandbox_compile compile = {.common = common(), .folder = "/build"};
    char **argv = NULL;

    cr_assert_eq(sandbox_compile_argv(&compile, &argv, NULL), DROVER_OK);
    struct settings settings = read_back(argv);
    cr_expect_eq(settings.changes_user, geteuid() == 0);
    cr_expect_eq(settings.uid, geteuid() == 0 ? SANDBOX_NOBODY : 0);
    argv = sandbox_argv_free(argv);

    compile.common.uid = 42;
    cr_assert_eq(sandbox_compile_argv(&compile, &argv, NULL), DROVER_OK);
    settings = read_back(argv);
    cr_expect(settings.changes_user && settings.uid == 42 && settings.gid == 42);
    argv = sandbox_argv_free(argv);
}

Test(profile, needs_a_command_and_a_folder)
{
    static const char *const nothing[] = {NULL};
    struct sandbox_compile compile = {.common = common(), .folder = "build"};
    struct drover_error error = {0};
    char **argv = NULL;

    cr_expect_eq(sandbox_compile_argv(&compile, &argv, &error), DROVER_INVALID_ARGUMENT);
    compile.folder = "/build";
    compile.common.command = nothing;
    cr_expect_eq(sandbox_compile_argv(&compile, &argv, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(argv == NULL);
}

Test(profile, refuses_more_paths_than_the_launcher_takes)
{
    const char *many[OPTION_LIST_MAX + 1] = {NULL};
    struct sandbox_worker worker = {.common = common(), .folder = "/state"};
    struct drover_error error = {0};
    char **argv = NULL;

    for (size_t i = 0; i < OPTION_LIST_MAX; i++)
        many[i] = "/data";
    worker.common.write = many;
    cr_expect_eq(sandbox_worker_argv(&worker, &argv, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "--write") != NULL, "%s", error.text);
}

Test(profile, has_words_for_policies_and_networks)
{
    enum sandbox_policy policy = SANDBOX_REQUIRED;
    enum sandbox_network network = SANDBOX_NETWORK_NONE;

    cr_expect(sandbox_policy_parse("best-effort", &policy) && policy == SANDBOX_BEST_EFFORT);
    cr_expect(sandbox_network_parse("loopback", &network) && network == SANDBOX_NETWORK_LOOPBACK);
    cr_expect_not(sandbox_policy_parse("", &policy));
    cr_expect_not(sandbox_network_parse("all", &network));
    cr_expect_str_eq(sandbox_policy_name(SANDBOX_OFF), "off");
    cr_expect_str_eq(sandbox_network_name(SANDBOX_NETWORK_UNIX), "unix");
}
