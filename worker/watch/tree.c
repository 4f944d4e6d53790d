/* tree.c - the folders of a source tree, and what is in them
 *
 * A new folder is put at the head of the dirty list as fresh, and read by whoever found it, in a loop: no recursion,
 * however deep the tree is.
 */
#include "worker/watch/tree.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <utlist.h>

#include "worker/watch/filesystem.h"
#include "worker/watch/scan.h"

bool tree_node_path(const struct tree *tree, const struct node *node, char *buffer, size_t size)
{
    /* From the end, so that each name is copied once. */
    size_t at = size;
    buffer[--at] = '\0';
    for (; node->parent != NULL; node = node->parent) {
        const size_t name_size = strlen(node->name);
        if (at < name_size + 1)
            return false;
        at -= name_size;
        memcpy(buffer + at, node->name, name_size);
        buffer[--at] = '/';
    }
    const size_t top_size = strlen(tree->path);
    if (at < top_size)
        return false;
    memmove(buffer + top_size, buffer + at, size - at);
    memcpy(buffer, tree->path, top_size);
    return true;
}

static void mark_dirty(struct tree *tree, struct node *node)
{
    if (node->is_dirty)
        return;
    node->is_dirty = true;
    DL_APPEND2(tree->dirty, node, dirty_prev, dirty_next);
}

static void mark_fresh(struct tree *tree, struct node *node)
{
    node->is_dirty = true;
    node->is_fresh = true;
    DL_PREPEND2(tree->dirty, node, dirty_prev, dirty_next);
}

static void mark_clean(struct tree *tree, struct node *node)
{
    if (!node->is_dirty)
        return;
    node->is_dirty = false;
    node->is_fresh = false;
    DL_DELETE2(tree->dirty, node, dirty_prev, dirty_next);
}

/* Read the first of the dirty nodes. */
static bool read_first(struct tree *tree)
{
    struct node *node = tree->dirty;
    mark_clean(tree, node);
    return scan_node(tree, node, &tree->pass_entries);
}

static bool read_fresh(struct tree *tree)
{
    bool ok = true;
    while (tree->dirty != NULL && tree->dirty->is_fresh)
        ok &= read_first(tree);
    return ok;
}

bool tree_read(struct tree *tree)
{
    bool ok = true;
    while (tree->dirty != NULL)
        ok &= read_first(tree);
    return ok;
}

void tree_set_print(struct tree *tree, struct node *node, uint64_t print)
{
    tree->print += print - node->print;
    node->print = print;
}

bool tree_node_is(const struct node *node, const struct stat *about)
{
    return node->device == about->st_dev && node->inode == about->st_ino &&
           (node->place.folder == NULL || folders_has(&node->place));
}

static bool is_polled(const struct node *node)
{
    return node->blind || !folders_has(&node->place);
}

/* Watch it if that is possible. False when there is no memory. */
static bool watch_node(struct tree *tree, struct node *node)
{
    char path[PATH_MAX];
    if (!tree_node_path(tree, node, path, sizeof(path)))
        return true;
    int trouble = tree->watched >= tree->watched_max ? E2BIG : 0;
    if (trouble == 0)
        trouble = folders_watch(tree->folders, &node->place, path, FOLDERS_CONTENT);
    tree->watched += trouble == 0;
    if (trouble != 0)
        tree->trouble = trouble;
    return trouble != ENOMEM;
}

static void leave(struct tree *tree, struct node *node)
{
    tree->watched -= node->place.folder != NULL;
    folders_leave(tree->folders, &node->place);
}

static void look_at_filesystem(struct tree *tree, struct node *node)
{
    char path[PATH_MAX];
    if (node->parent != NULL && node->parent->device == node->device) {
        node->blind = node->parent->blind;
        return;
    }
    const char *blind = tree_node_path(tree, node, path, sizeof(path)) ? filesystem_blind_at(path) : NULL;
    node->blind = blind != NULL;
    if (node->blind)
        tree->blind = blind;
}

bool tree_node_new(struct tree *tree, struct node *parent, const char *name, const struct stat *about,
                   struct node **ret_node)
{
    *ret_node = NULL;
    if (parent != NULL && parent->depth == TREE_DEPTH_MAX)
        return true;
    tree->is_cut |= tree->count == tree->watched_max * TREE_FOLDERS_FACTOR;
    if (tree->count >= tree->watched_max * TREE_FOLDERS_FACTOR)
        return true;

    struct node *node = calloc(1, sizeof(*node));
    char *copy = strdup(name);
    if (node == NULL || copy == NULL) {
        free(node);
        free(copy);
        return false;
    }
    node->place.kind = PLACE_NODE;
    node->place.subject = tree->subject;
    node->parent = parent;
    node->name = copy;
    node->depth = parent != NULL ? parent->depth + 1 : 0;
    node->device = about->st_dev;
    node->inode = about->st_ino;
    node->pass = tree->pass;
    DL_APPEND(tree->nodes, node);
    tree->count++;
    look_at_filesystem(tree, node);
    mark_fresh(tree, node);
    *ret_node = node;
    return watch_node(tree, node);
}

void tree_node_free(struct tree *tree, struct node *node)
{
    for (size_t i = 0; i < node->child_count; i++)
        tree_node_free(tree, node->children[i]);
    tree_set_print(tree, node, 0);
    mark_clean(tree, node);
    leave(tree, node);
    DL_DELETE(tree->nodes, node);
    tree->count--;
    free(node->children);
    free(node->name);
    free(node);
}

void tree_clear(struct tree *tree)
{
    if (tree->root != NULL)
        tree_node_free(tree, tree->root);
    assert(tree->count == 0 && tree->watched == 0 && tree->print == 0);
    tree->root = NULL;
    free(tree->path);
    tree->path = NULL;
    tree->trouble = 0;
    tree->blind = NULL;
    tree->is_cut = false;
}

bool tree_build(struct tree *tree, const char *path)
{
    struct stat about;
    tree_clear(tree);
    if (lstat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return true; /* it has just gone, which the chain will tell */
    tree->path = strdup(strcmp(path, "/") == 0 ? "" : path);
    if (tree->path == NULL)
        return false;
    const bool ok = tree_node_new(tree, NULL, "", &about, &tree->root);
    return read_fresh(tree) && ok;
}

/* Where a child of that name is, or would be. */
static size_t find_child(const struct node *node, const char *name, bool *ret_found)
{
    size_t low = 0, high = node->child_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(node->children[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < node->child_count && strcmp(node->children[low]->name, name) == 0;
    return low;
}

static void remove_child(struct tree *tree, struct node *node, size_t index)
{
    tree_node_free(tree, node->children[index]);
    node->child_count--;
    memmove(node->children + index, node->children + index + 1, (node->child_count - index) * sizeof(struct node *));
}

static bool insert_child(struct tree *tree, struct node *node, size_t index, const char *name, const struct stat *about)
{
    struct node *child = NULL;
    struct node **children = reallocarray(node->children, node->child_count + 1, sizeof(struct node *));
    if (children == NULL)
        return false;
    node->children = children;
    const bool ok = tree_node_new(tree, node, name, about, &child);
    if (child == NULL)
        return ok;
    memmove(children + index + 1, children + index, (node->child_count - index) * sizeof(struct node *));
    children[index] = child;
    node->child_count++;
    return read_fresh(tree) && ok;
}

/* A folder came or went. */
static bool folder_event(struct tree *tree, struct node *node, const char *path, const char *name)
{
    char below[PATH_MAX];
    struct stat about;
    const size_t size = strlen(path);
    if (size + 1 + strlen(name) + 1 > sizeof(below))
        return true;
    memcpy(below, path, size);
    below[size] = '/';
    memcpy(below + size + 1, name, strlen(name) + 1);

    bool is_known;
    const bool is_there = lstat(below, &about) == 0 && S_ISDIR(about.st_mode);
    const size_t index = find_child(node, name, &is_known);
    if (is_known && is_there && tree_node_is(node->children[index], &about))
        return true;
    if (is_known)
        remove_child(tree, node, index);
    return !is_there || insert_child(tree, node, index, name, &about);
}

bool tree_event(struct tree *tree, struct node *node, uint32_t mask, const char *name, bool *ret_matters)
{
    char path[PATH_MAX];
    const bool is_folder = (mask & IN_ISDIR) != 0;
    *ret_matters = true;
    if ((mask & (IN_IGNORED | IN_UNMOUNT)) != 0) {
        mark_dirty(tree, node->parent != NULL ? node->parent : node);
        return true;
    }
    if (name[0] == '\0' || !tree_node_path(tree, node, path, sizeof(path)) ||
        skip_entry(tree->skip, path, name, is_folder)) {
        *ret_matters = false;
        return true;
    }
    mark_dirty(tree, node);
    return !is_folder || (mask & FOLDERS_NAMES) == 0 || folder_event(tree, node, path, name);
}

bool tree_is_polled(const struct tree *tree)
{
    return tree->watched < tree->count || tree->blind != NULL;
}

void tree_pass_begin(struct tree *tree, bool all)
{
    tree->pass++;
    tree->pass_all = all;
    tree->pass_entries = 0;
}

/* Watches are tried again where there were none. */
static bool pass_node(struct tree *tree, struct node *node)
{
    bool ok = true;
    if (tree->pass_all && node->place.folder == NULL)
        ok = watch_node(tree, node);
    mark_clean(tree, node);
    ok &= scan_node(tree, node, &tree->pass_entries);
    return read_fresh(tree) && ok;
}

bool tree_pass(struct tree *tree, size_t budget, bool *ret_done)
{
    const size_t until = tree->pass_entries + budget;
    bool ok = true;
    while (tree->nodes != NULL && tree->nodes->pass != tree->pass && tree->pass_entries < until) {
        struct node *node = tree->nodes;
        node->pass = tree->pass;
        DL_DELETE(tree->nodes, node);
        DL_APPEND(tree->nodes, node);
        if (tree->pass_all || is_polled(node))
            ok &= pass_node(tree, node);
    }
    *ret_done = tree->nodes == NULL || tree->nodes->pass == tree->pass;
    if (tree->watched == tree->count)
        tree->trouble = 0;
    return ok;
}
