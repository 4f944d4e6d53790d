/* test_host.c - the host with real processes: shell scripts as drivers
 *
 * The scripts speak no protocol; the tests say in the core's place that a worker is ready, hung or drained. Limits of
 * seconds are passed by moving the host's clock on.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/text.h"
#include "fixture.h"

static struct fixture fixture;

static void tear_down(void)
{
    if (fixture.host != NULL)
        fixture_done(&fixture);
}

TestSuite(host, .fini = tear_down, .timeout = 60);

static void start(const char *script)
{
    fixture_init(&fixture, script);
    fixture_start(&fixture);
}

static void start_ready(const char *script)
{
    start(script);
    fixture_run_until(&fixture, is_ready);
}

static uint64_t now(void)
{
    return fixture_now(&fixture);
}

static bool has_nothing_planned(struct fixture *f)
{
    return host_deadline_ms(f->host) == UINT64_MAX;
}

static void expect_reason(const char *expected)
{
    cr_expect_str_eq(fixture_reason(&fixture), expected, "reason is: %s", fixture_reason(&fixture));
}

/* Launch, ready, death */

Test(host, forks_a_worker_only_when_it_is_expected)
{
    start("exec sleep 1000");
    host_step(fixture.host, now());
    cr_expect_eq(fixture_worker(&fixture).pid, 0, "nobody has taken the event yet");
    cr_expect_eq(host_deadline_ms(fixture.host), 0U, "which is due now");
    fixture_take_events(&fixture);
    cr_expect_eq(host_deadline_ms(fixture.host), 0U, "as is the step after it");
    const struct host_event *expect = fixture_last(&fixture, HOST_EXPECT);
    cr_assert_not_null(expect);
    cr_expect_str_eq(expect->service, "test");
    cr_expect_eq(expect->generation, 1U);
    cr_expect_eq(expect->worker, fixture_worker(&fixture).worker);

    host_step(fixture.host, now());
    cr_expect_neq(fixture_worker(&fixture).pid, 0);
    cr_expect_str_eq(fixture_worker(&fixture).state, "starting");
}

Test(host, becomes_ready_when_told_so)
{
    start("exec sleep 1000");
    fixture_run_until(&fixture, worker_runs);
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_STARTING);
    host_worker_ready(fixture.host, fixture_worker(&fixture).worker, now());
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_READY);
    fixture_take_events(&fixture);
    cr_expect_eq(fixture_last(&fixture, HOST_SERVICE_STATE)->state, HOST_SERVICE_READY);
    cr_expect_str_eq(fixture_worker(&fixture).state, "ready");
    cr_expect_str_eq(fixture_worker(&fixture).artefact, ARTEFACT);
    expect_reason("");
}

static uint64_t first_worker;

static bool has_another_worker(struct fixture *f)
{
    return worker_runs(f) && fixture_worker(f).worker != first_worker;
}

Test(host, tells_a_death_before_it_announces_the_next_worker)
{
    start_ready("exec sleep 1000");
    first_worker = fixture_worker(&fixture).worker;
    kill((pid_t)fixture_worker(&fixture).pid, SIGKILL);
    fixture_take_events(&fixture);
    fixture.event_count = 0;
    fixture_run_until(&fixture, has_another_worker);
    cr_expect_eq(fixture.events[0].kind, HOST_LOST);
    cr_expect_eq(fixture.events[0].worker, first_worker);
    cr_expect_eq(fixture_count(&fixture, HOST_EXPECT), 1U);
    cr_expect_neq(fixture_last(&fixture, HOST_EXPECT)->worker, first_worker, "numbers are never used twice");
    cr_expect_eq(fixture_worker(&fixture).restarts, 1U);
    expect_reason(ARTEFACT_START "sample was killed by SIGKILL");
}

Test(host, keeps_the_last_reason_until_five_minutes_of_health)
{
    start_ready("exec sleep 1000");
    first_worker = fixture_worker(&fixture).worker;
    kill((pid_t)fixture_worker(&fixture).pid, SIGTERM);
    fixture_run_until(&fixture, has_another_worker);
    fixture_run_until(&fixture, is_ready);
    expect_reason(ARTEFACT_START "sample was killed by SIGTERM");
    fixture.skew_ms += 300000;
    host_step(fixture.host, now());
    expect_reason("");
    fixture_take_events(&fixture);
    cr_expect_str_eq(fixture_last(&fixture, HOST_SERVICE_STATE)->reason, "");
}

Test(host, wants_events_taken_that_were_caused_between_steps)
{
    struct drover_error error;
    start_ready("exec sleep 1000");
    fixture_take_events(&fixture);
    cr_assert_neq(host_deadline_ms(fixture.host), 0U);
    cr_assert_eq(host_restart(fixture.host, "test", now(), &error), DROVER_OK);
    cr_expect_eq(host_deadline_ms(fixture.host), 0U);
}

Test(host, ignores_news_of_workers_that_are_gone)
{
    start("exec sleep 1000");
    host_worker_ready(fixture.host, 4711, now());
    host_worker_hung(fixture.host, 4711, now());
    host_worker_drained(fixture.host, 4711, now());
    host_worker_config_error(fixture.host, 4711, "x", now());
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_STARTING);
}

/* What a worker gets */

static bool has_printed_all(struct fixture *f)
{
    return fixture_printed(f, "that is all");
}

/* The shell itself must not open descriptors, so `ls` shows its own. */
Test(host, gives_a_worker_nothing_but_its_five_descriptors)
{
    start("ls /proc/self/fd; readlink /proc/self/fd/0 /proc/self/fd/3 /proc/self/fd/4; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    char *lines = fixture_lines(&fixture, 0, NULL);
    cr_expect_eq(strncmp(lines, "0\n1\n2\n3\n4\n5\n/dev/null\n/memfd:drover-startword", 43), 0, "%s", lines);
    cr_expect_not_null(strstr(lines, "\npipe:["));
    free(lines);
}

Test(host, gives_a_worker_a_clean_state_of_signals)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    start("grep -E '^Sig(Blk|Ign)' /proc/self/status; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, "SigBlk:?0000000000000000"));
    cr_expect(fixture_printed(&fixture, "SigIgn:?0000000000000000"));
}

Test(host, passes_the_environment_through_without_its_own_variables)
{
    setenv("DROVER_BROKER", "ipc:///other", 1);
    setenv("DROVER_WORKER_PAGE_FD", "77", 1);
    setenv("SOME_SETTING", "kept", 1);
    start("env | sort; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, "DROVER_WORKER_ENDPOINT=ipc:///nowhere\nDROVER_WORKER_LIFELINE_FD=4\n"
                                        "DROVER_WORKER_NUMBER=1\nDROVER_WORKER_PAGE_FD=3\n"));
    cr_expect(fixture_printed(&fixture, "SOME_SETTING=kept\n"));
    cr_expect_not(fixture_printed(&fixture, "DROVER_BROKER"));
}

Test(host, runs_a_worker_in_its_folder_and_in_a_group_of_its_own)
{
    start("pwd; [ $(ps -o pgid= -p $$) = $$ ] && echo leader; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, fixture.folder));
    cr_expect(fixture_printed(&fixture, "leader\n"));
}

Test(host, names_the_built_in_driver_on_the_command_line)
{
    fixture_init(&fixture, "echo arguments: \"$@\"; echo that is all; exec sleep 9");
    fixture.options.builtin = "userprovider/json";
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, "arguments: --builtin userprovider/json\n"));
}

Test(host, runs_its_worker_program_when_no_other_is_named)
{
    fixture_init(&fixture, "");
    fixture.options.program = NULL;
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "cannot start /nowhere/drover-worker: No such file or directory");
}

Test(host, shares_a_page_with_the_token_that_cannot_be_shrunk)
{
    char token[2 * WIRE_TOKEN_SIZE + 1];
    start("od -An -v -tx1 -j8 -N32 -w32 /proc/self/fd/3 | tr -d ' '; truncate -s 0 /proc/self/fd/3 || echo sealed; "
          "echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    text_hex(fixture_last(&fixture, HOST_EXPECT)->token, WIRE_TOKEN_SIZE, token);
    cr_expect(fixture_printed(&fixture, token));
    cr_expect(fixture_printed(&fixture, "sealed\n"));
}

/* The start word */

#define START_FIVE_CALLS "printf '\\005' | dd of=/proc/self/fd/3 bs=1 seek=64 conv=notrunc 2>/dev/null; "

Test(host, tells_the_last_call_that_a_dead_worker_had_started)
{
    start(START_FIVE_CALLS "kill -9 $$");
    fixture_run_until(&fixture, has_lost_one);
    cr_expect_eq(fixture_last(&fixture, HOST_LOST)->started, 5U);
    cr_expect_eq(fixture_count(&fixture, HOST_CLOSED), 0U);
}

Test(host, closes_the_word_before_it_drains_and_the_first_answer_counts)
{
    struct drover_error error;
    start(START_FIVE_CALLS "echo that is all; exec sleep 1000");
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, is_ready);
    cr_assert_eq(host_drain(fixture.host, "test", now(), &error), DROVER_OK);
    fixture_take_events(&fixture);
    cr_assert_not_null(fixture_last(&fixture, HOST_CLOSED));
    cr_expect_eq(fixture_last(&fixture, HOST_CLOSED)->started, 5U);
    cr_expect_str_eq(fixture_worker(&fixture).state, "draining");
    host_worker_drained(fixture.host, fixture_worker(&fixture).worker, now());
    fixture_run_until(&fixture, is_stopped);
    cr_expect_eq(fixture_count(&fixture, HOST_CLOSED), 1U);
    cr_expect_eq(fixture_last(&fixture, HOST_LOST)->started, 5U);
}

/* Deaths before ready */

Test(host, opens_the_circuit_after_five_deaths_and_says_why)
{
    start("echo not this >&2; echo 'users.json: no such file' >&2; echo nor this; exit 1");
    fixture_run_until(&fixture, is_crashlooping);
    expect_reason(ARTEFACT_START "sample exited with status 1 before it was ready (5 times in a row): "
                                 "users.json: no such file");
    fixture_take_events(&fixture);
    cr_expect_eq(fixture_last(&fixture, HOST_SERVICE_STATE)->state, HOST_SERVICE_CRASHLOOP);
    cr_expect_eq(fixture_count(&fixture, HOST_LOST), 5U);
    cr_expect_str_eq(fixture_worker(&fixture).state, "backoff");
}

Test(host, probes_a_crash_loop_and_closes_the_circuit_when_it_is_ready)
{
    start("exit 1");
    fixture_run_until(&fixture, is_crashlooping);
    fixture_script(&fixture, "exec sleep 1000");
    fixture.skew_ms += 1300; /* the longest delay and its jitter */
    fixture_run_until(&fixture, worker_runs);
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_CRASHLOOP, "the circuit is open while it is probed");
    fixture_run_until(&fixture, is_ready);
}

Test(host, names_the_signal_that_killed_a_worker)
{
    start("kill -SEGV $$");
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "sample was killed by SIGSEGV before it was ready");
}

Test(host, says_that_a_program_does_not_exist)
{
    char expected[256];
    fixture_init(&fixture, "");
    unlink(fixture.script);
    fixture_start(&fixture);
    fixture_run_until(&fixture, is_crashlooping);
    snprintf(expected, sizeof(expected), ARTEFACT_START "cannot start %s: No such file or directory (5 times in a row)",
             fixture.script);
    expect_reason(expected);
}

Test(host, says_that_a_program_is_none)
{
    char expected[256];
    fixture_init(&fixture, "");
    fixture.options.program = fixture.folder;
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_lost_one);
    snprintf(expected, sizeof(expected), ARTEFACT_START "cannot start %s: Permission denied", fixture.folder);
    expect_reason(expected);
}

Test(host, says_that_the_folder_does_not_exist)
{
    char expected[256];
    fixture_init(&fixture, "");
    fixture.options.directory = "/nowhere";
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_lost_one);
    snprintf(expected, sizeof(expected),
             ARTEFACT_START "cannot start %s in directory /nowhere: No such file or directory", fixture.script);
    expect_reason(expected);
}

Test(host, takes_down_a_worker_that_is_not_ready_in_time)
{
    start("exec sleep 1000");
    fixture_run_until(&fixture, worker_runs);
    fixture.skew_ms += 10000;
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "sample was not ready within 10000 ms and was killed by SIGABRT");
}

/* Configuration errors */

Test(host, does_not_restart_after_exit_status_78)
{
    start("echo 'users: no such file' >&2; exit 78");
    fixture_run_until(&fixture, is_stopped);
    expect_reason(ARTEFACT_START "sample configuration error: users: no such file");
    fixture_run_until(&fixture, has_nothing_planned);
    cr_expect_eq(fixture_count(&fixture, HOST_EXPECT), 1U);
}

Test(host, prefers_the_words_of_the_driver_for_a_configuration_error)
{
    start("trap 'exit 78' TERM; echo started; while :; do sleep 0.01; done");
    fixture_run_until(&fixture, worker_runs);
    host_worker_config_error(fixture.host, fixture_worker(&fixture).worker, "key 'users' is missing", now());
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_STOPPED, "callers are told at once");
    fixture_run_until(&fixture, is_stopped);
    expect_reason(ARTEFACT_START "sample configuration error: key 'users' is missing");
}

Test(host, takes_the_words_of_the_driver_also_after_its_end)
{
    start("exit 78");
    fixture_run_until(&fixture, is_stopped);
    expect_reason(ARTEFACT_START "sample configuration error: exit status 78, and nothing on stderr");
    host_worker_config_error(fixture.host, fixture_worker(&fixture).worker, "key 'users' is missing", now());
    expect_reason(ARTEFACT_START "sample configuration error: key 'users' is missing");
}

Test(host, restarts_by_hand_after_a_configuration_error)
{
    struct drover_error error;
    start("exit 78");
    fixture_run_until(&fixture, is_stopped);
    fixture_script(&fixture, "exec sleep 1000");
    cr_assert_eq(host_restart(fixture.host, "test", now(), &error), DROVER_OK);
    expect_reason("");
    fixture_run_until(&fixture, is_ready);
}

/* Hung */

Test(host, aborts_a_hung_worker_also_when_it_is_stopped)
{
    start_ready("exec sleep 1000");
    kill((pid_t)fixture_worker(&fixture).pid, SIGSTOP);
    host_worker_hung(fixture.host, fixture_worker(&fixture).worker, now());
    fixture_run_until(&fixture, has_lost_one);
    cr_expect_eq(fixture_count(&fixture, HOST_CLOSED), 1U, "it is given nothing more");
    expect_reason(ARTEFACT_START "sample hung and was killed by SIGABRT");
}

Test(host, kills_a_hung_worker_that_does_not_abort)
{
    start("trap '' ABRT; echo that is all; while :; do sleep 0.01; done");
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, is_ready);
    host_worker_hung(fixture.host, fixture_worker(&fixture).worker, now());
    fixture.skew_ms += 5000;
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "sample hung and was killed by SIGKILL");
}

/* The worker joins the group of its child: its own one is empty then, and no signal to that reaches anybody. */
#define LEAVE_THE_GROUP                                                                             \
    "exec perl -e '$SIG{ABRT} = $SIG{TERM} = \"IGNORE\"; $child = fork; setpgrp if !$child; "       \
    "until (getpgrp($child) == $child) { select(undef, undef, undef, 0.001) } setpgrp(0, $child); " \
    "$| = 1; print \"that is all\\n\"; sleep 1000 while 1'"

Test(host, kills_a_hung_worker_that_has_left_its_group)
{
    start(LEAVE_THE_GROUP);
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, is_ready);
    host_worker_hung(fixture.host, fixture_worker(&fixture).worker, now());
    fixture.skew_ms += 5000;
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "sample hung and was killed by SIGKILL");
}

Test(host, stops_a_worker_that_has_left_its_group)
{
    start(LEAVE_THE_GROUP);
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, is_ready);
    host_stop(fixture.host, now());
    fixture.skew_ms += 10000;
    host_step(fixture.host, now());
    fixture.skew_ms += 5000;
    fixture_run_until(&fixture, is_empty);
    cr_expect_eq(count_children(), 0U);
}

/* By hand */

Test(host, drains_by_hand_and_stays_down_until_a_restart)
{
    struct drover_error error;
    start_ready("exec sleep 1000");
    cr_assert_eq(host_drain(fixture.host, "test", now(), &error), DROVER_OK);
    host_worker_drained(fixture.host, fixture_worker(&fixture).worker, now());
    fixture_run_until(&fixture, is_stopped);
    expect_reason("stopped by hand ('drover restart test' starts it)");
    fixture_run_until(&fixture, has_nothing_planned);
    cr_assert_eq(host_restart(fixture.host, "test", now(), &error), DROVER_OK);
    fixture_run_until(&fixture, is_ready);
    expect_reason("");
}

Test(host, restarts_by_hand_with_a_new_process)
{
    struct drover_error error;
    start_ready("exec sleep 1000");
    first_worker = fixture_worker(&fixture).worker;
    cr_assert_eq(host_restart(fixture.host, "test", now(), &error), DROVER_OK);
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_STARTING);
    host_worker_drained(fixture.host, first_worker, now());
    fixture_run_until(&fixture, has_another_worker);
    fixture_run_until(&fixture, is_ready);
    expect_reason("");
}

Test(host, refuses_services_that_it_does_not_know_or_cannot_run)
{
    struct drover_error error = {0};
    start("exec sleep 1000");
    cr_expect_eq(host_restart(fixture.host, "tset", now(), &error), DROVER_NOT_FOUND);
    cr_expect_not_null(strstr(error.text, "'tset'"));
    cr_expect_eq(host_drain(fixture.host, "tset", now(), &error), DROVER_NOT_FOUND);
    fixture.options.replicas = 65;
    cr_expect_eq(host_set_service(fixture.host, &fixture.options, 0, now(), &error), DROVER_INVALID_ARGUMENT);
    fixture.options.replicas = 0;
    cr_expect_eq(host_set_service(fixture.host, &fixture.options, 0, now(), &error), DROVER_INVALID_ARGUMENT);
    host_stop(fixture.host, now());
    fixture.options.replicas = 1;
    cr_expect_eq(host_set_service(fixture.host, &fixture.options, 0, now(), &error), DROVER_FAILED_PRECONDITION);
    cr_expect_eq(host_restart(fixture.host, "test", now(), &error), DROVER_FAILED_PRECONDITION);
}

/* Several replicas and generations */

Test(host, is_degraded_while_some_replicas_are_not_ready)
{
    struct host_worker_report worker;
    fixture_init(&fixture, "exec sleep 1000");
    fixture.options.replicas = 3;
    fixture_start(&fixture);
    fixture_run_until(&fixture, is_ready);
    cr_assert(host_worker_report(fixture.host, "test", 2, &worker));
    cr_assert_not(host_worker_report(fixture.host, "test", 3, &worker));
    kill((pid_t)worker.pid, SIGKILL);
    fixture_run_until(&fixture, is_degraded);
    fixture_run_until(&fixture, is_ready);
}

static bool only_new_generation(struct fixture *f)
{
    struct host_worker_report worker;
    return !host_worker_report(f->host, "test", 1, &worker);
}

static bool serves_second(struct fixture *f)
{
    return fixture_count(f, HOST_SWITCH) == 2;
}

Test(host, replaces_a_service_by_a_new_generation)
{
    struct host_worker_report fresh;
    start_ready("exec sleep 1000");
    first_worker = fixture_worker(&fixture).worker;
    fixture.options.directory = "/tmp";
    fixture.get_ready = true;
    fixture_start(&fixture);
    cr_assert(host_worker_report(fixture.host, "test", 1, &fresh), "the new one is beside the old one");
    cr_expect_eq(fixture_worker(&fixture).worker, first_worker);
    cr_expect_str_eq(fixture_worker(&fixture).state, "ready", "which goes on");
    fixture_run_until(&fixture, serves_second);
    cr_expect_eq(fixture_last(&fixture, HOST_SWITCH)->generation, 2U);
    cr_expect_eq(fixture_last(&fixture, HOST_CLOSED)->worker, first_worker);
    cr_expect_eq(fixture_last(&fixture, HOST_EXPECT)->generation, 2U);
    host_worker_drained(fixture.host, first_worker, now());
    fixture_run_until(&fixture, only_new_generation);
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_READY);
    expect_reason("");
}

/* Stop */

Test(host, stops_everything_down_the_ladder)
{
    fixture_init(&fixture, "trap '' TERM; echo that is all; while :; do sleep 0.01; done");
    fixture.options.replicas = 2;
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, is_ready);
    host_stop(fixture.host, now());
    cr_expect_eq(fixture_state(&fixture), HOST_SERVICE_STOPPED);
    fixture.skew_ms += 9000;
    host_step(fixture.host, now());
    cr_expect_str_eq(fixture_worker(&fixture).state, "draining");
    fixture.skew_ms += 1000; /* the wait for leases is over: SIGTERM, which they ignore */
    host_step(fixture.host, now());
    cr_expect(worker_runs(&fixture));
    fixture.skew_ms += 5000;
    fixture_run_until(&fixture, is_empty);
    cr_expect_eq(fixture_count(&fixture, HOST_LOST), 2U);
    cr_expect_eq(count_children(), 0U);
}

Test(host, stops_at_once_what_has_no_leases)
{
    fixture_init(&fixture, "exec sleep 1000");
    fixture.options.replicas = 3;
    fixture_start(&fixture);
    fixture_run_until(&fixture, is_ready);
    host_stop(fixture.host, now());
    struct host_worker_report worker;
    for (unsigned i = 0; host_worker_report(fixture.host, "test", i, &worker); i++)
        host_worker_drained(fixture.host, worker.worker, now());
    fixture_run_until(&fixture, is_empty);
}

Test(host, cancels_a_launch_that_was_announced)
{
    start("exec sleep 1000");
    host_stop(fixture.host, now());
    fixture_take_events(&fixture);
    cr_expect_eq(fixture_count(&fixture, HOST_EXPECT), 1U);
    cr_expect_eq(fixture_count(&fixture, HOST_LOST), 1U, "the core must not wait for it");
    fixture_run_until(&fixture, is_empty);
}

Test(host, without_services_is_empty)
{
    fixture_init(&fixture, "");
    cr_expect(host_is_empty(fixture.host));
    cr_expect_eq(host_deadline_ms(fixture.host), UINT64_MAX);
    host_stop(fixture.host, now());
    host_step(fixture.host, now());
    cr_expect(host_is_empty(fixture.host));
}

/* Orphans */

static pid_t printed_pid(void)
{
    char *lines = fixture_lines(&fixture, 0, NULL);
    const char *at = strstr(lines, "orphan ");
    const pid_t pid = at != NULL ? (pid_t)atoi(at + strlen("orphan ")) : 0;
    free(lines);
    return pid;
}

static bool orphan_runs(struct fixture *f)
{
    (void)f;
    const pid_t pid = printed_pid();
    return pid != 0 && process_runs(pid);
}

static bool orphan_is_gone(struct fixture *f)
{
    return !orphan_runs(f);
}

static bool no_children(struct fixture *f)
{
    (void)f;
    return count_children() == 0;
}

/* A process that has left the group of the worker. */
#define RUN_AWAY "setsid sh -c 'echo orphan $$; exec sleep 1000' & "

Test(host, sweeps_what_a_dead_worker_left_behind_outside_its_group)
{
    struct drover_error error;
    start(RUN_AWAY "echo that is all; exec sleep 1000");
    fixture_run_until(&fixture, orphan_runs);
    fixture_run_until(&fixture, is_ready);
    cr_assert_eq(host_drain(fixture.host, "test", now(), &error), DROVER_OK);
    kill((pid_t)fixture_worker(&fixture).pid, SIGKILL);
    fixture_run_until(&fixture, is_stopped);
    fixture_run_until(&fixture, orphan_is_gone);
    fixture_run_until(&fixture, no_children);
}

Test(host, takes_down_the_group_of_a_dead_worker)
{
    struct drover_error error;
    start("sh -c 'echo orphan $$; exec sleep 1000' & echo that is all; exec sleep 1000");
    fixture_run_until(&fixture, orphan_runs);
    fixture_run_until(&fixture, is_ready);
    cr_assert_eq(host_drain(fixture.host, "test", now(), &error), DROVER_OK);
    kill((pid_t)fixture_worker(&fixture).pid, SIGKILL);
    fixture_run_until(&fixture, is_stopped);
    fixture_run_until(&fixture, orphan_is_gone);
    fixture_run_until(&fixture, no_children);
}

/* Kill the replica that did not put anything into the background. */
static void kill_the_other(void)
{
    struct host_worker_report worker;
    char line[32];
    for (unsigned i = 0; host_worker_report(fixture.host, "test", i, &worker); i++) {
        snprintf(line, sizeof(line), "owner %d\n", (int)worker.pid);
        if (!fixture_printed(&fixture, line))
            kill((pid_t)worker.pid, SIGKILL);
    }
}

Test(host, leaves_alone_what_a_living_worker_put_into_the_background)
{
    fixture_init(&fixture, "mkdir first && echo owner $$ && (" RUN_AWAY ") && echo that is all; exec sleep 1000");
    fixture.options.replicas = 2;
    fixture_start(&fixture);
    fixture_run_until(&fixture, has_printed_all);
    fixture_run_until(&fixture, orphan_runs);
    fixture_run_until(&fixture, is_ready);
    kill_the_other();
    fixture_run_until(&fixture, has_lost_one);
    fixture_run_until(&fixture, is_ready);
    cr_expect(orphan_runs(&fixture));

    host_stop(fixture.host, now());
    fixture.skew_ms += 10000;
    fixture_run_until(&fixture, is_empty);
    cr_expect(orphan_is_gone(&fixture), "but no longer than the worker");
    cr_expect_eq(count_children(), 0U);
}

Test(host, hunts_orphans_without_an_environment_when_it_stops)
{
    start("setsid env -i sh -c 'echo orphan $$; exec sleep 1000' & sleep 1000");
    fixture_run_until(&fixture, orphan_runs);
    host_stop(fixture.host, now());
    fixture_run_until(&fixture, is_empty);
    cr_expect(orphan_is_gone(&fixture));
    cr_expect_eq(count_children(), 0U);
}

/* Output */

Test(host, keeps_what_workers_print_by_line_and_stream)
{
    start("echo one; echo two >&2; printf three; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, "one\n"));
    cr_expect(fixture_printed(&fixture, "two\n"));
    cr_expect(fixture_printed(&fixture, "threethat is all\n"));
}

Test(host, gives_a_follower_only_what_is_new)
{
    uint64_t last = 0;
    start("echo one; echo that is all; read x </proc/self/fd/4; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    free(fixture_lines(&fixture, 0, &last));
    cr_expect_gt(last, 1U);
    char *lines = fixture_lines(&fixture, last - 1, NULL);
    cr_expect_str_eq(lines, "that is all\n");
    free(lines);
    lines = fixture_lines(&fixture, last, NULL);
    cr_expect_str_eq(lines, "");
    free(lines);
}

Test(host, bears_a_megabyte_without_a_line_break)
{
    start("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    char *lines = fixture_lines(&fixture, 0, NULL);
    cr_expect_eq(strcspn(lines, "\n"), 8192U);
    cr_expect_str_eq(lines + 8192, "\nthat is all\n");
    free(lines);
}

Test(host, drops_most_of_a_flood_and_says_how_much)
{
    start("seq 1 100000; sleep 1.1; echo that is all; exec sleep 9");
    fixture_run_until(&fixture, has_printed_all);
    cr_expect(fixture_printed(&fixture, " lines dropped\nthat is all\n"));
}

Test(host, keeps_the_last_words_of_a_dying_worker)
{
    start("echo last words >&2; kill -9 $$");
    fixture_run_until(&fixture, has_lost_one);
    expect_reason(ARTEFACT_START "sample was killed by SIGKILL before it was ready: last words");
    cr_expect(fixture_printed(&fixture, "last words\n"));
}

static void restart(void)
{
    struct drover_error error = {0};
    cr_assert_eq(host_restart(fixture.host, "test", now(), &error), DROVER_OK, "%s", error.text);
}

Test(host, keeps_the_lines_of_former_workers_and_generations)
{
    start("echo first; exit 78");
    fixture_run_until(&fixture, is_stopped);
    fixture_script(&fixture, "echo second; exit 78");
    restart();
    fixture_run_until(&fixture, is_stopped);
    cr_expect(fixture_printed(&fixture, "first\nsecond\n"));
}

/* Long run */

static int deaths_wanted;

static bool has_died_often(struct fixture *f)
{
    const struct host_worker_report worker = fixture_worker(f);
    if (worker.pid != 0 && strcmp(worker.state, "ready") == 0)
        kill((pid_t)worker.pid, SIGKILL);
    return (int)fixture_count(f, HOST_LOST) >= deaths_wanted;
}

Test(host, survives_two_hundred_deaths_without_zombie_descriptor_or_crash_loop)
{
    fixture_init(&fixture, "exec sleep 1000");
    fixture.get_ready = true;
    fixture_start(&fixture);
    fixture_run_until(&fixture, is_ready);
    const unsigned before = count_descriptors();
    deaths_wanted = 200;
    fixture_run_until(&fixture, has_died_often);
    for (unsigned i = 0; i < fixture.event_count; i++)
        if (fixture.events[i].kind == HOST_SERVICE_STATE)
            cr_assert_neq(fixture.events[i].state, HOST_SERVICE_CRASHLOOP);
    fixture_run_until(&fixture, is_ready);
    cr_expect_eq(count_descriptors(), before);
    cr_expect_eq(count_children(), 1U);
    cr_expect_geq(fixture_worker(&fixture).restarts, 200U);
}

/* Descriptors */

static bool has_tried(struct fixture *f)
{
    return worker_runs(f) || fixture_reason(f)[0] != '\0';
}

static unsigned take_all_descriptors(int *taken, unsigned most)
{
    unsigned count = 0;
    while (count < most && (taken[count] = dup(STDIN_FILENO)) >= 0)
        count++;
    return count;
}

Test(host, survives_running_out_of_descriptors_at_any_point_of_a_launch)
{
    const struct rlimit limit = {.rlim_cur = 256, .rlim_max = 256};
    int taken[256];
    bool started = false;
    fixture_init(&fixture, "exec sleep 1000");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    unsigned count = take_all_descriptors(taken, 256);
    fixture_start(&fixture);
    for (unsigned freed = 0; freed < 16 && !started; freed++) {
        if (freed > 0)
            restart();
        fixture_run_until(&fixture, has_tried);
        started = worker_runs(&fixture);
        cr_expect(started || strstr(fixture_reason(&fixture), "Too many open files") != NULL, "%s",
                  fixture_reason(&fixture));
        close(taken[--count]);
    }
    cr_expect(started);
    while (count > 0)
        close(taken[--count]);
    fixture_run_until(&fixture, is_ready);
    cr_expect_eq(count_children(), 1U);
}
