/* test_reload_missing.c - a broker is started while the path of a driver leads to no driver
 *
 * What is stable serves, status says what is wrong with the path, other services notice nothing, and a good driver is
 * taken when it is there again. Where nothing is remembered that could serve, it is a mistake of the configuration.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orders.h"
#include "reload_rig.h"
#include "tests/support/command.h"
#include "tests/support/family.h"

#define EX_CONFIG 78
#define TIMES "settle: 20ms, probation: 50ms"
#define ORDERED "  ordered: {" ORDERS_SERVICE ", " TIMES "}\n"
#define OTHER "  echo: {driver: echo}\n"

/* Criterion copies these into another process: no pointers. */
struct spoilt {
    char name[32];
    char script[96];  /* run in the folder */
    char reason[40];  /* a part of what status says */
    char mend[128];   /* puts version 2 there */
    char service[16]; /* of the three forms */
};

#define NEXT "compile new 2; mkdir -p binary; mv -T new binary/driver"
#define NEXT_MODULE "module new 2; mkdir -p module; mv -T new module/driver.so"

static struct spoilt executables[] = {
    {"deleted", "rm binary/driver", "No such file", NEXT, "binary"},
    {"its folder deleted", "rm -r binary", "No such file", NEXT, "binary"},
    {"no x bit", "chmod 644 binary/driver", "not executable",
     "compile new 2; cat new >binary/driver; chmod 755 "
     "binary/driver",
     "binary"},
    {"empty", ": >binary/driver", "empty", NEXT, "binary"},
    {"empty, no x bit", "rm binary/driver; : >binary/driver", "empty", NEXT, "binary"},
    {"half written", "truncate -s 4096 binary/driver", "half written", NEXT, "binary"},
    {"half written, no x bit", "truncate -s 4096 binary/driver; chmod 644 binary/driver", "half written", NEXT,
     "binary"},
    {"a FIFO", "rm binary/driver; mkfifo binary/driver", "is no file", NEXT, "binary"},
    {"a link to nowhere", "ln -sfT nowhere binary/driver", "No such file", NEXT, "binary"},
    {"deleted", "rm module/driver.so", "No such file", NEXT_MODULE, "module"},
    {"half written", "truncate -s 4096 module/driver.so", "half written", NEXT_MODULE, "module"},
    {"empty", ": >module/driver.so", "empty", NEXT_MODULE, "module"},
    {"deleted", "mv source away", "no such file", "mv away source; edit 2", "source"},
    {"without a driver", "rm source/*.*", "driver.yaml", "git -C source checkout -q .; edit 2", "source"},
};

static struct broker_rig rig;
static struct broker_rig_service service;

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(reload_missing, .fini = end);

static bool has_reason(const struct broker_rig_service *seen, const void *text)
{
    return strstr(seen->last_error, text) != NULL;
}

static void expect_printed(const char *part)
{
    char *output = broker_rig_output(&rig);

    cr_expect_not_null(strstr(output, part), "no '%s' in:\n%s", part, output);
    free(output);
}

static void expect_not_printed(const char *part)
{
    char *output = broker_rig_output(&rig);

    cr_expect_null(strstr(output, part), "'%s' in:\n%s", part, output);
    free(output);
}

static void expect_told(const char *name)
{
    char *text = NULL, *command = NULL;

    cr_assert_geq(asprintf(&command, "events %s", name), 0);
    cr_expect_eq(broker_rig_drover(&rig, command, &text), 0, "%s", text);
    cr_expect_not_null(strstr(text, "driver-absent"), "%s", text);
    free(text);
    free(command);
}

/* The broker ends at once, and says where the mistake is. */
static void expect_refused(const char *mistake)
{
    broker_rig_start(&rig);
    cr_expect_eq(broker_rig_await_end(&rig), EX_CONFIG);
    expect_printed(mistake);
}

ParameterizedTestParameters(reload_missing, stable_version_serves_until_there_is_a_driver_again)
{
    return cr_make_param_array(struct spoilt, executables, sizeof(executables) / sizeof(executables[0]));
}

static void init_form(const char *name)
{
    if (strcmp(name, "binary") == 0)
        reload_rig_init(&rig, RELOAD_BINARY, RELOAD_SERVICE_BINARY(RELOAD_SETTINGS) OTHER);
    else if (strcmp(name, "module") == 0)
        reload_rig_init(&rig, RELOAD_MODULE, RELOAD_SERVICE_MODULE(RELOAD_SETTINGS) OTHER);
    else
        reload_rig_init(&rig, RELOAD_SOURCE, RELOAD_SERVICE_SOURCE(RELOAD_SETTINGS) OTHER);
}

ParameterizedTest(struct spoilt *spoilt, reload_missing, stable_version_serves_until_there_is_a_driver_again)
{
    char stable[65];

    init_form(spoilt->service);
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, spoilt->service, &service);
    snprintf(stable, sizeof(stable), "%s", service.rollout.stable);
    broker_rig_stop(&rig);

    reload_rig_run(&rig, "%s", spoilt->script);
    broker_rig_start_and_await(&rig);
    cr_expect_eq(reload_rig_version(&rig, spoilt->service), 1);
    broker_rig_await(&rig, spoilt->service, has_reason, spoilt->reason, &service);
    printf("%s, %s: %s\n", spoilt->service, spoilt->name, service.last_error);
    cr_expect_str_eq(service.state, "ready");
    cr_expect_str_eq(service.rollout.artefact, stable);
    cr_expect_eq(service.rollout.quarantined, 0);
    broker_rig_look(&rig, "echo", &service);
    cr_expect_str_eq(service.state, "ready");
    cr_expect_str_eq(service.last_error, "");

    reload_rig_run(&rig, "%s", spoilt->mend);
    reload_rig_await_version(&rig, spoilt->service, 2);
    reload_rig_await_rest(&rig, spoilt->service, &service);
    cr_expect_str_neq(service.rollout.stable, stable);
    cr_expect_str_eq(service.last_error, "");
}

/* ---- what stays a mistake ---- */

static void start_stable(const char *services)
{
    broker_rig_init(&rig, services);
    orders_init(&rig, "version=1");
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "ordered", &service);
    broker_rig_stop(&rig);
}

static void change_configuration(const char *script)
{
    reload_rig_run(&rig, "sed -i \"%s\" '%s'", script, rig.config);
}

Test(reload_missing, one_without_a_stable_version_is_a_mistake_as_is_every_other)
{
    start_stable(ORDERED OTHER);
    reload_rig_run(&rig, "rm bin/driver");
    change_configuration("$ a\\  fresh: {driver: ./fresh, interface: echo}");
    expect_refused("drover.yaml:9:19: service 'fresh': driver './fresh': '");
    expect_printed("drover.yaml:6:21: service 'ordered': driver '");

    change_configuration("s/driver: .\\/fresh/driver: echo, replicas: 0/");
    expect_refused("drover.yaml:6:21: service 'ordered': driver '");
    expect_printed("drover.yaml:9:35: key 'replicas'");

    change_configuration("s/replicas: 0/replicas: 1/");
    broker_rig_start_and_await(&rig);
    expect_told("ordered");
}

/* What was stable is not what is configured. */
Test(reload_missing, stable_version_of_another_configuration_or_pin_is_not_run)
{
    start_stable(ORDERED OTHER);
    const size_t starts = orders_count_starts(&rig, 0);
    reload_rig_run(&rig, "rm bin/driver; cp drover.yaml before.yaml");
    change_configuration("s/interface: /config: {a: 1}, interface: /");
    expect_refused("does not exist");
    reload_rig_run(&rig, "cp before.yaml drover.yaml");
    change_configuration("s/interface: /sha256: $(printf %064d 1), interface: /");
    expect_refused("does not exist");
    expect_not_printed("sha256");
    cr_expect_eq(orders_count_starts(&rig, 0), starts);
    reload_rig_run(&rig, "cp before.yaml drover.yaml");
    broker_rig_start_and_await(&rig);
}

static void expect_mistake(const char *arguments)
{
    char *text = NULL;

    cr_expect_eq(broker_rig_drover(&rig, arguments, &text), EX_CONFIG, "%s: %s", arguments, text);
    cr_expect_not_null(strstr(text, "does not exist"), "%s: %s", arguments, text);
    free(text);
}

Test(reload_missing, whoever_asks_is_told_of_the_mistake)
{
    struct command command;

    start_stable(ORDERED OTHER);
    reload_rig_run(&rig, "rm bin/driver");
    command_run(&command, &rig, "drover-broker --config '%s' --check", rig.config);
    cr_expect_eq(command.status, EX_CONFIG);
    cr_expect_not_null(strstr(command.err, "does not exist"), "%s", command.err);
    command_done(&command);
    broker_rig_start_and_await(&rig);
    expect_mistake("reload");
    expect_mistake("plan");
    orders_change(&rig, "version=1");
    char *text = NULL;
    cr_expect_eq(broker_rig_drover(&rig, "plan", &text), 0, "%s", text);
    cr_expect_null(strstr(text, "ordered"), "the driver that is back is the same: %s", text);
    free(text);
}

/* ---- compilers ---- */

/* The broker is killed and started while the file comes and goes, as it does below a linker. */
Test(reload_missing, broker_is_killed_while_a_compiler_writes_the_driver)
{
    reload_rig_init(&rig, RELOAD_BINARY, RELOAD_SERVICE_BINARY(RELOAD_SETTINGS) OTHER);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "binary", &service);
    for (unsigned round = 0; round < 5; round++) {
        reload_rig_run(&rig, "(for i in 1 2 3 4 5 6; do compile binary/driver %u; done; : >compiled) >/dev/null 2>&1 &",
                       round + 2);
        (void)family_await_pidfd(rig.pidfd, 40 + 30 * round);
        broker_rig_signal(&rig, SIGKILL);
        cr_assert_eq(broker_rig_await_end(&rig), 1000 + SIGKILL);
        broker_rig_start_and_await(&rig);
        cr_expect_geq(reload_rig_version(&rig, "binary"), round + 1);
        reload_rig_run(&rig, "while [ ! -e compiled ]; do read -r _ <drover.yaml; done; rm compiled");
        reload_rig_await_version(&rig, "binary", round + 2);
        reload_rig_await_rest(&rig, "binary", &service);
    }
}
