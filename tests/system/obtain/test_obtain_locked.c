/* test_obtain_locked.c - the lock file: written, honoured, and never gone beyond by itself */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "obtain_rig.h"

#define SERVICES "  hello: {driver: 'GIT/hello?ref=v1', interface: hello}\n  echo: {driver: echo}"

static struct obtain_rig rig;
static struct broker_rig_service service;
static const char *first, *second;

static void commit_greeting(const char *greeting)
{
    obtain_rig_run(&rig,
                   "sed 's/\"Hello\"/\"%s\"/' $HELLO >work/hello/driver.c && git -C work/hello add -A\n"
                   "git -C work/hello commit -qm c && git -C work/hello tag -f v1 >/dev/null && commit hello",
                   greeting);
}

static void set_up(void)
{
    obtain_rig_init(&rig);
    obtain_rig_run(&rig, "repository hello");
    commit_greeting("Hello");
    first = obtain_rig_ask(&rig, "git -C work/hello rev-parse v1");
    obtain_rig_configure(&rig, SERVICES);
}

static void end(void)
{
    obtain_rig_done(&rig);
}

TestSuite(obtain_locked, .init = set_up, .fini = end);

static void move_tag(void)
{
    commit_greeting("Moin");
    second = obtain_rig_ask(&rig, "git -C work/hello rev-parse v1");
    cr_assert_str_neq(first, second);
}

static void run(const char *line)
{
    struct command command;
    command_run(&command, &rig.broker, "%s", line);
    cr_assert_eq(command.status, 0, "%s: %s%s", line, command.out, command.err);
    command_done(&command);
}

static void expect_lock_has(const char *text)
{
    struct command command;
    command_run(&command, &rig.broker, "cat drover.lock");
    cr_expect(strstr(command.out, text) != NULL, "no '%s' in %s", text, command.out);
    command_done(&command);
}

static void serve_once(const char *option)
{
    obtain_rig_start(&rig, option);
    broker_rig_await_ready(&rig.broker);
    obtain_rig_stop(&rig);
}

Test(obtain_locked, holds_a_driver_to_its_commit_when_the_tag_moves)
{
    serve_once(NULL);
    expect_lock_has(first);
    move_tag();
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    obtain_rig_expect_greeting(&rig, "hello", "Hello, Ada");
    expect_lock_has(first);
}

/* A machine that has to fetch sees that the tag does not lead there any more. */
Test(obtain_locked, names_both_commits_when_a_moved_tag_is_fetched_and_goes_forward_by_hand_only)
{
    serve_once(NULL);
    move_tag();
    run("rm -rf state");
    obtain_rig_start(&rig, NULL);
    obtain_rig_await(&rig, "hello", "stopped", first, &service);
    cr_expect(strstr(service.last_error, second) != NULL, "%s", service.last_error);
    broker_rig_await_state(&rig.broker, "echo", "ready", &service);
    expect_lock_has(first);

    run("drover lock update hello --config drover.yaml");
    expect_lock_has(second);
    run("drover restart hello");
    broker_rig_await_ready(&rig.broker);
    obtain_rig_expect_greeting(&rig, "hello", "Moin, Ada");
}

static bool has_restarted(const struct broker_rig_service *seen, const void *context)
{
    (void)context;
    return strcmp(seen->state, "ready") == 0 && seen->worker_count == 1 && seen->workers[0].restarts == 1;
}

static bool serves_second(const struct broker_rig_service *seen, const void *context)
{
    (void)context;
    return strcmp(seen->state, "ready") == 0 && seen->generation == 2;
}

/* An update while the broker runs is taken by a restart of the service. */
Test(obtain_locked, takes_an_update_at_a_restart)
{
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    move_tag();
    run("drover restart hello"); /* without one: the tag may have moved, the driver does not */
    broker_rig_await(&rig.broker, "hello", has_restarted, NULL, &service);
    cr_expect_eq(service.generation, 1);
    obtain_rig_expect_greeting(&rig, "hello", "Hello, Ada");
    run("drover lock update hello --config drover.yaml");
    run("drover restart hello");
    broker_rig_await(&rig.broker, "hello", serves_second, NULL, &service);
    obtain_rig_expect_greeting(&rig, "hello", "Moin, Ada");
}

/* And by a reload of the service, or of the configuration, though nothing is changed in that file. */
static void update_and_reload(const char *line, const char *printed)
{
    struct command command;
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    move_tag();
    run(line);
    obtain_rig_expect_greeting(&rig, "hello", "Hello, Ada");
    run("drover lock update hello --config drover.yaml");
    command_run(&command, &rig.broker, "%s", line);
    cr_assert_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect(strstr(command.out, printed) != NULL, "%s", command.out);
    command_done(&command);
    broker_rig_await(&rig.broker, "hello", serves_second, NULL, &service);
    obtain_rig_expect_greeting(&rig, "hello", "Moin, Ada");
}

Test(obtain_locked, takes_an_update_at_a_reload_of_the_service)
{
    update_and_reload("drover reload hello", "hello");
}

Test(obtain_locked, takes_an_update_at_a_reload_of_the_configuration)
{
    update_and_reload("drover reload", "drover.lock: commit ");
}

Test(obtain_locked, with_locked_refuses_what_is_not_in_the_file)
{
    obtain_rig_start(&rig, "--locked");
    obtain_rig_await(&rig, "hello", "stopped", "drover.lock", &service);
    cr_expect(strstr(service.last_error, "/hello") != NULL, "names the repository: %s", service.last_error);
    broker_rig_await_state(&rig.broker, "echo", "ready", &service);
    obtain_rig_stop(&rig);
    serve_once(NULL);
    serve_once("--locked");
}

Test(obtain_locked, with_locked_names_what_the_file_has_instead)
{
    serve_once(NULL);
    run("sed -i 's/ref=v1/ref=main/' drover.yaml");
    obtain_rig_start(&rig, "--locked");
    obtain_rig_await(&rig, "hello", "stopped", "'v1'", &service);
    cr_expect(strstr(service.last_error, "'main'") != NULL, "%s", service.last_error);
}

Test(obtain_locked, with_frozen_does_not_use_the_network)
{
    serve_once(NULL);
    serve_once("--frozen");
    run("rm -rf state");
    obtain_rig_start(&rig, "--frozen");
    obtain_rig_await(&rig, "hello", "stopped", "offline", &service);
    broker_rig_await_state(&rig.broker, "echo", "ready", &service);
}

/* The file is a help, not a condition. */
Test(obtain_locked, serves_when_the_file_cannot_be_written)
{
    run("mkdir drover.lock.away && ln -s drover.lock.away/not/there drover.lock");
    obtain_rig_start(&rig, NULL);
    broker_rig_await_ready(&rig.broker);
    obtain_rig_expect_greeting(&rig, "hello", "Hello, Ada");
}

Test(obtain_locked, says_where_the_file_is_wrong)
{
    struct command command;
    run("printf 'version: 1\\ndrivers:\\n  - url: 7\\n' >drover.lock");
    command_run(&command, &rig.broker, "drover-broker --config drover.yaml");
    cr_expect_eq(command.status, 78);
    cr_expect(strstr(command.err, "drover.lock:3:") != NULL, "%s", command.err);
    command_done(&command);
}
