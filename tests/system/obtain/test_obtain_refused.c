/* test_obtain_refused.c - drivers that cannot be had: a clear reason, and nobody else notices */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "obtain_rig.h"

static struct obtain_rig rig;
static struct broker_rig_service service;

static void set_up(void)
{
    obtain_rig_init(&rig);
}

static void end(void)
{
    obtain_rig_done(&rig);
}

TestSuite(obtain_refused, .init = set_up, .fini = end);

static void expect_echo_answers(void)
{
    struct caller caller;
    caller_init(&caller, rig.broker.endpoint);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0, "the other services go on");
    caller_done(&caller);
}

static void restart(const char *name)
{
    struct command command;
    command_run(&command, &rig.broker, "drover restart %s", name);
    cr_expect_eq(command.status, 0, "%s", command.err);
    command_done(&command);
}

Test(obtain_refused, a_source_that_does_not_compile)
{
    const struct caller_request greet = {.service = "bad", .method = "greet"};
    struct caller caller;
    struct drover_error error;
    struct command command;
    obtain_rig_run(&rig, "mkdir bad && { cat $HELLO; echo 'int x = ;'; } >bad/driver.c");
    obtain_rig_configure(&rig, "  bad: {driver: DIR/bad, interface: hello}\n  echo: {driver: echo}");
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "bad", "stopped", "driver.c:", &service);
    cr_expect(strstr(service.last_error, "error") != NULL, "%s", service.last_error);
    expect_echo_answers();

    caller_init(&caller, rig.broker.endpoint);
    cr_expect_eq(caller_call(&caller, &greet, &error), DROVER_UNAVAILABLE);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect(strstr(error.text, "driver.c:") != NULL, "the caller is told why: %s", error.text);
    caller_done(&caller);
    command_run(&command, &rig.broker, "drover logs bad");
    cr_expect(strstr(command.out, "int x = ;") != NULL, "the log has the compiler's own lines: %s", command.out);
    command_done(&command);

    obtain_rig_run(&rig, "cp $HELLO bad/driver.c");
    restart("bad");
    broker_rig_await_ready(&rig.broker);
    obtain_rig_expect_greeting(&rig, "bad", "Hello, Ada");
}

Test(obtain_refused, a_broken_change_of_a_source_while_the_old_one_runs)
{
    obtain_rig_run(&rig, "mkdir source && cp $HELLO source/driver.c");
    obtain_rig_configure(&rig, "  source: {driver: DIR/source, interface: hello}");
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    obtain_rig_run(&rig, "echo 'int x = ;' >>source/driver.c");
    restart("source");
    do
        broker_rig_look(&rig.broker, "source", &service);
    while (service.last_error[0] == '\0');
    cr_expect(strstr(service.last_error, "driver.c:") != NULL, "%s", service.last_error);
    cr_expect_str_eq(service.state, "ready");
    obtain_rig_expect_greeting(&rig, "source", "Hello, Ada");
}

/* Three repositories that no driver may come from, one that is not there, and one that is good. */
Test(obtain_refused, hostile_repositories)
{
    obtain_rig_run(&rig, "for name in symlink setuid submodule good; do repository $name; cp $HELLO work/$name/; done\n"
                         "ln -s /etc/passwd work/symlink/link && commit symlink && commit good\n"
                         "commit setuid && cd git/setuid && blob=$(echo x | git hash-object -w --stdin)\n"
                         "printf '104755 tool\\0' >../tree\n"
                         "perl -e 'print pack(\"H*\", shift)' $blob >>../tree\n"
                         "tree=$(git hash-object -t tree --literally -w --stdin <../tree)\n"
                         "git update-ref refs/heads/main $(git commit-tree -m evil $tree) && cd ../..\n"
                         "git -C work/submodule update-index --add --cacheinfo "
                         "160000,1234567890123456789012345678901234567890,inner && cp $HELLO work/submodule/ && "
                         "git -C work/submodule add hello_driver.c && git -C work/submodule commit -qm c && "
                         "git -C work/submodule push -q origin HEAD");
    obtain_rig_configure(&rig, "  symlink: {driver: GIT/symlink, interface: hello}\n"
                               "  setuid: {driver: GIT/setuid, interface: hello}\n"
                               "  submodule: {driver: GIT/submodule, interface: hello}\n"
                               "  absent: {driver: GIT/absent, interface: hello}\n"
                               "  good: {driver: GIT/good, interface: hello}\n"
                               "  echo: {driver: echo}");
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "symlink", "stopped", "symlink", &service);
    cr_expect(strstr(service.last_error, "link") != NULL, "names the path: %s", service.last_error);
    obtain_rig_await(&rig, "setuid", "stopped", "setuid", &service);
    cr_expect(strstr(service.last_error, "tool") != NULL, "names the path: %s", service.last_error);
    obtain_rig_await(&rig, "submodule", "stopped", "submodule", &service);
    cr_expect(strstr(service.last_error, "inner") != NULL, "names the path: %s", service.last_error);
    broker_rig_await_state(&rig.broker, "good", "ready", &service);
    obtain_rig_expect_greeting(&rig, "good", "Hello, Ada");
    expect_echo_answers();
    broker_rig_look(&rig.broker, "absent", &service);
    cr_expect_gt(strlen(service.last_error), 0U);
    cr_expect_str_neq(service.state, "ready");
}

/* A git server at a port that is known already; it ends with this test. */
static pid_t start_server_at(unsigned port)
{
    char line[256];
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(line, sizeof(line),
             "exec \"$(git --exec-path)/git-daemon\" --listen=127.0.0.1 --port=%u --reuseaddr --export-all "
             "--base-path='%s/git'",
             port, rig.folder);
    execl("/bin/sh", "sh", "-c", line, NULL);
    _exit(127);
}

/* What may pass is tried again until it does. */
Test(obtain_refused, a_server_that_is_away_for_a_while)
{
    obtain_rig_run(&rig, "repository late && cp $HELLO work/late/ && commit late");
    const unsigned port = rig.port;
    obtain_rig_stop_server(&rig);
    obtain_rig_configure(&rig, "  late: {driver: GIT/late, interface: hello, restart: {min: 50ms, max: 200ms}}\n"
                               "  echo: {driver: echo}");
    obtain_rig_start(&rig, NULL);
    do {
        broker_rig_look(&rig.broker, "late", &service);
        cr_assert_str_eq(service.state, "building", "%s: %s", service.state, service.last_error);
    } while (service.last_error[0] == '\0');
    expect_echo_answers();
    const pid_t server = start_server_at(port);
    cr_assert_gt(server, 0);
    broker_rig_await_ready(&rig.broker);
    cr_expect_eq(kill(server, SIGKILL), 0);
    waitpid(server, NULL, 0);
    obtain_rig_expect_greeting(&rig, "late", "Hello, Ada");
}

/* A closed binary: its source is not here, its hash is known. */
static void configure_pinned(const char *hex)
{
    char services[256];
    snprintf(services, sizeof(services),
             "  closed: {driver: DIR/closed, interface: hello, sha256: %s}\n  echo: {driver: echo}", hex);
    obtain_rig_configure(&rig, services);
}

Test(obtain_refused, a_pinned_binary_of_which_one_octet_was_changed)
{
    obtain_rig_run(&rig, "cp " DROVER_BINARY_DIR "/tests/hello_driver closed");
    const char *good = obtain_rig_ask(&rig, "sha256sum <closed | cut -c1-64");
    configure_pinned(good);
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    obtain_rig_expect_greeting(&rig, "closed", "Hello, Ada");
    broker_rig_look(&rig.broker, "closed", &service);
    cr_expect_str_eq(service.workers[0].artefact, good);
    obtain_rig_stop(&rig);

    obtain_rig_run(&rig,
                   "printf '\\001' | dd of=closed bs=1 seek=$(($(stat -c %%s closed) - 1)) conv=notrunc status=none");
    const char *bad = obtain_rig_ask(&rig, "sha256sum <closed | cut -c1-64");
    cr_assert_str_neq(good, bad);
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "closed", "quarantined", good, &service);
    cr_expect(strstr(service.last_error, bad) != NULL, "both hashes are shown: %s", service.last_error);
    cr_expect_eq(service.worker_count, 0U, "it has never been run");
    expect_echo_answers();
}

static bool runs_again(const struct broker_rig_service *state, const void *context)
{
    return state->worker_count == 1 && strcmp(state->state, "ready") == 0 &&
           state->workers[0].pid != *(const pid_t *)context;
}

/* The copy in the store, from which workers are started: a source is compiled again, a file is copied again. */
Test(obtain_refused, what_has_changed_in_the_store_and_makes_it_anew)
{
    static const char *const names[] = {"copied", "compiled"};
    obtain_rig_run(&rig, "cp " DROVER_BINARY_DIR "/tests/hello_driver closed && mkdir src && cp $HELLO src/driver.c");
    obtain_rig_configure(&rig, "  copied: {driver: DIR/closed, interface: hello}\n"
                               "  compiled: {driver: DIR/src, interface: hello}");
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        broker_rig_look(&rig.broker, names[i], &service);
        const pid_t before = service.workers[0].pid;
        obtain_rig_run(
            &rig,
            "cd %s/state/store/artefact && chmod u+w %s && printf X | dd of=%s bs=1 seek=99 conv=notrunc status=none",
            rig.broker.folder, service.workers[0].artefact, service.workers[0].artefact);
        cr_assert_eq(kill(before, SIGKILL), 0);
        broker_rig_await(&rig.broker, names[i], runs_again, &before, &service);
        obtain_rig_expect_greeting(&rig, names[i], "Hello, Ada");
    }
    cr_expect_str_eq(obtain_rig_ask(&rig, "ls %s/state/store/quarantine | wc -l", rig.broker.folder), "2");
}

/* What a manifest asks for has to be granted. */
Test(obtain_refused, a_manifest_that_asks_for_more_than_is_granted)
{
    struct command command;
    obtain_rig_run(&rig, "mkdir greedy && cp $HELLO greedy/driver.c\n"
                         "printf 'name: greedy\\nsandbox: {network: outbound}\\n' >greedy/driver.yaml");
    obtain_rig_configure(&rig, "  greedy: {driver: DIR/greedy, interface: hello}");
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "greedy", "stopped", "outbound", &service);
    cr_expect(strstr(service.last_error, "'none'") != NULL, "shows both: %s", service.last_error);
    command_run(&command, &rig.broker, "drover status");
    cr_expect(strstr(command.out, "outbound") != NULL, "%s", command.out);
    command_done(&command);
}

/* A section may bear the name that the driver gives itself in its manifest, and no other. */
Test(obtain_refused, settings_of_another_driver)
{
    obtain_rig_run(&rig, "cp -r " DROVER_SOURCE_DIR "/tests/fixtures/drivers/other-name src");
    obtain_rig_configure(
        &rig, "  right: {driver: DIR/src, interface: hello, grants: {read: [/usr/share/dict]}, butler: {}}\n"
              "  wrong: {driver: DIR/src, interface: hello, grants: {read: [/usr/share/dict]}, footman: {}}");
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "wrong", "stopped", "calls itself 'butler'", &service);
    cr_expect(strstr(service.last_error, "'footman'") != NULL, "%s", service.last_error);
    broker_rig_await_state(&rig.broker, "right", "ready", &service);
}
