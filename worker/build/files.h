/* files.h - small things done with files and paths */
#ifndef DROVER_BUILD_FILES_H
#define DROVER_BUILD_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include <drover/status.h>

#include "worker/build/words.h"

/* Make the folder `path` with exactly `mode`. */
DROVER_MUST_CHECK enum drover_status files_make_folder(const char *path, mode_t mode, struct drover_error *error);

/* Make the new file `path` with exactly `mode` and `text` in it. */
DROVER_MUST_CHECK enum drover_status files_write(const char *path, mode_t mode, const char *text,
                                                 struct drover_error *error);

/* Is there a regular file (links are followed)? */
bool files_is_regular(const char *path);

/* The names of all regular files in a folder whose names end in one of `endings` (NULL ends it), sorted by their
 * octets. */
DROVER_MUST_CHECK enum drover_status files_list(const char *folder, const char *const *endings, struct words *names,
                                                struct drover_error *error);

#endif
