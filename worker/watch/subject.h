/* subject.h - one file or tree that is watched
 *
 * START: subject_new() reads it as it is now. OPERATION: subject_event() for each event of its folders, then
 * subject_step(); `is_ready` is set when it may have changed and is quiet. END: subject_free().
 *
 * Two ways lead to "it may have changed": events, which say when it is quiet as well, and passes, which read everything
 * again. Where events cannot be relied on, passes are made every `poll_ms`, and a change is told only after a pass that
 * found no further one (or at the limit of the debounce time). Everything has a pass every `sweep_ms`.
 */
#ifndef DROVER_WATCH_SUBJECT_H
#define DROVER_WATCH_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/watch/chain.h"
#include "worker/watch/debounce.h"
#include "worker/watch/folders.h"
#include "worker/watch/tree.h"
#include "worker/watch/watch.h"

/* What all subjects have in common. */
struct subject_rules {
    struct folders *folders;
    struct skip skip;
    size_t watched_max;
    uint64_t poll_ms, sweep_ms;
};

struct subject {
    uint64_t id;
    enum watch_kind kind;
    char *path;
    const struct subject_rules *rules; /* borrowed */
    struct debounce debounce;
    struct chain chain;
    struct tree tree; /* WATCH_TREE */
    int trouble;      /* of the way to it */
    const char *blind;

    bool present;
    uint64_t way;        /* print of the links on the way */
    uint64_t seen, told; /* prints: what it is, and what it was when that was last told */
    bool touched;        /* there was an event since */
    bool in_doubt;       /* `told` was read while it was written to: the next event counts even if the print is equal */
    bool must_walk;      /* the way to it may lead elsewhere */
    bool must_build;     /* events of its tree were lost */
    bool has_failed;     /* no memory or no descriptor: the next pass tries again */
    uint64_t created;    /* print of folder and name that was created, and not closed yet; 0 */

    bool is_passing, pass_found, confirmed; /* `confirmed`: a pass found nothing new since the last change */
    uint64_t next_poll_ms, next_sweep_ms;
    bool is_ready;
    char report[160];
    struct subject *prev, *next;
};

/* A subject as it is now, not ready. NULL when there is no memory. */
struct subject *subject_new(const struct subject_rules *rules, const struct watch_subject *what, uint64_t now_ms);

/* NULL is allowed. Returns NULL. */
struct subject *subject_free(struct subject *subject);

/* An event in the folder of `place`, one of the subject's. */
void subject_event(struct subject *subject, struct place *place, const struct folder_event *event, uint64_t now_ms);

/* Events were lost. */
void subject_lost_events(struct subject *subject, uint64_t now_ms);

/* Do what is due. */
void subject_step(struct subject *subject, uint64_t now_ms);

/* When subject_step() is to be called at the latest; 0: now. */
uint64_t subject_deadline_ms(const struct subject *subject);

/* As watch_report(). */
const char *subject_report(struct subject *subject);

#endif
