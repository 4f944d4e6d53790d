/* paths.c - joins and cleans paths */
#include "common/config/paths.h"

#include <stdlib.h>
#include <string.h>

/* Take the last component off `path`, which ends at `end`; returns the new end. */
static char *drop_last(char *path, char *end)
{
    while (end > path && end[-1] != '/')
        end--;
    return end > path ? end - 1 : path;
}

/* Append the components of `from` to `path`, which ends at `end` and holds no trailing slash; returns the new end. */
static char *append(char *path, char *end, const char *from, bool fold)
{
    while (*from) {
        size_t size = strcspn(from, "/");
        bool parent = size == 2 && memcmp(from, "..", 2) == 0;
        if (parent && fold) {
            end = drop_last(path, end);
        } else if (size > 0 && !(size == 1 && *from == '.')) {
            *end++ = '/';
            memcpy(end, from, size);
            end += size;
        }
        from += size;
        from += strspn(from, "/");
    }
    return end;
}

static char *resolve(const char *directory, const char *path, bool fold)
{
    char *result = malloc(strlen(directory) + strlen(path) + 3);
    if (!result)
        return NULL;
    char *end = result;
    if (path[0] != '/')
        end = append(result, end, directory, fold);
    end = append(result, end, path, fold);
    if (end == result)
        *end++ = '/';
    *end = '\0';
    return result;
}

char *path_resolve(const char *directory, const char *path)
{
    return resolve(directory, path, false);
}

char *path_resolve_folded(const char *directory, const char *path)
{
    return resolve(directory, path, true);
}

bool path_has_parent(const char *path)
{
    while (*path) {
        size_t size = strcspn(path, "/");
        if (size == 2 && memcmp(path, "..", 2) == 0)
            return true;
        path += size;
        path += strspn(path, "/");
    }
    return false;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
