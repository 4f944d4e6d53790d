/* helper.h - one helper program under way: drover-store, drover-fetch or drover-build
 *
 * START: helper_start() forks it, in a group of its own, and watches it in the host's epoll set. OPERATION:
 * helper_read() takes what it says: a JSON object a line on standard output, of which the last one with the event
 * "done" or "error" is its result; lines of standard error go into the service's log. helper_tick() ends it when its
 * time is over: SIGTERM, which lets it clean up, then SIGKILL for the whole group. END: when it is dead its owner is
 * told, once, and the helper is released; an owner that has lost interest calls helper_cancel() and is told nothing.
 *
 * It ends when the host's thread does, since that is its parent.
 */
#ifndef DROVER_HOST_HELPER_H
#define DROVER_HOST_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>
#include <jansson.h>

#include "worker/host/capture.h"

struct host;
struct obtaining;

#define HELPER_LINE_MAX ((size_t)256 * 1024) /* octets; a longer line is dropped */
#define HELPER_GRACE_MS UINT64_C(5000)       /* between SIGTERM and SIGKILL */

/* What to run. Borrowed. */
struct helper_plan {
    const char *program;    /* absolute path */
    char *const *arguments; /* argv, ended by NULL */
    uint64_t deadline_ms;   /* when it has to have ended; the programs keep to an earlier one by themselves */
};

/* How it ended. Borrowed for the time of the call. */
struct helper_end {
    const json_t *result;   /* "done" or "error", or NULL when it said neither */
    bool late;              /* its time was over */
    int code, status;       /* si_code and si_status */
    const char *last_error; /* its last line on standard error; "" for none */
};

struct helper {
    uint64_t number;
    struct obtaining *owner; /* NULL: nobody is interested any more */
    pid_t pid;
    int pidfd, output, errors; /* read ends, non-blocking; -1 at their end */
    char *line;                /* what has come of a line */
    size_t line_size, line_capacity;
    bool line_dropped;
    json_t *result;
    struct capture_log log; /* what it wrote on standard error */
    struct capture_stream error_stream;
    uint64_t due_ms;
    unsigned signals; /* how many were sent: SIGTERM, SIGKILL */
    bool late;
    struct helper *prev, *next; /* in host->running */
};

/* Start one for `owner`. Errors: RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status helper_start(struct host *host, struct obtaining *owner,
                                                  const struct helper_plan *plan, struct helper **ret,
                                                  struct drover_error *error);

/* Something happened to one of its descriptors: read, and if it is dead, tell its owner and release it. */
void helper_check(struct host *host, struct helper *helper, uint64_t now_ms);

/* Its time may be over. */
void helper_tick(struct helper *helper, uint64_t now_ms);

/* End it; its owner is told nothing. It stays in the host's list until it is dead. */
void helper_cancel(struct helper *helper, uint64_t now_ms);

/* Kill its group, wait for it (not longer than 2 s) and release it; its owner has none then. Returns NULL. */
struct helper *helper_destroy(struct host *host, struct helper *helper);

/* The helper of a number that runs, or NULL. */
struct helper *helper_find(const struct host *host, uint64_t number);

#endif
