/* fetch.c - `drover fetch REFERENCE`: brings the source of a driver from its git repository into the store
 *
 * What the lock file has of it is what is fetched. The work is done by drover-fetch.
 */
#include <string.h>

#include "client/cli/place.h"

struct fetch_options {
    struct place_options place;
    bool refresh, offline;
};

static const struct option options[] = {
    PLACE_OPTIONS,
    {"refresh", 0, OPTION_FLAG, offsetof(struct fetch_options, refresh), NULL,
     "ask the server again, whatever the lock file and the store have"},
    {"offline", 0, OPTION_FLAG, offsetof(struct fetch_options, offline), NULL,
     "use no network: what the store does not have is an error"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static void print_done(const json_t *event)
{
    static const char *const keys[] = {"url", "ref", "subdir", "commit", "content", "path"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (helper_text(event, keys[i])[0] != '\0')
            printf("%-8s %s\n", keys[i], helper_text(event, keys[i]));
}

/* The commit that the lock file holds it to, or NULL. */
static const char *locked_commit(const struct lock *lock, const struct reference_resolution *resolution)
{
    const struct lock_entry *entry =
        lock == NULL ? NULL : lock_find(lock, resolution->url, resolution->ref, resolution->subdir);

    return entry == NULL ? NULL : entry->commit;
}

static int fetch(const struct fetch_options *options_, const struct place *place, const struct lock *lock,
                 const struct reference_resolution *resolution)
{
    const struct cli_globals *globals = &options_->place.globals;
    struct helper_command command;
    struct helper_result result = {0};
    struct drover_error error = {0};
    int exit = EXIT_DONE;

    place_fetch_command(place, resolution, &options_->place, &command);
    if (options_->refresh)
        helper_add(&command, "--refresh");
    else
        helper_add_option(&command, "--commit", locked_commit(lock, resolution));
    if (options_->offline)
        helper_add(&command, "--offline");
    if (place_fetch(globals, &command, &result, &error) != DROVER_OK) {
        exit = cli_fail(globals, &error);
        if (result.exit != 0)
            exit = result.exit;
    } else if (globals->json) {
        place_print_event(result.end);
    } else {
        print_done(result.end);
    }
    helper_result_done(&result);
    helper_done(&command);
    return exit;
}

static int refuse(const struct cli_globals *globals, const struct reference_resolution *resolution)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};

    if (resolution->kind == REFERENCE_REFUSED)
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "%s",
                               resolution->reason != NULL ? resolution->reason : "out of memory");
    else
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "%s: there is nothing to fetch", resolution->reason);
    return cli_fail(globals, &error);
}

static int run(const void *given, char **words, int count)
{
    const struct fetch_options *fetching = given;
    struct reference_resolution resolution = {0};
    struct lock *lock = NULL;
    struct place place;
    int result = place_open(&fetching->place, &place);

    (void)count;
    if (result == EXIT_DONE)
        result = place_resolve(place.config, words[0], NULL, false, &resolution);
    if (result == EXIT_DONE && resolution.kind != REFERENCE_GIT)
        result = refuse(&fetching->place.globals, &resolution);
    if (result == EXIT_DONE && place.config != NULL)
        result = place_read_lock(&place, &lock);
    if (result == EXIT_DONE)
        result = fetch(fetching, &place, lock, &resolution);
    lock_free(lock);
    reference_resolution_done(&resolution);
    place_done(&place);
    return result;
}

const struct verb verb_fetch = {
    .name = "fetch",
    .words = "REFERENCE",
    .summary = "bring the source of a driver from its git repository into the store",
    .options = options,
    .options_size = sizeof(struct fetch_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
