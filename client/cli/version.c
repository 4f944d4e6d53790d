/* version.c - `drover version` */
#include "client/cli/cli.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static int run(const void *given, char **words, int count)
{
    const struct cli_globals *globals = given;

    (void)words;
    (void)count;
    printf(globals->json ? "{\"version\": \"%s\"}\n" : "drover %s\n", DROVER_VERSION);
    return EXIT_DONE;
}

const struct verb verb_version = {
    .name = "version",
    .words = "",
    .summary = "print the version",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .run = run,
};
