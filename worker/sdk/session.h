/* session.h - the worker's side of the protocol: from HELLO to the last BYE
 *
 * START: session_init() connects. OPERATION: session_run() greets the broker, configures the driver, takes calls and
 * answers them until it is told to leave; it returns the exit status of the process. END: session_done().
 *
 *     CONNECTING -> GREETING -> SERVING -> DRAINING -> ENDED
 *          ^                       |
 *          +-------- LOST <--------+   (the broker does not know us any more; running calls end first)
 *
 * One turn of the loop looks at the socket, runs at most one call (with concurrency 1), sends what has ended, and takes
 * the steps that became possible. Handlers of received messages (dispatch.c) change the state and never wait, because
 * they also run in the middle of a call, when the driver asks whether it was cancelled.
 *
 * Thread rule: the socket's thread, which is the one that called session_run().
 */
#ifndef DROVER_SDK_SESSION_H
#define DROVER_SDK_SESSION_H

#include <stdatomic.h>

#include "worker/sdk/backlog.h"
#include "worker/sdk/call.h"
#include "worker/sdk/environment.h"
#include "worker/sdk/link.h"
#include "worker/sdk/pool.h"
#include "worker/sdk/served.h"

/* Exit statuses that the host understands. */
#define EXIT_BROKEN 70 /* no memory, or a broker that breaks the protocol: a new start may help */
#define EXIT_MISFIT 78 /* settings, token or driver do not fit: a new start does not help */

enum session_state {
    SESSION_CONNECTING = 1,
    SESSION_GREETING = 2,
    SESSION_SERVING = 4,
    SESSION_DRAINING = 8,
    SESSION_LOST = 16,
    SESSION_ENDED = 32,
};

struct session {
    const struct environment *environment; /* borrowed */
    const atomic_bool *stop;               /* borrowed: set by a signal handler, which also wakes wake_fd */
    int wake_fd;                           /* borrowed */
    struct served served;
    struct link link;
    struct backlog backlog;
    struct runner runner; /* for calls that run on this thread */
    struct pool *pool;    /* NULL with concurrency 1 */

    enum session_state state;
    uint64_t id; /* the session's number; 0 before WELCOME */
    uint64_t instance;
    uint64_t next_sequence; /* of the next call of this session */
    uint64_t greet_at_ms;   /* CONNECTING, GREETING: when HELLO is due (again) */
    uint64_t looked_at_ms;  /* when the socket was last looked at */
    uint64_t odd_frames;    /* received and thrown away */
    struct job *spares;     /* for the next messages; one list */
    size_t spare_count;
    bool ending; /* nothing is started any more; ENDED comes with the last answer */
    int exit_status;
};

/* Connect, in place. All parameters but `driver`'s table outlive the session. Errors: FAILED_PRECONDITION (the table),
 * INVALID_ARGUMENT (the endpoint), RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status session_init(struct session *session, const struct drover_driver *driver,
                                                  const struct environment *environment, const atomic_bool *stop,
                                                  int wake_fd, struct drover_error *error);

/* Serve until the end; the exit status of the process. */
int session_run(struct session *session);

/* Release all; what was sent gets up to a second to leave. */
void session_done(struct session *session);

/* ---- between session.c and dispatch.c ---- */

/* Handle everything that has arrived. */
void session_look(struct session *session);

/* Send a header without strings or body in the current session. */
void session_send(struct session *session, enum wire_command command, uint64_t call);

/* The broker does not know the session any more: forget its calls, greet again after `pause_ms`. */
void session_lose(struct session *session, uint64_t pause_ms);

/* Start nothing any more, and end with `exit_status` as soon as the running calls are answered. */
void session_end(struct session *session, int exit_status);

/* A job to receive into; NULL when there is no memory. */
struct job *session_spare(struct session *session);

/* Use a job again. */
void session_recycle(struct session *session, struct job *job);

#endif
