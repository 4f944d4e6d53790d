/* sdk.h - the headers and the library that a driver is built with, wherever drover was installed
 *
 * A build gets a copy of its own, with what pkg-config and CMake need to find it: so it depends on no layout, sees what
 * was hashed, and needs no other folder to be readable.
 */
#ifndef DROVER_BUILD_SDK_H
#define DROVER_BUILD_SDK_H

#include <drover/status.h>

#include "worker/build/copy.h"
#include "worker/build/digest.h"
#include "worker/build/words.h"

struct sdk {
    char *headers;      /* the folder that holds drover/ */
    char *library;      /* libdrover-worker.so */
    struct words names; /* of the headers */
};

/* Find the SDK below `prefix` (include/drover, and the library in lib, lib64 or the target's own folder); NULL: where
 * this program is installed or was built. Release `ret` with sdk_done() in any case. Errors: NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status sdk_find(const char *prefix, struct sdk *ret, struct drover_error *error);
void sdk_done(struct sdk *sdk);

/* The folder in which the library really is, for the caller to free(). NULL when it cannot be told. */
char *sdk_library_folder(const struct sdk *sdk);

/* Add the bytes of the headers and the library. */
DROVER_MUST_CHECK enum drover_status sdk_identify(const struct sdk *sdk, struct digest *digest,
                                                  struct drover_error *error);

/* Make the new folder `to`: include/drover, lib, lib/pkgconfig/drover-worker.pc, lib/cmake/drover (drover::worker). */
DROVER_MUST_CHECK enum drover_status sdk_stage(const struct sdk *sdk, const char *to, struct drover_error *error);

#endif
