/* inspect.c - looking into the core: figures for the status, and the invariants for the tests */
#include "broker/core/state.h"

static uint64_t count_calls(const struct core *core)
{
    uint64_t calls = core->forgotten_calls;
    for (const struct service *service = core->services; service != NULL; service = service->hh.next)
        calls += service->calls;
    for (const struct service *service = core->removed; service != NULL; service = service->removed_next)
        calls += service->calls;
    return calls;
}

void core_stats(const struct core *core, struct core_stats *ret_stats)
{
    *ret_stats = (struct core_stats){
        .sessions = HASH_COUNT(core->sessions),
        .calls_open = core->calls.open,
        .calls = count_calls(core),
        .late = core->late,
        .malformed = core->malformed,
    };
}

static uint64_t count_ready(const struct service *service)
{
    uint64_t ready = 0;
    for (const struct worker *worker = service->workers; worker != NULL; worker = worker->next)
        ready += worker->ready && !worker->closed;
    return ready;
}

static struct core_service_stats describe_service(const struct service *service)
{
    return (struct core_service_stats){
        .name = service->name,
        .queued = service->queue.count,
        .queued_bytes = service->bytes,
        .leased = service->leased,
        .calls = service->calls,
        .failed = service->failed,
        .unanswered = service->unanswered,
        .repeated = service->repeated,
        .workers_ready = count_ready(service),
        .generation = service->generation,
    };
}

static struct core_worker_stats describe_worker(const struct worker *worker)
{
    return (struct core_worker_stats){
        .worker = worker->number, .in_flight = worker->lease_count, .window = worker->window};
}

bool core_service_stats(const struct core *core, const char *name, struct core_service_stats *ret_stats)
{
    struct service *service = NULL;
    HASH_FIND_STR(core->services, name, service);
    if (service != NULL)
        *ret_stats = describe_service(service);
    return service != NULL;
}

size_t core_list_services(const struct core *core, struct core_service_stats *stats, size_t capacity)
{
    size_t count = 0;
    for (const struct service *service = core->services; service != NULL; service = service->hh.next) {
        if (count < capacity)
            stats[count] = describe_service(service);
        count++;
    }
    return count;
}

size_t core_list_workers(const struct core *core, struct core_worker_stats *stats, size_t capacity)
{
    size_t count = 0;
    for (const struct worker *worker = core->workers; worker != NULL; worker = worker->hh.next) {
        if (count < capacity)
            stats[count] = describe_worker(worker);
        count++;
    }
    return count;
}

bool core_worker_stats(const struct core *core, uint64_t number, struct core_worker_stats *ret_stats)
{
    struct worker *worker = NULL;
    HASH_FIND(hh, core->workers, &number, sizeof(number), worker);
    if (worker != NULL)
        *ret_stats = describe_worker(worker);
    return worker != NULL;
}

/* ---- invariants ---- */

static const char *check_worker(const struct worker *worker)
{
    size_t leases = 0;
    size_t running = 0;
    uint64_t sequence = 0;
    const struct call *first_waiting = NULL;
    for (const struct call *call = worker->leases; call != NULL; call = call->lease_next) {
        if (call->state != CALL_LEASED || call->worker != worker)
            return "a call in a worker's leases is not leased to it";
        if (call->question != QUESTION_NONE && call->client != NULL)
            return "a question of the host's has a client";
        if (call->sequence <= sequence)
            return "a worker's leases are not in the order of their sequence";
        if (!timer_is_set(&call->timer.timer) && (call->client != NULL || call->running_since_ms == 0))
            return "a leased call has no timer though its worker was not reported as hung";
        sequence = call->sequence;
        leases++;
        running += call->running_since_ms != 0;
        if (call->running_since_ms == 0 && first_waiting == NULL)
            first_waiting = call;
        if (call->running_since_ms != 0 && first_waiting != NULL)
            return "a lease runs behind one that waits";
    }
    if (leases != worker->lease_count || running != worker->running)
        return "a worker's counts of leases are wrong";
    if (first_waiting != worker->first_waiting)
        return "a worker's first waiting lease is another";
    if (first_waiting != NULL && running < worker->concurrency)
        return "a lease waits though the worker has a free executor";
    return worker->closed && !worker->drained && leases == 0 ? "a closed worker without leases was not reported" : NULL;
}

static const char *check_service(const struct service *service)
{
    size_t queued = 0;
    uint64_t bytes = 0;
    uint64_t leased = 0;
    const char *fault = NULL;
    for (const struct lane *lane = service->queue.ring; lane != NULL; lane = lane->next) {
        size_t count = 0;
        for (const struct call *call = lane->calls; call != NULL; call = call->lane_next) {
            if (call->state != CALL_QUEUED || call->lane != lane || call->client == NULL)
                return "a call in a lane is not queued there";
            if (!timer_is_set(&call->timer.timer))
                return "a queued call has no timer";
            count++;
            bytes += call->size;
        }
        if (count != lane->count)
            return "a lane's count is wrong";
        queued += count;
    }
    for (const struct worker *worker = service->workers; worker != NULL && fault == NULL; worker = worker->next) {
        fault = check_worker(worker);
        leased += worker->lease_count;
        for (const struct call *call = worker->leases; call != NULL; call = call->lease_next)
            bytes += call->size;
        if (fault == NULL && queued > 0 && worker->ready && !worker->closed && worker->lease_count == 0 &&
            worker->generation == service->generation)
            fault = "calls are queued though a worker is idle";
    }
    if (fault != NULL)
        return fault;
    if (queued != service->queue.count || leased != service->leased || bytes != service->bytes)
        return "a service's counts of calls or bytes are wrong";
    return queued == 0 && service->queue.ring != NULL ? "an empty queue has lanes" : NULL;
}

/* It is not in the table, nobody's calls reach it, and it is there only because somebody has calls of it, or may have.
 */
static const char *check_removed(const struct core *core, const struct service *service)
{
    struct service *found = NULL;
    HASH_FIND_STR(core->services, service->name, found);
    if (found == service || !service->removed)
        return "a removed service can still be found";
    if (service->workers == NULL)
        return "a removed service without workers is kept";
    if (service->queue.count > 0 || service->generation != 0)
        return "calls wait for a removed service";
    return check_service(service);
}

static const char *check_session(const struct session *session)
{
    size_t open = 0;
    for (const struct call *call = session->calls; call != NULL; call = call->client_next) {
        if (call->client != session)
            return "a call in a session's list has another client";
        open++;
    }
    if (open != session->calls_open)
        return "a session's count of open calls is wrong";
    if (session->id != 0 && session->principal == NULL)
        return "an open session has no principal";
    return timer_is_set(&session->timer.timer) ? NULL : "a session has no timer";
}

static const char *check_calls(const struct core *core)
{
    size_t open = 0;
    size_t listed = 0;
    for (size_t i = 0; i < core->calls.chunk_count * CALLS_CHUNK; i++)
        open += core->calls.chunks[i / CALLS_CHUNK][i % CALLS_CHUNK].state != CALL_FREE;
    for (const struct service *service = core->services; service != NULL; service = service->hh.next)
        listed += service->queue.count + service->leased;
    for (const struct service *service = core->removed; service != NULL; service = service->removed_next)
        listed += service->leased;
    return open != core->calls.open || listed != open ? "a call is neither queued nor leased" : NULL;
}

const char *core_check(const struct core *core)
{
    const char *fault = check_calls(core);
    for (const struct service *service = core->services; service != NULL && fault == NULL; service = service->hh.next)
        fault = service->removed ? "a service in the table is removed" : check_service(service);
    for (const struct service *service = core->removed; service != NULL && fault == NULL;
         service = service->removed_next)
        fault = check_removed(core, service);
    for (const struct session *session = core->sessions; session != NULL && fault == NULL; session = session->hh.next)
        fault = check_session(session);
    return fault;
}
