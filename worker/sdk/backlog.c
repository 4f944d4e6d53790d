/* backlog.c - see backlog.h */
#include "worker/sdk/backlog.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <utlist.h>

#include "common/sys/sys.h"

enum drover_status backlog_init(struct backlog *backlog, struct startword_page *page, int wake_fd,
                                struct drover_error *error)
{
    *backlog = (struct backlog){.page = page, .wake_fd = wake_fd};
    if (pthread_mutex_init(&backlog->lock, NULL) != 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no mutex");
    if (pthread_cond_init(&backlog->changed, NULL) != 0) {
        pthread_mutex_destroy(&backlog->lock);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: no condition variable");
    }
    return DROVER_OK;
}

static void free_list(struct job *head)
{
    struct job *job, *next;

    DL_FOREACH_SAFE (head, job, next)
        job_free(job);
}

void backlog_done(struct backlog *backlog)
{
    free_list(backlog->waiting);
    free_list(backlog->running);
    free_list(backlog->ended);
    pthread_cond_destroy(&backlog->changed);
    pthread_mutex_destroy(&backlog->lock);
}

enum drover_status backlog_push(struct backlog *backlog, struct job *job)
{
    enum drover_status status = DROVER_RESOURCE_EXHAUSTED;

    pthread_mutex_lock(&backlog->lock);
    if (backlog->waiting_count < BACKLOG_MAX) {
        DL_APPEND(backlog->waiting, job);
        backlog->waiting_count++;
        pthread_cond_signal(&backlog->changed);
        status = DROVER_OK;
    }
    pthread_mutex_unlock(&backlog->lock);
    return status;
}

/* May the call that leaves the list of waiting ones be touched at all? */
static bool begin(struct backlog *backlog)
{
    return !backlog->page || startword_begin(backlog->page);
}

/* Decide whether a call that is about to start still should. */
static void judge(struct backlog *backlog, struct job *job)
{
    if (!begin(backlog))
        job->end = JOB_DROPPED;
    else if (atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        job_fail(job, DROVER_CANCELLED, DROVER_OUTCOME_NOT_STARTED, "the call was cancelled before it was started");
    else if (job_time_left_ms(job, job->deadline_at_ms == UINT64_MAX ? 0 : sys_now_ms()) == 0)
        job_fail(job, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED,
                 "the time for the call was over before it was started");
}

static struct job *pop_waiting(struct backlog *backlog)
{
    struct job *job = backlog->waiting;

    DL_DELETE(backlog->waiting, job);
    backlog->waiting_count--;
    return job;
}

static void add_ended(struct backlog *backlog, struct job *job)
{
    DL_APPEND(backlog->ended, job);
    backlog->ended_count++;
}

/* May the first of those that wait be begun beside what runs? */
static bool may_take(const struct backlog *backlog)
{
    const struct job *first = backlog->waiting;

    return first && !backlog->alone && !(job_is_alone(first) && backlog->running_count > 0);
}

struct job *backlog_take(struct backlog *backlog, bool wait)
{
    struct job *job = NULL;

    pthread_mutex_lock(&backlog->lock);
    while (wait && !may_take(backlog) && !backlog->halted)
        pthread_cond_wait(&backlog->changed, &backlog->lock);
    if (may_take(backlog) && !backlog->halted) {
        job = pop_waiting(backlog);
        DL_APPEND(backlog->running, job);
        backlog->running_count++;
        backlog->alone = job_is_alone(job);
        judge(backlog, job);
    }
    pthread_mutex_unlock(&backlog->lock);
    return job;
}

void backlog_end(struct backlog *backlog, struct job *job, bool quietly)
{
    assert(job->end != JOB_OPEN);
    pthread_mutex_lock(&backlog->lock);
    bool first = !backlog->ended;
    DL_DELETE(backlog->running, job);
    backlog->running_count--;
    if (backlog->alone || (backlog->waiting && job_is_alone(backlog->waiting)))
        pthread_cond_broadcast(&backlog->changed);
    backlog->alone = false;
    add_ended(backlog, job);
    pthread_mutex_unlock(&backlog->lock);
    /* Only a full counter could make this fail, and a full counter wakes as well. */
    if (first && !quietly)
        (void)eventfd_write(backlog->wake_fd, 1);
}

struct job *backlog_next_ended(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    struct job *job = backlog->ended;
    if (job) {
        DL_DELETE(backlog->ended, job);
        backlog->ended_count--;
    }
    pthread_mutex_unlock(&backlog->lock);
    return job;
}

static bool cancel_in(struct job *head, uint64_t session, uint64_t call)
{
    struct job *job;

    DL_FOREACH (head, job) {
        if (job->header.call == call && job->header.session == session) {
            atomic_store_explicit(&job->cancelled, true, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

bool backlog_cancel(struct backlog *backlog, uint64_t session, uint64_t call)
{
    pthread_mutex_lock(&backlog->lock);
    bool found = cancel_in(backlog->running, session, call) || cancel_in(backlog->waiting, session, call);
    pthread_mutex_unlock(&backlog->lock);
    return found;
}

void backlog_give_back(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    while (backlog->waiting) {
        struct job *job = pop_waiting(backlog);
        if (begin(backlog))
            job_fail(job, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED,
                     "the worker is leaving and gave the call back");
        else
            job->end = JOB_DROPPED;
        add_ended(backlog, job);
    }
    pthread_mutex_unlock(&backlog->lock);
}

void backlog_forget(struct backlog *backlog)
{
    struct job *running;

    pthread_mutex_lock(&backlog->lock);
    DL_FOREACH (backlog->running, running)
        atomic_store_explicit(&running->cancelled, true, memory_order_relaxed);
    while (backlog->waiting) {
        struct job *job = pop_waiting(backlog);
        job->end = JOB_DROPPED;
        add_ended(backlog, job);
    }
    pthread_mutex_unlock(&backlog->lock);
}

void backlog_halt(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    backlog->halted = true;
    pthread_cond_broadcast(&backlog->changed);
    pthread_mutex_unlock(&backlog->lock);
}

size_t backlog_waiting(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    size_t count = backlog->waiting_count;
    pthread_mutex_unlock(&backlog->lock);
    return count;
}

size_t backlog_started(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    size_t count = backlog->running_count + backlog->ended_count;
    pthread_mutex_unlock(&backlog->lock);
    return count;
}

size_t backlog_unanswered(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->lock);
    size_t count = backlog->waiting_count + backlog->running_count + backlog->ended_count;
    pthread_mutex_unlock(&backlog->lock);
    return count;
}
