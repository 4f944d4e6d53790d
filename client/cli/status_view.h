/* status_view.h - the broker's answer to `status`, put in order, judged, and shown */
#ifndef DROVER_CLI_STATUS_VIEW_H
#define DROVER_CLI_STATUS_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include <drover/value.h>

/* Append `status` to `writer` with its keys in the documented order; those that are not documented follow. */
void status_put_in_order(struct drover_writer *writer, const struct drover_value *status);

/* The table for people. */
void status_print_table(FILE *out, const struct drover_value *status);

/* Is every service of the answer ready? */
bool status_is_ready(const struct drover_value *status);

/* One line for each service that is not ready, with its last error. */
void status_print_waiting(FILE *out, const struct drover_value *status);

#endif
