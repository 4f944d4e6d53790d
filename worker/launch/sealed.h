/* sealed.h - the file that is to run, copied into memory while it is hashed
 *
 * What was hashed is what runs: nobody can change a sealed memory file, and the file it was copied from may be
 * replaced at any time without the text file being busy.
 */
#ifndef DROVER_LAUNCH_SEALED_H
#define DROVER_LAUNCH_SEALED_H

#include <stdbool.h>

#include <drover/status.h>

#include "worker/launch/layers.h"
#include "worker/launch/settings.h"

/* The artefact, opened. */
struct sealed {
    int fd;         /* -1: the settings name no hash, the program runs as it lies there */
    bool is_module; /* the program opens it by its number; else it is the program */
    bool stays;     /* after execve(): a module, or a script, whose interpreter opens it */
};

/* Copy the program, or the module if there is one, and compare its hash with that of the settings. Where the system
 * forbids to execute memory (vm.memfd_noexec=2) a program is hashed and then executed by that descriptor, which is
 * noted: it could be written to in between. `ret` is set up in any case. Errors: NOT_FOUND, PERMISSION_DENIED,
 * INVALID_ARGUMENT (no regular file), RESOURCE_EXHAUSTED, INTERNAL, all as "cannot start ..."; DATA_LOSS: another hash,
 * the text bears both. */
DROVER_MUST_CHECK enum drover_status sealed_open(const struct settings *settings, struct layers *layers,
                                                 struct sealed *ret, struct drover_error *error);

#endif
