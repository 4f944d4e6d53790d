/* test_obtain_kinds.c - one configuration with every kind of driver, from an empty state directory */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "obtain_rig.h"

#define SERVICES                                                                        \
    "  builtin: {driver: echo, interface: echo}\n"                                      \
    "  binary: {driver: DIR/closed, interface: hello}\n"                                \
    "  module: {driver: " DROVER_BINARY_DIR "/drivers/echo/echo.so, interface: echo}\n" \
    "  source: {driver: DIR/work/source, interface: hello}\n"                           \
    "  git: {driver: 'GIT/remote?ref=v1', interface: hello}\n"

static struct obtain_rig rig;
static struct broker_rig_service service;

static void set_up(void)
{
    obtain_rig_init(&rig);
    obtain_rig_run(&rig, "mkdir work/source && cp $HELLO work/source/\n"
                         "cp " DROVER_BINARY_DIR "/tests/hello_driver closed\n"
                         "repository remote && cp $HELLO work/remote/ && git -C work/remote add -A\n"
                         "git -C work/remote commit -qm c && git -C work/remote tag v1 && commit remote");
}

static void end(void)
{
    obtain_rig_done(&rig);
}

TestSuite(obtain_kinds, .init = set_up, .fini = end);

static void expect_all_answer(void)
{
    struct caller caller;
    caller_init(&caller, rig.broker.endpoint);
    cr_expect_gt(caller_ask_pid(&caller, "builtin"), 0);
    cr_expect_gt(caller_ask_pid(&caller, "module"), 0);
    caller_done(&caller);
    obtain_rig_expect_greeting(&rig, "binary", "Hello, Ada");
    obtain_rig_expect_greeting(&rig, "source", "Hello, Ada");
    obtain_rig_expect_greeting(&rig, "git", "Hello, Ada");
}

static void expect_kind(const char *name)
{
    struct command command;
    command_run(&command, &rig.broker, "drover --json status %s", name);
    cr_expect_str_eq(command_text(&command, "services.0.kind"), name);
    cr_expect_eq(strlen(command_text(&command, "services.0.workers.0.artefact")), 64U);
    cr_expect_gt(strlen(command_text(&command, "services.0.workers.0.sandbox")), 0U, "%s", command.out);
    command_done(&command);
}

Test(obtain_kinds, serves_all_of_them_and_again_without_network_and_compiler)
{
    struct command command;
    obtain_rig_configure(&rig, SERVICES);
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    expect_all_answer();
    expect_kind("builtin");
    expect_kind("module");
    expect_kind("source");
    expect_kind("git");
    command_run(&command, &rig.broker, "cat drover.lock");
    cr_expect(strstr(command.out, obtain_rig_ask(&rig, "git -C work/remote rev-parse v1")) != NULL, "%s", command.out);
    command_done(&command);
    obtain_rig_stop(&rig);
    cr_expect(obtain_rig_await_no_process(&rig));

    obtain_rig_stop_server(&rig);
    obtain_rig_run(&rig, "mkdir empty");
    char *path = strdup(getenv("PATH"));
    setenv("PATH", obtain_rig_ask(&rig, "echo $PWD/empty"), 1);
    obtain_rig_start(&rig, NULL);
    setenv("PATH", path, 1);
    free(path);
    broker_rig_await_ready(&rig.broker);
    expect_all_answer();
}

/* Calls wait while the driver is on its way. */
Test(obtain_kinds, lets_calls_wait_for_a_driver_that_is_being_built)
{
    obtain_rig_configure(&rig, "  source: {driver: DIR/work/source, interface: hello}");
    obtain_rig_start(&rig, NULL);
    obtain_rig_expect_greeting(&rig, "source", "Hello, Ada");
}

Test(obtain_kinds, takes_a_changed_source_at_a_restart)
{
    struct command command;
    obtain_rig_configure(&rig, "  source: {driver: DIR/work/source, interface: hello}");
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    broker_rig_look(&rig.broker, "source", &service);
    obtain_rig_run(&rig, "sed -i 's/\"Hello\"/\"Salut\"/' work/source/hello_driver.c");
    command_run(&command, &rig.broker, "drover restart source");
    cr_expect_eq(command.status, 0, "%s", command.err);
    command_done(&command);
    while (service.worker_count == 0 || service.workers[0].generation != 2 || strcmp(service.state, "ready") != 0)
        broker_rig_look(&rig.broker, "source", &service);
    obtain_rig_expect_greeting(&rig, "source", "Salut, Ada");
}

/* Where a repository's driver has another name than the repository. */
Test(obtain_kinds, takes_a_subfolder_with_a_manifest_of_its_own)
{
    obtain_rig_run(&rig, "repository many && mkdir -p work/many/drivers && cp -r " DROVER_SOURCE_DIR
                         "/tests/fixtures/drivers/other-name work/many/drivers/ && commit many");
    obtain_rig_configure(&rig, "  other: {driver: 'GIT/many//drivers/other-name', interface: hello, "
                               "grants: {read: [/usr/share/dict]}}");
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
}
