/* store.h - sources, builds and artefacts of drivers, kept by their hashes
 *
 *     git/<sha256 of the URL>.git    bare mirrors
 *     src/<content>/                 source trees, named by what is in them
 *     artefact/<sha256>              executables and modules, named by their bytes
 *     build/<key>/                   meta.json and log.txt of one build
 *     tmp/  locks/  quarantine/
 *
 * Whatever is to become an entry is made in a folder of its own below tmp/ and published by one rename, after all of it
 * has reached the disk: an entry is complete or absent, wherever a process or the machine dies. What is left below tmp/
 * is removed by store_sweep(). Several processes, of one user, use a store at once; every lock is a flock(2), which
 * ends with its holder.
 *
 * Errors of all functions, besides those that are named: PERMISSION_DENIED, RESOURCE_EXHAUSTED (no memory, no space, no
 * descriptors), INTERNAL (what else the system calls failed of); each names the path. A store may be used by several
 * threads at once.
 */
#ifndef DROVER_STORE_H
#define DROVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

struct store;
struct store_lock;
struct store_tmp;

enum store_kind {
#define STORE_KIND(NAME, folder, suffix, type) STORE_##NAME,
#include "worker/store/kinds.def"
#undef STORE_KIND
    STORE_KINDS
};

#define STORE_NAME_SIZE 65 /* 64 hex digits and NUL */
#define STORE_NO_DEADLINE UINT64_MAX

/* Told after each step that changes the disk, so that a test can die between any two. Other users leave it out. */
struct store_hook {
    void (*step)(const char *what, void *context);
    void *context;
};

/* Open the store at `path`, and make what is missing of it (its parent must exist). `hook` is copied and may be NULL.
 * Errors: NOT_FOUND (no parent), FAILED_PRECONDITION (another user's, or others may write to it). */
DROVER_MUST_CHECK enum drover_status store_open(const char *path, const struct store_hook *hook, struct store **ret,
                                                struct drover_error *error);
struct store *store_free(struct store *store);

/* "git", "src", "artefact" or "build". */
const char *store_kind_name(enum store_kind kind);

/* Is `name` 64 lower-case hex digits? Every name of an entry is. */
bool store_is_name(const char *name);

/* Where the entry is, whether it exists or not, for the caller to free(). NULL when there is no memory. */
char *store_path(const struct store *store, enum store_kind kind, const char *name);
bool store_has(const struct store *store, enum store_kind kind, const char *name);

/* --- locks ---------------------------------------------------------------------------------------------------------
 */

/* Take the lock `name` (letters, digits, '-', '_', '.'; at most 100) for this caller alone. Waits until
 * `deadline_ms` of sys_now_ms(); 0 does not wait. Locks do not nest: the same name taken twice waits for itself.
 * Errors: DEADLINE_EXCEEDED. */
DROVER_MUST_CHECK enum drover_status store_lock(const struct store *store, const char *name, uint64_t deadline_ms,
                                                struct store_lock **ret, struct drover_error *error);

/* Say that the entry is in use, by any number of users at once: store_gc() and store_remove() leave it alone until it
 * is unlocked, and know when it was last used. Errors: NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status store_hold(const struct store *store, enum store_kind kind, const char *name,
                                                struct store_lock **ret, struct drover_error *error);
struct store_lock *store_unlock(struct store_lock *lock);

/* --- making entries ------------------------------------------------------------------------------------------------
 */

/* A new, empty folder below tmp/ that only this user may enter. `label` is the start of its name. */
DROVER_MUST_CHECK enum drover_status store_tmp_new(const struct store *store, const char *label, struct store_tmp **ret,
                                                   struct drover_error *error);
/* Its path; borrowed. */
const char *store_tmp_path(const struct store_tmp *tmp);
/* Remove the folder with all that is in it. What cannot be removed is left to store_sweep(). */
struct store_tmp *store_tmp_free(struct store_tmp *tmp);

/* Make `part`, a file or folder directly in `tmp`, an entry named by its content (STORE_SRC, STORE_ARTEFACT), and tell
 * the name. Modes are made uniform (the owner's x bit counts), all is brought to the disk first. When there is such an
 * entry already, `part` stays where it is and goes with `tmp`; a damaged one is put into quarantine and replaced.
 * Errors: FAILED_PRECONDITION (a symlink, a socket, ... in the tree; too many or too deep). */
DROVER_MUST_CHECK enum drover_status store_publish_content(const struct store *store, enum store_kind kind,
                                                           const struct store_tmp *tmp, const char *part,
                                                           char ret_name[STORE_NAME_SIZE], struct drover_error *error);

/* The same for an entry named by something else (STORE_GIT, STORE_BUILD). `*ret_is_new` (may be NULL) tells whether
 * this `part` is now the entry, or somebody was first. */
DROVER_MUST_CHECK enum drover_status store_publish_named(const struct store *store, enum store_kind kind,
                                                         const char *name, const struct store_tmp *tmp,
                                                         const char *part, bool *ret_is_new,
                                                         struct drover_error *error);

/* --- content -------------------------------------------------------------------------------------------------------
 */

/* SHA-256 of a tree of files as 64 hex digits.
 *
 * Hashed is "drover-tree-1" and a NUL, then for each regular file, each folder's names in the order of their octets,
 * folders where their name stands: length of the path, path from the top (with '/'), 1 octet for the owner's x bit,
 * size, bytes. Lengths and sizes are 64 bits, little endian. Times, owners, other mode bits and empty folders do not
 * count. Errors: NOT_FOUND, FAILED_PRECONDITION (as above), ABORTED (a file changed meanwhile). */
DROVER_MUST_CHECK enum drover_status store_tree_hash(const char *path, char ret_hex[STORE_NAME_SIZE],
                                                     struct drover_error *error);

/* Is the entry what its name says? STORE_SRC and STORE_ARTEFACT are hashed; a build must have its meta.json and
 * log.txt; a mirror must look like one (libgit2 verifies each object that it reads). Errors: NOT_FOUND, DATA_LOSS (it
 * is damaged). */
DROVER_MUST_CHECK enum drover_status store_verify(const struct store *store, enum store_kind kind, const char *name,
                                                  struct drover_error *error);

/* As store_verify(), and a damaged entry is moved to quarantine/, so that it can be made again; DATA_LOSS then says
 * where it is. */
DROVER_MUST_CHECK enum drover_status store_check(const struct store *store, enum store_kind kind, const char *name,
                                                 struct drover_error *error);

/* Move an entry to quarantine/ because its user found it damaged. The path of what is there now goes to `*ret_path`
 * (may be NULL), for the caller to free(). Errors: NOT_FOUND. */
DROVER_MUST_CHECK enum drover_status store_quarantine(const struct store *store, enum store_kind kind, const char *name,
                                                      char **ret_path, struct drover_error *error);

/* --- keeping house -------------------------------------------------------------------------------------------------
 */

struct store_entry {
    enum store_kind kind;
    char name[STORE_NAME_SIZE];
    uint64_t bytes;   /* of all its files */
    uint64_t used_ms; /* since 1970: when it was made or last held */
};

/* All entries, by kind and name, for the caller to free(). */
DROVER_MUST_CHECK enum drover_status store_list(const struct store *store, struct store_entry **ret, size_t *ret_count,
                                                struct drover_error *error);

/* Remove an entry for good. Errors: NOT_FOUND, FAILED_PRECONDITION (it is held). */
DROVER_MUST_CHECK enum drover_status store_remove(const struct store *store, enum store_kind kind, const char *name,
                                                  struct drover_error *error);

/* Remove what dead processes left below tmp/ and in locks/. `*ret_removed` (may be NULL): how many
 * folders. */
DROVER_MUST_CHECK enum drover_status store_sweep(const struct store *store, size_t *ret_removed,
                                                 struct drover_error *error);

struct store_root {
    enum store_kind kind;
    const char *name;
};

/* What store_gc() may remove: first what was not used for `max_age_ms`, then the longest unused until the rest has no
 * more than `max_bytes`. Never: a root, an entry that is held, one that was used less than `min_age_ms` ago. */
struct store_gc {
    const struct store_root *roots;
    size_t root_count;
    uint64_t now_ms; /* since 1970 */
    uint64_t min_age_ms, max_age_ms, max_bytes;
};

struct store_gc_result {
    uint64_t removed, removed_bytes, kept, kept_bytes;
};

DROVER_MUST_CHECK enum drover_status store_gc(const struct store *store, const struct store_gc *gc,
                                              struct store_gc_result *ret, struct drover_error *error);

#endif
