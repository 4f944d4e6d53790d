/* copy.h - the source of a driver, copied to where it may be built
 *
 * A build never runs in the user's folder. The copy says nothing of when and where it was made: modes and times are
 * uniform. What was compiled before (objects, archives, programs) gets an older time than all else, so that make makes
 * it anew where it has a rule for it.
 */
#ifndef DROVER_BUILD_COPY_H
#define DROVER_BUILD_COPY_H

#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>

#define COPY_DEPTH_MAX 64
#define COPY_ENTRIES_MAX 100000
#define COPY_BYTES_MAX (UINT64_C(1) << 30)

/* The time that all copied files have, in seconds since 1970; it is SOURCE_DATE_EPOCH, too. */
#define COPY_TIME 315532800

/* Whom something shall belong to. */
struct owner {
    uid_t uid; /* (uid_t)-1: leave it */
    gid_t gid;
};

/* Copy the folder `from` to `to`, which is made. Folders of version control (.git, .hg, .svn) are left behind.
 * Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (a symlink, a socket, ...; no folder; too deep),
 * RESOURCE_EXHAUSTED (too many, too large, no space), ABORTED (a file grew meanwhile); each names the path. */
DROVER_MUST_CHECK enum drover_status copy_tree(const char *from, const char *to, const struct owner *owner,
                                               struct drover_error *error);

/* Copy the regular file `from`, with no link followed in its last part, to the new file `to` with `mode`. Errors as
 * above. */
DROVER_MUST_CHECK enum drover_status copy_file(const char *from, const char *to, mode_t mode, uint64_t most_bytes,
                                               struct drover_error *error);

/* The same for a regular file that is open for reading; `name` is what it is called in messages. */
DROVER_MUST_CHECK enum drover_status copy_descriptor(int from, const char *name, const char *to, mode_t mode,
                                                     uint64_t most_bytes, struct drover_error *error);

#endif
