/* walk.h - goes through a tree of files in one fixed order, without following a link
 *
 * Each folder's names in the order of their octets; what is in a folder comes before the folder itself. Only regular
 * files and folders may be in a tree.
 */
#ifndef DROVER_STORE_WALK_H
#define DROVER_STORE_WALK_H

#include <stdint.h>
#include <sys/stat.h>

#include <drover/status.h>

#define WALK_DEPTH_MAX 64
#define WALK_ENTRIES_MAX (UINT64_C(1) << 20)

/* A file or folder. Borrowed during the visit. */
struct walk_entry {
    const char *path; /* from the top of the tree; "" is the top */
    int file;         /* open for reading */
    const struct stat *about;
};

/* Either may be NULL. What does not return DROVER_OK ends the walk. */
struct walk_visitor {
    enum drover_status (*file)(const struct walk_entry *entry, void *context, struct drover_error *error);
    enum drover_status (*folder)(const struct walk_entry *entry, void *context, struct drover_error *error);
};

/* Visit all of the folder at `path`. Errors: NOT_FOUND, FAILED_PRECONDITION (something that is neither file nor folder;
 * more than WALK_ENTRIES_MAX; deeper than WALK_DEPTH_MAX), and what the visitor returns. */
DROVER_MUST_CHECK enum drover_status walk_tree(const char *path, const struct walk_visitor *visitor, void *context,
                                               struct drover_error *error);

/* Remove the file or folder `name` of `folder` with all that is in it, however deep and whatever its modes. Returns 0
 * or an errno; ENOENT is 0. */
int walk_remove(int folder, const char *name);

#endif
