/* main.c - the drover command: finds the verb and runs it
 *
 * START: options that stand before the verb. OPERATION: the verb's own file does the rest. END: its exit status, unless
 * standard output could not be written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "common/base/text.h"

struct main_options {
    struct cli_globals globals;
    bool version;
};

static const struct option main_options[] = {
    CLI_GLOBAL_OPTIONS,
    {"version", 'V', OPTION_FLAG, offsetof(struct main_options, version), NULL, "print the version"},
    {0},
};

static int refuse_verb(const char *name)
{
    struct drover_error error = {0};
    const char *nearest = cli_nearest_verb(name);
    char shown[64];

    text_printable(name, strlen(name), shown, sizeof(shown));
    if (cli_is_planned(name))
        (void)drover_error_set(&error, DROVER_UNIMPLEMENTED, "verb '%s': not implemented in this version", shown);
    else if (nearest != NULL)
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "verb '%s' is not known (nearest: '%s')", shown,
                               nearest);
    else
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "verb '%s' is not known (try 'drover help')", shown);
    return cli_usage(NULL, &error);
}

static int run_verb(const struct verb *verb, const struct cli_globals *globals, int argc, char **argv)
{
    void *options = calloc(1, verb->options_size);
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    struct drover_error error = {0};
    int count = 0, result = EX_SOFTWARE;

    if (options == NULL || words == NULL)
        goto done;
    memcpy(options, globals, sizeof(*globals));
    if (cli_parse(verb, argc, argv, options, words, &count, &error) != DROVER_OK) {
        result = cli_usage(verb, &error);
    } else if (((const struct cli_globals *)options)->help) {
        cli_print_help(verb, stdout);
        result = EXIT_DONE;
    } else {
        result = verb->run(options, words, count);
    }

done:
    free(words);
    free(options);
    return result;
}

static int run(int argc, char **argv)
{
    struct main_options options = {0};
    struct drover_error error = {0};
    const struct verb *verb;
    int at = 1;

    if (options_parse(main_options, argc, argv, 1, &options, &at, &error) != DROVER_OK)
        return cli_usage(NULL, &error);
    if (options.version)
        return verb_version.run(&options.globals, NULL, 0);
    if (options.globals.help || at >= argc) {
        cli_print_overview(options.globals.help ? stdout : stderr);
        return options.globals.help ? EXIT_DONE : EXIT_USAGE;
    }
    verb = cli_find_verb(argv[at]);
    if (verb == NULL)
        return refuse_verb(argv[at]);
    return run_verb(verb, &options.globals, argc - at - 1, argv + at + 1);
}

int main(int argc, char **argv)
{
    int result = run(argc, argv);

    if (fflush(stdout) != 0) {
        fprintf(stderr, "drover: standard output: %s\n", strerror(errno));
        return EX_SOFTWARE;
    }
    return result;
}
