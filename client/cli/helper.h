/* helper.h - runs drover's helper programs, which tell what they do in JSON, one object a line
 *
 * The command line links nothing of the store, of libgit2 or of compilers: it starts the programs that do.
 */
#ifndef DROVER_CLI_HELPER_H
#define DROVER_CLI_HELPER_H

#include <jansson.h>

#include "client/cli/cli.h"

#define HELPER_WORDS_MAX 64

/* A command line in the making. Words are borrowed, but for those of helper_add_text(). */
struct helper_command {
    const char *words[HELPER_WORDS_MAX + 1]; /* ended by NULL; the first is the name of the program */
    size_t count;
    char *texts[6];
    size_t text_count;
    bool no_memory;
};

void helper_init(struct helper_command *command, const char *program);
void helper_add(struct helper_command *command, const char *word);

/* Add `option` and its value; nothing when that is NULL. */
void helper_add_option(struct helper_command *command, const char *option, const char *value);

/* The same; `value`, which is taken, is NULL for want of memory. */
void helper_add_text(struct helper_command *command, const char *option, char *value);
void helper_done(struct helper_command *command);

/* What the program tells on its way, other than "done" and "error". */
struct helper_watcher {
    void (*event)(const char *name, const json_t *event, void *context);
    void *context;
};

/* How it ended. */
struct helper_result {
    json_t *end; /* its event "done" or "error"; NULL when it told neither */
    int exit;    /* its exit status; EX_SOFTWARE when it has none */
};

/* Run it to its end; its standard error is ours. The caller releases the result with helper_result_done() in any case.
 * On DROVER_OK `end` is the event "done". Errors: what the program says, with `origin` HOST; INTERNAL (it is not there,
 * was killed, or says nothing), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status helper_run(struct helper_command *command, const struct helper_watcher *watcher,
                                                struct helper_result *ret, struct drover_error *error);
void helper_result_done(struct helper_result *result);

/* Become the program, which then answers the user by itself; returns only when that fails: an exit status, and the user
 * was told. */
int helper_become(const struct cli_globals *globals, struct helper_command *command);

/* A text of an event; "" when it is not there. Borrowed. */
const char *helper_text(const json_t *event, const char *key);

#endif
