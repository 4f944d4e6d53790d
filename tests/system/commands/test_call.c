/* test_call.c - `drover call` and `drover bench`: where requests come from, what replies and errors look like */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/command.h"

static struct broker_rig rig;
static struct command command;

static void start(void)
{
    broker_rig_init(&rig, "  echo: {driver: echo, restart: {min: 10ms}}\n"
                          "  small: {interface: echo, driver: echo, max_body: 100, queue: {bytes: 200}}\n");
    broker_rig_start_and_await(&rig);
}

static void stop(void)
{
    command_done(&command);
    broker_rig_done(&rig);
}

/* Run a command; what it printed replaces what the one before printed. */
#define RUN(...) (command_done(&command), command_run(&command, &rig, __VA_ARGS__))

static void expect_error(const char *status, const char *outcome, const char *origin)
{
    cr_expect_str_eq(command_text(&command, "status"), status, "%s", command.out);
    cr_expect_str_eq(command_text(&command, "outcome"), outcome, "%s", command.out);
    cr_expect_str_eq(command_text(&command, "origin"), origin, "%s", command.out);
    cr_expect_gt(strlen(command_text(&command, "message")), 0, "%s", command.out);
    cr_expect_str_empty(command.err, "%s", command.err);
}

Test(request, comes_from_the_command_line_a_file_or_standard_input)
{
    start();
    RUN("drover --json call echo.echo '{\"payload\": \"from \\u00fcber there\"}'");
    cr_expect_str_eq(command_text(&command, "payload"), "from \u00fcber there", "%s", command.out);
    broker_rig_write(&rig, "request.json", 0600, "\n{\"payload\": \"from a file\"}\n\n");
    RUN("drover --json call echo.echo @request.json");
    cr_expect_str_eq(command_text(&command, "payload"), "from a file", "%s", command.out);
    RUN("drover --json call echo.echo - <request.json");
    cr_expect_str_eq(command_text(&command, "payload"), "from a file", "%s", command.out);
    RUN("cat request.json | drover --json call echo.echo -");
    cr_expect_str_eq(command_text(&command, "payload"), "from a file", "%s", command.out);
    RUN("drover --json call echo.echo @- <request.json"); /* a file of that name */
    cr_expect_eq(command.status, 2);
    stop();
}

/* 1 MiB there and back. */
Test(request, may_be_large)
{
    start();
    RUN("{ printf '{\"payload\": \"'; head -c 1048576 /dev/zero | tr '\\0' 'x'; printf '\"}'; } >large.json\n"
        "drover --json call echo.echo @large.json >reply.json; tr -d ' \\n' <large.json >one\n"
        "tr -d ' \\n' <reply.json | cmp - one && wc -c <one");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_eq(atoi(command.out), 1048576 + 14, "%s", command.out);
    stop();
}

Test(options, stand_before_the_verb_or_after_it)
{
    start();
    RUN("drover call echo.echo '{\"payload\": \"x\"}' --json --timeout 5s");
    cr_expect_str_eq(command.out, "{\"payload\": \"x\"}\n");
    RUN("drover --timeout=5s call --json echo.echo --deadline=5s '{\"payload\": \"x\"}'");
    cr_expect_str_eq(command.out, "{\"payload\": \"x\"}\n");
    RUN("DROVER_BROKER=ipc://nobody.sock drover --json --broker \"$DROVER_BROKER\" call echo.echo '{\"payload\": "
        "\"x\"}'");
    cr_expect_str_eq(command.out, "{\"payload\": \"x\"}\n", "%s", command.err);
    stop();
}

Test(reply, alone_is_printed_and_indented_without_json)
{
    start();
    RUN("drover call echo.echo '{\"payload\": \"x\"}'");
    cr_expect_str_eq(command.out, "{\n  \"payload\": \"x\"\n}\n");
    cr_expect_str_empty(command.err);
    RUN("drover --json call echo.whoami");
    cr_expect(json_is_integer(command_at(command.json, "pid")), "%s", command.out);
    cr_expect_eq(strlen(command_text(&command, "artefact")), 64, "%s", command.out);
    stop();
}

Test(repeat, makes_the_call_so_often_and_ends_as_the_first_error_does)
{
    start();
    RUN("drover --json call echo.echo '{\"payload\": \"x\"}' --repeat 3");
    cr_expect_str_eq(command.out, "{\"payload\": \"x\"}\n{\"payload\": \"x\"}\n{\"payload\": \"x\"}\n");
    RUN("drover call echo.fail '{\"status\": \"ABORTED\"}' --repeat 3 2>&1 | grep -c '^ABORTED: .*driver)$'");
    cr_expect_str_eq(command.out, "3\n");
    RUN("drover call echo.fail '{\"status\": \"ABORTED\"}' --repeat 3");
    cr_expect_eq(command.status, 1);
    RUN("drover call echo.sleep '{\"ms\": 60000}' --deadline 20ms --repeat 3");
    cr_expect_eq(command.status, 75);
    stop();
}

Test(metadata, goes_along_within_its_limit)
{
    start();
    RUN("drover --json call echo.echo '{\"payload\": \"x\"}' --metadata user=ada --metadata 'trace=a=b c'");
    cr_expect_str_eq(command.out, "{\"payload\": \"x\"}\n", "%s", command.err);
    RUN("drover --json call echo.echo --metadata long=$(head -c 9000 /dev/zero | tr '\\0' 'x')");
    cr_expect_eq(command.status, 1);
    expect_error("INVALID_ARGUMENT", "not started", "client");
    stop();
}

/* Whether the broker repeated the call is seen by the workers that were used up. */
Test(idempotent, call_is_repeated_once_by_the_broker)
{
    struct broker_rig_service service;

    start();
    RUN("drover --json call echo.exit '{\"code\": 3}'");
    cr_expect_eq(command.status, 69);
    expect_error("UNAVAILABLE", "unknown", "broker");
    broker_rig_await_state(&rig, "echo", "ready", &service);
    cr_expect_eq(service.workers[0].restarts, 1);
    RUN("drover --json call echo.exit '{\"code\": 3}' --idempotent");
    cr_expect_eq(command.status, 69);
    expect_error("UNAVAILABLE", "unknown", "broker");
    broker_rig_await_state(&rig, "echo", "ready", &service);
    cr_expect_eq(service.workers[0].restarts, 3);
    stop();
}

Test(errors, say_outcome_and_origin_in_json)
{
    start();
    RUN("drover --json call echo.fail '{\"status\": \"DATA_LOSS\", \"message\": \"a \\\"b\\\"\\nc\"}'");
    expect_error("DATA_LOSS", "answered", "driver");
    cr_expect_str_eq(command_text(&command, "message"), "a \"b\"\nc", "%s", command.out);
    RUN("drover --json call nowhere.echo");
    expect_error("NOT_FOUND", "not started", "broker");
    RUN("drover --json call echo.sleep '{\"ms\": 60000}' --deadline 20ms");
    expect_error("DEADLINE_EXCEEDED", "unknown", "broker");
    RUN("drover --json --broker ipc://nobody.sock --timeout 50ms call echo.echo");
    expect_error("UNAVAILABLE", "not started", "client");
    RUN("drover --json call small.echo '{\"payload\": \"%0200d\"}'", 0);
    expect_error("RESOURCE_EXHAUSTED", "not started", "broker");
    stop();
}

Test(errors, are_one_line_on_standard_error_without_json)
{
    start();
    RUN("drover call echo.fail '{\"status\": \"DATA_LOSS\", \"message\": \"a\\n\\u001b[31mb\"}'");
    cr_expect_str_eq(command.err, "DATA_LOSS: a??[31mb (outcome: answered, origin: driver)\n", "%s", command.err);
    cr_expect_str_empty(command.out);
    stop();
}

Test(bench, counts_every_status_and_shows_percentiles)
{
    static const char *const numbers[] = {"calls",  "failed", "duration_s", "calls_per_s",
                                          "p50_us", "p90_us", "p99_us",     "max_us"};

    start();
    RUN("drover --json bench echo.echo '{\"payload\": \"x\"}' --concurrency 8 --duration 200ms");
    cr_expect_eq(command.status, 0, "%s", command.err);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_expect(json_is_number(command_at(command.json, numbers[i])), "%s: %s", numbers[i], command.out);
    const json_int_t calls = json_integer_value(command_at(command.json, "calls"));
    cr_expect_gt(calls, 0);
    cr_expect_eq(json_integer_value(command_at(command.json, "failed")), 0, "%s", command.out);
    cr_expect_eq(json_integer_value(command_at(command.json, "statuses.OK")), calls, "%s", command.out);
    cr_expect_eq(json_object_size(command_at(command.json, "statuses")), 1, "%s", command.out);
    stop();
}

Test(bench, is_not_stopped_by_calls_that_fail)
{
    start();
    RUN("drover --json bench echo.fail '{\"status\": \"NOT_FOUND\"}' --duration 100ms --rate 200");
    cr_expect_eq(command.status, 1); /* nothing could be measured */
    cr_expect_gt(json_integer_value(command_at(command.json, "statuses.NOT_FOUND")), 1, "%s", command.out);
    cr_expect_eq(json_integer_value(command_at(command.json, "failed")),
                 json_integer_value(command_at(command.json, "calls")), "%s", command.out);
    stop();
}

/* Calls under way at the end of its time are waited for. */
Test(bench, waits_for_calls_under_way)
{
    start();
    RUN("drover --json bench echo.sleep '{\"ms\": 300}' --concurrency 1 --duration 10ms");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_eq(json_integer_value(command_at(command.json, "calls")), 1, "%s", command.out);
    cr_expect_geq(json_integer_value(command_at(command.json, "max_us")), 300000, "%s", command.out);
    stop();
}
