/* job.c - see job.h */
#include "worker/sdk/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct job *job_new(void)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    zmq_msg_init(&job->head);
    zmq_msg_init(&job->body);
    zmq_msg_init(&job->reply);
    atomic_init(&job->cancelled, false);
    return job;
}

struct job *job_free(struct job *job)
{
    if (!job)
        return NULL;
    zmq_msg_close(&job->head);
    zmq_msg_close(&job->body);
    zmq_msg_close(&job->reply);
    free(job);
    return NULL;
}

static void empty(zmq_msg_t *message)
{
    zmq_msg_close(message);
    zmq_msg_init(message);
}

void job_clear(struct job *job)
{
    empty(&job->head);
    empty(&job->body);
    empty(&job->reply);
    atomic_store_explicit(&job->cancelled, false, memory_order_relaxed);
    job->end = JOB_OPEN;
}

void job_fail(struct job *job, enum drover_status status, enum drover_outcome outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(job->error.text, sizeof(job->error.text), format, arguments);
    va_end(arguments);
    job->error.status = status;
    job->error.outcome = outcome;
    job->error.origin = DROVER_ORIGIN_HOST;
    job->error.retry_after_ms = 0;
    job->end = JOB_ERROR;
}

uint32_t job_time_left_ms(const struct job *job, uint64_t now_ms)
{
    if (job->deadline_at_ms == UINT64_MAX)
        return UINT32_MAX;
    if (job->deadline_at_ms <= now_ms)
        return 0;
    uint64_t left_ms = job->deadline_at_ms - now_ms;
    return left_ms < UINT32_MAX ? (uint32_t)left_ms : UINT32_MAX - 1;
}
