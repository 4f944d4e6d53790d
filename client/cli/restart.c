/* restart.c - `drover restart SERVICE` */
#include "client/cli/inquiry.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static int run(const void *globals, char **words, int count)
{
    (void)count;
    return inquiry_order(globals, "restart", words[0], "restart asked for");
}

const struct verb verb_restart = {
    .name = "restart",
    .words = "SERVICE",
    .summary = "start the workers of a service again, also out of a crash loop",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
