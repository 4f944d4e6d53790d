/* store.c - `drover store list|gc|verify`: becomes drover-store, with the store of the configuration */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/place.h"
#include "common/base/text.h"

struct store_options {
    struct place_options place;
    uint64_t max_age_ms, min_age_ms;
    const char *max_size;
};

static const struct option options[] = {
    PLACE_OPTIONS,
    {"max-age", 0, OPTION_TIME, offsetof(struct store_options, max_age_ms), "TIME",
     "gc: remove what was not used for so long (default: 720h)"},
    {"min-age", 0, OPTION_TIME, offsetof(struct store_options, min_age_ms), "TIME",
     "gc: keep what was used within this time (default: 1h)"},
    {"max-size", 0, OPTION_TEXT, offsetof(struct store_options, max_size), "SIZE",
     "gc: then remove the longest unused down to this size (default: 8GiB)"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static void add_time(struct helper_command *command, const char *option, uint64_t ms)
{
    if (ms > 0)
        helper_add_text(command, option, text_format("%" PRIu64 "ms", ms));
}

static int become(const struct store_options *storing, const struct place *place, const char *word)
{
    struct helper_command command;

    helper_init(&command, "drover-store");
    helper_add(&command, word);
    helper_add_option(&command, "--store", place->store);
    helper_add_option(&command, "--lock", place->config == NULL ? NULL : place->config->lock_path);
    if (place->config != NULL && storing->place.store == NULL)
        helper_add_text(&command, "--versions", text_format("%s/versions", place->config->state_dir));
    add_time(&command, "--max-age", storing->max_age_ms);
    add_time(&command, "--min-age", storing->min_age_ms);
    helper_add_option(&command, "--max-size", storing->max_size);
    if (storing->place.globals.json)
        helper_add(&command, "--json");
    return helper_become(&storing->place.globals, &command);
}

static int run(const void *given, char **words, int count)
{
    static const char *const known[] = {"list", "gc", "verify"};
    const struct store_options *storing = given;
    struct drover_error error = {0};
    struct place place;
    bool found = false;

    (void)count;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        found = found || strcmp(words[0], known[i]) == 0;
    if (!found) {
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "'%.40s': list, gc or verify must follow 'store'",
                               words[0]);
        return cli_usage(&verb_store, &error);
    }
    int result = place_open(&storing->place, &place);
    if (result == EXIT_DONE)
        result = become(storing, &place, words[0]);
    place_done(&place);
    return result;
}

const struct verb verb_store = {
    .name = "store",
    .words = "list|gc|verify",
    .summary = "look after the store of sources and artefacts",
    .options = options,
    .options_size = sizeof(struct store_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
