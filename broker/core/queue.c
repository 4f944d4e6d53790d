/* queue.c - lanes and their ring; see queue.h */
#include <stdlib.h>

#include "broker/core/call.h"
#include "broker/core/principal.h"
#include "broker/core/queue.h"

enum {
    QUANTUM = 1,
    COST_BYTES = 4096,           /* bytes that cost as much as a call */
    COST_BYTES_MAX = 256 * 1024, /* so that a turn of the ring is bounded */
    RETRY_MIN_MS = 10,
    RETRY_MAX_MS = 5000,
};

static uint64_t cost_of(const struct call *call)
{
    return 1 + (call->size < COST_BYTES_MAX ? call->size : COST_BYTES_MAX) / COST_BYTES;
}

static struct lane *find_lane(const struct service *service, const struct principal *principal)
{
    struct lane *lane = NULL;
    HASH_FIND_PTR(service->queue.lanes, &principal, lane);
    return lane;
}

static struct lane *add_lane(struct service *service, struct principal *principal)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL)
        return NULL;
    lane->principal = principal;
    lane->deficit = QUANTUM;
    HASH_ADD_PTR(service->queue.lanes, principal, lane);
    if (lane->hh.tbl == NULL) {
        free(lane);
        return NULL;
    }
    DL_PREPEND(service->queue.ring, lane);
    principal->lanes++;
    return lane;
}

static void drop_lane(struct core *core, struct service *service, struct lane *lane)
{
    DL_DELETE(service->queue.ring, lane);
    HASH_DEL(service->queue.lanes, lane); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
    lane->principal->lanes--;
    principal_release(core, lane->principal);
    free(lane);
}

void queue_done(struct core *core, struct service *service)
{
    while (service->queue.ring != NULL)
        drop_lane(core, service, service->queue.ring);
}

uint32_t queue_retry_after_ms(const struct service *service)
{
    const uint64_t ahead = service->queue.count + 1;
    const uint64_t ms = ahead * service->answer_ms_x16 / 16;
    return (uint32_t)(ms < RETRY_MIN_MS ? RETRY_MIN_MS : ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms);
}

enum drover_status queue_admit(const struct core *core, const struct service *service,
                               const struct principal *principal, struct drover_error *error)
{
    (void)core;
    const uint64_t free_places =
        service->queue.count < service->queue_calls ? service->queue_calls - service->queue.count : 0;
    const struct lane *lane = find_lane(service, principal);
    if (free_places > 0 && (lane == NULL || lane->count <= free_places))
        return DROVER_OK;
    error->retry_after_ms = queue_retry_after_ms(service);
    if (free_places == 0)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "service '%s': its queue is full (%llu calls); come back in %u ms", service->name,
                                (unsigned long long)service->queue_calls, error->retry_after_ms);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                            "service '%s': this client has its share of the queue (%zu calls); come back in %u ms",
                            service->name, lane->count, error->retry_after_ms);
}

bool queue_push(struct core *core, struct call *call, bool front)
{
    struct service *service = call->service;
    struct lane *lane = find_lane(service, call->principal);
    if (lane == NULL)
        lane = add_lane(service, call->principal);
    if (lane == NULL)
        return false;
    if (call->body.present)
        core->settings.bodies->settle(&call->body);
    if (front)
        DL_PREPEND2(lane->calls, call, lane_prev, lane_next);
    else
        DL_APPEND2(lane->calls, call, lane_prev, lane_next);
    call->lane = lane;
    call->state = CALL_QUEUED;
    lane->count++;
    service->queue.count++;
    return true;
}

static void take_out(struct call *call)
{
    struct lane *lane = call->lane;
    DL_DELETE2(lane->calls, call, lane_prev, lane_next);
    lane->count--;
    call->service->queue.count--;
    call->lane = NULL;
}

void queue_remove(struct core *core, struct call *call)
{
    if (call->lane == NULL)
        return;
    take_out(call);
    if (call->service->queue.count == 0)
        queue_done(core, call->service);
}

/* The first lane goes to the end of the ring. */
static void rotate(struct service *service)
{
    struct lane *lane = service->queue.ring;
    DL_DELETE(service->queue.ring, lane);
    DL_APPEND(service->queue.ring, lane);
}

/* The first lane has run empty: it waits for its turn like the others, and is dropped when it has nothing then. */
static void retire(struct service *service)
{
    service->queue.ring->deficit = QUANTUM;
    rotate(service);
}

struct call *queue_pop(struct core *core, struct service *service)
{
    struct queue *queue = &service->queue;
    while (queue->count > 0) {
        struct lane *lane = queue->ring;
        if (lane->count == 0) {
            drop_lane(core, service, lane);
            continue;
        }
        struct call *call = lane->calls;
        const uint64_t cost = cost_of(call);
        const bool alone = lane->next == NULL;
        if (lane->deficit < cost && !alone) {
            lane->deficit += QUANTUM;
            rotate(service);
            continue;
        }
        lane->deficit = alone ? 0 : lane->deficit - cost;
        take_out(call);
        if (queue->count == 0)
            queue_done(core, service);
        else if (lane->count == 0)
            retire(service);
        return call;
    }
    return NULL;
}

void queue_end(struct core *core, struct call *call, const struct drover_error *error)
{
    call_tell_error(core, call, error);
    queue_remove(core, call);
    call_free(core, call);
}
