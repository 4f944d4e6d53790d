/* test_exit_statuses.c - what scripts go by: the exit status of each verb, and on which stream it speaks
 *
 * Results and, with --json, errors are on standard output; all other words are on standard error.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/command.h"

/* One command and what it must come to. */
struct expectation {
    const char *line;
    int status;
    const char *out, *err; /* must be in there; NULL: that stream is empty; "": anything */
};

static const char services[] = "  echo: {driver: echo}\n"
                               "  small: {interface: echo, driver: echo, max_body: 100}\n"
                               "  pinned:\n    interface: echo\n    driver: echo\n"
                               "    sha256: 0000000000000000000000000000000000000000000000000000000000000000\n"
                               "  looping: {interface: echo, driver: /bin/false, restart: {min: 1ms, max: 1ms}}\n";

static struct broker_rig rig;

static void start(void)
{
    struct broker_rig_service service;

    broker_rig_init_with(&rig, "  listen: ['ipc://@/broker.sock']\n  state_dir: @/state\n  mode: '0666'\n", services);
    broker_rig_start(&rig);
    broker_rig_await_state(&rig, "echo", "ready", &service);
    broker_rig_await_state(&rig, "small", "ready", &service);
    broker_rig_await_state(&rig, "looping", "crashloop", &service);
}

static void expect_stream(const char *line, const char *stream, const char *text, const char *wanted)
{
    if (wanted == NULL)
        cr_expect_str_empty(text, "%s: on %s: %s", line, stream, text);
    else
        cr_expect(strstr(text, wanted), "%s: on %s, expected '%s': %s", line, stream, wanted, text);
}

static void expect(const struct expectation *table, size_t count)
{
    struct command command;

    for (size_t i = 0; i < count; i++) {
        const struct expectation *row = &table[i];
        command_run(&command, &rig, "%s", row->line);
        cr_expect_eq(command.status, row->status, "%s: exit status %d, expected %d\n%s%s", row->line, command.status,
                     row->status, command.out, command.err);
        expect_stream(row->line, "standard output", command.out, row->out);
        expect_stream(row->line, "standard error", command.err, row->err);
        command_done(&command);
    }
}

#define EXPECT(table) expect(table, sizeof(table) / sizeof(table[0]))

Test(exit_status, zero_for_what_is_done)
{
    static const struct expectation table[] = {
        {"drover call echo.echo '{\"payload\": \"x\"}'", 0, "\"payload\": \"x\"", NULL},
        {"drover call echo.echo", 0, "", NULL},
        {"drover status", 0, "crashloop", NULL},
        {"drover status echo", 0, "ready", NULL},
        {"drover --json status looping", 0, "\"crashloop\"", NULL},
        {"drover logs", 0, "", NULL},
        {"drover logs echo", 0, "", NULL},
        {"drover explain demo", 0, "builtin", NULL},
        {"drover check drover.yaml", 0, "valid", NULL},
        {"drover-broker --check --config drover.yaml", 0, "", ""},
        {"drover bench echo.echo --duration 50ms", 0, "calls in", NULL},
        {"drover restart echo", 0, "", NULL},
        {"drover status echo --wait 20s", 0, "ready", NULL},
        {"drover drain echo", 0, "", NULL},
        {"drover restart echo", 0, "", NULL},
        {"drover help", 0, "usage: drover", NULL},
        {"drover --help", 0, "usage: drover", NULL},
        {"drover call --help", 0, "usage: drover call", NULL},
        {"drover version", 0, "drover", NULL},
        {"drover --version", 0, "drover", NULL},
        {"drover-broker --help", 0, "drover-broker", NULL},
        {"drover-worker --help", 0, "drover-worker", NULL},
        {DROVER_BINARY_DIR "/drivers/userprovider/json --help", 0, "userprovider", NULL},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

/* Whatever the driver's error is, the status of the call is 1: the broker's own UNAVAILABLE is another matter. */
Test(exit_status, one_for_every_error_of_a_driver)
{
    static const char *const names[] = {
#define DROVER_STATUS(NAME, number, meaning) #NAME,
#include <drover/status.def>
#undef DROVER_STATUS
    };
    struct command command;
    char wanted[128];

    start();
    for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
        command_run(&command, &rig, "drover call echo.fail '{\"status\": \"%s\", \"message\": \"so be it\"}'",
                    names[i]);
        snprintf(wanted, sizeof(wanted), "%s: so be it (outcome: answered, origin: driver)\n", names[i]);
        cr_expect_eq(command.status, 1, "%s: %d", names[i], command.status);
        cr_expect_str_eq(command.err, wanted);
        cr_expect_str_empty(command.out);
        command_done(&command);
    }
    broker_rig_done(&rig);
}

Test(exit_status, one_for_refusals_that_have_no_number_of_their_own)
{
    static const struct expectation table[] = {
        {"drover call nowhere.echo", 1, NULL, "NOT_FOUND: service 'nowhere' is not configured here (outcome: not"},
        {"drover status nowhere", 1, NULL, "NOT_FOUND"},
        {"drover logs nowhere", 1, NULL, "NOT_FOUND"},
        {"drover restart nowhere", 1, NULL, "NOT_FOUND"},
        {"drover drain nowhere", 1, NULL, "NOT_FOUND"},
        {"drover call echo.nothing", 1, NULL, "UNIMPLEMENTED"},
        {"drover explain 'foo bar'", 1, "refused", NULL},
        {"drover --json explain ../../etc", 1, "\"kind\": \"refused\"", NULL},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

Test(exit_status, two_for_wrong_usage)
{
    static const struct expectation table[] = {
        {"drover", 2, NULL, "usage: drover"},
        {"drover frobnicate", 2, NULL, "verb 'frobnicate' is not known"},
        {"drover stats", 2, NULL, "nearest: 'status'"},
        {"drover describe", 2, NULL, "not implemented"},
        {"drover --frob status", 2, NULL, "--frob"},
        {"drover status --frob", 2, NULL, "--frob"},
        {"drover status a b", 2, NULL, "takes no more words"},
        {"drover call", 2, NULL, "needs more words"},
        {"drover call echo", 2, NULL, "'echo' is no SERVICE.METHOD"},
        {"drover call .echo", 2, NULL, "no SERVICE.METHOD"},
        {"drover call echo.", 2, NULL, "no SERVICE.METHOD"},
        {"drover call echo.echo '{\"a\": '", 2, NULL, "line 1, column"},
        {"drover call echo.echo '{} {}'", 2, NULL, "line 1, column"},
        {"drover call echo.echo @missing.json", 2, NULL, "missing.json"},
        {"drover call echo.echo @.", 2, NULL, "'.'"},
        {"echo '[' | drover call echo.echo -", 2, NULL, "standard input"},
        {"drover call echo.echo {} {}", 2, NULL, "takes no more words"},
        {"drover call echo.echo --metadata novalue", 2, NULL, "'novalue' is no KEY=VALUE"},
        {"drover call echo.echo --metadata =x", 2, NULL, "no KEY=VALUE"},
        {"drover call echo.echo --repeat many", 2, NULL, "--repeat"},
        {"drover call echo.echo --deadline soon", 2, NULL, "--deadline"},
        {"drover call echo.echo --deadline", 2, NULL, "--deadline"},
        {"drover --timeout 5 status", 2, NULL, "write it as '200ms'"},
        {"drover --broker nonsense status", 2, NULL, "no endpoint"},
        {"drover status --wait", 2, NULL, "--wait"},
        {"drover restart", 2, NULL, "needs more words"},
        {"drover drain", 2, NULL, "needs more words"},
        {"drover rollback", 2, NULL, "needs more words"},
        {"drover unquarantine", 2, NULL, "needs more words"},
        {"drover reload --force", 2, NULL, "option '--force': name the service"},
        {"drover reload a b", 2, NULL, "takes no more words"},
        {"drover plan a b", 2, NULL, "takes no more words"},
        {"drover events a b", 2, NULL, "takes no more words"},
        {"drover explain", 2, NULL, "needs more words"},
        {"drover check", 2, NULL, "needs more words"},
        {"drover bench", 2, NULL, "needs more words"},
        {"drover bench echo", 2, NULL, "no SERVICE.METHOD"},
        {"drover bench echo.echo --concurrency 1000000", 2, NULL, "--concurrency"},
        {"drover bench echo.echo --rate 1000000000", 2, NULL, "--rate"},
        {"drover-broker --frob", 2, NULL, "--frob"},
        {"drover-broker --config", 2, NULL, "--config"},
        {"drover-worker", 2, NULL, ""},
        {"drover-worker --frob", 2, NULL, "--frob"},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

Test(exit_status, 69_where_nobody_is)
{
    static const struct expectation table[] = {
        {"drover --broker ipc://nobody.sock --timeout 100ms call echo.echo", 69, NULL, "UNAVAILABLE: "},
        {"drover --broker ipc://nobody.sock --timeout 100ms status", 69, NULL, "ipc://nobody.sock"},
        {"drover --broker tcp://127.0.0.1:1 --timeout 100ms logs", 69, NULL, "UNAVAILABLE: "},
        {"DROVER_BROKER=ipc://nobody.sock drover --timeout 100ms restart echo", 69, NULL, "ipc://nobody.sock"},
        {"drover call looping.echo", 69, NULL, "exited with status 1 before it was ready"},
        {"drover call pinned.echo", 69, NULL, "it is not run (outcome: not started, origin: broker)"},
        {"drover call echo.exit '{\"code\": 3}'", 69, NULL, "the worker died"},
        {"drover status echo --wait 20s", 0, "ready", NULL},
        {"drover drain echo && drover call echo.echo", 69, "", "drover restart echo"},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

Test(exit_status, 70_when_the_reply_cannot_be_printed)
{
    static const struct expectation table[] = {
        {"drover call echo.echo >/dev/full", 70, NULL, "standard output"},
        {"drover --json status >/dev/full", 70, NULL, "standard output"},
        {"drover call echo.log '{\"line\": \"x\"}' >/dev/null; drover logs -f >/dev/full", 70, NULL, ""},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

Test(exit_status, 75_when_it_is_worth_trying_again)
{
    static const struct expectation table[] = {
        {"drover call echo.sleep '{\"ms\": 60000}' --deadline 50ms", 75, NULL, "DEADLINE_EXCEEDED: "},
        {"drover --timeout 50ms call echo.sleep '{\"ms\": 60000}'", 75, NULL, "outcome: unknown"},
        {"drover call small.echo '{\"payload\": "
         "\"0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901234567890123456789\"}'",
         75, NULL, "RESOURCE_EXHAUSTED: "},
        {"drover status --wait 100ms", 75, "crashloop", ""},
        {"drover --broker ipc://nobody.sock status --wait 100ms", 75, NULL, "waited 100 ms"},
    };

    start();
    EXPECT(table);
    broker_rig_done(&rig);
}

/* Somebody else may call where the socket lets them, but not administer. */
Test(exit_status, 77_for_an_administrator_who_is_another_user)
{
#define AS_NOBODY "setpriv --reuid=65534 --regid=65534 --clear-groups "
    static const struct expectation table[] = {
        {AS_NOBODY "drover call echo.echo '{\"payload\": \"x\"}'", 0, "\"payload\": \"x\"", NULL},
        {AS_NOBODY "drover status", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover status --wait 5s", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover logs", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover events", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover plan", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover restart echo", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover reload", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover reload echo", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover rollback echo", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover unquarantine echo", 77, NULL, "PERMISSION_DENIED: "},
        {AS_NOBODY "drover --json drain echo", 77, "\"status\": \"PERMISSION_DENIED\"", NULL},
    };

    if (getuid() != 0)
        cr_skip_test("only root can become another user");
    start();
    /* The folder is the rig's own; its socket is what this is about. */
    struct command command;
    command_run(&command, &rig, "chmod 0711 . && " AS_NOBODY "test -x " DROVER_BINARY_DIR "/bin/drover");
    const int reachable = command.status;
    command_done(&command);
    if (reachable == 0)
        EXPECT(table);
    broker_rig_done(&rig);
    if (reachable != 0)
        cr_skip_test("the user nobody cannot reach the programs in " DROVER_BINARY_DIR "/bin");
}

Test(exit_status, 78_for_what_is_configured_wrong)
{
    static const struct expectation table[] = {
        {"drover check bad.yaml", 78, NULL, "bad.yaml:2:3: key 'lisen': unknown (nearest: 'listen')"},
        {"drover --json check bad.yaml", 78, "\"valid\": false", NULL},
        {"drover check missing.yaml", 78, NULL, "missing.yaml"},
        {"drover-broker --check --config bad.yaml", 78, NULL, "bad.yaml:2:3: key 'lisen'"},
        {"drover-broker --config bad.yaml", 78, NULL, "bad.yaml:2:3: key 'lisen'"},
        {"drover-broker --config missing.yaml", 78, NULL, "missing.yaml"},
    };

    start();
    broker_rig_write(&rig, "bad.yaml", 0600, "broker:\n  lisen: ['ipc:///run/x.sock']\nservices: {}\n");
    EXPECT(table);
    broker_rig_done(&rig);
}
