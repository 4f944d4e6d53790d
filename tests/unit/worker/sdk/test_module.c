/* test_module.c - drover-worker hosts a module as if it were built in, and refuses what is none in one line */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

#define ECHO_MODULE DROVER_BINARY_DIR "/drivers/echo/echo.so"
#define ODD(name) DROVER_BINARY_DIR "/tests/odd_" name ".so"

static char output[8192];

/* Run drover-worker with these arguments of a shell, by hand; its exit status. */
static int run(const char *arguments)
{
    char command[512];

    snprintf(command, sizeof(command), DROVER_WORKER " %s 2>&1", arguments);
    FILE *pipe = popen(command, "r"); /* NOLINT: the command is the test's own */
    cr_assert_not_null(pipe);
    const size_t size = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = '\0';
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define cr_expect_output(text) cr_expect(strstr(output, text), "no '%s' in: %s", text, output)

/* It says why in one line, and ends with 78. */
#define cr_expect_refused(path, why)                                                                 \
    do {                                                                                             \
        cr_expect_eq(run("--module " path), 78, "%s", output);                                       \
        cr_expect_output(why);                                                                       \
        cr_expect_eq(strchr(output, '\n'), output + strlen(output) - 1, "not one line: %s", output); \
    } while (0)

TestSuite(module, .timeout = 60);

static void expect_served(const char *path)
{
    worker_rig_start(&rig, DROVER_WORKER, (const char *const[]){"--module", path, NULL});
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    worker_rig_simple_call(&rig, 1, "whoami");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_eq(worker_rig_reply_number(&rig, "pid"), (uint64_t)rig.pid);
}

Test(module, is_served_as_a_built_in_driver_is, .init = set_up, .fini = tear_down)
{
    expect_served(ECHO_MODULE);
}

/* As the host does it, with a sealed copy. */
Test(module, is_served_from_a_descriptor, .init = set_up, .fini = tear_down)
{
    char path[64];
    const int file = open(ECHO_MODULE, O_RDONLY);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    expect_served(path);
    close(file);
}

Test(module, explains_itself_by_hand)
{
    cr_expect_eq(run("--module " ECHO_MODULE), 2);
    cr_expect_output("Driver 'echo' ");
    cr_expect_output("driver: " ECHO_MODULE "\n");
    cr_expect_eq(run("--module=" ECHO_MODULE " --help"), 0);
    cr_expect_output("driver: " ECHO_MODULE "\n");
    cr_expect_eq(run("--version --module " ECHO_MODULE), 0);
    cr_expect_output("echo ");
}

Test(module, is_taken_from_the_working_folder_when_its_path_has_no_slash)
{
    cr_assert_eq(chdir(DROVER_BINARY_DIR "/drivers/echo"), 0);
    cr_expect_eq(run("--module echo.so"), 2);
    cr_expect_output("driver: " ECHO_MODULE "\n");
}

Test(module, that_is_none_is_refused)
{
    cr_expect_refused("/nowhere/x.so", "module '/nowhere/x.so': No such file or directory");
    cr_expect_refused(DROVER_SOURCE_DIR "/README.md", "is neither an executable nor a shared object");
    cr_expect_refused(ECHO_DRIVER, "is an executable, which is started without drover-worker");
    cr_expect_refused(DROVER_BINARY_DIR "/lib/libdrover-worker.so", "is a shared object that is no driver");
}

/* Their constructors would show that they were run. */
Test(module, without_a_descriptor_is_refused_before_any_of_it_is_run)
{
    cr_expect_refused(ODD("function"), "it lacks drover_driver_descriptor");
    cr_expect_refused(ODD("reference"), "it lacks drover_driver_descriptor");
    cr_expect_refused(ODD("hidden"), "it lacks drover_driver_descriptor");
}

Test(module, that_cannot_be_hosted_is_refused)
{
    cr_expect_refused(ODD("abi"), "has ABI 100, this drover knows 1 to 2");
    cr_expect_refused(ODD("empty"), "its drover_driver_descriptor is empty");
    cr_expect_refused(ODD("nameless"), "its table lacks interface, interface_version, name or version");
    cr_expect_refused(ODD("unresolved"), "odd_unresolved.so' cannot be loaded: undefined symbol: "
                                         "odd_function_that_is_nowhere");
}

Test(module, and_a_built_in_driver_are_not_hosted_at_once)
{
    cr_expect_eq(run("--builtin echo/echo --module " ECHO_MODULE), 2);
    cr_expect_output("one process hosts one driver");
}
