/* cli.h - what the verbs of the drover command share
 *
 * main.c finds the verb, fills in its options, and calls run(). A verb returns the exit status of the process and has
 * told the user before what went wrong: results go to standard output, messages to standard error.
 */
#ifndef DROVER_CLI_H
#define DROVER_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include <drover/client.h>

#include "common/base/options.h"

/* Exit statuses; the others are those of sysexits.h: EX_UNAVAILABLE 69, EX_SOFTWARE 70, EX_TEMPFAIL 75, EX_NOPERM 77,
 * EX_CONFIG 78. */
#define EXIT_DONE 0
#define EXIT_ANSWERED 1 /* the driver's error, or a refusal that has no status of its own */
#define EXIT_USAGE 2

#define CLI_TIMEOUT_MS 5000 /* for the broker to be there, and for its own answers, unless --timeout says otherwise */

/* Options of every verb, before or after it; the first member of every verb's options. */
struct cli_globals {
    const char *broker;
    bool json;
    bool help;
    uint64_t timeout_ms; /* 0: not given */
};

#define CLI_GLOBAL_OPTIONS                                                                     \
    {"broker",    0,                                                                           \
     OPTION_TEXT, offsetof(struct cli_globals, broker),                                        \
     "ENDPOINT",  "the broker (default: $DROVER_BROKER, else ipc:///run/drover/broker.sock)"}, \
        {"json", 0, OPTION_FLAG, offsetof(struct cli_globals, json), NULL, "print JSON"},      \
        {"timeout",   0,                                                                       \
         OPTION_TIME, offsetof(struct cli_globals, timeout_ms),                                \
         "TIME",      "give up after this time (200ms, 30s, 5m)"},                             \
    {                                                                                          \
        "help", 'h', OPTION_FLAG, offsetof(struct cli_globals, help), NULL, "explain the verb" \
    }

struct verb {
    const char *name;
    const char *words; /* what follows it, for the help: "SERVICE.METHOD [JSON]" */
    const char *summary;
    const struct option *options; /* CLI_GLOBAL_OPTIONS among them */
    size_t options_size;          /* of the struct that they fill in */
    int words_min, words_max;
    int (*run)(const void *options, char **words, int count);
};

#define VERB(name) extern const struct verb verb_##name;
#define PLANNED(name)
#include "client/cli/verbs.def"
#undef VERB
#undef PLANNED

/* The verb of a name; NULL when there is none. */
const struct verb *cli_find_verb(const char *name);

/* True for a verb that a later version will have. */
bool cli_is_planned(const char *name);

/* The name of a verb that was perhaps meant, or NULL. */
const char *cli_nearest_verb(const char *name);

/* Print the usage and options of a verb, or of the whole command. */
void cli_print_help(const struct verb *verb, FILE *out);
void cli_print_overview(FILE *out);

/* Split the command line of a verb: fills `options` (whose globals may already hold what stood before the verb) and
 * puts the words that are no options into `words` (room for `argc`). Options and words may be mixed; after `--` all are
 * words. Errors: INVALID_ARGUMENT, also for too few or too many words. */
DROVER_MUST_CHECK enum drover_status cli_parse(const struct verb *verb, int argc, char **argv, void *options,
                                               char **words, int *ret_count, struct drover_error *error);

/* The exit status that belongs to an error, by who refused and why. */
int cli_exit_status(const struct drover_error *error);

/* Tell the user about an error, as JSON on standard output or as a line on standard error; returns the exit status. */
int cli_fail(const struct cli_globals *globals, const struct drover_error *error);

/* Tell the user about a wrong command line; returns EXIT_USAGE. */
int cli_usage(const struct verb *verb, const struct drover_error *error);

/* Make a client. Returns 0, or tells the user and returns the exit status. */
int cli_connect(const struct cli_globals *globals, bool admin, uint32_t open_max, struct drover_client **ret_client);

/* The time for one answer of the broker itself. */
uint32_t cli_admin_ms(const struct cli_globals *globals);

/* Ask the broker and parse its answer. On DROVER_OK the caller releases both: first the document, then the reply. */
DROVER_MUST_CHECK enum drover_status cli_admin(struct drover_client *client, const char *verb,
                                               const struct drover_writer *request, uint32_t deadline_ms,
                                               struct drover_reply *ret_reply, struct drover_document **ret_document,
                                               struct drover_error *error);

/* Milliseconds as the library takes them: at most UINT32_MAX. */
uint32_t cli_clamp_ms(uint64_t ms);

/* Wait without doing anything. */
void cli_pause(uint64_t ms);

#endif
