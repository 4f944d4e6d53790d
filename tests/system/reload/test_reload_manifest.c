/* test_reload_manifest.c - a source says in its driver.yaml what a new version of it is asked before it serves */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reload_rig.h"
#include "tests/support/command.h"

static struct broker_rig rig;
static struct broker_rig_service service;

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(reload_manifest, .fini = end);

/* A broker that serves version 1, which answers this to the method `probe`. */
static void set_up(const char *settings, const char *manifest, const char *answer)
{
    char services[256];

    snprintf(services, sizeof(services), RELOAD_SERVICE_SOURCE(RELOAD_SETTINGS "%s"), settings);
    reload_rig_init(&rig, RELOAD_SOURCE, services);
    reload_rig_run(&rig, "edit 1 '#define PROBE DROVER_%s'; echo '%s' >source/driver.yaml", answer, manifest);
    broker_rig_start_and_await(&rig);
    reload_rig_await_rest(&rig, "source", &service);
}

static bool has_reason(const struct broker_rig_service *seen, const void *text)
{
    return strstr(seen->last_error, text) != NULL && strcmp(seen->rollout.state, "serving") == 0;
}

static void expect_refused(const char *reason)
{
    broker_rig_await(&rig, "source", has_reason, reason, &service);
    cr_expect_null(strchr(service.last_error, '\n'), "one line");
    cr_expect_eq(service.rollout.active, 1);
    cr_expect_eq(service.rollout.quarantined, 1);
    cr_expect_eq(reload_rig_version(&rig, "source"), 1);
}

Test(reload_manifest, version_that_fails_the_self_test_of_its_manifest_is_not_switched_to)
{
    set_up("", "self_test: {method: probe}", "OK");
    reload_rig_run(&rig, "edit 2 '#define PROBE DROVER_DATA_LOSS'");
    expect_refused("'probe' answered DATA_LOSS, not OK: version 2 is not well");
    reload_rig_run(&rig, "edit 3");
    reload_rig_await_version(&rig, "source", 3);
}

Test(reload_manifest, expected_status_and_request_are_its_own)
{
    set_up("", "self_test: {method: probe, expect: NOT_FOUND}", "NOT_FOUND");
    reload_rig_run(&rig, "edit 2");
    expect_refused("'probe' answered OK, not NOT_FOUND");
    reload_rig_run(&rig, "edit 3 '#define PROBE DROVER_NOT_FOUND'");
    reload_rig_await_version(&rig, "source", 3);
}

/* The same bytes failed, whatever they were asked: somebody has to say that it was the question that was wrong. */
Test(reload_manifest, self_test_that_was_wrong_is_corrected_by_force)
{
    struct command command;

    set_up("", "self_test: {method: probe}", "OK");
    reload_rig_run(&rig, "echo 'self_test: {method: prob}' >source/driver.yaml; edit 2");
    expect_refused("'prob' answered");
    reload_rig_run(&rig, "echo 'self_test: {method: probe}' >source/driver.yaml");
    expect_refused("quarantine");
    command_run(&command, &rig, "drover reload --force source");
    cr_expect_eq(command.status, 0, "%d: %s%s", command.status, command.out, command.err);
    command_done(&command);
    cr_expect_eq(reload_rig_version(&rig, "source"), 2);
}

/* Each version brings its own: it comes with the files that it is made of. */
Test(reload_manifest, new_version_is_asked_what_its_own_manifest_says)
{
    set_up("", "self_test: {method: probe}", "OK");
    reload_rig_run(&rig, "echo 'self_test: {method: take, request: {ms: 1}}' >source/driver.yaml\n"
                         "edit 2 '#define PROBE DROVER_DATA_LOSS'");
    reload_rig_await_version(&rig, "source", 2);
}

Test(reload_manifest, service_that_says_itself_what_is_asked_has_its_way)
{
    set_up(", self_test: {method: take, request: {ms: 1}}", "self_test: {method: probe}", "OK");
    reload_rig_run(&rig, "edit 2 '#define PROBE DROVER_DATA_LOSS'");
    reload_rig_await_version(&rig, "source", 2);
}
