/* place.h - the configuration that a verb works for: its store, its lock file, what its references mean
 *
 * fetch, build, store and lock work where a broker with the same file does.
 */
#ifndef DROVER_CLI_PLACE_H
#define DROVER_CLI_PLACE_H

#include "client/cli/cli.h"
#include "client/cli/helper.h"
#include "common/config/config.h"
#include "common/config/lock.h"

#define PLACE_CONFIG "/etc/drover/drover.yaml"

/* Options that say so; the first members after the globals of a verb's options. */
struct place_options {
    struct cli_globals globals;
    const char *config; /* NULL: PLACE_CONFIG */
    const char *store;  /* NULL: STATE_DIR/store of the configuration */
};

#define PLACE_OPTIONS                                                                 \
    {"config",    0,                                                                  \
     OPTION_TEXT, offsetof(struct place_options, config),                             \
     "FILE",      "the configuration (default: " PLACE_CONFIG ")"},                   \
    {                                                                                 \
        "store", 0, OPTION_TEXT, offsetof(struct place_options, store), "DIR",        \
            "another store than that of the configuration, which then need not exist" \
    }

struct place {
    struct config *config; /* NULL: there is none, but a store was given */
    char *store;           /* its path */
};

/* Read the configuration and make the folder of the broker's state, if it is not there. Returns 0, or tells the user
 * what is wrong and returns the exit status; release with place_done() in any case. */
int place_open(const struct place_options *options, struct place *ret);
void place_done(struct place *place);

/* Read the lock file that belongs to the configuration. Returns as place_open(). Release with lock_free(). */
int place_read_lock(const struct place *place, struct lock **ret);

/* The service of the configuration that has this driver, or NULL. */
const struct config_service *place_service(const struct config *config, const char *reference);

/* The interface that a driver is most likely for: that of its service, else that of a built-in driver of this name. */
const char *place_interface(const struct config *config, const char *reference);

/* What `reference` means as a driver of `interface` (NULL: the most likely one) in this configuration; without one, in
 * the working directory. `plugins`: as with `plugins: true`. Release `ret` with reference_resolution_done(). Returns as
 * place_open(). */
int place_resolve(const struct config *config, const char *reference, const char *interface, bool plugins,
                  struct reference_resolution *ret);

/* Begin a command of drover-fetch for a git URL: all but what becomes of the commit. The words are borrowed from all
 * three. */
void place_fetch_command(const struct place *place, const struct reference_resolution *resolution,
                         const struct place_options *options, struct helper_command *ret);

/* Fetch, showing how far it is. As helper_run(). */
DROVER_MUST_CHECK enum drover_status place_fetch(const struct cli_globals *globals, struct helper_command *command,
                                                 struct helper_result *ret, struct drover_error *error);

/* Print an event as the answer of a verb with --json: without its name. */
void place_print_event(const json_t *event);

#endif
