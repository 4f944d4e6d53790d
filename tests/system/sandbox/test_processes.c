/* test_processes.c - other processes cannot be looked into or signalled, and nobody outlives the one who started it */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_processes, .init = rig_init, .fini = rig_done, .timeout = 60);

/* The victim is of the user of the sandbox: only the sandbox protects it. */
static void refuses(const char *what)
{
    const struct sandbox_worker worker = rig_worker();
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)rig_start_victim());
    rig_refuses(&worker, ATTEMPT(what, pid));
}

Test(sandbox_processes, cannot_be_traced)
{
    refuses("ptrace");
}

Test(sandbox_processes, cannot_be_robbed_of_descriptors)
{
    refuses("take");
}

Test(sandbox_processes, keep_their_secrets)
{
    rig_needs_landlock(1);
    refuses("environ");
}

Test(sandbox_processes, cannot_be_signalled)
{
    rig_needs_landlock(6);
    refuses("kill");
}

/* One that starts a sandbox and then only waits. */
static _Noreturn void run_host(char **argv, int input, int output)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* whatever becomes of the test */
    if (fork() == 0) {
        if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0)
            execv(argv[0], argv);
        _exit(1);
    }
    close(output);
    for (;;)
        pause();
}

/* The sandbox changes its user, which clears the parent-death signal: it must have been set after that. */
Test(sandbox_processes, end_with_the_one_who_started_them)
{
    const char *const words[] = {rig_path("escape"), "wait", NULL};
    struct sandbox_worker worker = rig_worker();
    struct drover_error error = {0};
    char **argv = NULL, text[8];
    int input[2], output[2];

    worker.common.command = words;
    cr_assert_eq(sandbox_worker_argv(&worker, &argv, &error), DROVER_OK, "%s", error.text);
    cr_assert(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
    const pid_t host = fork();
    cr_assert(host >= 0);
    if (host == 0)
        run_host(argv, input[0], output[1]);
    close(output[1]);
    cr_assert_eq(read(output[0], text, sizeof(text)), (ssize_t)sizeof(text), "it did not start");
    cr_assert_eq(kill(host, SIGKILL), 0);
    cr_expect(rig_wait_for_end(output[0]), "it lives on");
    cr_expect_eq(waitpid(host, NULL, 0), host);
    sandbox_argv_free(argv);
}

Test(sandbox_processes, do_not_start_for_another_parent)
{
    const char *const words[] = {rig_path("escape"), "nothing", NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.command = words;
    worker.common.parent = getpid();
    cr_expect_eq(rig_run_worker(AS_SELF, &worker).status, 0);
    worker.common.parent = getpid() + 1;
    const struct outcome outcome = rig_run_worker(AS_SELF, &worker);
    cr_expect_eq(outcome.status, 70);
    cr_expect(strstr(outcome.output, "is gone") != NULL, "%s", outcome.output);
}
