/* remove.c - removes a tree of files, however deep it is and whatever its modes are (walk.h)
 *
 * A tree in tmp/ may be what a hostile build left: deeper than any path or stack may be. Folders that lie deep are
 * moved up to the folder in which the work began, and their turn comes there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/store/walk.h"

#define DEPTH_MAX 32

struct removal {
    int top; /* what is removed from here: deep folders are moved up to it */
    unsigned depth, moved;
};

static int remove_entry(struct removal *removal, int folder, const char *name);

static int open_folder(int folder, const char *name)
{
    int file = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (file >= 0 || errno != EACCES)
        return file;
    /* A folder without r or x is still ours; the open below does not follow a link either. */
    if (fchmodat(folder, name, 0700, 0) != 0)
        return -1;
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Remove all that is in the open `folder`. 0 or an errno. */
static int empty_folder(struct removal *removal, int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        int code = errno;
        if (copy >= 0)
            close(copy);
        return code;
    }
    int code = 0;
    struct dirent *entry;
    while (code == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = remove_entry(removal, folder, entry->d_name);
    }
    if (code == 0)
        code = errno;
    closedir(stream);
    return code;
}

/* Move a folder that lies deep to the top, under a name that is free. */
static int move_up(struct removal *removal, int folder, const char *name)
{
    char there[32];
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        snprintf(there, sizeof there, "deep-%u", removal->moved++);
        if (renameat2(folder, name, removal->top, there, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

static int remove_folder(struct removal *removal, int folder, const char *name)
{
    if (removal->depth == DEPTH_MAX)
        return move_up(removal, folder, name);
    int file = open_folder(folder, name);
    if (file < 0)
        return errno;
    (void)fchmod(file, 0700); /* without w nothing could be removed from it */
    removal->depth++;
    int code = empty_folder(removal, file);
    removal->depth--;
    close(file);
    if (code == 0 && unlinkat(folder, name, AT_REMOVEDIR) != 0)
        code = errno;
    return code;
}

static int remove_entry(struct removal *removal, int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    return remove_folder(removal, folder, name);
}

int walk_remove(int folder, const char *name)
{
    struct removal removal = {.top = -1};
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    removal.top = open_folder(folder, name);
    if (removal.top < 0)
        return errno;
    (void)fchmod(removal.top, 0700);
    /* Each round takes DEPTH_MAX levels off whatever was moved up; ENOTEMPTY says that something was. */
    unsigned moved;
    int code;
    do {
        moved = removal.moved;
        code = empty_folder(&removal, removal.top);
        if (code == 0 && unlinkat(folder, name, AT_REMOVEDIR) != 0)
            code = errno;
    } while (code == ENOTEMPTY && removal.moved > moved);
    close(removal.top);
    return code;
}
