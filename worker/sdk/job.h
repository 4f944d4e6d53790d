/* job.h - one call that this worker holds, from its receipt to its outcome; RECONFIGURE is one too
 *
 * The frames stay where they were received; the header's strings point into them. A job is made by the socket's
 * thread, run by that thread or by an executor, answered by the socket's thread and used again.
 */
#ifndef DROVER_SDK_JOB_H
#define DROVER_SDK_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zmq.h>

#include <drover/status.h>

#include "common/wire/header.h"

enum job_end {
    JOB_OPEN,    /* not ended yet */
    JOB_REPLY,   /* `reply` is the answer */
    JOB_ERROR,   /* `error` is the answer */
    JOB_DROPPED, /* no answer: the host has taken the call back, or the session is lost */
};

struct job {
    struct job *next, *prev; /* in one list of the backlog */
    zmq_msg_t head, body;    /* frames as received; `body` is empty without a second frame */
    struct wire_header header;
    uint64_t deadline_at_ms; /* UINT64_MAX: none */
    atomic_bool cancelled;   /* set by the socket's thread */
    enum job_end end;
    zmq_msg_t reply;
    struct drover_error error;
};

/* New settings: nothing else may run meanwhile. */
static inline bool job_is_alone(const struct job *job)
{
    return job->header.command == WIRE_RECONFIGURE;
}

/* A new job without content; NULL when there is no memory. */
struct job *job_new(void);

/* NULL is allowed. Returns NULL. */
struct job *job_free(struct job *job);

/* Let go of the frames, so that the job can receive again. */
void job_clear(struct job *job);

/* End the job with an error of the worker library. The text is cut where it is too long. */
void job_fail(struct job *job, enum drover_status status, enum drover_outcome outcome, const char *format, ...)
    DROVER_PRINTF(4, 5);

/* Milliseconds until the deadline: 0 when it is over, UINT32_MAX without one. */
uint32_t job_time_left_ms(const struct job *job, uint64_t now_ms);

#endif
