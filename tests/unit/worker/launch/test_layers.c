/* test_layers.c - the verdict over the layers, and the line that reports them */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "worker/launch/layers.h"

Test(layers, suffice_when_nothing_is_missing)
{
    struct layers layers = {0};

    layers_note(&layers, LAYER_SECCOMP, LAYER_HELD, "x");
    layers_note(&layers, LAYER_MEMORY, LAYER_LEFT_OUT, "a reason");
    cr_expect_eq(layers_check(&layers, SANDBOX_REQUIRED, NULL), DROVER_OK);
}

Test(layers, do_not_suffice_when_one_that_is_insisted_on_is_missing)
{
    struct layers layers = {0};
    struct drover_error error = {0};

    layers_note(&layers, LAYER_SECCOMP, LAYER_MISSING, "no filter");
    layers_note(&layers, LAYER_USER, LAYER_MISSING, "not root");
    cr_expect_eq(layers_check(&layers, SANDBOX_REQUIRED, &error), DROVER_FAILED_PRECONDITION);
    cr_expect(strstr(error.text, "user (not root), seccomp (no filter)") != NULL, "%s", error.text);
    cr_expect_eq(layers_check(&layers, SANDBOX_BEST_EFFORT, NULL), DROVER_OK);
}

Test(layers, suffice_without_those_that_few_systems_have)
{
    struct layers layers = {0};

    layers_note(&layers, LAYER_NAMESPACES, LAYER_MISSING, "x");
    layers_note(&layers, LAYER_LANDLOCK_SCOPE, LAYER_MISSING, "x");
    cr_expect_eq(layers_check(&layers, SANDBOX_REQUIRED, NULL), DROVER_OK);
}

Test(layers, are_named_even_when_all_of_them_are_missing)
{
    struct layers layers = {0};
    struct drover_error error = {0};

    for (int i = 0; i < LAYERS; i++)
        layers_note(&layers, (enum layer)i, LAYER_MISSING, "%0*d", 2 * LAYER_TEXT_SIZE, 7);
    cr_expect_eq(layers_check(&layers, SANDBOX_REQUIRED, &error), DROVER_FAILED_PRECONDITION);
    cr_expect(strstr(error.text, "user (000") != NULL, "%s", error.text);
}

/* The report of `layers`, for the caller to release. */
static json_t *reported(const struct layers *layers)
{
    char line[LAYERS_REPORT_SIZE];
    const size_t size = layers_report(layers, SANDBOX_BEST_EFFORT, line);

    cr_assert_eq(size, strlen(line));
    cr_assert_eq(line[size - 1], '\n');
    cr_assert_eq(strchr(line, '\n'), line + size - 1);
    json_t *json = json_loads(line, 0, NULL);
    cr_assert(json != NULL, "%s", line);
    return json;
}

Test(layers, are_reported_as_json)
{
    struct layers layers = {.landlock_abi = 4};

    layers_note(&layers, LAYER_USER, LAYER_HELD, "1:2");
    layers_note(&layers, LAYER_CPU, LAYER_MISSING, "a \"quote\"\\\n");
    layers_note_absent(&layers, "/a");
    json_t *wanted = json_pack("{s:s, s:s, s:i, s:{s:s}, s:{s:s}, s:{}, s:[s]}", "summary", "user, without cpu",
                               "policy", "best-effort", "landlock_abi", 4, "held", "user", "1:2", "missing", "cpu",
                               "a \"quote\"\\?", "left_out", "absent", "/a");
    json_t *json = reported(&layers);
    cr_expect(json_equal(json, wanted), "%s", json_dumps(json, 0));
    json_decref(json);
    json_decref(wanted);
}

Test(layers, are_reported_in_one_line_however_much_there_is_to_tell)
{
    static char path[600];
    struct layers layers = {0};

    memset(path, '"', sizeof(path) - 1);
    for (int i = 0; i < 2 * LAYERS_ABSENT_MAX; i++)
        layers_note_absent(&layers, path);
    for (int i = 0; i < LAYERS; i++)
        layers_note(&layers, (enum layer)i, LAYER_HELD, "%s", path);
    json_decref(reported(&layers));
}

Test(layers, report_an_error_as_json)
{
    char line[LAYERS_REPORT_SIZE];

    cr_expect_eq(layers_report_error(DROVER_DATA_LOSS, "it's \"so\"", line), strlen(line));
    cr_expect_str_eq(line, "{\"status\":\"DATA_LOSS\",\"error\":\"it's \\\"so\\\"\"}\n");
}

static const char *summary(const struct layers *layers, enum sandbox_policy policy)
{
    static char text[LAYERS_SUMMARY_SIZE];

    layers_summarise(layers, policy, text);
    return text;
}

Test(layers, are_summarised_in_a_line)
{
    struct layers layers = {0};

    cr_expect_str_eq(summary(&layers, SANDBOX_REQUIRED), "");
    layers_note(&layers, LAYER_LANDLOCK, LAYER_HELD, "x");
    layers_note(&layers, LAYER_LANDLOCK_TCP, LAYER_HELD, "x");
    layers_note(&layers, LAYER_SECCOMP, LAYER_HELD, "x");
    layers_note(&layers, LAYER_MEMORY, LAYER_LEFT_OUT, "x");
    layers_note(&layers, LAYER_CORE, LAYER_HELD, "x");
    layers_note(&layers, LAYER_DESCRIPTORS, LAYER_HELD, "x");
    cr_expect_str_eq(summary(&layers, SANDBOX_REQUIRED), "landlock seccomp limits");
    layers_note(&layers, LAYER_PROCESSES, LAYER_MISSING, "x");
    layers_note(&layers, LAYER_LOOPBACK, LAYER_MISSING, "x");
    cr_expect_str_eq(summary(&layers, SANDBOX_REQUIRED), "landlock seccomp limits, without loopback, processes");
    cr_expect_str_eq(summary(&layers, SANDBOX_OFF), "off");
}

Test(layers, are_summarised_in_a_line_even_when_all_of_them_are_missing)
{
    struct layers layers = {0};

    for (int i = 0; i < LAYERS; i++)
        layers_note(&layers, (enum layer)i, LAYER_MISSING, "x");
    cr_expect(strstr(summary(&layers, SANDBOX_REQUIRED), "descriptors") != NULL, "%s",
              summary(&layers, SANDBOX_REQUIRED));
}
