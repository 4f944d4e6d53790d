/* test_driver_fails.c - drivers that do not even start: the circuit opens, and status says why
 *
 * The drivers are shell scripts; each start is a line in the file `starts`.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

#define ECHO DROVER_BINARY_DIR "/drivers/echo/echo"

/* A driver that runs another program and leaves signs beside its configuration. */
#define GRANTS "grants: {read: [" DROVER_BINARY_DIR "], write: [@]}"

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service service;
static char *text;

static const struct caller_request echo = {.service = "echo", .method = "echo", .key = "payload", .string = "x"};

static void start(const char *script, const char *services)
{
    broker_rig_init(&rig, services);
    broker_rig_write(&rig, "driver", 0700, script);
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
}

static void end(void)
{
    free(text);
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(driver_fails, .fini = end);

static bool says(const char *part)
{
    return strstr(text, part) != NULL;
}

/* The whole of a small file. */
static void read_starts(char buffer[256])
{
    FILE *file = fopen(broker_rig_path(&rig, "starts"), "re");
    size_t size = file != NULL ? fread(buffer, 1, 255, file) : 0;
    buffer[size] = '\0';
    if (file != NULL)
        fclose(file);
}

static size_t count_starts(void)
{
    char buffer[256];
    size_t count = 0;
    read_starts(buffer);
    for (const char *at = buffer; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void expect_refused_at_once(void)
{
    struct drover_error error;
    const uint64_t start_us = sys_now_us();

    cr_expect_eq(caller_call(&caller, &echo, &error), DROVER_UNAVAILABLE);
    const uint64_t us = sys_now_us() - start_us;
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    printf("refused after %.1f ms: %s\n", (double)us / 1000, error.text);
    cr_expect_lt(us, 1000000, "it did not wait for its deadline of 30 s");
    free(text);
    text = strdup(error.text);
}

Test(driver_fails, at_once_and_opens_the_circuit)
{
    start("#!/bin/sh\necho started >>starts\necho 'cannot reach the database' >&2\nexit 1\n",
          "  echo: {driver: @/driver, " GRANTS ", restart: {min: 10ms}}");
    caller_send(&caller, &echo); /* waits in the queue until the circuit opens */
    caller_take_all(&caller);
    cr_expect_eq(caller.not_started, 1);
    cr_expect_eq(caller_end_of(&caller, 0)->error.status, DROVER_UNAVAILABLE);
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    cr_expect_eq(count_starts(), 5);
    expect_refused_at_once();
    cr_expect(says("exited with status 1") && says("cannot reach the database"), "%s", text);
    cr_expect(strstr(service.last_error, "exited with status 1") != NULL, "%s", service.last_error);
    cr_expect(strstr(service.last_error, "cannot reach the database") != NULL, "%s", service.last_error);
    cr_expect_str_eq(service.workers[0].state, "backoff");
}

Test(driver_fails, and_drover_status_says_so)
{
    start("#!/bin/sh\necho 'cannot reach the database' >&2\nexit 3\n",
          "  echo: {driver: @/driver, " GRANTS ", restart: {min: 10ms}}");
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    cr_expect_eq(broker_rig_drover(&rig, "status", &text), 0);
    cr_expect(says("crashloop") && says("exited with status 3") && says("cannot reach the database"), "%s", text);
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "status echo --json", &text), 0);
    cr_expect(says("\"state\": \"crashloop\"") && says("cannot reach the database"), "%s", text);
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "logs echo", &text), 0);
    cr_expect(says("cannot reach the database"), "%s", text);
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "call echo.echo", &text), 69);
    cr_expect(says("UNAVAILABLE") && says("not started"), "%s", text);
}

/* Any program may be named; one that is no driver is a driver that fails. */
Test(driver_fails, when_it_is_bin_false)
{
    start("", "  echo: {driver: /bin/false, restart: {min: 10ms}}\n  other: {driver: echo, interface: echo}");
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    cr_expect(strstr(service.last_error, "exited with status 1") != NULL, "%s", service.last_error);
    expect_refused_at_once();
    cr_expect_gt(caller_ask_pid(&caller, "other"), 0, "the other services go on");
}

Test(driver_fails, and_is_tried_again_until_it_works)
{
    start("#!/bin/sh\n[ -e fixed ] && exec " ECHO "\nexit 1\n",
          "  echo: {driver: @/driver, " GRANTS ", restart: {min: 10ms, max: 200ms}}");
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    broker_rig_write(&rig, "fixed", 0600, "");
    broker_rig_await_state(&rig, "echo", "ready", &service);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0);
}

Test(driver_fails, and_restart_closes_the_circuit)
{
    start("#!/bin/sh\n[ -e fixed ] && exec " ECHO "\nexit 1\n",
          "  echo: {driver: @/driver, " GRANTS ", restart: {min: 10ms}}");
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    broker_rig_write(&rig, "fixed", 0600, "");
    cr_expect_eq(broker_rig_drover(&rig, "restart echo", &text), 0, "%s", text);
    broker_rig_await_state(&rig, "echo", "ready", &service);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0);
    cr_expect_str_empty(service.last_error);
}

Test(driver_fails, with_78_and_is_not_restarted)
{
    start("#!/bin/sh\necho started >>starts\n[ -e fixed ] && exec " ECHO
          "\necho \"setting 'url': missing\" >&2\nexit 78\n",
          "  echo: {driver: @/driver, " GRANTS ", restart: {min: 10ms}}");
    broker_rig_await_state(&rig, "echo", "stopped", &service);
    cr_expect(strstr(service.last_error, "configuration error: setting 'url': missing") != NULL, "%s",
              service.last_error);
    cr_expect_eq(service.workers[0].pid, 0);
    cr_expect_str_eq(service.workers[0].state, "stopped");
    expect_refused_at_once();
    cr_expect(says("setting 'url': missing"), "%s", text);
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "status", &text), 0);
    cr_expect(says("stopped") && says("setting 'url': missing"), "%s", text);
    cr_expect_eq(count_starts(), 1);
    broker_rig_write(&rig, "fixed", 0600, "");
    free(text);
    cr_expect_eq(broker_rig_drover(&rig, "restart echo", &text), 0, "%s", text);
    broker_rig_await_state(&rig, "echo", "ready", &service);
    cr_expect_eq(count_starts(), 2);
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0);
}

/* The same from a driver that uses the library: its configure says no. */
Test(driver_fails, when_it_refuses_its_settings)
{
    start("", "  echo: {driver: echo, echo: {colour: red}, restart: {min: 10ms}}");
    broker_rig_await_state(&rig, "echo", "stopped", &service);
    cr_expect(strstr(service.last_error, "setting 'colour' is not known") != NULL, "%s", service.last_error);
    expect_refused_at_once();
}

/* A program that lives but never says that it is ready. */
Test(driver_fails, when_it_is_not_ready_in_time)
{
    start("#!/bin/sh\nexec sleep 1000\n", "  echo: {driver: @/driver, start_limit: 100ms, restart: {min: 10ms}}");
    broker_rig_await_state(&rig, "echo", "crashloop", &service);
    cr_expect(strstr(service.last_error, "was not ready within 100 ms") != NULL, "%s", service.last_error);
}
