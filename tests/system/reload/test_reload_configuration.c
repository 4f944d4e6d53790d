/* test_reload_configuration.c - the configuration file changes while calls go on: all of it comes into force, or none
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "reload_rig.h"
#include "steady.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "tests/support/command.h"
#include "tests/support/family.h"

#define TUNED DROVER_BINARY_DIR "/tests/tuned_driver"
#define STIFF DROVER_BINARY_DIR "/tests/stiff_driver"
#define TIMES "debounce: 20ms, settle: 20ms, probation: 100ms, restart: {min: 10ms, max: 100ms}"

/* A service in one line. */
#define SERVICE(name, driver, settings, more) \
    "  " name ": {driver: " driver ", interface: versioned, config: {" settings "}, " TIMES more "}\n"
#define A(word) SERVICE("a", STIFF, "word: " word, "")
#define B(word) SERVICE("b", STIFF, "word: " word, "")

#define GATED(more) SERVICE("a", STIFF, more, ", grants: {read: [@]}")

#define LOOK_MS 20
#define PATIENCE_MS 30000

static struct broker_rig rig;
static struct caller caller;
static struct command command;
static struct steady *steady;
static int gate = -1;

/* ---- the rig ---- */

/* An `@` stands for the folder. */
static void configure_with(const char *broker, const char *services)
{
    char *text = NULL, *config = NULL;
    size_t size = 0;

    cr_assert_geq(asprintf(&text, "broker:\n  listen: ['ipc://@/broker.sock']\n  state_dir: @/state\n%sservices:\n%s",
                           broker, services),
                  0);
    FILE *out = open_memstream(&config, &size);
    cr_assert_not_null(out);
    for (const char *at = text; *at != '\0'; at++)
        cr_assert_geq(fprintf(out, "%.*s", *at == '@' ? (int)strlen(rig.folder) : 1, *at == '@' ? rig.folder : at), 0);
    cr_assert_eq(fclose(out), 0);
    broker_rig_write(&rig, "drover.yaml", 0600, config);
    free(config);
    free(text);
}

static void configure(const char *services)
{
    configure_with("", services);
}

static void prepare(const char *services)
{
    broker_rig_init(&rig, "");
    configure(services);
}

static void start_unready(const char *services)
{
    prepare(services);
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
}

/* What is called all the time, and must never fail. */
static void begin_steady(const char *service, const char *other)
{
    const struct steady_options options = {
        .services = {service, other}, .clients = 4, .pace_us = 2000, .deadline_ms = 20000};

    steady = steady_begin(&rig, &options);
    steady_await_calls(steady, 100);
}

static void start(const char *services, const char *served, const char *served_too)
{
    start_unready(services);
    broker_rig_await_ready(&rig);
    if (served != NULL)
        begin_steady(served, served_too);
}

static void end(void)
{
    steady = steady != NULL ? steady_end(steady) : NULL;
    if (gate >= 0)
        close(gate);
    command_done(&command);
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(reload_configuration, .fini = end);

/* Who called all the time has noticed nothing. */
static void expect_no_failure(void)
{
    struct steady_tally tally;

    steady_await_calls(steady, 100);
    steady_turn(steady, &tally);
    cr_expect_eq(tally.failed, 0, "%s", tally.trouble);
    cr_expect_eq(tally.stale, 0, "%s", tally.trouble);
}

static void run(int status, const char *line)
{
    command_done(&command);
    command_run(&command, &rig, "%s", line);
    cr_assert_eq(command.status, status, "%s: %d: %s%s", line, command.status, command.out, command.err);
}

/* Run it until it prints this. */
static void await_printed(const char *line, const char *text)
{
    const uint64_t until_ms = sys_now_ms() + PATIENCE_MS;

    for (;;) {
        command_done(&command);
        command_run(&command, &rig, "%s", line);
        if (strstr(command.out, text) != NULL)
            return;
        cr_assert_lt(sys_now_ms(), until_ms, "%s never printed '%s': %s%s", line, text, command.out, command.err);
        cr_assert_not(family_await_pidfd(rig.pidfd, LOOK_MS), "the broker has ended");
    }
}

static void await_logged(const char *text)
{
    const uint64_t until_ms = sys_now_ms() + PATIENCE_MS;

    for (;;) {
        char *output = broker_rig_output(&rig);
        const bool found = strstr(output, text) != NULL;
        if (!found && sys_now_ms() > until_ms)
            cr_assert_fail("'%s' was never logged: %s", text, output);
        free(output);
        if (found)
            return;
        cr_assert_not(family_await_pidfd(rig.pidfd, LOOK_MS), "the broker has ended");
    }
}

static void await_rest(void)
{
    struct broker_rig_service service;

    reload_rig_await_rest(&rig, "a", &service);
    reload_rig_await_rest(&rig, "b", &service);
}

static void open_gate(void)
{
    gate = open(broker_rig_path(&rig, "gate"), O_RDWR | O_CLOEXEC);
    cr_assert_geq(gate, 0);
    cr_assert_eq(write(gate, "x", 1), 1);
}

static pid_t pid_of(const char *service)
{
    return caller_ask_pid(&caller, service);
}

static void await_other_pid(const char *service, pid_t pid)
{
    const uint64_t until_ms = sys_now_ms() + PATIENCE_MS;

    while (pid_of(service) == pid)
        cr_assert(sys_now_ms() < until_ms, "service '%s' is never started anew", service);
}

static void expect_word(const char *service, const char *word)
{
    const struct caller_request request = {.service = service, .method = "word", .deadline_ms = 20000};
    char text[64];

    caller_ask_text(&caller, &request, "word", text, sizeof(text));
    cr_expect_str_eq(text, word, "service '%s'", service);
}

static enum drover_status call(const char *service, struct drover_error *error)
{
    const struct caller_request request = {.service = service, .method = "word", .deadline_ms = 20000};

    return caller_call(&caller, &request, error);
}

/* ---- what comes into force ---- */

Test(reload_configuration, adds_and_removes_services)
{
    struct drover_error error;

    start(A("one") B("one"), "a", NULL);
    const pid_t pid = pid_of("a");
    configure(A("one") SERVICE("c", TUNED, "word: new", ""));
    run(0, "drover reload");
    expect_word("c", "new");
    cr_expect_eq(pid_of("a"), pid, "what stays is not touched");
    cr_expect_eq(call("b", &error), DROVER_NOT_FOUND);
    cr_expect_eq(error.outcome, DROVER_OUTCOME_NOT_STARTED);
    run(0, "drover --json status");
    cr_expect(strstr(command.out, "\"name\": \"c\"") != NULL && strstr(command.out, "\"name\": \"b\"") == NULL, "%s",
              command.out);
    configure(A("one") B("two"));
    run(0, "drover reload");
    expect_word("b", "two");
    cr_expect_eq(call("c", &error), DROVER_NOT_FOUND);
    expect_no_failure();
}

static bool has_begun(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return service->workers[0].in_flight == 1;
}

/* What it has begun it ends, however long that takes; nobody else meets it any more. */
Test(reload_configuration, removes_a_service_when_its_last_call_has_ended)
{
    const struct caller_request hold = {.service = "a", .method = "hold", .deadline_ms = 20000};
    struct broker_rig_service service;
    struct drover_error error;

    start(GATED("word: one") B("one"), "b", NULL);
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    expect_word("a", "one"); /* there is a session: what is sent from now on goes out at once */
    caller_send(&caller, &hold);
    broker_rig_await(&rig, "a", has_begun, NULL, &service);
    configure(B("one"));
    broker_rig_signal(&rig, SIGHUP);
    await_logged("service 'a': change 1: remove");
    struct caller late;
    caller_init(&late, rig.endpoint);
    const struct caller_request word = {.service = "a", .method = "word", .deadline_ms = 20000};
    cr_expect_eq(caller_call(&late, &word, &error), DROVER_NOT_FOUND, "%s", error.text);
    caller_done(&late);
    open_gate();
    caller_take_all(&caller);
    cr_expect_eq(caller.ok, 1, "%s", caller_end_of(&caller, 0)->error.text);
    await_logged("in force: change 1");
    expect_no_failure();
}

Test(reload_configuration, gives_settings_to_a_driver_that_can_take_them_as_it_runs)
{
    start(SERVICE("a", TUNED, "word: one", ", replicas: 2"), "a", NULL);
    struct broker_rig_service before, after;
    broker_rig_look(&rig, "a", &before);
    configure(SERVICE("a", TUNED, "word: two", ", replicas: 2"));
    run(0, "drover reload");
    for (unsigned i = 0; i < 8; i++)
        expect_word("a", "two");
    broker_rig_look(&rig, "a", &after);
    cr_expect_eq(after.generation, before.generation);
    cr_expect_eq(after.worker_count, 2);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(after.workers[i].pid, before.workers[i].pid);
    expect_no_failure();
}

/* A worker that is started later has them too. */
Test(reload_configuration, gives_them_to_workers_that_start_later)
{
    start(SERVICE("a", TUNED, "word: one", ""), NULL, NULL);
    configure(SERVICE("a", TUNED, "word: two", ""));
    run(0, "drover reload");
    const pid_t pid = pid_of("a");
    run(0, "drover restart a");
    await_other_pid("a", pid);
    expect_word("a", "two");
}

Test(reload_configuration, starts_a_driver_anew_that_cannot_take_settings)
{
    start(A("one") B("one"), "a", "b");
    const pid_t pid = pid_of("a"), other = pid_of("b");
    configure(A("two") B("one"));
    run(0, "drover reload");
    expect_word("a", "two");
    cr_expect_neq(pid_of("a"), pid);
    cr_expect_eq(pid_of("b"), other);
    expect_no_failure();
}

Test(reload_configuration, gives_up_settings_that_the_driver_refuses)
{
    start(SERVICE("a", TUNED, "word: one", ""), "a", NULL);
    const pid_t pid = pid_of("a");
    configure(SERVICE("a", TUNED, "word: two, refuse: true", ""));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "as you wish") != NULL, "%s", command.err);
    expect_word("a", "one");
    cr_expect_eq(pid_of("a"), pid);
    expect_no_failure();
}

#define USERS(file) "  users: {driver: json, interface: userprovider, json: {users: '@/" file "'}, " TIMES "}\n"
#define USER(name) "[{\"id\": {\"idp\": \"x\", \"opaque_id\": \"" name "\", \"type\": 1}, \"username\": \"" name "\"}]"
#define ASK(name) "drover call users.get_user '{\"id\": {\"opaque_id\": \"" name "\"}}'"

/* As at the start of the broker: a worker may read what its settings name, and nothing else in that folder. */
Test(reload_configuration, grants_the_files_that_new_settings_name)
{
    prepare(A("one") USERS("first.json"));
    broker_rig_write(&rig, "first.json", 0644, USER("ada"));
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    run(0, ASK("ada"));
    broker_rig_write(&rig, "second.json", 0644, USER("grace"));
    begin_steady("a", NULL);
    configure(A("one") USERS("second.json"));
    run(0, "drover reload");
    run(0, ASK("grace"));
    run(1, ASK("ada"));
    expect_no_failure();
}

Test(reload_configuration, adjusts_limits_without_a_restart)
{
    char text[512];
    const struct caller_request request = {
        .service = "a", .method = "word", .key = "text", .string = text, .deadline_ms = 20000};
    struct drover_error error;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    start(A("one"), "a", NULL);
    const pid_t pid = pid_of("a");
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_OK, "%s", error.text);
    configure(SERVICE("a", STIFF, "word: one", ", max_body: 256"));
    run(0, "drover reload");
    cr_expect(strncmp(command.out, "adjust", 6) == 0, "%s", command.out);
    cr_expect_eq(caller_call(&caller, &request, &error), DROVER_RESOURCE_EXHAUSTED, "%s", error.text);
    cr_expect_eq(pid_of("a"), pid);
    expect_no_failure();
}

Test(reload_configuration, does_what_plan_says)
{
    const char *next = SERVICE("a", STIFF, "word: one", ", replicas: 2") SERVICE("b", STIFF, "word: two", "")
        SERVICE("d", STIFF, "word: new", "");

    start(A("one") B("one") SERVICE("c", STIFF, "word: one", ""), "a", "b");
    const pid_t pid = pid_of("a");
    configure(next);
    run(0, "drover plan");
    char *plan = strdup(command.out);
    cr_expect(strstr(plan, "replace      a: replicas\n") != NULL &&
                  strstr(plan, "reconfigure  b: settings\n") != NULL && strstr(plan, "add          d") != NULL &&
                  strstr(plan, "remove       c") != NULL,
              "%s", plan);
    cr_expect_eq(pid_of("a"), pid, "a plan changes nothing");
    expect_word("b", "one");
    run(0, "drover reload");
    cr_expect_eq(strncmp(command.out, plan, strlen(plan)), 0, "plan: %sreload: %s", plan, command.out);
    expect_word("b", "two");
    run(0, "drover plan");
    cr_expect_str_eq(command.out, "nothing changes\n");
    free(plan);
    expect_no_failure();
}

/* ---- what does not ---- */

Test(reload_configuration, keeps_what_is_in_force_when_the_file_has_mistakes)
{
    start(A("one") B("one"), "a", "b");
    const pid_t pid = pid_of("a");
    configure("  a: {driver: " STIFF ", interface: versioned, replicas: 0}\n  b: {drivr: x}\n");
    run(78, "drover reload");
    cr_expect(strstr(command.err, "drover.yaml:5:") != NULL && strstr(command.err, "drover.yaml:6:") != NULL, "%s",
              command.err);
    cr_expect_eq(pid_of("a"), pid);
    run(78, "drover plan");
    await_printed("drover --json status", "\"changed\": true");
    configure(A("one") B("one"));
    await_printed("drover --json status", "\"changed\": false");
    expect_no_failure();
}

Test(reload_configuration, is_all_or_nothing)
{
    start(A("one") B("one"), "a", "b");
    const pid_t first = pid_of("a"), second = pid_of("b");
    configure(A("two") SERVICE("b", STIFF, "word: two, refuse: true", "") SERVICE("c", TUNED, "word: new", ""));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "service 'b'") != NULL && strstr(command.err, "as you wish") != NULL, "%s",
              command.err);
    cr_expect_eq(pid_of("a"), first);
    cr_expect_eq(pid_of("b"), second);
    expect_word("a", "one");
    struct drover_error error;
    cr_expect_eq(call("c", &error), DROVER_NOT_FOUND, "%s", error.text);
    run(0, "drover events");
    cr_expect(strstr(command.out, "configuration-given-up") != NULL, "%s", command.out);

    configure(A("two") B("two") SERVICE("c", TUNED, "word: new", ""));
    run(0, "drover reload");
    expect_word("a", "two");
    expect_word("b", "two");
    expect_word("c", "new");
    expect_no_failure();
}

Test(reload_configuration, of_a_new_service_that_does_not_start_changes_nothing)
{
    struct drover_error error;

    start(A("one"), "a", NULL);
    configure(A("one") SERVICE("c", TUNED, "refuse: true", ""));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "service 'c'") != NULL, "%s", command.err);
    cr_expect_eq(call("c", &error), DROVER_NOT_FOUND);
    run(0, "drover --json status");
    cr_expect(strstr(command.out, "\"name\": \"c\"") == NULL, "%s", command.out);
    expect_no_failure();
}

Test(reload_configuration, refuses_what_only_a_restart_can_change)
{
    start(A("one") B("one"), "a", NULL);
    configure_with("  mode: 0666\n", A("two") B("one"));
    command_done(&command);
    command_run(&command, &rig, "drover reload");
    cr_expect_neq(command.status, 0);
    cr_expect(strstr(command.err, "'mode'") != NULL || strstr(command.err, "broker.mode") != NULL, "%s", command.err);
    expect_word("a", "one");
    expect_no_failure();
}

/* ---- services that are not well ---- */

#define WRONG(name) SERVICE(name, STIFF, "refuse: true", "")

Test(reload_configuration, repairs_a_service_that_was_configured_wrongly)
{
    struct broker_rig_service service;

    start_unready(A("one") WRONG("b"));
    broker_rig_await_state(&rig, "b", "stopped", &service);
    begin_steady("a", NULL);
    configure(A("one") B("two"));
    run(0, "drover reload");
    expect_word("b", "two");
    configure(A("two") B("three"));
    run(0, "drover reload");
    expect_word("b", "three");
    expect_no_failure();
}

Test(reload_configuration, is_not_kept_up_by_a_service_that_it_does_not_touch)
{
    struct broker_rig_service service;

    start_unready(A("one") WRONG("b"));
    broker_rig_await_state(&rig, "b", "stopped", &service);
    begin_steady("a", NULL);
    configure(A("two") WRONG("b") SERVICE("c", STIFF, "word: new", ""));
    run(0, "drover reload");
    expect_word("a", "two");
    expect_word("c", "new");
    expect_no_failure();
}

/* One that is no better than what is in force is given up too, alone or together with others. */
Test(reload_configuration, is_given_up_when_it_does_not_repair_a_service)
{
    struct broker_rig_service service;

    start_unready(A("one") WRONG("b"));
    broker_rig_await_state(&rig, "b", "stopped", &service);
    begin_steady("a", NULL);
    configure(A("one") SERVICE("b", STIFF, "word: two, refuse: true", ""));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "service 'b'") != NULL, "%s", command.err);
    configure(A("two") SERVICE("b", STIFF, "word: three, refuse: true", ""));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "service 'b'") != NULL, "%s", command.err);
    expect_word("a", "one");
    configure(A("two") B("four"));
    run(0, "drover reload");
    expect_word("b", "four");
    expect_no_failure();
}

/* What it was refused for may have gone. */
Test(reload_configuration, is_tried_again_when_it_is_asked_for_again)
{
    start(GATED("word: one") B("one"), "a", "b");
    configure(GATED("word: two, gate: gate") B("two"));
    run(1, "drover reload");
    cr_expect(strstr(command.err, "it cannot be read") != NULL, "%s", command.err);
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    open_gate();
    run(0, "drover reload");
    expect_word("a", "two");
    expect_word("b", "two");
    expect_no_failure();
}

Test(reload_configuration, may_come_while_services_are_still_starting)
{
    start_unready(A("one") SERVICE("b", STIFF, "gate: gate", ""));
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    configure(A("two") B("two"));
    run(0, "drover reload");
    expect_word("a", "two");
    expect_word("b", "two");
}

Test(reload_configuration, of_a_service_that_was_drained_by_hand_starts_it)
{
    struct broker_rig_service service;

    start(A("one") B("one"), "a", NULL);
    run(0, "drover drain b");
    broker_rig_await_state(&rig, "b", "stopped", &service);
    configure(A("two") B("two"));
    run(0, "drover reload");
    expect_word("a", "two");
    expect_word("b", "two");
    run(0, "drover drain b");
    broker_rig_await_state(&rig, "b", "stopped", &service);
    configure(A("two") B("three"));
    run(0, "drover reload"); /* this one alone */
    expect_word("b", "three");
    expect_no_failure();
}

Test(reload_configuration, removes_services_whatever_their_state)
{
    struct broker_rig_service service;

    start_unready(A("one") WRONG("b") SERVICE("c", "/bin/false", "word: x", "") SERVICE("d", STIFF, "gate: gate", ""));
    broker_rig_await_state(&rig, "b", "stopped", &service);
    broker_rig_await_state(&rig, "c", "crashloop", &service);
    broker_rig_await_state(&rig, "a", "ready", &service);
    run(0, "drover drain a");
    configure(B("one"));
    run(0, "drover reload");
    expect_word("b", "one");
    run(0, "drover --json status");
    cr_expect(strstr(command.out, "\"name\": \"a\"") == NULL && strstr(command.out, "\"name\": \"c\"") == NULL &&
                  strstr(command.out, "\"name\": \"d\"") == NULL,
              "%s", command.out);
}

/* ---- two at once ---- */

/* A change is under way until open_gate(). */
static void start_gated(void)
{
    start(GATED("word: one") B("one"), "a", "b");
    cr_assert_eq(mkfifo(broker_rig_path(&rig, "gate"), 0600), 0);
    configure(GATED("word: two, gate: gate") B("two"));
    broker_rig_signal(&rig, SIGHUP);
    await_logged("service 'a': change 1: reconfigure");
}

Test(reload_configuration, is_refused_while_another_one_is_under_way)
{
    start_gated();
    run(78, "drover reload");
    cr_expect(strstr(command.err, "a change is under way") != NULL, "%s", command.err);
    expect_word("a", "one");
    expect_word("b", "one");
    open_gate();
    await_logged("in force: change 1");
    expect_word("a", "two");
    expect_word("b", "two");
    expect_no_failure();
}

Test(reload_configuration, that_was_asked_for_by_signal_meanwhile_comes_after_it)
{
    start_gated();
    configure(GATED("word: three") B("three"));
    broker_rig_signal(&rig, SIGHUP);
    await_logged("is read when the change that is under way has ended");
    expect_word("b", "one");
    open_gate();
    await_logged("in force: change 2");
    expect_word("a", "three");
    expect_word("b", "three");
    expect_no_failure();
}

Test(reload_configuration, that_is_under_way_can_be_called_off_by_hand)
{
    start_gated();
    run(0, "drover rollback a");
    await_logged("the configuration stays what it was: change 1: service 'a'");
    expect_word("a", "one");
    expect_word("b", "one");
    expect_no_failure();
}

/* None of it has come into force; what is being started ends with the rest. */
Test(reload_configuration, that_is_under_way_ends_with_the_broker)
{
    start_gated();
    steady = steady_end(steady);
    broker_rig_stop(&rig);
}

/* ---- by signal, and by itself ---- */

Test(reload_configuration, by_signal_is_logged_and_never_stops_the_broker)
{
    start(A("one"), "a", NULL);
    const pid_t pid = pid_of("a");
    broker_rig_signal(&rig, SIGHUP);
    await_logged("in force: change 1");
    cr_expect_eq(pid_of("a"), pid);
    configure("  a: {drivr: x}\n");
    broker_rig_signal(&rig, SIGHUP);
    await_logged("drover.yaml:5:");
    cr_expect_eq(pid_of("a"), pid);
    configure(A("two"));
    broker_rig_signal(&rig, SIGHUP);
    await_logged("in force: change 2");
    expect_word("a", "two");
    expect_no_failure();
}

Test(reload_configuration, by_itself_is_only_told_unless_it_is_wanted)
{
    start(A("one"), "a", NULL);
    configure_with("  reload: auto\n", A("one"));
    await_printed("drover events", "configuration-changed");
    run(0, "drover --json status");
    cr_expect(strstr(command.out, "\"changed\": true") != NULL, "%s", command.out);
    run(0, "drover reload");
    configure_with("  reload: auto\n", A("two"));
    await_logged("in force: change 2");
    expect_word("a", "two");
    expect_no_failure();
}

/* Wait until the broker holds no more than that: connections of commands that have ended may take a moment. */
static void await_held(const struct reload_holdings *before)
{
    const uint64_t until_ms = sys_now_ms() + PATIENCE_MS;
    struct reload_holdings now;

    for (;;) {
        reload_rig_hold(&rig, &now);
        if (now.descriptors <= before->descriptors && now.children == before->children &&
            now.watches == before->watches)
            return;
        cr_assert(sys_now_ms() < until_ms, "descriptors: %zu, %zu; children: %zu, %zu; watches: %zu, %zu",
                  before->descriptors, now.descriptors, before->children, now.children, before->watches, now.watches);
        cr_assert_not(family_await_pidfd(rig.pidfd, LOOK_MS), "the broker has ended");
    }
}

/* One change after the other leaves nothing behind, but the artefacts of the latest stable versions. */
Test(reload_configuration, leaves_nothing_over)
{
    static const char *const turns[] = {
        SERVICE("a", STIFF, "word: one", "") B("one"),
        SERVICE("a", STIFF, "word: two", ", replicas: 2") SERVICE("c", TUNED, "word: one", ""),
        SERVICE("a", TUNED, "word: three", "") SERVICE("c", TUNED, "word: two", ""),
        SERVICE("a", TUNED, "word: four, refuse: true", "") B("one"),
    };
    struct reload_holdings before;

    start(turns[0], "a", NULL);
    for (size_t i = 0; i < 25; i++) {
        configure(turns[i % 4]);
        run(i % 4 == 3 ? 1 : 0, "drover reload");
        if (i == 4 || i == 24)
            await_rest();
        if (i == 4)
            reload_rig_hold(&rig, &before);
    }
    await_held(&before);
    expect_no_failure();
}

/* What a change has put into force is what a restarted broker starts with. */
Test(reload_configuration, survives_a_restart_of_the_broker)
{
    start(A("one") B("one"), NULL, NULL);
    configure(A("two") SERVICE("c", TUNED, "word: new", ""));
    run(0, "drover reload");
    caller_done(&caller);
    broker_rig_stop(&rig);
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    expect_word("a", "two");
    expect_word("c", "new");
}
