/* command.h - what is executed for a worker: drover-launch with the command line of a profile
 *
 * START: command_make() decides whom the worker runs as, makes its folder, writes arguments and environment, all of
 * which needs memory and so comes before the fork. END: command_done().
 */
#ifndef DROVER_HOST_COMMAND_H
#define DROVER_HOST_COMMAND_H

#include "worker/host/launch.h"

#define COMMAND_REPORT_FD 5 /* where drover-launch finds the pipe for its report */

struct command {
    char **arguments; /* the first one is the path of drover-launch */
    char **environment;
};

/* The command for a plan. `parent` is who will fork. Errors: as process_launch() in launch.h; then there is nothing to
 * release. */
DROVER_MUST_CHECK enum drover_status command_make(const struct launch_plan *plan, pid_t parent, struct command *ret,
                                                  struct drover_error *error);

void command_done(struct command *command);

#endif
