/* test_forms.c - every driver of this tree answers the same, built in, as an executable and as a module */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/broker_rig.h"

#define DRIVERS DROVER_BINARY_DIR "/drivers/"
#define USERS DROVER_SOURCE_DIR "/deploy/users.json"

static struct broker_rig rig;

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(forms, .fini = end);

struct form {
    char kind[16];   /* as the status calls it */
    char folder[96]; /* before INTERFACE/DRIVER; "": the name alone is the reference */
    char ending[8];
};

static struct form forms[] = {{"builtin", "", ""}, {"executable", DRIVERS, ""}, {"module", DRIVERS, ".so"}};

ParameterizedTestParameters(forms, each_driver_answers_in_each_form)
{
    return cr_make_param_array(struct form, forms, sizeof(forms) / sizeof(forms[0]));
}

static const struct driver {
    const char *interface, *name, *settings, *call, *answer;
} drivers[] = {
    {"echo", "echo", "{version: eleven}", "whoami", "\"version\": \"eleven\""},
    {"userprovider", "json", "{users: " USERS "}", "get_user '{\"id\": {\"opaque_id\": \"einstein\"}}'",
     "\"username\": \"einstein\""},
    {"userprovider", "demo", NULL, "get_user '{\"id\": {\"opaque_id\": \"einstein\"}}'", "\"username\": \"einstein\""},
    {"authprovider", "json", "{users: " USERS "}",
     "authenticate '{\"client_id\": \"einstein\", \"client_secret\": \"relativity\"}'", "\"username\": \"einstein\""},
    {"authprovider", "demo", NULL, "authenticate '{\"client_id\": \"einstein\", \"client_secret\": \"relativity\"}'",
     "\"username\": \"einstein\""},
};
#define DRIVER_COUNT (sizeof(drivers) / sizeof(drivers[0]))

/* The services are called interface-driver. */
static void add_service(FILE *services, const struct driver *driver, const struct form *form)
{
    fprintf(services, "  %s-%s:\n    interface: %s\n    driver: ", driver->interface, driver->name, driver->interface);
    if (form->folder[0])
        fprintf(services, "%s%s/", form->folder, driver->interface);
    fprintf(services, "%s%s\n", driver->name, form->ending);
    if (driver->settings)
        fprintf(services, "    %s: %s\n", driver->name, driver->settings);
}

static void start(const struct form *form)
{
    char *services = NULL;
    size_t size;
    FILE *stream = open_memstream(&services, &size);
    cr_assert_not_null(stream);
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        add_service(stream, &drivers[i], form);
    fclose(stream);
    broker_rig_init(&rig, services);
    broker_rig_start_and_await(&rig);
    free(services);
}

static void expect_answer(const struct driver *driver)
{
    char arguments[256], *text = NULL;
    snprintf(arguments, sizeof(arguments), "call %s-%s.%s", driver->interface, driver->name, driver->call);
    cr_expect_eq(broker_rig_drover(&rig, arguments, &text), 0, "%s: %s", arguments, text);
    cr_expect_not_null(strstr(text, driver->answer), "%s: %s", arguments, text);
    free(text);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        found++;
    return found;
}

ParameterizedTest(struct form *form, forms, each_driver_answers_in_each_form)
{
    char kind[32], *text = NULL;
    start(form);
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        expect_answer(&drivers[i]);
    snprintf(kind, sizeof(kind), "\"kind\": \"%s\"", form->kind);
    cr_expect_eq(broker_rig_drover(&rig, "status --json", &text), 0);
    cr_expect_eq(count(text, kind), DRIVER_COUNT, "%s", text);
    free(text);
}
