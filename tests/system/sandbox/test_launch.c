/* test_launch.c - what the program gets from the one who started it: its bytes, descriptors, environment */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_launch, .init = rig_init, .fini = rig_done, .timeout = 60);

/* Run a command whose program must have the hash of `file`, or with NULL another one. */
static struct outcome run_artefact(struct sandbox_worker *worker, const char *const *words, const char *file)
{
    char hash[65] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct drover_error error = {0};

    if (file != NULL)
        cr_assert_eq(sys_hash_file(file, hash, &error), DROVER_OK, "%s", error.text);
    worker->common.command = words;
    worker->artefact = hash;
    return rig_run_worker(AS_SELF, worker);
}

Test(sandbox_launch, runs_a_copy_of_the_program_in_memory)
{
    const char *const words[] = {rig_path("escape"), "print-self", NULL};
    struct sandbox_worker worker = rig_worker();
    const struct outcome outcome = run_artefact(&worker, words, words[0]);

    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    cr_expect(strstr(outcome.output, "exe /memfd:escape (deleted)\n") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "escape\n") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, words[0]) != NULL, "its first argument is the path: %s", outcome.output);
}

Test(sandbox_launch, runs_a_copy_under_the_name_that_is_given)
{
    const char *const words[] = {rig_path("escape"), "print-self", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.name = "json";
    const struct outcome outcome = run_artefact(&worker, words, words[0]);
    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    cr_expect(strstr(outcome.output, "exe /memfd:json (deleted)\n") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "argv[0] json\n") != NULL, "%s", outcome.output);
}

Test(sandbox_launch, seals_the_copy)
{
    const char *const words[] = {rig_path("escape"), "change-self", NULL};
    struct sandbox_worker worker = rig_worker();
    const struct outcome outcome = run_artefact(&worker, words, words[0]);

    cr_expect_eq(outcome.status, RIG_REFUSED, "%d: %s", outcome.status, outcome.output);
}

Test(sandbox_launch, runs_a_copy_of_a_script_in_memory)
{
    const char *const words[] = {rig_path("script"), "given", NULL};
    struct sandbox_worker worker = rig_worker();

    rig_write("script", "#!/bin/sh\necho \"script $1\"\n");
    cr_assert_eq(chmod(words[0], 0755), 0);
    const struct outcome outcome = run_artefact(&worker, words, words[0]);
    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    cr_expect_str_eq(outcome.output, "script given\n");
}

Test(sandbox_launch, hands_a_module_over_as_the_last_argument)
{
    const char *const words[] = {rig_path("escape"), "print-file", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.module = rig_path("key");
    const struct outcome outcome = run_artefact(&worker, words, rig_path("key"));
    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    cr_expect(strstr(outcome.output, "a secret of the broker") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "/proc/self/fd/") != NULL, "%s", outcome.output);
}

Test(sandbox_launch, never_runs_what_has_another_hash)
{
    char hash[65];
    const char *const words[] = {rig_path("escape"), "print-environment", NULL};
    struct sandbox_worker worker = rig_worker();
    const struct outcome outcome = run_artefact(&worker, words, NULL);
    struct drover_error error = {0};

    cr_assert_eq(sys_hash_file(words[0], hash, &error), DROVER_OK, "%s", error.text);
    cr_expect_eq(outcome.status, 65);
    cr_expect(strstr(outcome.output, hash) != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "not 00112233") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "PATH=") == NULL, "it was run: %s", outcome.output);
}

/* Process 1 of a namespace in which no memory may be executed. */
Test(sandbox_launch, runs_the_file_that_it_hashed_where_memory_cannot_be_executed)
{
    char hash[65], line[512];
    struct drover_error error = {0};

    if (!rig.is_root || access("/proc/sys/vm/memfd_noexec", W_OK) != 0)
        rig_skip("only root can forbid it, with vm.memfd_noexec");
    cr_assert_eq(sys_hash_file(rig_path("escape"), hash, &error), DROVER_OK, "%s", error.text);
    snprintf(
        line, sizeof(line),
        "echo 2 >/proc/sys/vm/memfd_noexec && exec '%s' --policy best-effort --exec /usr --exec /lib --exec /lib64 "
        "--read /proc --report-fd 1 --artefact %s -- '%s' print-self",
        rig_path("launch"), hash, rig_path("escape"));
    const struct outcome outcome =
        rig_run(AS_SELF, ATTEMPT("/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", line));
    cr_expect_eq(outcome.status, 0, "%d: %s", outcome.status, outcome.output);
    cr_expect(strstr(outcome.output, "\"sealed\":\"vm.memfd_noexec") != NULL, "%s", outcome.output);
    cr_expect(strstr(outcome.output, "/escape\n") != NULL, "%s", outcome.output);
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
    cr_expect(strstr(outcome.output, "cannot start /nowhere/at/all: No such file") != NULL, "%s", outcome.output);
}
