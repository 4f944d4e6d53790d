/* backlog.h - the calls this worker holds: waiting, running, ended
 *
 * The socket's thread puts calls in, takes ended ones out, marks and gives back; whoever runs calls (that thread
 * itself, or executors) takes the next one and says when it ended.
 *
 * Invariants: taking a call and advancing the start word happen under one lock, so that the order of starts is the
 * order of arrival; while new settings are taken, no call runs; the word is advanced exactly once for each call that
 * leaves `waiting`, in that order, unless the session that gave the calls is lost. Once the host has closed the word,
 * no call is started or answered any more.
 *
 * Thread rule: any thread, except where a comment says otherwise.
 */
#ifndef DROVER_SDK_BACKLOG_H
#define DROVER_SDK_BACKLOG_H

#include <pthread.h>

#include "common/wire/startword.h"
#include "worker/sdk/job.h"

/* More calls than this in one worker means that the broker has lost count: windows end at 256. */
#define BACKLOG_MAX 16384

struct backlog {
    struct startword_page *page; /* borrowed; NULL without a host on this machine */
    int wake_fd;                 /* borrowed: an eventfd that wakes the socket's thread when a job has ended */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *waiting, *running, *ended; /* owned */
    size_t waiting_count, running_count, ended_count;
    bool alone;  /* the one that runs must be the only one */
    bool halted; /* nothing is started any more */
};

/* Set up in place. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status backlog_init(struct backlog *backlog, struct startword_page *page, int wake_fd,
                                                  struct drover_error *error);

/* Release it and every job in it. No executor may be left. */
void backlog_done(struct backlog *backlog);

/* Put a call at the end. Takes `job` on success. Errors: RESOURCE_EXHAUSTED when it is full. */
DROVER_MUST_CHECK enum drover_status backlog_push(struct backlog *backlog, struct job *job);

/* Take the next call; new settings only when nothing runs, and nothing while they are taken. With `end` JOB_OPEN it
 * counts as started and is to be run; otherwise it has ended by itself (cancelled, too late, taken back by the host).
 * Either way backlog_end() comes next. NULL when nothing may be begun or all is halted; with `wait`, NULL only when
 * halted. */
struct job *backlog_take(struct backlog *backlog, bool wait);

/* A job that was taken has ended; wakes the socket's thread unless `quietly`. */
void backlog_end(struct backlog *backlog, struct job *job, bool quietly);

/* Take a job that has ended, for the socket's thread to answer and use again; NULL when there is none. */
struct job *backlog_next_ended(struct backlog *backlog);

/* Mark the call as cancelled, wherever it is. False when it is not held (any more). */
bool backlog_cancel(struct backlog *backlog, uint64_t session, uint64_t call);

/* End every waiting call as not started (DRAIN). */
void backlog_give_back(struct backlog *backlog);

/* Drop every waiting call and mark the running ones as cancelled: the session that gave them is lost. */
void backlog_forget(struct backlog *backlog);

/* Start nothing any more, and let executors come home. */
void backlog_halt(struct backlog *backlog);

/* How many calls wait, and how many have not been answered yet (waiting ones included). Both by the socket's thread. */
size_t backlog_waiting(struct backlog *backlog);
size_t backlog_unanswered(struct backlog *backlog);

/* How many calls run or have ended without being answered yet. */
size_t backlog_started(struct backlog *backlog);

#endif
