/* export.h - writes the files of a commit into a folder, and nothing but files
 *
 * Not a checkout: libgit2's writes setuid files, follows links and compares whole trees in memory. Here each entry must
 * be a folder (mode 40000) or a file (100644, 100664, 100755) with a name of the white list (names.h); anything else is
 * an error that names its path. What is written is 0644 or 0755. Number, bytes and depth are limited, and an object's
 * size is looked at before it is read.
 */
#ifndef DROVER_FETCH_EXPORT_H
#define DROVER_FETCH_EXPORT_H

#include <git2.h>

#include "worker/fetch/request.h"

/* Write the tree of `commit`, or the request's subfolder of it, to the new folder `path`. The id of that tree goes to
 * `ret_tree`. Errors: NOT_FOUND (no such subfolder), FAILED_PRECONDITION (an entry that is not allowed),
 * RESOURCE_EXHAUSTED (a limit; no space), DATA_LOSS (an object is missing or damaged), INTERNAL. */
DROVER_MUST_CHECK enum drover_status export_commit(git_repository *repository, const struct request *request,
                                                   const git_oid *commit, const char *path, git_oid *ret_tree,
                                                   struct drover_error *error);

#endif
