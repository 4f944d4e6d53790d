/* walk.c - goes through a tree of files in one fixed order, without following a link */
#include "worker/store/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/store/state.h"

#define OPEN_ANY (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* A walk under way. `path` is of the entry at hand, from the top of the tree. */
struct walk {
    const char *top;
    const struct walk_visitor *visitor;
    void *context;
    uint64_t entries;
    unsigned depth;
    size_t path_size;
    char path[PATH_MAX];
    struct drover_error *error;
};

static const char *type_word(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "symlink";
    case S_IFIFO:
        return "named pipe";
    case S_IFSOCK:
        return "socket";
    default:
        return "device";
    }
}

/* An error at the entry at hand, whose name is for a terminal. */
static enum drover_status refuse(struct walk *walk, const char *what)
{
    char shown[256];
    text_printable(walk->path, walk->path_size, shown, sizeof shown);
    return drover_error_set(walk->error, DROVER_FAILED_PRECONDITION, "tree '%s': '%s' %s", walk->top, shown, what);
}

static enum drover_status fail(struct walk *walk, int code)
{
    char shown[256];
    text_printable(walk->path, walk->path_size, shown, sizeof shown);
    return store_fail(walk->error, code, "tree '%s': '%s'", walk->top, shown);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int by_octets(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder. */
struct names {
    char **items;
    size_t count, capacity;
};

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 16;
        char **items = reallocarray(names->items, capacity, sizeof *items);
        if (!items)
            return false;
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count] = strdup(name);
    return names->items[names->count] && ++names->count;
}

/* Read the names in the open `folder`, at most `limit`, sorted. 0 or an errno; E2BIG beyond the limit. */
static int read_names(int folder, uint64_t limit, struct names *names)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    int code = stream ? 0 : errno;
    struct dirent *entry;
    if (!stream) {
        if (copy >= 0)
            close(copy);
        return code;
    }
    while (code == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        if (names->count == limit)
            code = E2BIG;
        else if (!names_add(names, entry->d_name))
            code = ENOMEM;
    }
    if (code == 0)
        code = errno;
    closedir(stream);
    if (code == 0 && names->count > 1)
        qsort(names->items, names->count, sizeof *names->items, by_octets);
    return code;
}

static enum drover_status visit_folder(struct walk *walk, int folder);

/* The entry at hand is open. */
static enum drover_status visit(struct walk *walk, int file, const struct stat *about)
{
    const struct walk_entry entry = {.path = walk->path, .file = file, .about = about};
    const struct walk_visitor *visitor = walk->visitor;
    if (!S_ISDIR(about->st_mode))
        return visitor->file ? visitor->file(&entry, walk->context, walk->error) : DROVER_OK;
    if (walk->depth == WALK_DEPTH_MAX)
        return refuse(walk, "is too deep");
    walk->depth++;
    enum drover_status status = visit_folder(walk, file);
    walk->depth--;
    if (status == DROVER_OK && visitor->folder)
        status = visitor->folder(&entry, walk->context, walk->error);
    return status;
}

/* Open the entry at hand, called `name` in `folder`, and visit it. Its type is looked at first: opening a device may do
 * things. */
static enum drover_status visit_name(struct walk *walk, int folder, const char *name)
{
    struct stat about;
    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(walk, errno);
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
        char what[32];
        snprintf(what, sizeof what, "is a %s", type_word(about.st_mode));
        return refuse(walk, what);
    }
    int file = openat(folder, name, OPEN_ANY);
    if (file < 0)
        return fail(walk, errno);
    enum drover_status status = fstat(file, &about) == 0 ? visit(walk, file, &about) : fail(walk, errno);
    close(file);
    return status;
}

static enum drover_status visit_folder(struct walk *walk, int folder)
{
    const size_t start = walk->path_size;
    enum drover_status status = DROVER_OK;
    struct names names = {0};
    int code = read_names(folder, WALK_ENTRIES_MAX - walk->entries, &names);
    if (code != 0)
        status = code == E2BIG ? refuse(walk, "has too many entries") : fail(walk, code);
    walk->entries += names.count;
    for (size_t i = 0; i < names.count && status == DROVER_OK; i++) {
        int size = snprintf(walk->path + start, sizeof walk->path - start, "%s%s", start ? "/" : "", names.items[i]);
        if ((size_t)size >= sizeof walk->path - start) {
            status = refuse(walk, "is too deep");
            break;
        }
        walk->path_size = start + (size_t)size;
        status = visit_name(walk, folder, names.items[i]);
    }
    walk->path_size = start;
    walk->path[start] = '\0';
    names_done(&names);
    return status;
}

static enum drover_status walk_folder(struct walk *walk, int folder)
{
    struct stat about;
    return fstat(folder, &about) == 0 ? visit(walk, folder, &about) : fail(walk, errno);
}

enum drover_status walk_tree(const char *path, const struct walk_visitor *visitor, void *context,
                             struct drover_error *error)
{
    /* Too large for a stack. */
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk)
        return store_no_memory(error);
    walk->top = path;
    walk->visitor = visitor;
    walk->context = context;
    walk->error = error;
    int folder = open(path, OPEN_ANY | O_DIRECTORY);
    enum drover_status status = folder < 0 ? store_fail(error, errno, "tree '%s'", path) : walk_folder(walk, folder);
    if (folder >= 0)
        close(folder);
    free(walk);
    return status;
}
