/* tree.h - the folders of a source tree, and what is in them
 *
 * Each folder is a node with a print of its entries; the sum of all prints tells whether the tree is as it was. A
 * folder is watched before it is read, so that nothing that comes into it is missed. Links are not followed.
 *
 * Limits: `watched_max` folders are watched, TREE_FOLDERS_FACTOR times as many are looked at, TREE_DEPTH_MAX deep.
 */
#ifndef DROVER_WATCH_TREE_H
#define DROVER_WATCH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "worker/watch/folders.h"
#include "worker/watch/skip.h"

#define TREE_FOLDERS_FACTOR 16
#define TREE_DEPTH_MAX 64

struct node {
    struct place place;
    struct node *parent; /* NULL: the root */
    char *name;
    dev_t device;
    ino_t inode;
    unsigned depth;
    bool blind;             /* its filesystem is one that inotify does not see all of */
    struct node **children; /* in the order of their names */
    size_t child_count;
    uint64_t print;
    bool is_dirty, is_fresh; /* to be read; for the first time, at once */
    unsigned pass;
    struct node *prev, *next;             /* of all nodes */
    struct node *dirty_prev, *dirty_next; /* of those that are dirty */
};

struct tree {
    struct folders *folders; /* these four are set by the owner */
    const struct skip *skip;
    struct subject *subject;
    size_t watched_max;

    char *path;         /* of the root, without links; NULL: there is none */
    struct node *root;  /* or NULL */
    struct node *nodes; /* those that were passed last are last */
    struct node *dirty; /* the fresh ones first */
    size_t count;       /* of nodes */
    size_t watched;     /* of those, the watched ones */
    uint64_t print;
    int trouble;       /* errno why a folder is not watched; E2BIG: there are too many */
    const char *blind; /* the kind of filesystem that inotify does not see all of */
    bool is_cut;       /* there are more folders than are looked at */
    unsigned pass;
    bool pass_all;
    size_t pass_entries; /* read in this pass */
};

/* All functions that return bool: false when there is no memory or no descriptor; the tree is whole, but not up to
 * date. */

/* Read the folder `path` (absolute, without links), and all below, in place of what was there before. */
bool tree_build(struct tree *tree, const char *path);

/* Forget all, leave all folders. */
void tree_clear(struct tree *tree);

/* Something happened in the folder of `node`; `ret_matters` says whether it may have changed the tree. New folders are
 * watched and read at once, all else when tree_read() is called. */
bool tree_event(struct tree *tree, struct node *node, uint32_t mask, const char *name, bool *ret_matters);

/* Read those folders anew in which something happened. */
bool tree_read(struct tree *tree);

/* True when some folder is not watched, or in vain. */
bool tree_is_polled(const struct tree *tree);

/* Begin to read all folders (`all`), or those that need to be polled. */
void tree_pass_begin(struct tree *tree, bool all);

/* Go on with it, for about `budget` entries; `ret_done` says whether it is through. */
bool tree_pass(struct tree *tree, size_t budget, bool *ret_done);

/* What scan.c uses of tree.c and the other way round: */

/* The path of a node; false when it is too long. */
bool tree_node_path(const struct tree *tree, const struct node *node, char *buffer, size_t size);

/* Add a folder below `parent` and watch it. `ret_node` is NULL when it is not to be looked at. */
bool tree_node_new(struct tree *tree, struct node *parent, const char *name, const struct stat *about,
                   struct node **ret_node);

/* Drop a node and all below; it must be taken out of its parent's children by the caller. */
void tree_node_free(struct tree *tree, struct node *node);

/* Change the print of a node, and the sum. */
void tree_set_print(struct tree *tree, struct node *node, uint64_t print);

/* True when `node` is still the folder that `about` tells of, and watched if it ever was. An inode number may be used
 * again, but then the watch has ended. */
bool tree_node_is(const struct node *node, const struct stat *about);

#endif
