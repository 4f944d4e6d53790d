/* test_launch.c - what the program gets from the one who started it: its bytes, descriptors, environment */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/system/sandbox/sandbox_rig.h"

#define PROGRAM_MAX ((size_t)16 << 20)

TestSuite(sandbox_launch, .init = rig_init, .fini = rig_done, .timeout = 60);

/* The program from a descriptor that the launcher inherits. */
static struct outcome run_descriptor(int fd)
{
    const char *const words[] = {"any-name", "nothing", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.command = words;
    worker.exec_fd = fd;
    return rig_run_worker(AS_SELF, &worker);
}

static int memory_file(const void *data, size_t size)
{
    const int fd = memfd_create("driver", MFD_ALLOW_SEALING);

    cr_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    return fd;
}

Test(sandbox_launch, runs_a_program_in_memory)
{
    struct drover_error error = {0};
    char *data = NULL;
    size_t size = 0;

    cr_assert_eq(sys_read_file(rig_path("escape"), PROGRAM_MAX, &data, &size, &error), DROVER_OK, "%s", error.text);
    const struct outcome outcome = run_descriptor(memory_file(data, size));
    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    free(data);
}

Test(sandbox_launch, runs_a_script_in_memory)
{
    static const char script[] = "#!/bin/sh\necho \"script $1\"\n";
    const struct outcome outcome = run_descriptor(memory_file(script, sizeof(script) - 1));

    cr_expect_eq(outcome.status, 0);
    cr_expect_str_eq(outcome.output, "script nothing\n");
}

Test(sandbox_launch, runs_a_file_that_was_opened_before)
{
    const struct outcome outcome = run_descriptor(open(rig_path("escape"), O_RDONLY));

    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
}

Test(sandbox_launch, hands_on_only_the_descriptors_that_are_named)
{
    const int fd = open(rig_path("key"), O_RDONLY);
    char number[16];
    struct sandbox_worker worker = rig_worker();

    snprintf(number, sizeof(number), "%d", fd);
    rig_refuses(&worker, ATTEMPT("descriptor", number));
    worker.keep_fds = &fd;
    worker.keep_count = 1;
    rig_allows(&worker, ATTEMPT("descriptor", number));
}

Test(sandbox_launch, hands_on_only_the_variables_that_are_meant)
{
    const char *const words[] = {rig_path("escape"), "print-environment", NULL};
    const char *const more[] = {"ADDED=1", NULL};
    struct sandbox_worker worker = rig_worker();

    cr_assert_eq(setenv("SECRET", "1", 1), 0);
    cr_assert_eq(setenv("DROVER_WORKER_NUMBER", "7", 1), 0);
    worker.common.command = words;
    worker.common.env = more;
    const struct outcome outcome = rig_run_worker(AS_SELF, &worker);
    cr_expect(strstr(outcome.output, "SECRET") == NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "DROVER_WORKER_NUMBER=7\n") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "ADDED=1\n") != NULL, "%s", outcome.output);
    cr_expect(strstr(rig_run(AS_SELF, words).output, "SECRET") != NULL, "not even without a sandbox");
}

Test(sandbox_launch, leaves_the_stream_that_was_reported_on)
{
    const char *const words[] = {rig_path("escape"), "print-environment", NULL};
    const char *const more[] = {"ADDED=1", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.command = words;
    worker.common.env = more;
    worker.common.report_fd = STDOUT_FILENO;
    const struct outcome outcome = rig_run_worker(AS_SELF, &worker);
    cr_expect(strstr(outcome.output, "\"policy\"") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "ADDED=1\n") != NULL, "%s", outcome.output);
}

/* A command line that is not understood: status 2 and the reason. */
static void expect_usage(const char *const *words, const char *reason)
{
    const struct outcome outcome = rig_run(AS_SELF, words);

    cr_expect_eq(outcome.status, 2, "%d: %s", outcome.status, outcome.output);
    cr_expect(strstr(outcome.output, reason) != NULL, "%s", outcome.output);
}

Test(sandbox_launch, says_what_is_wrong_with_its_command_line)
{
    expect_usage(ATTEMPT(rig_path("launch")), "nothing to run");
    expect_usage(ATTEMPT(rig_path("launch"), "--polcy"), "nearest: '--policy'");
    expect_usage(ATTEMPT(rig_path("launch"), "--", "sh"), "has no '/'");
}

Test(sandbox_launch, says_that_a_program_cannot_be_executed)
{
    const struct outcome outcome = rig_run(AS_SELF, ATTEMPT(rig_path("launch"), "--", "/nowhere/at/all"));

    cr_expect_eq(outcome.status, 127);
    cr_expect(strstr(outcome.output, "cannot execute '/nowhere/at/all'") != NULL, "%s", outcome.output);
}
