/* test_arguments.c - verbs, and options mixed with words */
#include <criterion/criterion.h>
#include <string.h>

#include "client/cli/cli.h"

struct sample {
    struct cli_globals globals;
    uint64_t count;
};

static const struct option options[] = {
    {"count", 'c', OPTION_NUMBER, offsetof(struct sample, count), "N", "how many"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static int run(const void *given, char **words, int count)
{
    (void)given;
    (void)words;
    return count;
}

static const struct verb verb = {
    .name = "sample",
    .words = "ONE [TWO]",
    .summary = "-",
    .options = options,
    .options_size = sizeof(struct sample),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};

static struct sample sample;
static char *words[16];
static int count;
static struct drover_error error;

static enum drover_status parse(int argc, const char **argv)
{
    return cli_parse(&verb, argc, (char **)argv, &sample, words, &count, &error);
}

#define PARSE(...) parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

Test(arguments, may_be_mixed_with_options)
{
    cr_assert_eq(PARSE("one", "--json", "two", "--count=3", "--timeout", "2s"), DROVER_OK, "%s", error.text);
    cr_expect_eq(count, 2);
    cr_expect_str_eq(words[0], "one");
    cr_expect_str_eq(words[1], "two");
    cr_expect(sample.globals.json);
    cr_expect_eq(sample.count, 3);
    cr_expect_eq(sample.globals.timeout_ms, 2000);
}

Test(arguments, are_all_words_after_two_dashes)
{
    cr_assert_eq(PARSE("--json", "--", "--count", "-5"), DROVER_OK, "%s", error.text);
    cr_expect_eq(count, 2);
    cr_expect_str_eq(words[0], "--count");
    cr_expect_str_eq(words[1], "-5");
}

Test(arguments, take_a_single_dash_for_a_word)
{
    cr_assert_eq(PARSE("one", "-", "--json"), DROVER_OK, "%s", error.text);
    cr_expect_eq(count, 2);
    cr_expect_str_eq(words[1], "-");
}

Test(arguments, keep_the_globals_of_before_the_verb)
{
    sample.globals.json = true;
    cr_assert_eq(PARSE("one"), DROVER_OK);
    cr_expect(sample.globals.json);
}

Test(arguments, refuse_too_few_and_too_many_words)
{
    cr_expect_eq(PARSE("--json"), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(PARSE("a", "b", "c"), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(PARSE("--help"), DROVER_OK, "who asks for help need not know the words");
}

Test(arguments, refuse_unknown_options_also_after_words)
{
    cr_expect_eq(PARSE("one", "--cuont", "3"), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "--count") != NULL, "%s", error.text);
}

Test(verbs, are_found_by_their_names)
{
    static const char *const names[] = {"call",  "status", "explain", "check",    "lock",        "fetch",
                                        "build", "store",  "logs",    "events",   "restart",     "drain",
                                        "bench", "plan",   "reload",  "rollback", "unquarantine"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert_not_null(cli_find_verb(names[i]));
        cr_expect_str_eq(cli_find_verb(names[i])->name, names[i]);
    }
    cr_expect_null(cli_find_verb("cal"));
    cr_expect_null(cli_find_verb(""));
}

Test(verbs, of_later_versions_are_known)
{
    cr_expect(cli_is_planned("describe"));
    cr_expect_not(cli_is_planned("call"));
    cr_expect_not(cli_is_planned("reload"));
    cr_expect_not(cli_is_planned("nonsense"));
}

Test(verbs, name_the_nearest)
{
    cr_expect_str_eq(cli_nearest_verb("statsu"), "status");
    cr_expect_null(cli_nearest_verb("xyzzyxyzzy"));
}

Test(verbs, have_options_that_do_not_clash)
{
    static const char *const names[] = {"call",   "status", "explain", "check",    "lock",        "fetch", "build",
                                        "store",  "logs",   "restart", "drain",    "bench",       "help",  "version",
                                        "events", "plan",   "reload",  "rollback", "unquarantine"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct verb *one = cli_find_verb(names[i]);
        for (const struct option *a = one->options; a->name != NULL; a++)
            for (const struct option *b = a + 1; b->name != NULL; b++)
                cr_expect(strcmp(a->name, b->name) != 0 && (a->letter == 0 || a->letter != b->letter), "%s: --%s, --%s",
                          names[i], a->name, b->name);
        cr_expect_geq(one->options_size, sizeof(struct cli_globals));
    }
}
