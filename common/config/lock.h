/* lock.h - the lock file: which commit, which source and which artefacts each driver from a git repository has
 *
 *     version: 1
 *     drivers:
 *       - url: "https://example.org/drivers.git"
 *         requested: "v1.2"
 *         subdir: "echo"
 *         commit: 40 hex digits
 *         tree: 40 hex digits
 *         content: sha256:64 hex digits
 *         artefacts:
 *           - target: "x86_64-linux-gnu"
 *             key: 64 hex digits
 *             sha256: 64 hex digits
 *
 * An entry is found by what the configuration asks for (url, requested, subdir) and says what that led to. Pure: takes
 * and gives text; common/load/lockfile.h reads and writes the file.
 *
 * Invariant of struct lock: entries are sorted by url, requested, subdir (absent ones first), each of which is there
 * once, artefacts by target and key; so equal locks are equal texts.
 */
#ifndef DROVER_CONFIG_LOCK_H
#define DROVER_CONFIG_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

#include "common/config/config.h"

#define LOCK_SIZE_MAX (4U << 20) /* bytes of a file */
#define LOCK_ENTRIES_MAX 1024    /* drivers of a file, and artefacts of a driver */

/* What was built of a source for one kind of machine. All of it is owned by the lock that it is in. */
struct lock_artefact {
    char *target; /* "x86_64-linux-gnu": for which machine it was compiled */
    char *key;    /* of the build, 64 hex digits */
    char *sha256; /* of the artefact, 64 hex digits */
};

/* One driver. All of it is owned by the lock that it is in; what is given to lock_set() is borrowed. */
struct lock_entry {
    char *url;       /* in its normal form, as `url` of struct reference_resolution */
    char *requested; /* branch, tag or commit; NULL: the repository's own branch */
    char *subdir;    /* NULL: the top */
    char *commit;    /* 40 lower-case hex digits */
    char *tree;      /* git's id of the subfolder's tree, 40 lower-case hex digits */
    char *content;   /* "sha256:" and 64 hex digits: of the files that were taken from it */
    struct lock_artefact *artefacts;
    size_t artefact_count;
};

struct lock {
    struct lock_entry *entries;
    size_t count;
};

/* A lock without entries; NULL when there is no memory. */
struct lock *lock_new(void);

/* NULL is allowed. Returns NULL. */
struct lock *lock_free(struct lock *lock);

/* Parse `size` bytes; `path` names the file in messages. On INVALID_ARGUMENT every mistake is a line of
 * `*ret_messages`, `FILE:LINE:COLUMN: what is wrong` (always set up by this function; release with
 * config_messages_done()). An empty file is a lock without entries. Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED (no
 * memory). */
DROVER_MUST_CHECK enum drover_status lock_parse(const char *text, size_t size, const char *path, struct lock **ret,
                                                struct config_messages *ret_messages);

/* The text of the file, with a comment that explains it, for the caller to free(). NULL when there is no memory. */
char *lock_write(const struct lock *lock);

/* The entry for what a configuration asks for (`requested` and `subdir` may be NULL), or NULL. Borrowed until the lock
 * is changed. */
const struct lock_entry *lock_find(const struct lock *lock, const char *url, const char *requested, const char *subdir);

/* The artefact of `entry` with this key, or NULL. */
const struct lock_artefact *lock_find_artefact(const struct lock_entry *entry, const char *key);

/* Put in a copy of `entry`, in place of the one with the same url, requested and subdir. If `entry` has no artefacts,
 * and the old one the same content, the old one's stay. Errors: INVALID_ARGUMENT (something that the file could not
 * hold: names which), RESOURCE_EXHAUSTED (no memory, LOCK_ENTRIES_MAX); the lock is as before then. */
DROVER_MUST_CHECK enum drover_status lock_set(struct lock *lock, const struct lock_entry *entry,
                                              struct drover_error *error);

/* Put a copy of `artefact` into the entry that is found by the url, requested and subdir of `entry`, in place of the
 * one with the same target and key. Errors: NOT_FOUND (no such entry), and those of lock_set(). */
DROVER_MUST_CHECK enum drover_status lock_set_artefact(struct lock *lock, const struct lock_entry *entry,
                                                       const struct lock_artefact *artefact,
                                                       struct drover_error *error);

/* Take out the entry for this; false when there is none. */
bool lock_remove(struct lock *lock, const char *url, const char *requested, const char *subdir);

#endif
