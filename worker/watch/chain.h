/* chain.h - the way to a file or folder, through every link of its path
 *
 * Each folder on the way is watched for the one name that leads on, before that name is looked at: whatever is put
 * into its place later makes an event, wherever on the way it happens, and also for a name that is not there yet.
 */
#ifndef DROVER_WATCH_CHAIN_H
#define DROVER_WATCH_CHAIN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "worker/watch/folders.h"

/* One step: a name in a folder. */
struct link {
    struct place place;
    bool is_last; /* nothing of the path follows */
    struct link *next;
    char name[];
};

struct chain {
    struct link *links;
};

/* Where the path leads. */
struct chain_end {
    bool present;        /* all of it is there */
    struct stat about;   /* if so: what is at the end, which is no link */
    char path[PATH_MAX]; /* if so: without links */
    uint64_t print;      /* of the links on the way */
    int trouble;         /* errno why a folder whose events are needed is not watched; 0 */
    const char *blind;   /* the kind of filesystem on the way that inotify does not see all of; NULL */
};

/* Walk the absolute `path` afresh. `subject` gets the events; those of content, too, for the last name if `content`.
 * Returns 0, or ENOMEM: then the chain is as before. */
int chain_walk(struct chain *chain, struct folders *folders, struct subject *subject, const char *path, bool content,
               struct chain_end *ret);

/* Leave all folders. */
void chain_done(struct chain *chain, struct folders *folders);

#endif
