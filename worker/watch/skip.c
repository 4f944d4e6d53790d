/* skip.c - what in a tree is nobody's source */
#include "worker/watch/skip.h"

#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"

static char *copy_name(const char *name)
{
    return strdup(name);
}

/* Trees are compared by where they really are. What does not exist yet has no links either. */
static char *copy_path(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : sys_absolute_path(path);
}

static bool copy_all(char ***ret_items, size_t *count, const char *const *from, size_t from_count,
                     char *(*copy)(const char *))
{
    *ret_items = calloc(from_count + 1, sizeof(**ret_items));
    for (*count = 0; *ret_items != NULL && *count < from_count; (*count)++) {
        (*ret_items)[*count] = copy(from[*count]);
        if ((*ret_items)[*count] == NULL)
            return false;
    }
    return *ret_items != NULL;
}

bool skip_init(struct skip *skip, const char *const *names, size_t name_count, const char *const *paths,
               size_t path_count)
{
    memset(skip, 0, sizeof(*skip));
    return copy_all(&skip->names, &skip->name_count, names, name_count, copy_name) &&
           copy_all(&skip->paths, &skip->path_count, paths, path_count, copy_path);
}

void skip_done(struct skip *skip)
{
    for (size_t i = 0; i < skip->name_count; i++)
        free(skip->names[i]);
    for (size_t i = 0; i < skip->path_count; i++)
        free(skip->paths[i]);
    free(skip->names);
    free(skip->paths);
    memset(skip, 0, sizeof(*skip));
}

static bool is_in(const char *path, const char *folder, const char *name)
{
    const size_t size = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/' && strcmp(path + size + 1, name) == 0;
}

bool skip_entry(const struct skip *skip, const char *folder, const char *name, bool is_folder)
{
    if (is_folder && (name[0] == '.' || strcmp(name, "build") == 0))
        return true;
    for (size_t i = 0; i < skip->name_count; i++) {
        if (strcmp(skip->names[i], name) == 0)
            return true;
    }
    for (size_t i = 0; i < skip->path_count; i++) {
        if (is_in(skip->paths[i], folder, name))
            return true;
    }
    return false;
}
