/* command.h - a command of a shell, as a user types it: its exit status and what it printed on each stream
 *
 * The programs of this build are in its PATH and DROVER_BROKER names the rig's broker; it runs in the rig's folder,
 * with an empty standard input unless it says otherwise. A command that takes longer than COMMAND_PATIENCE_S ends with
 * 124.
 */
#ifndef DROVER_TESTS_COMMAND_H
#define DROVER_TESTS_COMMAND_H

#include <jansson.h>

#include "tests/support/broker_rig.h"

#define COMMAND_PATIENCE_S 90

struct command {
    int status;
    char *out, *err; /* never NULL */
    json_t *json;    /* `out`, where that is one JSON value; else NULL */
};

/* Run a command; release what it printed with command_done(). */
void command_run(struct command *ret, const struct broker_rig *rig, const char *format, ...) DROVER_PRINTF(3, 4);
void command_done(struct command *command);

/* The string at `path` ("error.status", "steps.0") of what it printed; "" when there is none. */
const char *command_text(const struct command *command, const char *path);

/* What is at `path` of a value; NULL when nothing is. Borrowed. */
const json_t *command_at(const json_t *json, const char *path);

#endif
