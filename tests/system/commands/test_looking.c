/* test_looking.c - status, logs, restart, drain: looking after a broker by hand; check and explain: without one */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/command.h"

static struct broker_rig rig;
static struct command command;

static void start(void)
{
    broker_rig_init(&rig, "  echo: {driver: echo, replicas: 2}\n  users:\n    interface: userprovider\n"
                          "    driver: " DROVER_BINARY_DIR "/drivers/userprovider/demo\n");
    broker_rig_start_and_await(&rig);
}

static void stop(void)
{
    command_done(&command);
    broker_rig_done(&rig);
}

#define RUN(...) (command_done(&command), command_run(&command, &rig, __VA_ARGS__))

static const json_t *at(const char *path)
{
    return command_at(command.json, path);
}

static json_int_t number(const char *path)
{
    cr_expect(json_is_integer(at(path)), "%s: %s", path, command.out);
    return json_integer_value(at(path));
}

/* ---- status ---- */

Test(status, has_the_keys_that_scripts_rely_on)
{
    start();
    RUN("drover --json status");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_gt(strlen(command_text(&command, "broker.version")), 0);
    cr_expect_gt(strlen(command_text(&command, "broker.incarnation")), 0);
    cr_expect_eq(number("broker.pid"), rig.pid);
    cr_expect_geq(number("broker.uptime_s"), 0);
    cr_expect_eq(json_array_size(at("services")), 2, "%s", command.out);
    cr_expect_str_eq(command_text(&command, "services.0.name"), "echo");
    cr_expect_str_eq(command_text(&command, "services.0.interface"), "echo");
    cr_expect_str_eq(command_text(&command, "services.0.driver"), "echo");
    cr_expect_str_eq(command_text(&command, "services.0.kind"), "builtin");
    cr_expect_str_eq(command_text(&command, "services.0.state"), "ready");
    cr_expect_eq(number("services.0.generation"), 1);
    cr_expect_eq(number("services.0.replicas"), 2);
    cr_expect_eq(number("services.0.queued"), 0);
    cr_expect_eq(number("services.0.calls"), 0);
    cr_expect_eq(number("services.0.failed"), 0);
    cr_expect(json_is_null(at("services.0.last_error")), "%s", command.out);
    cr_expect_str_eq(command_text(&command, "services.1.kind"), "executable");
    cr_expect_str_eq(command_text(&command, "services.1.driver"), DROVER_BINARY_DIR "/drivers/userprovider/demo");
    cr_expect_eq(json_array_size(at("services.0.workers")), 2);
    cr_expect_gt(number("services.0.workers.1.pid"), 0);
    cr_expect_gt(strlen(command_text(&command, "services.0.workers.1.host")), 0);
    cr_expect_str_eq(command_text(&command, "services.0.workers.1.state"), "ready");
    cr_expect_eq(number("services.0.workers.1.generation"), 1);
    cr_expect_eq(number("services.0.workers.1.restarts"), 0);
    cr_expect_eq(number("services.0.workers.1.in_flight"), 0);
    cr_expect_gt(strlen(command_text(&command, "services.0.workers.1.sandbox")), 0);
    const char *artefact = command_text(&command, "services.0.workers.1.artefact");
    cr_expect_eq(strspn(artefact, "0123456789abcdef"), 64, "%s", artefact);
    cr_expect_eq(strlen(artefact), 64);
    stop();
}

Test(status, counts_calls_and_shows_one_service_alone)
{
    start();
    RUN("drover call echo.echo --repeat 3; drover call echo.fail '{\"status\": \"ABORTED\"}'; drover call "
        "echo.nothing");
    RUN("drover --json status echo");
    cr_expect_eq(json_array_size(at("services")), 1, "%s", command.out);
    cr_expect_eq(number("services.0.calls"), 5, "%s", command.out);
    cr_expect_eq(number("services.0.failed"), 2, "%s", command.out);
    stop();
}

Test(status, waits_for_a_broker_that_starts_later)
{
    broker_rig_init(&rig, "  echo: {driver: echo}\n");
    /* Whether it looks before the broker is there is left to chance; with the first answer it must not be content. */
    RUN("drover --timeout 1ms --json status --wait 30s >waited.out 2>waited.err & echo $! >waiting.pid");
    broker_rig_start(&rig);
    RUN("timeout 30 tail --pid=$(cat waiting.pid) -f /dev/null; cat waited.out");
    cr_expect_str_eq(command_text(&command, "services.0.state"), "ready", "%s", command.out);
    RUN("cat waited.err");
    cr_expect_str_empty(command.out);
    stop();
}

Test(status, waits_for_a_service_that_is_restarted)
{
    start();
    RUN("drover restart echo && drover --json status --wait 20s");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

/* ---- by hand ---- */

static size_t pids(json_int_t ret[4])
{
    RUN("drover --json status echo --wait 20s");
    const size_t count = json_array_size(at("services.0.workers"));
    for (size_t i = 0; i < count && i < 4; i++)
        ret[i] = json_integer_value(json_object_get(json_array_get(at("services.0.workers"), i), "pid"));
    return count;
}

static bool all_are_new(const struct broker_rig_service *service, const void *context)
{
    const json_int_t *before = context;

    if (strcmp(service->state, "ready") != 0 || service->worker_count != 2)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (service->workers[i].pid == before[0] || service->workers[i].pid == before[1])
            return false;
    return true;
}

Test(restart, replaces_every_worker_of_the_service_and_none_of_another)
{
    json_int_t before[4] = {0};
    struct broker_rig_service service, other;

    start();
    broker_rig_look(&rig, "users", &other);
    const pid_t untouched = other.workers[0].pid;
    cr_assert_eq(pids(before), 2);
    RUN("drover restart echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    broker_rig_await(&rig, "echo", all_are_new, before, &service);
    broker_rig_look(&rig, "users", &other);
    cr_expect_eq(other.workers[0].pid, untouched);
    RUN("drover call echo.echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

/* A call that runs may finish; a drained service stays stopped until it is restarted. */
Test(drain, lets_calls_finish_and_stops_the_service)
{
    struct broker_rig_service service;

    start();
    RUN("drover call echo.sleep '{\"ms\": 500}' >slept.out 2>&1 & echo $! >sleeping.pid");
    for (bool running = false; !running;) {
        broker_rig_look(&rig, "echo", &service);
        running = service.workers[0].in_flight + service.workers[1].in_flight == 1;
    }
    RUN("drover drain echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    broker_rig_await_state(&rig, "echo", "stopped", &service);
    RUN("timeout 30 tail --pid=$(cat sleeping.pid) -f /dev/null; cat slept.out");
    cr_expect_str_eq(command.out, "{}\n");
    RUN("drover --json call echo.echo");
    cr_expect_eq(command.status, 69);
    cr_expect_str_eq(command_text(&command, "outcome"), "not started", "%s", command.out);
    RUN("drover restart echo && drover status --wait 20s && drover call echo.echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

Test(logs, show_what_workers_printed_on_both_streams)
{
    start();
    RUN("drover call echo.log '{\"line\": \"to the left\"}'\n"
        "drover call echo.log '{\"line\": \"to the right\", \"stream\": \"stdout\"}'\n"
        "for n in 1 2 3 4 5 6 7 8 9; do drover logs | grep right >/dev/null && break; done; drover logs echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, " err: to the left\n"), "%s", command.out);
    cr_expect(strstr(command.out, " out: to the right\n"), "%s", command.out);
    RUN("drover logs users");
    cr_expect_str_empty(command.out);
    RUN("drover --json logs echo | grep right");
    cr_expect_str_eq(command_text(&command, "line"), "to the right", "%s", command.out);
    cr_expect_str_eq(command_text(&command, "stream"), "stdout", "%s", command.out);
    cr_expect_str_eq(command_text(&command, "service"), "echo", "%s", command.out);
    stop();
}

/* The follower is ended by its reader, who has seen what came after it began. */
Test(logs, are_followed)
{
    start();
    RUN("drover call echo.log '{\"line\": \"before\"}'; mkfifo lines; { drover logs -f >lines 2>&1 & } ; pid=$!\n"
        "exec 3<lines; read -r first <&3; drover call echo.log '{\"line\": \"after\"}' >/dev/null\n"
        "read -r second <&3; kill $pid; echo \"$first\"; echo \"$second\"");
    cr_expect_eq(command.status, 0, "%s", command.err);
    const char *before = strstr(command.out, " err: before\n"), *after = strstr(command.out, " err: after\n");
    cr_expect(before && after && before < after, "%s", command.out);
    stop();
}

/* ---- without a broker ---- */

static const char many_mistakes[] = "broker:\n"
                                    "  listen: [\"ipc:///run/x.sock\", \"tcp://10.1.2.3:5570\"]\n"
                                    "  lisen: 3\n"
                                    "  state_dir: [a]\n"
                                    "plugin: false\n"
                                    "services:\n"
                                    "  echo: {driver: echoo, replicas: 0, deadline: soon}\n"
                                    "  users:\n"
                                    "    interface: userprovider\n"
                                    "    driver: json\n"
                                    "    queue: {calls: many}\n"
                                    "    queue: {calls: 1}\n"
                                    "    access: {}\n";

Test(check, names_every_mistake_of_a_file_with_its_place)
{
    static const struct {
        const char *place, *why;
    } mistakes[] = {
        {"bad.yaml:2:33: key 'listen'", "beyond loopback needs encryption"},
        {"bad.yaml:3:3: key 'lisen'", "nearest: 'listen'"},
        {"bad.yaml:4:14: key 'state_dir'", "a path, not a list"},
        {"bad.yaml:5:1: key 'plugin'", "nearest: 'plugins'"},
        {"bad.yaml:7:18: ", "'echoo' is not built in (nearest: 'echo')"},
        {"bad.yaml:7:35: key 'replicas'", "between 1 and 64"},
        {"bad.yaml:7:48: key 'deadline'", "'soon'"},
        {"bad.yaml:11:20: key 'calls'", "whole number"},
        {"bad.yaml:12:5: key 'queue'", "line 11"},
        {"bad.yaml:13:5: key 'access'", "not implemented"},
    };

    broker_rig_init(&rig, "  echo: {driver: echo}\n");
    broker_rig_write(&rig, "bad.yaml", 0600, many_mistakes);
    RUN("drover --json check bad.yaml");
    cr_expect_eq(command.status, 78);
    cr_expect(json_is_false(at("valid")), "%s", command.out);
    const json_t *messages = at("messages");
    cr_expect_eq(json_array_size(messages), sizeof(mistakes) / sizeof(mistakes[0]), "%s", command.out);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const char *message = json_string_value(json_array_get(messages, i));
        cr_expect(strncmp(message, mistakes[i].place, strlen(mistakes[i].place)) == 0, "%s, expected at %s", message,
                  mistakes[i].place);
        cr_expect(strstr(message, mistakes[i].why), "%s, expected: %s", message, mistakes[i].why);
    }
    RUN("drover check bad.yaml 2>&1 | wc -l");
    cr_expect_eq(atoi(command.out), (int)(sizeof(mistakes) / sizeof(mistakes[0])), "%s", command.out);
    RUN("drover check drover.yaml");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

/* A broker says the same as `check` does, and does not start. */
Test(check, finds_what_the_broker_finds)
{
    broker_rig_init(&rig, "  echo: {driver: echo}\n");
    broker_rig_write(&rig, "bad.yaml", 0600, many_mistakes);
    RUN("drover check bad.yaml >one 2>&1; drover-broker --config bad.yaml >two 2>&1; echo $?\n"
        "drover-broker --check --config bad.yaml >three 2>&1; cmp one two && cmp one three");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_str_eq(command.out, "78\n");
    stop();
}

Test(explain, says_the_kind_the_reason_and_every_step)
{
    static const struct {
        const char *reference, *kind;
        int status;
    } table[] = {
        {"json", "builtin", 0},
        {"demo", "builtin", 0},
        {"builtin:echo", "builtin", 0},
        {DROVER_BINARY_DIR "/drivers/userprovider/json", "executable", 0},
        {DROVER_BINARY_DIR "/drivers/userprovider/json.so", "module", 0},
        {DROVER_BINARY_DIR "/lib/libdrover-worker.so", "refused", 1},
        {DROVER_SOURCE_DIR "/tests/examples", "source", 0},
        {"github.com/owner/repo//drivers/x?ref=v1", "git", 0},
        {"git::https://github.com/owner/repo", "git", 0},
        {"git@host:owner/repo.git", "git", 0},
        {"file:///srv/x.git", "git", 0},
        {"http://host/x.git", "refused", 1},
        {"localhost:3000/a/b", "refused", 1},
        {"jsn", "refused", 1},
        {"foo bar", "refused", 1},
        {"../../etc", "refused", 1},
        {"ftp://x", "refused", 1},
        {"", "refused", 1},
        {"json.bin", "refused", 1},
        {"/nonexistent/driver", "refused", 1},
    };

    broker_rig_init(&rig, "  echo: {driver: echo}\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        RUN("drover --json explain '%s'", table[i].reference);
        cr_expect_eq(command.status, table[i].status, "'%s': %d %s", table[i].reference, command.status, command.out);
        cr_expect_str_eq(command_text(&command, "reference"), table[i].reference, "%s", command.out);
        cr_expect_str_eq(command_text(&command, "kind"), table[i].kind, "'%s': %s", table[i].reference, command.out);
        cr_expect_gt(strlen(command_text(&command, "reason")), 0, "%s", command.out);
        cr_expect(json_is_array(at("steps")) && json_array_size(at("steps")) > 0, "%s", command.out);
    }
    stop();
}
