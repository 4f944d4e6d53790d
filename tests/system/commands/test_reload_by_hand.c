/* test_reload_by_hand.c - reload, rollback, unquarantine, plan, and the events that tell of them, as they are typed
 *
 * The driver is a file in the rig's folder that is only looked at by hand; another version of it is the same program
 * with some octets more at its end.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/command.h"

static struct broker_rig rig;
static struct command command;

#define RUN(...) (command_done(&command), command_run(&command, &rig, __VA_ARGS__))

/* Put another version in the place of the driver's file. */
static void put_version(unsigned version)
{
    RUN("cp " DROVER_BINARY_DIR "/drivers/echo/echo fresh && printf 'version %u' >>fresh && mv fresh driver", version);
    cr_assert_eq(command.status, 0, "%s", command.err);
}

static void start_with(const char *settle, const char *probation)
{
    char services[512];
    (void)snprintf(services, sizeof(services),
                   "  echo: {driver: @/driver, reload: manual, settle: %s, probation: %s}\n"
                   "  other: {interface: echo, driver: echo, settle: 10ms, probation: 0ms}\n",
                   settle, probation);
    broker_rig_init(&rig, services);
    put_version(1);
    broker_rig_start_and_await(&rig);
}

static void start(void)
{
    start_with("10ms", "0ms");
}

static void stop(void)
{
    command_done(&command);
    broker_rig_done(&rig);
}

static json_int_t number(const char *path)
{
    const json_t *value = command_at(command.json, path);
    cr_expect(json_is_integer(value), "%s: %s", path, command.out);
    return json_integer_value(value);
}

static pid_t pid_of(const char *service)
{
    struct broker_rig_service look;
    broker_rig_look(&rig, service, &look);
    cr_assert_eq(look.worker_count, 1);
    return look.workers[0].pid;
}

/* What `drover --json VERB echo` comes to. */
static void expect_outcome(const char *words, int status, const char *outcome, json_int_t generation)
{
    RUN("drover --json %s", words);
    cr_expect_eq(command.status, status, "%s: %d, %s%s", words, command.status, command.out, command.err);
    cr_expect_str_eq(command_text(&command, "service"), "echo", "%s: %s", words, command.out);
    cr_expect_str_eq(command_text(&command, "outcome"), outcome, "%s: %s", words, command.out);
    cr_expect_eq(number("generation"), generation, "%s: %s", words, command.out);
}

/* ---- reload ---- */

Test(reload, of_an_unchanged_driver_says_so_and_restarts_nothing)
{
    start();
    const pid_t before = pid_of("echo"), other = pid_of("other");
    expect_outcome("reload echo", 0, "unchanged", 1);
    RUN("drover reload echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, "service 'echo': unchanged, generation 1 serves, artefact "), "%s", command.out);
    RUN("touch driver && drover reload echo | grep -c unchanged");
    cr_expect_str_eq(command.out, "1\n");
    RUN("drover reload other | grep -c unchanged");
    cr_expect_str_eq(command.out, "1\n");
    cr_expect_eq(pid_of("echo"), before);
    cr_expect_eq(pid_of("other"), other);
    stop();
}

Test(reload, of_a_changed_driver_makes_a_new_generation_of_it_alone)
{
    start();
    const pid_t before = pid_of("echo"), other = pid_of("other");
    put_version(2);
    expect_outcome("reload echo", 0, "switched", 2);
    char artefact[65] = "";
    (void)snprintf(artefact, sizeof(artefact), "%s", command_text(&command, "artefact"));
    cr_expect_eq(strspn(artefact, "0123456789abcdef"), 64, "%s", command.out);
    RUN("drover --json status echo --wait 20s");
    cr_expect_str_eq(command_text(&command, "services.0.rollout.artefact"), artefact, "%s", command.out);
    cr_expect_str_eq(command_text(&command, "services.0.rollout.state"), "serving", "%s", command.out);
    cr_expect_neq(pid_of("echo"), before);
    cr_expect_eq(pid_of("other"), other);
    RUN("drover call echo.echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

Test(reload, by_force_makes_a_new_generation_of_the_same)
{
    start();
    const pid_t before = pid_of("echo");
    expect_outcome("reload echo --force", 0, "switched", 2);
    cr_expect_neq(pid_of("echo"), before);
    expect_outcome("reload --force echo", 0, "switched", 3);
    stop();
}

Test(reload, says_why_it_was_given_up)
{
    start();
    const pid_t before = pid_of("echo");
    broker_rig_write(&rig, "driver", 0700, "#!/bin/sh\nexit 3\n");
    expect_outcome("reload echo", 1, "given up", 1);
    cr_expect(strstr(command_text(&command, "reason"), "exited with status 3"), "%s", command.out);
    RUN("drover reload echo");
    cr_expect_eq(command.status, 1);
    cr_expect_str_empty(command.out);
    cr_expect(strstr(command.err, "quarantine"), "it is not tried again: %s", command.err);
    cr_expect(strstr(command.err, "; generation 1 serves\n"), "%s", command.err);
    RUN("drover --json status echo");
    cr_expect(strstr(command_text(&command, "services.0.last_error"), "quarantine"), "%s", command.out);
    cr_expect(strstr(command_text(&command, "services.0.rollout.quarantine.0.why"), "exited with status 3"), "%s",
              command.out);
    cr_expect_eq(pid_of("echo"), before);
    put_version(1);
    expect_outcome("reload echo", 0, "unchanged", 1);
    put_version(2);
    expect_outcome("reload echo", 0, "switched", 3);
    stop();
}

static bool is_settling(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return strcmp(service->rollout.state, "settling") == 0;
}

/* What goes on when the time is over, and how it is withdrawn. */
Test(reload, ends_when_the_time_is_over_and_the_change_goes_on)
{
    struct broker_rig_service service;

    start_with("1h", "0ms");
    const pid_t before = pid_of("echo");
    put_version(2);
    RUN("drover --timeout 1s reload echo");
    cr_expect_eq(command.status, 75, "%s%s", command.out, command.err);
    cr_expect(strstr(command.err, "service 'echo': still under way ("), "%s", command.err);
    broker_rig_await(&rig, "echo", is_settling, NULL, &service);
    RUN("drover status echo");
    cr_expect(strstr(command.out, "\n  change: settling, generation 2\n"), "%s", command.out);
    cr_expect(strstr(command.out, " of generation 2: ready, "), "%s", command.out);
    RUN("drover --json status echo");
    cr_expect_eq(number("services.0.rollout.active"), 1, "%s", command.out);
    cr_expect_eq(number("services.0.rollout.candidate"), 2, "%s", command.out);
    cr_expect_eq(number("services.0.generation"), 1, "%s", command.out);
    expect_outcome("rollback echo", 0, "withdrawn", 1);
    RUN("drover --json status echo");
    cr_expect_eq(number("services.0.rollout.candidate"), 0, "%s", command.out);
    cr_expect_eq(number("services.0.workers.0.pid"), before, "%s", command.out);
    stop();
}

static bool has_candidate(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return service->rollout.candidate != 0;
}

/* Nobody knows any more what was asked for. */
Test(reload, ends_when_the_broker_is_restarted)
{
    struct broker_rig_service service;

    start_with("1h", "0ms");
    put_version(2);
    RUN("drover reload echo >reload.out 2>&1 & echo $! >reload.pid");
    broker_rig_await(&rig, "echo", has_candidate, NULL, &service);
    broker_rig_signal(&rig, SIGKILL);
    broker_rig_await_end(&rig);
    broker_rig_start(&rig);
    RUN("timeout 60 tail --pid=$(cat reload.pid) -f /dev/null; cat reload.out");
    cr_expect(strstr(command.out, "UNAVAILABLE: "), "%s", command.out);
    broker_rig_await_ready(&rig);
    stop();
}

/* ---- rollback, unquarantine ---- */

Test(rollback, goes_back_and_quarantines)
{
    start();
    RUN("drover --json status echo");
    char first[65] = "";
    (void)snprintf(first, sizeof(first), "%s", command_text(&command, "services.0.rollout.artefact"));
    put_version(2);
    expect_outcome("reload echo", 0, "switched", 2);
    expect_outcome("rollback echo", 0, "switched", 3);
    cr_expect_str_eq(command_text(&command, "artefact"), first, "%s", command.out);
    RUN("drover status echo");
    cr_expect(strstr(command.out, "\n  quarantine: "), "%s", command.out);
    cr_expect(strstr(command.out, "rolled back by hand"), "%s", command.out);
    expect_outcome("reload echo", 1, "given up", 3);
    expect_outcome("reload echo --force", 0, "switched", 4);
    stop();
}

Test(rollback, needs_something_to_go_back_to)
{
    start();
    RUN("drover rollback echo");
    cr_expect_eq(command.status, 78, "%d %s", command.status, command.err);
    cr_expect(strstr(command.err, "service 'echo' has nothing to go back to"), "%s", command.err);
    stop();
}

Test(unquarantine, lets_a_driver_be_tried_again)
{
    start();
    put_version(2);
    RUN("drover reload echo && drover rollback echo");
    cr_assert_eq(command.status, 0, "%s", command.err);
    RUN("drover unquarantine echo 0123456789ab");
    cr_expect_eq(command.status, 78, "%d %s", command.status, command.err);
    RUN("drover unquarantine echo 01");
    cr_expect_eq(command.status, 1, "%d %s", command.status, command.err);
    RUN("drover --json unquarantine echo $(drover status | sed -n 's/^  quarantine: \\([0-9a-f]*\\):.*/\\1/p')");
    cr_expect_eq(command.status, 0, "%s%s", command.out, command.err);
    cr_expect_str_eq(command.out, "{}\n");
    RUN("drover --json status echo");
    cr_expect_eq(json_array_size(command_at(command.json, "services.0.rollout.quarantine")), 0, "%s", command.out);
    expect_outcome("reload echo", 0, "switched", 4);
    RUN("drover rollback echo && drover unquarantine echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, "drover reload echo"), "%s", command.out);
    expect_outcome("reload echo", 0, "switched", 6);
    stop();
}

/* ---- events ---- */

/* Is there an event with this word and this in its text behind `*at`? Then that is behind it. */
static bool comes_next(json_t *events, size_t *at, const char *what, const char *text)
{
    for (size_t i = *at; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (strcmp(json_string_value(json_object_get(event, "what")), what) != 0 ||
            strstr(json_string_value(json_object_get(event, "text")), text) == NULL)
            continue;
        *at = i + 1;
        return true;
    }
    return false;
}

Test(events, tell_of_a_reload_and_a_rollback_in_order_with_reasons)
{
    static const struct {
        const char *what, *text;
    } course[] = {
        {"switched", "calls go to "},
        {"asked", "reload, by hand"},
        {"unchanged", ""},
        {"asked", "reload, by hand"},
        {"started", ""},
        {"tested", ""},
        {"switched", "calls go to "},
        {"stable", ""},
        {"asked", "rollback, by hand"},
        {"quarantined", "rolled back by hand"},
        {"switched", "calls go to "},
        {"asked", "reload, by hand"},
        {"given-up", "quarantine"},
        {"asked", "unquarantine, by hand"},
        {"refused", "unquarantine, by hand: "},
    };
    size_t at = 0;

    start();
    RUN("drover reload echo");
    put_version(2);
    RUN("drover reload echo; drover rollback echo; drover reload echo; drover unquarantine echo 0123456789");
    RUN("drover --json events echo | tr '\\n' ',' | sed 's/^/[/; s/,$/]/'");
    json_t *events = json_incref(command.json);
    cr_assert(json_is_array(events), "%s", command.out);
    for (size_t i = 0; i < sizeof(course) / sizeof(course[0]); i++)
        cr_expect(comes_next(events, &at, course[i].what, course[i].text), "'%s' (%s) is not where it should be: %s",
                  course[i].what, course[i].text, command.out);
    json_int_t serial = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        cr_expect_str_eq(json_string_value(json_object_get(event, "service")), "echo");
        cr_expect_gt(json_integer_value(json_object_get(event, "serial")), serial);
        cr_expect_gt(json_integer_value(json_object_get(event, "time_ms")), 0);
        cr_expect(json_is_integer(json_object_get(event, "generation")));
        serial = json_integer_value(json_object_get(event, "serial"));
    }
    json_decref(events);
    RUN("drover events");
    cr_expect(strstr(command.out, " echo#2 switched: calls go to "), "%s", command.out);
    cr_expect(strstr(command.out, " other#1 switched: calls go to "), "%s", command.out);
    stop();
}

/* The follower is ended by its reader, who has seen what came after it began. */
Test(events, are_followed)
{
    start();
    RUN("mkfifo lines; { drover events echo -f >lines 2>&1 & } ; pid=$!; exec 3<lines; read -r first <&3\n"
        "drover reload echo >/dev/null; while read -r line <&3; do case $line in *unchanged*) break;; esac; done\n"
        "kill $pid; echo \"$first\"; echo \"$line\"");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, " echo#1 unchanged: "), "%s", command.out);
    stop();
}

/* ---- the configuration ---- */

/* The rig's configuration, edited. */
static void edit(const char *script, const char *file)
{
    RUN("sed -e \"%s\" drover.yaml >edited && mv edited %s", script, file);
    cr_assert_eq(command.status, 0, "%s", command.err);
}

Test(plan, says_what_a_file_would_change_and_changes_nothing)
{
    start();
    RUN("drover plan");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_str_eq(command.out, "nothing changes\n");
    const pid_t before = pid_of("echo");
    edit("s/reload: manual/reload: manual, replicas: 2/; s/^  other:/  another:/", "next.yaml");
    RUN("drover plan next.yaml");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, "replace      echo: replicas\n"), "%s", command.out);
    cr_expect(strstr(command.out, "add          another"), "%s", command.out);
    cr_expect(strstr(command.out, "remove       other"), "%s", command.out);
    RUN("mkdir -p below && cd below && drover --json plan ../next.yaml");
    cr_expect_eq(json_array_size(command_at(command.json, "steps")), 3, "%s", command.out);
    cr_expect_eq(json_array_size(command_at(command.json, "mistakes")), 0, "%s", command.out);
    cr_expect_eq(pid_of("echo"), before);
    stop();
}

Test(plan, says_what_a_reload_would_refuse)
{
    start();
    edit("s/state_dir/stale_dir/; s/settle/setle/", "wrong.yaml");
    RUN("drover plan wrong.yaml");
    cr_expect_eq(command.status, 78);
    cr_expect_str_empty(command.out);
    cr_expect(strstr(command.err, "'state_dir'") && strstr(command.err, "'settle'"), "%s", command.err);
    RUN("drover plan missing.yaml");
    cr_expect_eq(command.status, 78, "%d %s", command.status, command.err);
    cr_expect(strstr(command.err, "missing.yaml"), "%s", command.err);
    edit("s/state_dir: .*/state_dir: elsewhere/", "moved.yaml");
    RUN("drover plan moved.yaml");
    cr_expect_eq(command.status, 78, "%d %s", command.status, command.err);
    cr_expect(strstr(command.err, "state_dir"), "%s", command.err);
    stop();
}

Test(reload, puts_the_configuration_into_force)
{
    start();
    RUN("drover --json status");
    cr_expect(json_is_false(command_at(command.json, "broker.configuration.changed")), "%s", command.out);
    cr_expect_str_eq(command_text(&command, "broker.configuration.path"), rig.config, "%s", command.out);
    const pid_t before = pid_of("echo");
    edit("$ a \\  more: {interface: echo, driver: echo, settle: 10ms}", "drover.yaml");
    RUN("drover reload");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect(strstr(command.out, "add          more"), "%s", command.out);
    cr_expect(strstr(command.out, "the configuration is in force\n"), "%s", command.out);
    RUN("drover call more.echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    edit("/^  more:/d", "drover.yaml");
    RUN("drover --json reload");
    cr_expect_eq(command.status, 0, "%s", command.err);
    cr_expect_str_eq(command_text(&command, "state"), "done", "%s", command.out);
    RUN("drover call more.echo");
    cr_expect_eq(command.status, 1, "%d %s", command.status, command.err);
    cr_expect_eq(pid_of("echo"), before);
    stop();
}

Test(reload, of_a_configuration_with_mistakes_changes_nothing)
{
    start();
    const pid_t before = pid_of("echo");
    edit("s/settle/setle/; s/reload: manual/reload: maybe/", "drover.yaml");
    RUN("drover reload");
    cr_expect_eq(command.status, 78, "%d %s", command.status, command.err);
    cr_expect_str_empty(command.out);
    cr_expect(strstr(command.err, "'setle'") && strstr(command.err, "'reload'"), "%s", command.err);
    RUN("drover --json reload");
    cr_expect_eq(command.status, 78);
    cr_expect_geq(json_array_size(command_at(command.json, "mistakes")), 2, "%s", command.out);
    cr_expect_eq(pid_of("echo"), before);
    RUN("drover call echo.echo && drover call other.echo");
    cr_expect_eq(command.status, 0, "%s", command.err);
    stop();
}

Test(reload, of_a_configuration_is_given_up_as_a_whole)
{
    start();
    const pid_t before = pid_of("echo");
    edit("s/reload: manual/reload: manual, replicas: 2/; $ a \\  bad: {interface: echo, driver: /bin/false}",
         "drover.yaml");
    RUN("drover --json reload");
    cr_expect_eq(command.status, 1, "%d %s", command.status, command.out);
    cr_expect_str_eq(command_text(&command, "state"), "given up", "%s", command.out);
    cr_expect_str_eq(command_text(&command, "service"), "bad", "%s", command.out);
    cr_expect(strstr(command_text(&command, "reason"), "exited with status 1"), "%s", command.out);
    cr_expect_eq(pid_of("echo"), before);
    RUN("drover status bad");
    cr_expect_eq(command.status, 1, "%d %s", command.status, command.out);
    RUN("drover reload");
    cr_expect_eq(command.status, 1, "%d %s", command.status, command.err);
    cr_expect(strstr(command.err, "the change is given up because of service 'bad': "), "%s", command.err);
    stop();
}

/* ---- who is not there ---- */

Test(reload, of_an_unknown_service_is_refused_by_name)
{
    static const char *const verbs[] = {"reload", "reload --force", "rollback", "unquarantine", "events"};

    start();
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        RUN("drover %s nobody", verbs[i]);
        cr_expect_eq(command.status, 1, "%s: %d", verbs[i], command.status);
        cr_expect(strstr(command.err, "NOT_FOUND: service 'nobody' is not configured here"), "%s: %s", verbs[i],
                  command.err);
        RUN("drover --broker ipc://nobody.sock --timeout 50ms %s echo", verbs[i]);
        cr_expect_eq(command.status, 69, "%s: %d", verbs[i], command.status);
    }
    stop();
}
