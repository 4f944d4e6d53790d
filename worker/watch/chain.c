/* chain.c - the way to a file or folder, through every link of its path
 *
 * As path_resolution(7) says, but one name at a time, from the top.
 */
#include "worker/watch/chain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "worker/watch/filesystem.h"
#include "worker/watch/print.h"

#define LINKS_MAX 40 /* as the kernel's */

struct walk {
    struct folders *folders;
    struct subject *subject;
    bool content;
    unsigned followed;
    struct link *links;
    struct chain_end *end;
    char at[PATH_MAX]; /* the folder that was reached; "" is the root */
    char rest[2 * PATH_MAX];
};

/* `to` has room. */
static void copy_text(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

static void free_links(struct link *links, struct folders *folders)
{
    struct link *link, *next;
    LL_FOREACH_SAFE(links, link, next)
    {
        folders_leave(folders, &link->place);
        free(link);
    }
}

/* Take the first name off `rest`; false when there is none. `name` has room for any. */
static bool next_name(struct walk *walk, char *name)
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    const size_t size = strcspn(from, "/");
    memcpy(name, from, size);
    name[size] = '\0';
    memmove(walk->rest, from + size, strlen(from + size) + 1);
    return size > 0;
}

static bool is_last(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static void go_up(struct walk *walk)
{
    char *slash = strrchr(walk->at, '/');
    if (slash != NULL)
        *slash = '\0';
}

static const char *folder_at(const struct walk *walk)
{
    return walk->at[0] != '\0' ? walk->at : "/";
}

/* Watch the folder that was reached for `name`. Returns false when there is no memory; what else hinders goes to
 * `ret_trouble`. */
static bool watch_name(struct walk *walk, const char *name, int *ret_trouble)
{
    struct link *link = calloc(1, sizeof(*link) + strlen(name) + 1);
    if (link == NULL)
        return false;
    copy_text(link->name, name);
    link->is_last = is_last(walk);
    link->place.kind = PLACE_LINK;
    link->place.subject = walk->subject;
    LL_PREPEND(walk->links, link);

    const uint32_t mask = walk->content && link->is_last ? FOLDERS_CONTENT : FOLDERS_NAMES;
    *ret_trouble = folders_watch(walk->folders, &link->place, folder_at(walk), mask);
    return *ret_trouble != ENOMEM;
}

/* Remember what keeps events away. That a folder on the way is replaced by another is rare: there, a filesystem that
 * inotify does not see all of is no reason to poll, nor is a folder that may be passed, but not read. */
static void note_trouble(struct walk *walk, bool on_the_way, int trouble)
{
    if (walk->end->trouble == 0 && !(on_the_way && trouble == EACCES))
        walk->end->trouble = trouble;
    if (walk->end->blind == NULL && !on_the_way)
        walk->end->blind = filesystem_blind_at(folder_at(walk));
}

/* Go on where the link `path` leads; false when it leads nowhere. */
static bool follow(struct walk *walk, const char *path, const struct stat *about)
{
    char target[PATH_MAX];
    const ssize_t size = readlink(path, target, sizeof(target) - 1);
    if (size <= 0 || ++walk->followed > LINKS_MAX)
        return false;
    target[size] = '\0';
    walk->end->print = print_text(print_stat(walk->end->print, about), target);

    char rest[sizeof(walk->rest)];
    const size_t rest_size = strlen(walk->rest);
    if ((size_t)size + 1 + rest_size + 1 > sizeof(rest))
        return false;
    memcpy(rest, target, (size_t)size);
    rest[size] = '/';
    memcpy(rest + size + 1, walk->rest, rest_size + 1);
    copy_text(walk->rest, rest);
    if (target[0] == '/')
        walk->at[0] = '\0';
    return true;
}

enum step { STEP_ON, STEP_END, STEP_NO_MEMORY };

/* Go through one name. */
static enum step step(struct walk *walk, const char *name)
{
    const size_t at_size = strlen(walk->at);
    char path[PATH_MAX];
    struct stat about;
    int trouble = 0;
    if (at_size + 1 + strlen(name) + 1 > sizeof(path))
        return STEP_END;
    memcpy(path, walk->at, at_size);
    path[at_size] = '/';
    copy_text(path + at_size + 1, name);
    if (!watch_name(walk, name, &trouble))
        return STEP_NO_MEMORY;

    const bool present = lstat(path, &about) == 0;
    note_trouble(walk, present && S_ISDIR(about.st_mode), trouble);
    if (present && S_ISLNK(about.st_mode))
        return follow(walk, path, &about) ? STEP_ON : STEP_END;
    if (!present || !(S_ISDIR(about.st_mode) || is_last(walk)))
        return STEP_END;
    copy_text(walk->at, path);
    return STEP_ON;
}

/* From the root to the end of the path, or to where it breaks off. */
static enum step walk_all(struct walk *walk)
{
    char name[sizeof(walk->rest)];
    while (next_name(walk, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            go_up(walk);
            continue;
        }
        const enum step taken = step(walk, name);
        if (taken != STEP_ON)
            return taken;
    }
    walk->end->present = stat(folder_at(walk), &walk->end->about) == 0;
    copy_text(walk->end->path, folder_at(walk));
    return STEP_END;
}

int chain_walk(struct chain *chain, struct folders *folders, struct subject *subject, const char *path, bool content,
               struct chain_end *ret)
{
    struct walk walk = {.folders = folders, .subject = subject, .content = content, .end = ret};
    assert(strlen(path) < PATH_MAX);
    copy_text(walk.rest, path);
    memset(ret, 0, sizeof(*ret));
    ret->print = PRINT_START;
    const bool no_memory = walk_all(&walk) == STEP_NO_MEMORY;

    /* The new places were taken before the old ones are given up, so that no watch ends that is still needed. */
    free_links(no_memory ? walk.links : chain->links, folders);
    if (no_memory)
        return ENOMEM;
    chain->links = walk.links;
    return 0;
}

void chain_done(struct chain *chain, struct folders *folders)
{
    free_links(chain->links, folders);
    chain->links = NULL;
}
