/* test_program.c - the program itself: exit statuses, what goes to which stream, the JSON of scripts */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fake_broker.h"

static char *endpoint;
static struct fake_broker *broker;
static char *text; /* what the last run printed */

static void setup(void)
{
    endpoint = fake_broker_endpoint();
    setenv("DROVER_BROKER", endpoint, 1);
}

static void teardown(void)
{
    fake_broker_stop(broker);
    fake_broker_forget_endpoint(endpoint);
    free(text);
}

TestSuite(program, .init = setup, .fini = teardown);

static void start_broker(void)
{
    broker = fake_broker_start(endpoint, NULL);
}

/* Run `drover` with these arguments of a shell; returns its exit status and keeps what it printed. */
static int run(const char *arguments)
{
    char part[4096], *command = NULL;
    size_t size = 0, got;
    cr_assert_gt(asprintf(&command, DROVER_BINARY_DIR "/bin/drover %s", arguments), 0);
    FILE *in = popen(command, "r"); /* NOLINT: the command is the test's own */
    free(command);
    free(text);
    FILE *out = open_memstream(&text, &size);
    while ((got = fread(part, 1, sizeof(part), in)) > 0)
        fwrite(part, 1, got, out);
    fclose(out);
    int status = pclose(in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool says(const char *part)
{
    return strstr(text, part) != NULL;
}

static json_t *parsed(void)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(json, "no JSON: %s", text);
    return json;
}

Test(program, prints_the_reply_of_a_call)
{
    start_broker();
    cr_assert_eq(run("call s.echo '{\"a\": [1, 18446744073709551615]}' --json"), 0, "%s", text);
    cr_expect_str_eq(text, "{\"a\": [1, 18446744073709551615]}\n");
    cr_assert_eq(run("--json call s.echo '\"x\"'"), 0);
    cr_expect_str_eq(text, "\"x\"\n");
}

Test(program, reads_a_request_from_a_file_or_from_standard_input)
{
    char path[] = "/tmp/drover-test-XXXXXX", command[128];
    int fd = mkstemp(path);
    start_broker();
    cr_assert_eq(write(fd, "[5]", 3), 3);
    snprintf(command, sizeof(command), "call s.echo @%s --json", path);
    cr_expect_eq(run(command), 0);
    cr_expect_str_eq(text, "[5]\n");
    snprintf(command, sizeof(command), "call s.echo - --json < %s", path);
    cr_expect_eq(run(command), 0);
    cr_expect_str_eq(text, "[5]\n");
    cr_expect_eq(run("call s.echo @/nowhere/at/all 2>&1"), 2);
    cr_expect(says("/nowhere/at/all"), "%s", text);
    close(fd);
    unlink(path);
}

Test(program, splits_service_and_method_at_the_last_dot)
{
    start_broker();
    cr_expect_eq(run("call a.b.echo '{}'"), 0, "%s", text);
    cr_expect_eq(run("call echo '{}' 2>/dev/null"), 2);
    cr_expect_eq(run("call .echo '{}' 2>/dev/null"), 2);
    cr_expect_eq(run("call s. '{}' 2>/dev/null"), 2);
}

Test(program, exits_1_with_the_drivers_error)
{
    start_broker();
    cr_expect_eq(run("call s.error 2>&1 >/dev/null"), 1);
    cr_expect_str_eq(text, "NOT_FOUND: no such thing (outcome: answered, origin: driver)\n");
    cr_expect_eq(run("call s.error --json"), 1);
    json_t *json = parsed();
    cr_expect_str_eq(json_string_value(json_object_get(json, "status")), "NOT_FOUND");
    cr_expect_str_eq(json_string_value(json_object_get(json, "message")), "no such thing");
    cr_expect_str_eq(json_string_value(json_object_get(json, "outcome")), "answered");
    cr_expect_str_eq(json_string_value(json_object_get(json, "origin")), "driver");
    json_decref(json);
}

Test(program, exits_69_without_a_broker_and_75_after_a_deadline)
{
    cr_expect_eq(run("call s.echo --timeout 100ms 2>&1"), 69);
    cr_expect(says("UNAVAILABLE") && says("not started") && says(endpoint), "%s", text);
    cr_expect_eq(run("status --timeout 100ms 2>/dev/null"), 69);
    start_broker();
    cr_expect_eq(run("call s.silent --deadline 1s 2>&1"), 75);
    cr_expect(says("DEADLINE_EXCEEDED") && says("unknown"), "%s", text);
}

Test(program, exits_69_where_no_broker_can_be_reloaded)
{
    static const char *const lines[] = {"reload", "reload s",    "reload s --force", "rollback s", "unquarantine s",
                                        "plan",   "plan x.yaml", "events",           "events s -f"};
    char command[128];
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        snprintf(command, sizeof(command), "%s --timeout 50ms 2>&1", lines[i]);
        cr_expect_eq(run(command), 69, "'%s': %s", lines[i], text);
        cr_expect(says(endpoint), "'%s': %s", lines[i], text);
    }
}

Test(program, exits_77_when_it_is_not_allowed)
{
    broker = fake_broker_start(endpoint, &(struct fake_broker_options){.refuse = true});
    cr_expect_eq(run("status 2>&1"), 77);
    cr_expect(says("PERMISSION_DENIED: you may not"), "%s", text);
}

Test(program, exits_2_for_a_wrong_command_line)
{
    static const char *const wrong[] = {"",
                                        "cal",
                                        "call",
                                        "call a.b c d",
                                        "call a.b '{'",
                                        "--nonsense",
                                        "call --deadline x a.b",
                                        "status --wait soon",
                                        "describe x",
                                        "plan x y",
                                        "reload --force",
                                        "reload x y",
                                        "rollback",
                                        "rollback x y",
                                        "unquarantine",
                                        "unquarantine x y z",
                                        "events x y",
                                        "--broker nowhere call a.b",
                                        "check",
                                        "call a.b --metadata x",
                                        "bench a.b --concurrency 100000"};
    char command[128];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(command, sizeof(command), "%s 2>&1 >/dev/null", wrong[i]);
        cr_expect_eq(run(command), 2, "'%s': %s", wrong[i], text);
        cr_expect_gt(strlen(text), 0, "'%s' is refused without a word", wrong[i]);
    }
}

Test(program, names_the_nearest_verb_and_says_what_is_planned)
{
    run("statsu 2>&1");
    cr_expect(says("nearest: 'status'"), "%s", text);
    run("describe x 2>&1");
    cr_expect(says("not implemented in this version"), "%s", text);
}

Test(program, explains_itself)
{
    cr_expect_eq(run("help"), 0);
    cr_expect(says("bench") && says("--broker") && says("78 configuration error"), "%s", text);
    cr_expect_eq(run("--help"), 0);
    cr_expect_eq(run("call --help"), 0);
    cr_expect(says("--idempotent"), "%s", text);
    cr_expect_eq(run("help logs"), 0);
    cr_expect(says("--follow"), "%s", text);
    cr_expect_eq(run("version"), 0);
    cr_expect(says("drover 0."), "%s", text);
}

Test(program, repeats_a_call)
{
    start_broker();
    cr_expect_eq(run("call s.echo 7 --repeat 3 --json"), 0);
    cr_expect_str_eq(text, "7\n7\n7\n");
    cr_expect_eq(fake_broker_counts(broker)->calls, 3);
    cr_expect_eq(run("call s.error --repeat 2 2>/dev/null"), 1);
}

Test(program, passes_idempotence_and_metadata_on)
{
    start_broker();
    cr_expect_eq(run("call s.echo --idempotent --metadata user=x --metadata a=b"), 0);
    cr_expect_eq(fake_broker_counts(broker)->idempotent, 1);
    cr_expect_eq(fake_broker_counts(broker)->metadata, 1);
}

Test(program, waits_for_a_broker_until_the_time_is_over)
{
    cr_expect_eq(run("status --wait 150ms --timeout 10ms 2>&1"), 75);
    cr_expect(says("waited 150 ms"), "%s", text);
}

Test(program, measures_calls)
{
    static const char *const keys[] = {"calls",  "failed", "duration_s", "calls_per_s",
                                       "p50_us", "p90_us", "p99_us",     "max_us"};
    start_broker();
    cr_assert_eq(run("bench s.echo '{}' --concurrency 8 --duration 200ms --json"), 0);
    json_t *json = parsed();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        cr_expect(json_is_number(json_object_get(json, keys[i])), "no number '%s': %s", keys[i], text);
    json_int_t calls = json_integer_value(json_object_get(json, "calls"));
    cr_expect_eq(calls, json_integer_value(json_object_get(json_object_get(json, "statuses"), "OK")));
    cr_expect_eq(calls, fake_broker_counts(broker)->calls, "each call is counted");
    cr_expect_eq(json_integer_value(json_object_get(json, "failed")), 0);
    json_decref(json);
}

Test(program, measures_with_a_rate)
{
    start_broker();
    cr_assert_eq(run("bench s.echo '{}' --rate 100 --duration 200ms --json"), 0);
    json_t *json = parsed();
    const json_int_t calls = json_integer_value(json_object_get(json, "calls"));
    cr_expect(calls > 0 && calls <= 20, "no more than the rate, fewer on a busy machine: %s", text);
    json_decref(json);
}

Test(program, counts_failed_calls_by_status)
{
    start_broker();
    cr_expect_eq(run("bench s.error --duration 50ms --json"), 1);
    json_t *json = parsed();
    json_int_t failed = json_integer_value(json_object_get(json, "failed"));
    cr_expect_gt(failed, 0);
    cr_expect_eq(failed, json_integer_value(json_object_get(json_object_get(json, "statuses"), "NOT_FOUND")));
    json_decref(json);
}

Test(program, explains_a_reference)
{
    cr_expect_eq(run("explain json --interface userprovider --json"), 0);
    json_t *json = parsed();
    cr_expect_str_eq(json_string_value(json_object_get(json, "kind")), "builtin");
    cr_expect_str_eq(json_string_value(json_object_get(json, "reference")), "json");
    cr_expect(json_is_string(json_object_get(json, "reason")));
    cr_expect_gt(json_array_size(json_object_get(json, "steps")), 0);
    json_decref(json);
    cr_expect_eq(run("explain 'foo bar' --json"), 1);
    json = parsed();
    cr_expect_str_eq(json_string_value(json_object_get(json, "kind")), "refused");
    json_decref(json);
    cr_expect_eq(run("explain " DROVER_BINARY_DIR "/bin/drover"), 0);
    cr_expect(says("executable"), "%s", text);
}

Test(program, checks_a_configuration)
{
    char path[] = "/tmp/drover-test-XXXXXX", command[128];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("broker:\n  listen: [\"ipc:///tmp/x.sock\"]\n  state_dir: /tmp\nservices:\n  echo:\n    driver: ehco\n"
          "    replicsa: 1\n",
          file);
    fclose(file);
    snprintf(command, sizeof(command), "check %s 2>&1", path);
    cr_expect_eq(run(command), 78, "%s", text);
    cr_expect(says(":6:") && says(":7:") && says("echo") && says("replicas"), "%s", text);
    snprintf(command, sizeof(command), "check %s --json", path);
    cr_expect_eq(run(command), 78);
    json_t *json = parsed();
    cr_expect_eq(json_array_size(json_object_get(json, "messages")), 2);
    json_decref(json);
    unlink(path);
    cr_expect_eq(run(command), 78, "a file that is not there: %s", text);
}
