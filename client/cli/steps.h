/* steps.h - what the broker says of a change of its configuration, for `plan` and `reload` */
#ifndef DROVER_CLI_STEPS_H
#define DROVER_CLI_STEPS_H

#include <stdio.h>

#include <drover/value.h>

#include "client/cli/progress.h"

/* How many there are in the list `key` of an answer. */
size_t steps_count(const struct drover_value *answer, const char *key);

/* Print each text of the list `key` ("mistakes", "obstacles") on a line. */
void steps_print_lines(FILE *out, const struct drover_value *answer, const char *key);

/* Print the steps of an answer, one a line, or that there are none. */
void steps_print(FILE *out, const struct drover_value *answer);

/* On a terminal: what is under way with which service, from the answer to `change`. */
void steps_show_progress(struct progress *progress, const struct drover_value *change);

/* Print why the change was given up, or that it is still under way. */
void steps_print_failure(FILE *out, const struct drover_value *change);

/* Print an answer as it is. */
void steps_print_json(const struct drover_value *answer);

#endif
