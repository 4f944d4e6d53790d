/* test_launch.c - one worker process, started as its plan says: whom it runs as, what it finds, why it is not run */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/host/launch.h"
#include "worker/launch/landlock.h"

#define HELPERS DROVER_BINARY_DIR "/bin"
#define OTHER_HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOBODY 65534U
#define PATIENCE_MS 20000

static char folder[64], script[128], state[128], above[128], endpoint[160];
static struct launch_sandbox sandbox;
static struct launch_plan plan;
static char output[8192]; /* of the last run */
static char layers[LAUNCH_LAYERS_SIZE];
static struct drover_error trouble;

static void set_up(void)
{
    strcpy(folder, "/tmp/drover-launch-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chmod(folder, 0711), 0);
    snprintf(script, sizeof(script), "%s/driver", folder);
    snprintf(above, sizeof(above), "%s/services", folder);
    snprintf(state, sizeof(state), "%s/services/mine", folder);
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/workers.sock", folder);
    sandbox = (struct launch_sandbox){.policy = CONFIG_SANDBOX_BEST_EFFORT};
    plan = (struct launch_plan){.helpers = HELPERS,
                                .name = "sample",
                                .program = script,
                                .directory = folder,
                                .folder = state,
                                .sandbox = &sandbox,
                                .endpoint = endpoint,
                                .number = 7};
}

static void tear_down(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(launch, .init = set_up, .fini = tear_down, .timeout = 60);

static void write_script(const char *body)
{
    FILE *file = fopen(script, "we");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    fclose(file);
    cr_assert_eq(chmod(script, 0755), 0);
}

static void await(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&one, 1, PATIENCE_MS), 1, "it does not end");
}

static void take_output(int fd)
{
    size_t used = strlen(output);
    ssize_t size;
    while ((size = read(fd, output + used, sizeof(output) - 1 - used)) > 0)
        used += (size_t)size;
    output[used] = '\0';
}

/* Run it to its end. Returns its exit status, or -1 with `trouble` when it was not even tried, or was refused. */
static int run(void)
{
    const uint8_t token[WIRE_TOKEN_SIZE] = {0};
    struct process process;
    struct drover_error error = {0};
    int code = 0, status = 0;

    output[0] = layers[0] = '\0';
    trouble = (struct drover_error){0};
    process_init(&process);
    cr_assert_eq(process_prepare(&process, token, &error), DROVER_OK, "%s", error.text);
    if (process_launch(&process, &plan, &trouble) != DROVER_OK) {
        process_done(&process);
        return -1;
    }
    await(process.pidfd);
    cr_assert(process_reap(&process, &code, &status));
    take_output(process.output[CAPTURE_STDOUT]);
    take_output(process.output[CAPTURE_STDERR]);
    snprintf(layers, sizeof(layers), "%s", process_layers(&process));
    if (process_trouble(&process, &plan, &trouble))
        status = -1;
    process_done(&process);
    return status;
}

static bool printed(const char *text)
{
    return strstr(output, text) != NULL;
}

static void expect_trouble(enum drover_status status, const char *text)
{
    cr_expect_eq(trouble.status, status, "%s: %s", drover_status_name(trouble.status), trouble.text);
    cr_expect(strstr(trouble.text, text) != NULL, "%s", trouble.text);
}

Test(launch, leaves_of_the_environment_what_a_worker_needs)
{
    write_script("env");
    setenv("SECRET", "1", 1);
    setenv("TZ", "UTC", 1);
    setenv("DROVER_BROKER", "1", 1);
    cr_expect_eq(run(), 0, "%s%s", output, trouble.text);
    cr_expect(printed("DROVER_WORKER_NUMBER=7\n") && printed("DROVER_WORKER_ENDPOINT=ipc://") && printed("TZ=UTC\n"));
    cr_expect(printed("DROVER_STATE_DIR=/tmp/") && printed("/services/mine\n"), "%s", output);
    cr_expect_not(printed("SECRET") || printed("DROVER_BROKER"), "%s", output);

    sandbox.policy = CONFIG_SANDBOX_OFF;
    cr_expect_eq(run(), 0);
    cr_expect(printed("SECRET=1\n"), "%s", output);
    cr_expect_not(printed("DROVER_BROKER"), "%s", output);
}

Test(launch, gives_a_worker_a_folder_that_is_its_own)
{
    struct stat found;
    write_script("echo x >$DROVER_STATE_DIR/file && echo y >$TMPDIR/file && cat $HOME/file");
    cr_expect_eq(run(), 0, "%s%s", output, trouble.text);
    cr_expect_str_eq(output, "y\n");
    cr_assert_eq(stat(state, &found), 0);
    cr_expect_eq(found.st_mode & 07777U, 0700U);
    cr_assert_eq(stat(above, &found), 0);
    cr_expect_eq(found.st_mode & 07777U, 0711U);
}

Test(launch, follows_no_link_in_the_place_of_the_folder)
{
    char away[128];
    write_script("true");
    snprintf(away, sizeof(away), "%s/away", folder);
    cr_assert(mkdir(above, 0711) == 0 && mkdir(away, 0755) == 0 && symlink(away, state) == 0);
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_PERMISSION_DENIED, "its folder");
}

Test(launch, says_which_layers_hold)
{
    if (landlock_abi() == 0)
        cr_skip_test("this kernel has no Landlock");
    write_script("true");
    cr_expect_eq(run(), 0);
    cr_expect(strstr(layers, "landlock seccomp limits") != NULL, "%s", layers);
    sandbox.policy = CONFIG_SANDBOX_OFF;
    cr_expect_eq(run(), 0);
    cr_expect_str_eq(layers, "off");
    plan.sandbox = NULL;
    cr_expect_eq(run(), 0);
    cr_expect_str_eq(layers, "off");
}

Test(launch, names_the_layer_that_is_required_and_missing)
{
    write_script("echo it runs");
    sandbox.policy = CONFIG_SANDBOX_REQUIRED;
    sandbox.network = CONFIG_NETWORK_LOOPBACK;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_FAILED_PRECONDITION, "loopback");
    cr_expect_not(printed("it runs"));
}

/* Artefacts */

static void hash(const char *path, char hex[65])
{
    struct drover_error error = {0};
    cr_assert_eq(sys_hash_file(path, hex, &error), DROVER_OK, "%s", error.text);
}

Test(launch, runs_a_copy_of_an_artefact_under_the_name_of_the_driver)
{
    char hex[65];
    plan.program = "/bin/cat";
    plan.builtin = "/proc/self/comm"; /* --builtin is no option of cat: it says so under its name */
    hash(plan.program, hex);
    plan.artefact = hex;
    cr_expect_gt(run(), 0);
    cr_expect_eq(strncmp(output, "sample: ", 8), 0, "%s", output);
    cr_expect_eq(strncmp(layers, "sealed ", 7), 0, "%s", layers);
}

Test(launch, never_runs_what_is_not_the_artefact)
{
    char hex[65];
    write_script("echo it runs");
    hash(script, hex);
    plan.artefact = OTHER_HASH;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_DATA_LOSS, hex);
    expect_trouble(DROVER_DATA_LOSS, OTHER_HASH);
    cr_expect(printed(OTHER_HASH), "on its standard error, too: %s", output);
    cr_expect_not(printed("it runs\n"));
}

Test(launch, hands_a_module_over_as_a_copy_that_is_the_artefact)
{
    char hex[65], module[128];
    snprintf(module, sizeof(module), "%s/driver.so", folder);
    FILE *file = fopen(module, "we");
    cr_assert_not_null(file);
    fputs("the module\n", file);
    fclose(file);
    hash(module, hex);
    write_script("echo \"$1\"; cat \"$2\"; ls -l \"$2\"");
    plan.module = module;
    plan.artefact = hex;
    cr_expect_eq(run(), 0, "%s%s", output, trouble.text);
    cr_expect_eq(strncmp(output, "--module\nthe module\n", 20), 0, "%s", output);
    cr_expect(printed("/memfd:driver.so"), "%s", output);
    plan.artefact = OTHER_HASH;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_DATA_LOSS, "driver.so");
}

Test(launch, says_why_an_artefact_cannot_be_executed)
{
    static const char text[] = "neither ELF nor script\n";
    char hex[65];
    write_script("true");
    plan.artefact = OTHER_HASH;
    cr_assert_eq(chmod(script, 0644), 0);
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_UNAVAILABLE, "cannot start /tmp/");
    expect_trouble(DROVER_UNAVAILABLE, "Permission denied");

    cr_assert_eq(chmod(script, 0755), 0);
    FILE *file = fopen(script, "we");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    hash(script, hex);
    plan.artefact = hex;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_UNAVAILABLE, "Exec format error");

    cr_assert_eq(unlink(script), 0);
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_UNAVAILABLE, "No such file or directory");
}

Test(launch, says_that_its_launcher_is_not_there)
{
    write_script("true");
    plan.helpers = "/nowhere";
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_UNAVAILABLE, "with /nowhere/drover-launch: No such file or directory");
    plan.helpers = NULL;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_FAILED_PRECONDITION, "drover-launch");
}

/* Users */

Test(launch, runs_foreign_code_of_root_as_nobody)
{
    struct stat found;
    if (geteuid() != 0)
        cr_skip_test("only root can start somebody else");
    write_script("id -u; id -G; cat <$DROVER_STATE_DIR/../../secret");
    sandbox.foreign = true;
    cr_expect_neq(run(), 0);
    cr_expect_eq(strncmp(output, "65534\n65534\n", 12), 0, "%s", output);
    cr_assert_eq(stat(state, &found), 0);
    cr_expect(found.st_uid == NOBODY && found.st_gid == NOBODY);
}

Test(launch, runs_a_worker_as_the_user_that_is_named)
{
    if (geteuid() != 0)
        cr_skip_test("only root can start somebody else");
    write_script("id -u; id -G");
    sandbox.user = "daemon";
    cr_expect_eq(run(), 0, "%s%s", output, trouble.text);
    cr_expect_str_eq(output, "1\n1 65534\n");
}

Test(launch, does_not_run_foreign_code_as_root_even_when_told)
{
    if (geteuid() != 0)
        cr_skip_test("this is about root");
    write_script("true");
    sandbox.foreign = true;
    sandbox.user = "root";
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_PERMISSION_DENIED, "not run as root");
}

Test(launch, takes_every_right_from_a_worker_that_stays_root)
{
    if (geteuid() != 0)
        cr_skip_test("this is about root");
    write_script("id -u; grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status; grep NoNewPrivs /proc/self/status");
    cr_expect_eq(run(), 0, "%s%s", output, trouble.text);
    cr_expect_str_eq(output, "0\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
                             "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
}

Test(launch, refuses_another_user_without_root)
{
    if (geteuid() == 0)
        cr_skip_test("this is about ordinary users");
    write_script("true");
    sandbox.user = "root";
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_PERMISSION_DENIED, "only root can run it as user 'root'");
}

Test(launch, refuses_a_user_that_there_is_not)
{
    write_script("true");
    sandbox.user = "nosuchuser";
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_NOT_FOUND, "no user 'nosuchuser'");
}

Test(launch, says_what_keeps_another_user_from_its_broker)
{
    if (geteuid() != 0)
        cr_skip_test("only root can start somebody else");
    write_script("true");
    cr_assert_eq(chmod(folder, 0700), 0);
    sandbox.foreign = true;
    cr_expect_eq(run(), -1);
    expect_trouble(DROVER_PERMISSION_DENIED, folder);
    expect_trouble(DROVER_PERMISSION_DENIED, "chmod o+x");
}
