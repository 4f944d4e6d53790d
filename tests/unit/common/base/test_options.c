/* test_options.c - command lines as a table */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/options.h"

/* What the table below fills in. */
struct settings {
    bool verbose;
    const char *config;
    uint64_t timeout_ms;
    uint64_t count;
    struct option_list endpoints;
};

static const struct option table[] = {
    {"verbose", 'v', OPTION_FLAG, offsetof(struct settings, verbose), NULL, "say more"},
    {"config", 'c', OPTION_TEXT, offsetof(struct settings, config), "FILE", "the configuration"},
    {"timeout", 0, OPTION_TIME, offsetof(struct settings, timeout_ms), "TIME", "how long to wait"},
    {"count", 'n', OPTION_NUMBER, offsetof(struct settings, count), "N", "how often"},
    {"broker", 0, OPTION_LIST, offsetof(struct settings, endpoints), "ENDPOINT", "where the broker is"},
    {0},
};

/* Parse the words of `line`, which stand behind the program's name. `line` is cut into pieces. */
static enum drover_status parse(char *line, struct settings *settings, int *ret_rest, struct drover_error *error)
{
    char *words[64] = {(char *)"program"};
    int count = 1;
    for (char *word = strtok(line, " "); word && count < 64; word = strtok(NULL, " "))
        words[count++] = word;
    return options_parse(table, count, words, 1, settings, ret_rest, error);
}

static void expect_rest(const char *words, int expected, struct settings *settings)
{
    static char line[1024];
    strcpy(line, words);
    struct drover_error error = {0};
    int rest = -1;
    cr_assert_eq(parse(line, settings, &rest, &error), DROVER_OK, "%s: %s", words, error.text);
    cr_assert_eq(rest, expected, "%s: the rest starts at %d", words, rest);
}

static void expect_refusal(const char *words, const char *text)
{
    static char line[1024];
    strcpy(line, words);
    struct settings settings = {0};
    struct drover_error error = {0};
    int rest = -1;
    cr_assert_eq(parse(line, &settings, &rest, &error), DROVER_INVALID_ARGUMENT, "%s", words);
    cr_assert_eq(error.status, DROVER_INVALID_ARGUMENT);
    cr_assert_str_eq(error.text, text);
    cr_assert_eq(rest, -1, "an output was written on failure");
}

Test(options, fills_in_every_kind)
{
    struct settings settings = {0};
    expect_rest("--verbose --config a.yaml --timeout 30s --count 7 --broker x --broker y", 12, &settings);
    cr_assert(settings.verbose);
    cr_assert_str_eq(settings.config, "a.yaml");
    cr_assert_eq(settings.timeout_ms, 30000);
    cr_assert_eq(settings.count, 7);
    cr_assert_eq(settings.endpoints.count, 2);
    cr_assert_str_eq(settings.endpoints.items[0], "x");
    cr_assert_str_eq(settings.endpoints.items[1], "y");
}

Test(options, takes_values_behind_an_equals_sign)
{
    struct settings settings = {0};
    expect_rest("--config=a=b --count=3 --broker=", 4, &settings);
    cr_assert_str_eq(settings.config, "a=b");
    cr_assert_eq(settings.count, 3);
    cr_assert_str_eq(settings.endpoints.items[0], "");
}

Test(options, takes_letters)
{
    struct settings settings = {0};
    expect_rest("-v -c a.yaml -n 4", 6, &settings);
    cr_assert(settings.verbose);
    cr_assert_str_eq(settings.config, "a.yaml");
    cr_assert_eq(settings.count, 4);
}

Test(options, leaves_alone_what_is_not_given)
{
    struct settings settings = {.config = "default", .timeout_ms = 5};
    expect_rest("-v", 2, &settings);
    cr_assert_str_eq(settings.config, "default");
    cr_assert_eq(settings.timeout_ms, 5);
}

Test(options, stop_at_the_first_other_word)
{
    struct settings settings = {0};
    expect_rest("-v status --config x", 2, &settings);
    cr_assert_null(settings.config);
    expect_rest("", 1, &settings);
    expect_rest("status", 1, &settings);
    expect_rest("- -v", 1, &settings);
}

Test(options, stop_behind_two_dashes)
{
    struct settings settings = {0};
    expect_rest("-- -v", 2, &settings);
    cr_assert_not(settings.verbose);
}

Test(options, take_any_word_as_a_value)
{
    struct settings settings = {0};
    expect_rest("--config -- --broker -v", 5, &settings);
    cr_assert_str_eq(settings.config, "--");
    cr_assert_str_eq(settings.endpoints.items[0], "-v");
    cr_assert_not(settings.verbose);
}

Test(options, start_where_they_are_told)
{
    char *words[] = {(char *)"drover", (char *)"call", (char *)"-v"};
    struct settings settings = {0};
    int rest = -1;
    cr_assert_eq(options_parse(table, 3, words, 2, &settings, &rest, NULL), DROVER_OK);
    cr_assert(settings.verbose);
    cr_assert_eq(rest, 3);
}

Test(options, refuse_an_unknown_name_and_say_the_nearest)
{
    expect_refusal("--confg x", "option '--confg' is not known (nearest: '--config')");
    expect_refusal("--confg=x", "option '--confg' is not known (nearest: '--config')");
    expect_refusal("--elephant", "option '--elephant' is not known (try '--help')");
}

Test(options, refuse_an_unknown_letter)
{
    expect_refusal("-x", "option '-x' is not known (try '--help')");
    expect_refusal("-n4", "option '-n4' is not known (try '--help')");
    expect_refusal("-vv", "option '-vv' is not known (try '--help')");
}

Test(options, refuse_a_missing_value)
{
    expect_refusal("--config", "option '--config' needs a value (FILE)");
    expect_refusal("-n", "option '-n' needs a value (N)");
}

Test(options, refuse_a_value_for_a_flag)
{
    expect_refusal("--verbose=yes", "option '--verbose' takes no value");
}

Test(options, refuse_what_is_no_time_or_number)
{
    expect_refusal("--timeout 30", "option '--timeout': '30' is no time (write it as '200ms', '30s' or '5m')");
    expect_refusal("--count=many", "option '--count': 'many' is no whole number");
    expect_refusal("--count -1", "option '--count': '-1' is no whole number");
}

Test(options, do_not_echo_control_characters)
{
    expect_refusal("--\033[31m", "option '--?[31m' is not known (try '--help')");
    expect_refusal("-n \001", "option '-n': '?' is no whole number");
}

Test(options, refuse_more_than_a_list_holds)
{
    char *words[OPTION_LIST_MAX + 1];
    for (size_t i = 0; i <= OPTION_LIST_MAX; i++)
        words[i] = (char *)"--broker=x";
    struct settings settings = {0};
    struct drover_error error = {0};
    int rest = -1;
    cr_assert_eq(options_parse(table, OPTION_LIST_MAX, words, 0, &settings, &rest, &error), DROVER_OK);
    cr_assert_eq(settings.endpoints.count, OPTION_LIST_MAX);
    settings.endpoints.count = 0;
    cr_assert_eq(options_parse(table, OPTION_LIST_MAX + 1, words, 0, &settings, &rest, &error),
                 DROVER_INVALID_ARGUMENT);
    cr_assert_str_eq(error.text, "option '--broker' may be given at most 64 times");
}

Test(options, fit_a_message_about_a_word_of_any_length)
{
    char word[4096];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    memcpy(word, "--", 2);
    char *words[] = {word};
    struct settings settings = {0};
    struct drover_error error = {0};
    int rest = -1;
    cr_assert_eq(options_parse(table, 1, words, 0, &settings, &rest, &error), DROVER_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.text, "is not known"));
}

Test(options, explain_themselves_in_columns)
{
    char *help = options_help(table);
    cr_assert_str_eq(help, "  -v, --verbose          say more\n"
                           "  -c, --config FILE      the configuration\n"
                           "      --timeout TIME     how long to wait\n"
                           "  -n, --count N          how often\n"
                           "      --broker ENDPOINT  where the broker is\n");
    free(help);
}

Test(options, explain_an_empty_table)
{
    static const struct option nothing[] = {{0}};
    char *help = options_help(nothing);
    cr_assert_str_eq(help, "");
    free(help);
}
