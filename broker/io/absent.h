/* absent.h - services whose driver is not to be had from its path when the broker starts
 *
 * A compiler that is just replacing a file, or a file that somebody has damaged, must not keep all services down: one
 * that remembers a stable version of its driver goes on with that, until there is a driver again.
 */
#ifndef DROVER_IO_ABSENT_H
#define DROVER_IO_ABSENT_H

#include <stdbool.h>

#include "broker/io/history.h"
#include "broker/io/roster.h"

/* Can each service of a leniently read configuration go on that has an obstacle, with what is remembered in the folder
 * `memory`? What kind of driver it had is taken from there. */
bool absent_settle(struct roster *roster, const char *memory);

/* Tell of those services in the log, and in the history. */
void absent_tell(const struct roster *roster, struct history *history);

#endif
