/* test_executable.c - drivers that are programs of their own, by path; pinned by their hash */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

#define ECHO DROVER_BINARY_DIR "/drivers/echo/echo"
#define HELLO DROVER_BINARY_DIR "/tests/hello_driver"

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service service;

static void start(const char *services)
{
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
}

static void end(void)
{
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(executable, .fini = end);

static void hash(const char *path, char hex[65])
{
    struct drover_error error = {0};
    cr_assert_eq(sys_hash_file(path, hex, &error), DROVER_OK, "%s", error.text);
}

static void expect_greeting(void)
{
    const struct caller_request greet = {.service = "hello", .method = "greet", .key = "name", .string = "Ada"};
    char text[64];
    caller_ask_text(&caller, &greet, "greeting", text, sizeof(text));
    cr_expect_str_eq(text, "Hello, Ada");
}

Test(executable, is_served_by_its_absolute_path)
{
    char hex[65];
    start("  echo: {driver: " ECHO "}\n  hello: {driver: " HELLO "}");
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0);
    expect_greeting();
    broker_rig_look(&rig, "hello", &service);
    hash(HELLO, hex);
    cr_expect_str_eq(service.workers[0].artefact, hex);
}

/* Relative to the configuration, whatever the broker's working directory is. */
Test(executable, is_served_by_a_relative_path)
{
    broker_rig_init(&rig, "  hello: {driver: ./mine, grants: {read: [" DROVER_BINARY_DIR "]}}");
    broker_rig_write(&rig, "mine", 0700, "#!/bin/sh\nexec " HELLO "\n");
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    expect_greeting();
}

static void start_pinned(const char *hex)
{
    char services[512];
    snprintf(services, sizeof(services), "  hello: {driver: @/mine, sha256: %s, sandbox: off}\n  echo: {driver: echo}",
             hex);
    broker_rig_init(&rig, services);
    broker_rig_write(&rig, "mine", 0700, "#!/bin/sh\necho started >starts\nexec " HELLO "\n");
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
}

/* The script has the same hash wherever it lies. */
static void hash_of_script(char hex[65])
{
    struct broker_rig other;
    broker_rig_init(&other, "  echo: {driver: echo}");
    broker_rig_write(&other, "mine", 0700, "#!/bin/sh\necho started >starts\nexec " HELLO "\n");
    hash(broker_rig_path(&other, "mine"), hex);
    broker_rig_done(&other);
}

Test(executable, with_the_right_hash_is_run)
{
    char hex[65];
    hash_of_script(hex);
    start_pinned(hex);
    broker_rig_await_state(&rig, "hello", "ready", &service);
    cr_expect_str_eq(service.workers[0].artefact, hex);
    expect_greeting();
}

Test(executable, with_another_hash_is_quarantined_and_never_run)
{
    const struct caller_request greet = {.service = "hello", .method = "greet"};
    struct drover_error error;
    char hex[65], *text = NULL;
    hash_of_script(hex);
    hex[0] = hex[0] == '0' ? '1' : '0';
    start_pinned(hex);
    broker_rig_await_state(&rig, "hello", "quarantined", &service);
    cr_expect(strstr(service.last_error, hex) != NULL, "%s", service.last_error);
    cr_expect_eq(caller_call(&caller, &greet, &error), DROVER_UNAVAILABLE);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    cr_expect(strstr(error.text, "sha256") != NULL, "%s", error.text);
    cr_expect_eq(broker_rig_drover(&rig, "restart hello", &text), 0, "%s", text);
    broker_rig_await_state(&rig, "hello", "quarantined", &service);
    cr_expect(strstr(service.last_error, "it is not run") != NULL, "by hand neither: %s", service.last_error);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0, "the other services go on");
    cr_expect_neq(access(broker_rig_path(&rig, "starts"), F_OK), 0, "it has run");
    free(text);
}

static bool has_another_worker(const struct broker_rig_service *seen, const void *context)
{
    const pid_t *before = context;
    return strcmp(seen->state, "ready") == 0 && seen->workers[0].pid != *before;
}

static bool is_refused(const struct broker_rig_service *seen, const void *hex)
{
    return strstr(seen->last_error, "it is not run") != NULL && strstr(seen->last_error, hex) != NULL;
}

/* What was hashed is what runs: the file may become what it likes. */
Test(executable, that_is_replaced_while_the_broker_runs_is_not_run)
{
    char hex[65], *text = NULL;
    hash_of_script(hex);
    start_pinned(hex);
    broker_rig_await_state(&rig, "hello", "ready", &service);
    broker_rig_write(&rig, "mine", 0700, "#!/bin/sh\necho replaced >replaced\nexec " HELLO "\n");
    const pid_t before = service.workers[0].pid;
    cr_assert_eq(kill(before, SIGKILL), 0);
    broker_rig_await(&rig, "hello", has_another_worker, &before, &service);
    cr_expect_str_eq(service.workers[0].artefact, hex);
    expect_greeting();

    cr_expect_eq(broker_rig_drover(&rig, "restart hello", &text), 0, "%s", text);
    broker_rig_await(&rig, "hello", is_refused, hex, &service);
    cr_expect_str_eq(service.state, "ready", "what runs goes on");
    expect_greeting();
    cr_expect_neq(access(broker_rig_path(&rig, "replaced"), F_OK), 0, "it has run");
    free(text);
}

/* Without a pin a restart by hand takes the file as it is by then. */
Test(executable, that_is_replaced_is_taken_by_a_restart)
{
    char hex[65], *text = NULL;
    broker_rig_init(&rig, "  hello: {driver: ./mine, sandbox: off}");
    broker_rig_write(&rig, "mine", 0700, "#!/bin/sh\nexec " HELLO "\n");
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    broker_rig_look(&rig, "hello", &service);
    const pid_t before = service.workers[0].pid;
    broker_rig_write(&rig, "mine", 0700, "#!/bin/sh\necho replaced >replaced\nexec " HELLO "\n");
    cr_expect_eq(broker_rig_drover(&rig, "restart hello", &text), 0, "%s", text);
    broker_rig_await(&rig, "hello", has_another_worker, &before, &service);
    hash(broker_rig_path(&rig, "mine"), hex);
    cr_expect_str_eq(service.workers[0].artefact, hex);
    expect_greeting();
    cr_expect_eq(access(broker_rig_path(&rig, "replaced"), F_OK), 0);
    free(text);
}

/* A driver of another interface than its service's. */
Test(executable, of_another_interface_is_not_served)
{
    broker_rig_init(&rig, "  echo: {driver: " HELLO ", restart: {min: 10ms}}");
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
    const struct caller_request echo = {.service = "echo", .method = "echo"};
    struct drover_error error;
    cr_expect_eq(caller_call(&caller, &echo, &error), DROVER_UNAVAILABLE);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    broker_rig_look(&rig, "echo", &service);
    printf("%s: %s\n", service.state, service.last_error);
    cr_expect(strstr(service.last_error, "interface") != NULL, "%s", service.last_error);
}
