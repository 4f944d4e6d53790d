/* test_run.c - a command is bounded, and nothing of it is left */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/build/run.h"

static char seen[4096];
static size_t seen_size, seen_most;

static bool see(const char *data, size_t size, void *context)
{
    (void)context;
    if (size > seen_most - seen_size)
        return false;
    memcpy(seen + seen_size, data, size);
    seen_size += size;
    return true;
}

static void set_up(void)
{
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    seen_most = sizeof(seen) - 1;
}

TestSuite(run, .init = set_up);

static struct run_result run_shell(const char *script, uint64_t time_ms, int cancel)
{
    struct words arguments = {0}, environment = {0};
    struct run_result result = {.code = -1};
    struct drover_error error = {0};
    words_add(&arguments, "/bin/sh");
    words_add(&arguments, "-c");
    words_add(&arguments, script);
    words_add(&environment, "PATH=/usr/bin:/bin");
    const struct run run = {.arguments = &arguments,
                            .environment = &environment,
                            .directory = "/",
                            .owner = {.uid = (uid_t)-1},
                            .deadline_ms = sys_now_ms() + time_ms,
                            .cancel = cancel,
                            .report = -1,
                            .output = see};
    cr_assert_eq(run_command(&run, &result, &error), DROVER_OK, "%s", error.text);
    words_done(&arguments);
    words_done(&environment);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
    return result;
}

Test(run, tells_status_and_output_of_both_streams)
{
    const struct run_result result = run_shell("pwd; echo err >&2; exit 3", 30000, -1);
    cr_expect_eq(result.end, RUN_EXITED);
    cr_expect_eq(result.code, 3);
    cr_expect_str_eq(seen, "/\nerr\n");
}

Test(run, tells_a_signal)
{
    const struct run_result result = run_shell("kill -ABRT $$", 30000, -1);
    cr_expect_eq(result.end, RUN_SIGNALLED);
    cr_expect_eq(result.code, SIGABRT);
}

Test(run, ends_what_takes_too_long)
{
    cr_expect_eq(run_shell("exec sleep 1000", 50, -1).end, RUN_LATE);
}

Test(run, ends_what_ran_away)
{
    /* A session of its own, and a stream that it keeps open; read: not before it has left. */
    const struct run_result result =
        run_shell("{ setsid sh -c 'sleep 1000 & echo left; sleep 1000' & } | read x; echo done", 30000, -1);
    cr_expect_eq(result.end, RUN_EXITED);
    cr_expect_str_eq(seen, "done\n");
}

Test(run, ends_what_prints_too_much)
{
    seen_most = 1000;
    cr_expect_eq(run_shell("exec yes", 30000, -1).end, RUN_REFUSED);
}

Test(run, can_be_cancelled)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_expect_eq(run_shell("exec sleep 1000", 30000, ends[0]).end, RUN_CANCELLED);
}

Test(run, says_why_nothing_was_run)
{
    struct words arguments = {0}, environment = {0};
    struct drover_error error = {0};
    char *output = NULL;
    words_add(&arguments, "/nowhere/at-all");
    words_add(&environment, "A=b");
    cr_expect_eq(run_for_output(&arguments, &environment, &output, &error), DROVER_NOT_FOUND);
    cr_expect_str_eq(error.text, "'/nowhere/at-all' cannot be run in '/': no such file or directory");
    words_done(&arguments);
    words_done(&environment);
}

Test(run, keeps_the_output_of_short_commands)
{
    struct words arguments = {0}, environment = {0};
    struct drover_error error = {0};
    char *output = NULL;
    words_add(&arguments, "/bin/echo");
    words_add(&arguments, "one two");
    words_add(&environment, "A=b");
    cr_assert_eq(run_for_output(&arguments, &environment, &output, &error), DROVER_OK, "%s", error.text);
    cr_expect_str_eq(output, "one two\n");
    free(output);
    words_done(&arguments);
    words_done(&environment);
}
