/* artefact.h - what came out of a build: found, checked, taken out of the hands of whoever built it */
#ifndef DROVER_BUILD_ARTEFACT_H
#define DROVER_BUILD_ARTEFACT_H

#include <drover/status.h>

enum artefact_form {
    ARTEFACT_EXECUTABLE,
    ARTEFACT_MODULE, /* a shared object with the descriptor of a driver */
};

#define ARTEFACT_BYTES_MAX (UINT64_C(512) << 20)

/* "executable", "module". */
const char *artefact_form_name(enum artefact_form form);

/* Find the artefact below the folder `results`: `path`, or, when that is NULL, the only program in it, or the one of
 * several that is called `name`; where there is no program, the only module. Links are not followed. It must be a
 * regular file with the x bit that is an executable or a driver module of this machine (common/sys/binary.h); its bytes
 * are copied to the new file `to`. Errors: FAILED_PRECONDITION (none, several, or no such file; says which), and those
 * of copy_file(). */
DROVER_MUST_CHECK enum drover_status artefact_take(const char *results, const char *path, const char *name,
                                                   const char *to, enum artefact_form *ret_form,
                                                   struct drover_error *error);

#endif
