/* drain.c - `drover drain SERVICE` */
#include "client/cli/inquiry.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static int run(const void *globals, char **words, int count)
{
    (void)count;
    return inquiry_order(globals, "drain", words[0], "drain asked for");
}

const struct verb verb_drain = {
    .name = "drain",
    .words = "SERVICE",
    .summary = "let the workers of a service finish and stop; 'restart' starts them again",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
