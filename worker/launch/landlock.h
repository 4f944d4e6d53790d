/* landlock.h - which files may be reached, by Landlock
 *
 * START: landlock_prepare() opens what is granted; the user that may open it need not be the one that is shut in.
 * END: landlock_enforce() shuts the process in, for good, with all that it will execute.
 */
#ifndef DROVER_LAUNCH_LANDLOCK_H
#define DROVER_LAUNCH_LANDLOCK_H

#include <stdint.h>

#include <drover/status.h>

#include "worker/launch/layers.h"
#include "worker/launch/sealed.h"
#include "worker/launch/settings.h"

/* What may be done with a granted path. */
enum grant { GRANT_READ, GRANT_EXEC, GRANT_WRITE };

/* The version of Landlock in this kernel; 0: none. */
unsigned landlock_abi(void);

/* The rights over files that Landlock of this version knows, all of which are refused unless granted. */
uint64_t landlock_handled(unsigned abi);

/* Those that a grant gives on a folder, and what is below it, or on a file. Never the right to make devices. */
uint64_t landlock_granted(unsigned abi, enum grant grant, bool is_folder);

/* Open all that is granted, and the program, and make rules of it. `*ret_fd` is the caller's, -1 when there is no
 * Landlock, which is noted. Paths to be read that do not exist are noted. Errors: NOT_FOUND, PERMISSION_DENIED (a path
 * to be written to is missing, or a symbolic link), INTERNAL. */
DROVER_MUST_CHECK enum drover_status landlock_prepare(const struct settings *settings, const struct sealed *sealed,
                                                      struct layers *layers, int *ret_fd, struct drover_error *error);

/* Apply the rules; no_new_privs must be set. Notes what holds. */
void landlock_enforce(int rules_fd, struct layers *layers);

#endif
