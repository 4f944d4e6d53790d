/* obtaining.h - the driver of a service on its way into the store: the rules of obtain.h tied to helper programs
 *
 * START: obtaining_new(), obtaining_event(BEGIN). OPERATION: helpers are started by obtaining_step_all(), tell how
 * they get on, and end. END: service_obtained() or service_not_obtained() is called; obtaining_free().
 */
#ifndef DROVER_HOST_OBTAINING_H
#define DROVER_HOST_OBTAINING_H

#include "worker/host/helper.h"
#include "worker/host/obtain.h"
#include "worker/host/verdict.h"

#define OBTAINING_PROGRESS_SIZE 64
#define OBTAINING_AT_ONCE 4 /* helpers of a host that run at the same time; the others wait */

struct service;
struct wanted;

struct obtaining {
    struct obtain machine;
    struct service *service;
    struct wanted *wanted; /* a reference */
    struct helper *helper; /* NULL when none runs */
    bool pending;          /* one is to be started */
    bool quarantine;       /* FAILED: because of the pin */
    struct finding finding;
    struct capture_stream lines[CAPTURE_SOURCES]; /* what compilers print, and what helpers complain of */
    char progress[OBTAINING_PROGRESS_SIZE];       /* "fetching 40 %"; "" when there is nothing to say */
};

/* For what `wanted` says (it has an origin). NULL when there is no memory. */
struct obtaining *obtaining_new(struct service *service, struct wanted *wanted);

/* Cancels its helper, if one runs. NULL is allowed. Returns NULL. */
struct obtaining *obtaining_free(struct obtaining *obtaining, uint64_t now_ms);

/* Apply BEGIN, TICK or STOP. */
void obtaining_event(struct obtaining *obtaining, enum obtain_event event, uint64_t now_ms);

/* For all services: end helpers whose time is over, run what is due, start those that are waited for if there is room
 * for one more; when to do so again (0: now, UINT64_MAX: never). */
void obtaining_step_all(struct host *host, uint64_t now_ms);
uint64_t obtaining_next_ms(const struct host *host);

/* A helper says something in between. */
void obtaining_progress(struct obtaining *obtaining, const json_t *event);
void obtaining_errors(struct obtaining *obtaining, const struct capture_origin *origin, const char *data, size_t size);

/* Its helper is dead. */
void obtaining_ended(struct obtaining *obtaining, const struct helper_end *end, uint64_t now_ms);

#endif
