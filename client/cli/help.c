/* help.c - `drover help [VERB]` */
#include "client/cli/cli.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static int run(const void *globals, char **words, int count)
{
    struct drover_error error = {0};
    const struct verb *verb;

    (void)globals;
    if (count == 0) {
        cli_print_overview(stdout);
        return EXIT_DONE;
    }
    verb = cli_find_verb(words[0]);
    if (verb == NULL) {
        (void)drover_error_set(&error, DROVER_NOT_FOUND, "verb '%s' is not known (try 'drover help')", words[0]);
        return cli_usage(NULL, &error);
    }
    cli_print_help(verb, stdout);
    return EXIT_DONE;
}

const struct verb verb_help = {
    .name = "help",
    .words = "[VERB]",
    .summary = "explain the command, or one of its verbs",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_max = 1,
    .run = run,
};
