/* folders.c - the one inotify descriptor, and the folders that are watched through it */
#include "worker/watch/folders.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#define READS_MAX 4 /* whoever changes files without end must not hold us */

void folders_init(struct folders *folders, size_t limit, bool use)
{
    folders->fd = use ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    folders->count = 0;
    folders->limit = limit;
    folders->by_number = NULL;
    folders->size = folders->at = 0;
    folders->reads = 0;
}

void folders_done(struct folders *folders)
{
    assert(folders->by_number == NULL && folders->count == 0);
    if (folders->fd >= 0)
        close(folders->fd);
    folders->fd = -1;
}

static struct folder *find(struct folders *folders, int number)
{
    struct folder *folder = NULL;
    HASH_FIND_INT(folders->by_number, &number, folder);
    return folder;
}

/* NULL when there is no memory. */
static struct folder *add(struct folders *folders, int number)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    if (folder == NULL)
        return NULL;
    folder->number = number;
    HASH_ADD_INT(folders->by_number, number, folder);
    if (find(folders, number) == NULL) {
        free(folder);
        return NULL;
    }
    folders->count++;
    return folder;
}

/* The kernel watches it no more. */
static void forget(struct folders *folders, struct folder *folder)
{
    HASH_DEL(folders->by_number, folder);
    folder->number = -1;
    folders->count--;
}

int folders_watch(struct folders *folders, struct place *place, const char *path, uint32_t mask)
{
    assert(place->folder == NULL);
    if (folders->fd < 0)
        return EMFILE;
    const int number =
        inotify_add_watch(folders->fd, path, mask | IN_MASK_ADD | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK);
    if (number < 0)
        return errno;

    struct folder *folder = find(folders, number);
    if (folder == NULL) {
        const bool full = folders->count >= folders->limit;
        folder = full ? NULL : add(folders, number);
        if (folder == NULL) {
            (void)inotify_rm_watch(folders->fd, number);
            return full ? ENOSPC : ENOMEM;
        }
    }
    DL_APPEND(folder->places, place);
    place->folder = folder;
    return 0;
}

void folders_leave(struct folders *folders, struct place *place)
{
    struct folder *folder = place->folder;
    if (folder == NULL)
        return;
    place->folder = NULL;
    DL_DELETE(folder->places, place);
    if (folder->places != NULL)
        return;
    if (folder->number >= 0) {
        (void)inotify_rm_watch(folders->fd, folder->number);
        forget(folders, folder);
    }
    free(folder);
}

bool folders_has(const struct place *place)
{
    return place->folder != NULL && place->folder->number >= 0;
}

/* True when there is something in the buffer. */
static bool fill(struct folders *folders)
{
    if (folders->at < folders->size)
        return true;
    if (folders->reads++ == READS_MAX)
        return false;
    folders->at = folders->size = 0;
    const ssize_t size = folders->fd >= 0 ? read(folders->fd, folders->buffer, sizeof(folders->buffer)) : -1;
    if (size > 0)
        folders->size = (size_t)size;
    return size > 0;
}

void folders_rewind(struct folders *folders)
{
    folders->reads = 0;
}

bool folders_next(struct folders *folders, struct folder_event *ret)
{
    while (fill(folders)) {
        const struct inotify_event *event = (const void *)(folders->buffer + folders->at);
        folders->at += sizeof(*event) + event->len;
        struct folder *folder = find(folders, event->wd);
        if (folder == NULL && (event->mask & IN_Q_OVERFLOW) == 0)
            continue; /* of a watch that was ended meanwhile */
        if (folder != NULL && (event->mask & IN_IGNORED) != 0)
            forget(folders, folder);
        ret->folder = folder;
        ret->mask = event->mask;
        ret->name = event->len > 0 ? event->name : "";
        return true;
    }
    return false;
}
