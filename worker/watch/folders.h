/* folders.h - the one inotify descriptor, and the folders that are watched through it
 *
 * A folder has one watch however many need it: each of them has a place in the folder's list, and the last to leave
 * ends the watch. Folders are watched, never files: a file's watch dies with the first rename over it.
 */
#ifndef DROVER_WATCH_FOLDERS_H
#define DROVER_WATCH_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* What is wanted of a folder: that names in it come and go, or that their content changes as well. IN_MODIFY is left
 * out: it comes for each write, and what is written is closed some day. */
#define FOLDERS_NAMES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define FOLDERS_CONTENT (FOLDERS_NAMES | IN_CLOSE_WRITE | IN_ATTRIB)

struct subject;

enum place_kind {
    PLACE_LINK, /* a step on the way of a path: struct link */
    PLACE_NODE, /* a folder of a tree: struct node */
};

/* Somebody's interest in a folder; the first member of what it is the place of. */
struct place {
    enum place_kind kind;
    struct subject *subject; /* borrowed */
    struct folder *folder;   /* NULL: not watched */
    struct place *prev, *next;
};

struct folder {
    int number;           /* the kernel's; -1: it is watched no more, because it is gone */
    struct place *places; /* never empty */
    UT_hash_handle hh;
};

struct folders {
    int fd;                   /* -1: there is no inotify */
    size_t count, limit;      /* of watches */
    struct folder *by_number; /* those with a watch */
    size_t size, at;          /* of `buffer`: read, and given out */
    unsigned reads;           /* since folders_rewind() */
    _Alignas(struct inotify_event) char buffer[65536];
};

struct folder_event {
    struct folder *folder; /* NULL: events were lost */
    uint32_t mask;         /* IN_... */
    const char *name;      /* "" when it is the folder itself; borrowed until the next call */
};

/* `use` false: as if no inotify instance were to be had. */
void folders_init(struct folders *folders, size_t limit, bool use);

/* All places must have left. */
void folders_done(struct folders *folders);

/* Let `place`, which is watched nowhere, watch the folder `path` (the last part may be no link). Returns 0 or an errno:
 * EMFILE (no inotify), ENOSPC (no watch left), ENOENT, ENOTDIR, EACCES, ENOMEM. */
int folders_watch(struct folders *folders, struct place *place, const char *path, uint32_t mask);

/* Leave the folder, if there is one. */
void folders_leave(struct folders *folders, struct place *place);

/* True when `place` is watched by the kernel. */
bool folders_has(const struct place *place);

/* Begin to take events. */
void folders_rewind(struct folders *folders);

/* The next event of a watched folder, false when there is none now, or when enough were taken since folders_rewind():
 * then the descriptor is still readable. IN_IGNORED is given out after the folder has lost
 * its watch. */
bool folders_next(struct folders *folders, struct folder_event *ret);

#endif
