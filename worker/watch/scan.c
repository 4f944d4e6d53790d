/* scan.c - reads one folder of a tree
 *
 * The print of a folder is a sum over its entries, since a folder is read in any order. Of a folder in it only the name
 * and mode count: its times change with what is left out, too.
 */
#include "worker/watch/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/watch/print.h"

/* A folder that was found. */
struct found {
    char *name;
    struct stat about;
};

struct scan {
    struct tree *tree;
    struct node *node;
    char path[PATH_MAX];
    uint64_t start; /* of the prints of all entries: where they are */
    uint64_t print;
    size_t entries;
    struct found *items;
    size_t count, capacity;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static bool add_found(struct scan *scan, const char *name, const struct stat *about)
{
    if (scan->count == scan->capacity) {
        const size_t capacity = scan->capacity ? 2 * scan->capacity : 16;
        struct found *items = reallocarray(scan->items, capacity, sizeof(*items));
        if (items == NULL)
            return false;
        scan->items = items;
        scan->capacity = capacity;
    }
    struct found *item = &scan->items[scan->count];
    item->about = *about;
    item->name = strdup(name);
    if (item->name == NULL)
        return false;
    scan->count++;
    return true;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool add_entry(struct scan *scan, int folder, const char *name)
{
    struct stat about;
    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return true; /* it is gone */
    const bool is_folder = S_ISDIR(about.st_mode);
    if (skip_entry(scan->tree->skip, scan->path, name, is_folder))
        return true;
    const uint64_t print = print_text(scan->start, name);
    if (!is_folder) {
        scan->print += print_stat(print, &about);
        return true;
    }
    scan->print += print_number(print, about.st_mode);
    if (scan->count > scan->tree->watched_max * TREE_FOLDERS_FACTOR)
        return true; /* more than the tree takes */
    return add_found(scan, name, &about);
}

static bool read_entries(struct scan *scan, int folder)
{
    DIR *stream = fdopendir(folder);
    if (stream == NULL) {
        close(folder);
        return errno != ENOMEM;
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (entry = readdir(stream)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        scan->entries++;
        ok = add_entry(scan, dirfd(stream), entry->d_name);
    }
    closedir(stream);
    return ok;
}

/* One node for one folder that was found: the one that was there already, or a new one. */
static bool settle(struct scan *scan, struct node *old, const struct found *item, struct node **children, size_t *count)
{
    struct node *child = old;
    bool ok = true;
    if (child != NULL && !tree_node_is(child, &item->about)) {
        tree_node_free(scan->tree, child);
        child = NULL;
    }
    if (child == NULL)
        ok = tree_node_new(scan->tree, scan->node, item->name, &item->about, &child);
    if (child != NULL)
        children[(*count)++] = child;
    return ok;
}

/* Make the children of the node those folders that were found; both lists are in order. What there is no memory for is
 * left out. */
static bool merge(struct scan *scan)
{
    struct node *node = scan->node;
    struct node **children = calloc(scan->count + 1, sizeof(struct node *));
    size_t count = 0, old = 0;
    bool ok = children != NULL;
    if (!ok)
        return false;
    for (size_t i = 0; i < scan->count; i++) {
        while (old < node->child_count && strcmp(node->children[old]->name, scan->items[i].name) < 0)
            tree_node_free(scan->tree, node->children[old++]);
        const bool is_known = old < node->child_count && strcmp(node->children[old]->name, scan->items[i].name) == 0;
        ok &= settle(scan, is_known ? node->children[old++] : NULL, &scan->items[i], children, &count);
    }
    while (old < node->child_count)
        tree_node_free(scan->tree, node->children[old++]);
    free(node->children);
    node->children = children;
    node->child_count = count;
    return ok;
}

static bool scan_folder(struct scan *scan)
{
    const int folder = open(scan->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return false;
    if (folder < 0)
        scan->print = print_number(scan->start, (uint64_t)errno); /* it is gone, or may not be read */
    else if (!read_entries(scan, folder))
        return false;
    if (scan->count > 1)
        qsort(scan->items, scan->count, sizeof(*scan->items), by_name);
    tree_set_print(scan->tree, scan->node, scan->print);
    return merge(scan);
}

bool scan_node(struct tree *tree, struct node *node, size_t *entries)
{
    struct scan *scan = calloc(1, sizeof(*scan)); /* too large for a stack */
    if (scan == NULL)
        return false;
    scan->tree = tree;
    scan->node = node;
    bool ok = true;
    if (tree_node_path(tree, node, scan->path, sizeof(scan->path))) {
        scan->start = print_text(PRINT_START, scan->path + strlen(tree->path));
        ok = scan_folder(scan);
    }
    for (size_t i = 0; i < scan->count; i++)
        free(scan->items[i].name);
    *entries += scan->entries + 1;
    free(scan->items);
    free(scan);
    return ok;
}
