/* test_check.c - drover check-driver: good drivers pass, and each fault fails its own line and no other */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVERS DROVER_BINARY_DIR "/drivers/"
#define RAW DROVER_BINARY_DIR "/tests/raw_worker"
#define USERS "--settings '{\"users\": \"" DROVER_SOURCE_DIR "/deploy/users.json\"}'"

static char *text;   /* what the last run printed on both streams */
static json_t *json; /* the same, where it is JSON */

static void forget(void)
{
    json_decref(json);
    json = NULL;
    free(text);
    text = NULL;
}

TestSuite(check, .fini = forget, .timeout = 120);

/* Run a command line of the drover command; its exit status. A fault is looked for by patience that ends. */
static int run(const char *arguments)
{
    char *line = NULL;
    size_t capacity = 0;

    forget();
    cr_assert_gt(asprintf(&line, DROVER_BINARY_DIR "/bin/drover check-driver %s 2>&1", arguments), 0);
    FILE *pipe = popen(line, "r"); /* NOLINT: the command is the test's own */
    cr_assert_not_null(pipe);
    cr_assert_geq(getdelim(&text, &capacity, '\0', pipe), 0, "%s printed nothing", line);
    const int status = pclose(pipe);
    json = json_loads(text, 0, NULL);
    free(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int counted(const char *result)
{
    return (int)json_integer_value(json_object_get(json, result));
}

/* ---- good drivers ---- */

struct good {
    char arguments[256];
    int skipped;
};

/* Skipped is `interface` where none is given, and `reconfigure` where the driver cannot. */
static struct good good[] = {
    {DRIVERS "echo/echo --interface echo", 1},
    {DRIVERS "echo/echo.so --interface echo", 1},
    {DRIVERS "userprovider/json --interface userprovider " USERS, 0},
    {DRIVERS "userprovider/json.so --interface userprovider " USERS, 0},
    {DRIVERS "userprovider/demo", 2},
    {DRIVERS "userprovider/demo.so", 2},
    {DRIVERS "authprovider/json --interface authprovider " USERS, 0},
    {DRIVERS "authprovider/json.so --interface authprovider " USERS, 0},
    {DRIVERS "authprovider/demo", 2},
    {DRIVERS "authprovider/demo.so", 2},
    {DROVER_BINARY_DIR "/tests/worker_rig_driver_4 --interface rig", 0},
    {RAW " --interface raw", 0},
};

ParameterizedTestParameters(check, finds_nothing_wrong_with_a_good_driver)
{
    return cr_make_param_array(struct good, good, sizeof(good) / sizeof(good[0]));
}

ParameterizedTest(struct good *driver, check, finds_nothing_wrong_with_a_good_driver)
{
    char arguments[512];

    snprintf(arguments, sizeof(arguments), "--json %s", driver->arguments);
    cr_expect_eq(run(arguments), 0, "%s", text);
    cr_assert_not_null(json, "%s", text);
    cr_expect_eq(counted("failed"), 0, "%s", text);
    cr_expect_eq(counted("skipped"), driver->skipped, "%s", text);
    cr_expect_eq(counted("ok") + counted("skipped"), json_array_size(json_object_get(json, "checks")));
    cr_expect_gt(counted("ok"), 15);
}

/* ---- faults ---- */

struct fault {
    char name[32];
};

static struct fault faults[] = {
    {"start"},          {"hello"},       {"token"},          {"ready"},         {"settings-no-map"},
    {"settings-wrong"}, {"ping"},        {"unknown-method"}, {"empty-request"}, {"malformed-request"},
    {"deadline"},       {"start-word"},  {"cancel"},         {"garbage"},       {"output"},
    {"sequence-gap"},   {"closed-word"}, {"drain"},          {"bye"},           {"sigterm"},
    {"lifeline"},       {"no-method"},   {"reconfigure"},
};

ParameterizedTestParameters(check, a_fault_fails_its_own_line)
{
    return cr_make_param_array(struct fault, faults, sizeof(faults) / sizeof(faults[0]));
}

ParameterizedTest(struct fault *fault, check, a_fault_fails_its_own_line)
{
    size_t i;
    json_t *line;

    setenv("RAW_FAULT", fault->name, 1);
    cr_expect_eq(run("--json --patience 4s " RAW), 1, "%s", text);
    cr_assert_not_null(json, "%s", text);
    cr_expect_eq(counted("failed"), 1, "%s", text);
    json_array_foreach(json_object_get(json, "checks"), i, line)
    {
        const char *name = json_string_value(json_object_get(line, "name"));
        const char *result = json_string_value(json_object_get(line, "result"));
        cr_expect_eq(strcmp(result, "failed") == 0, strcmp(name, fault->name) == 0, "%s: %s", name, result);
        cr_expect_gt(json_string_length(json_object_get(line, "reason")), 0, "%s has no reason", name);
    }
}

Test(check, another_interface_than_the_wanted_one_is_a_fault)
{
    cr_expect_eq(run("--interface userprovider " RAW), 1);
    cr_expect_not_null(strstr(text, "failed   interface          it is 'raw', not 'userprovider'\n"), "%s", text);
    cr_expect_not_null(strstr(text, ": 23 ok, 1 failed, 0 skipped\n"), "%s", text);
}

Test(check, a_driver_that_needs_settings_is_said_to)
{
    cr_expect_eq(run(DRIVERS "userprovider/json"), 1);
    cr_expect_not_null(strstr(text, "failed   ready"), "%s", text);
    cr_expect_not_null(strstr(text, "(give it its settings by --settings)"), "%s", text);
    cr_expect_not_null(strstr(text, "skipped  drain              it does not become READY"), "%s", text);
}

/* ---- what cannot be checked ---- */

Test(check, a_file_that_is_no_driver_is_not_run)
{
    cr_expect_eq(run(DROVER_BINARY_DIR "/lib/libdrover-worker.so"), 1);
    cr_expect_not_null(strstr(text, "is a shared object that is no driver"), "%s", text);
    cr_expect_eq(run(DROVER_SOURCE_DIR "/README.md"), 1);
    cr_expect_not_null(strstr(text, "is neither an executable nor a shared object"), "%s", text);
    cr_expect_eq(run("/nowhere/driver"), 1);
    cr_expect_not_null(strstr(text, "'/nowhere/driver': No such file"), "%s", text);
}

Test(check, a_program_that_is_no_driver_fails_the_first_line)
{
    cr_expect_eq(run("/bin/true"), 1);
    cr_expect_not_null(strstr(text, "failed   start              ended with exit status 0 where HELLO was due"), "%s",
                       text);
    cr_expect_not_null(strstr(text, ": 0 ok, 1 failed, 23 skipped\n"), "%s", text);
}

Test(check, settings_may_stand_in_a_file)
{
    char path[] = "/tmp/drover-check-test-XXXXXX", arguments[256];
    const int file = mkstemp(path);

    cr_assert_gt(dprintf(file, "{\"users\": \"%s\"}\n", DROVER_SOURCE_DIR "/deploy/users.json"), 0);
    close(file);
    snprintf(arguments, sizeof(arguments), "--settings @%s " DRIVERS "userprovider/json", path);
    cr_expect_eq(run(arguments), 0, "%s", text);
    unlink(path);
}

Test(check, settings_that_are_no_json_are_wrong_usage)
{
    cr_expect_eq(run("--settings '{' " RAW), 2);
    cr_expect_not_null(strstr(text, "settings: line 1"), "%s", text);
    cr_expect_eq(run("--settings '[]' " RAW), 2);
    cr_expect_not_null(strstr(text, "must be a JSON object"), "%s", text);
    cr_expect_eq(run("--settings @/nowhere " RAW), 2);
    cr_expect_not_null(strstr(text, "/nowhere"), "%s", text);
    cr_expect_eq(run(""), 2);
}
