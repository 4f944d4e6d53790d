/* check_driver.c - `drover check-driver FILE`: does a driver keep to the protocol?
 *
 * The work is done by drover-check-driver, which becomes this process: it runs foreign programs, and what it needs for
 * that is no part of a client.
 */
#include "client/cli/helper.h"

struct check_driver_options {
    struct cli_globals globals;
    const char *interface, *settings, *patience;
};

static const struct option options[] = {
    CLI_GLOBAL_OPTIONS,
    {"interface", 0, OPTION_TEXT, offsetof(struct check_driver_options, interface), "NAME",
     "the interface that it has to serve"},
    {"settings", 0, OPTION_TEXT, offsetof(struct check_driver_options, settings), "JSON|@FILE",
     "its settings, an object"},
    {"patience", 0, OPTION_TEXT, offsetof(struct check_driver_options, patience), "TIME",
     "for each thing that it has to do (default: 10s)"},
    {0},
};

static int run(const void *given, char **words, int count)
{
    const struct check_driver_options *check = given;
    struct helper_command command;

    (void)count;
    helper_init(&command, "drover-check-driver");
    helper_add_option(&command, "--interface", check->interface);
    helper_add_option(&command, "--settings", check->settings);
    helper_add_option(&command, "--patience", check->patience);
    if (check->globals.json)
        helper_add(&command, "--json");
    helper_add(&command, "--");
    helper_add(&command, words[0]);
    return helper_become(&check->globals, &command);
}

const struct verb verb_check_driver = {
    .name = "check-driver",
    .words = "FILE",
    .summary = "run a driver and say whether it keeps to the protocol",
    .options = options,
    .options_size = sizeof(struct check_driver_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
