/* watch.h - tells that a driver's file, a tree of sources or the configuration may have changed
 *
 * Who calls it: the host's control loop. START: watch_new(), then watch_add() for each subject. OPERATION: poll
 * watch_fd() until watch_deadline_ms(), call watch_step(), take what watch_next() gives. END: watch_free().
 *
 * A subject is told once a burst: when it was changed and then left alone for its `debounce_ms` (or 2 s after the first
 * event, if it is not left alone). "May have changed" means that stat() says something else than when it was last told
 * (device, inode, mode, size, times of content and of inode; the links on the way to it count, too): reading it tells
 * nothing, touch and chmod do. Whether the content is another one is for the caller to find out, with a hash that is
 * taken after watch_add() or watch_next() returned. What is not there tells nothing, until it is there again.
 *
 * One inotify descriptor serves all subjects. Where there is none, where there are no more watches, and on filesystems
 * that others can change too, a subject is polled; in any case it is looked at every 30 s.
 *
 * Thread rule: one thread at a time.
 */
#ifndef DROVER_WATCH_H
#define DROVER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

struct watch;

enum watch_kind {
    WATCH_FILE, /* a program, a module, a configuration; links are followed wherever they are in its path */
    WATCH_TREE, /* a folder and all below it. Left out: hidden folders, those called "build", and what the options say.
                 * Links in it count as what they are, and are not followed */
};

/* Everything is copied. 0 and NULL mean the default. */
struct watch_options {
    const char *const *skip_names; /* of files and folders in trees */
    size_t skip_name_count;
    const char *const *skip_paths; /* absolute, should exist: the state folder, so that no build triggers another */
    size_t skip_path_count;
    size_t watches_max;  /* in all; default: what the kernel gives */
    size_t folders_max;  /* of one tree that are watched, 4096; the others are polled, up to 16 times as many in all */
    uint64_t poll_ms;    /* 1500; a tree of more than ten files a ms is polled less often */
    uint64_t sweep_ms;   /* 30 000 */
    bool without_events; /* poll everything, use no inotify */
};

struct watch_subject {
    uint64_t id; /* the caller's, not used by another subject */
    enum watch_kind kind;
    const char *path;     /* absolute; copied. Nothing needs to be there */
    uint64_t debounce_ms; /* 150 is good for files, 300 for trees */
};

/* A watch without subjects. That inotify cannot be had is no error. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status watch_new(const struct watch_options *options, struct watch **ret_watch,
                                               struct drover_error *error);

/* Removes all subjects. NULL is allowed. Returns NULL. */
struct watch *watch_free(struct watch *watch);

/* Add a subject as it is now; a tree is read at once (4000 folders take some 0.1 s). Errors: INVALID_ARGUMENT (the path
 * is not absolute, or too long), ALREADY_EXISTS (the id), RESOURCE_EXHAUSTED (memory or descriptors); then nothing has
 * changed. */
DROVER_MUST_CHECK enum drover_status watch_add(struct watch *watch, const struct watch_subject *subject,
                                               uint64_t now_ms, struct drover_error *error);

/* Remove a subject, with what watch_next() has not given out yet; unknown ids are ignored. */
void watch_remove(struct watch *watch, uint64_t id);

/* A descriptor that is readable when watch_step() has work; -1 when there is none, and only the deadline counts. It is
 * the same one as long as `watch` lives. */
int watch_fd(const struct watch *watch);

/* When watch_step() must be called at the latest (0: now, or there is something to take); UINT64_MAX: never. */
uint64_t watch_deadline_ms(const struct watch *watch);

/* Take the events that there are, and do what is due. Never blocks, opens folders, but no files. */
void watch_step(struct watch *watch, uint64_t now_ms);

/* The next subject that may have changed; false when there is none. */
bool watch_next(struct watch *watch, uint64_t *ret_id);

/* How the subject is watched, in a few words for `drover status`: "inotify", or "polled: " and why. Borrowed until the
 * next call of any of these functions; NULL for an unknown id. */
const char *watch_report(struct watch *watch, uint64_t id);

#endif
