/* lease.c - dispatch and the ends of leases; see lease.h */
#include <stdio.h>
#include <string.h>

#include "broker/core/ask.h"
#include "broker/core/call.h"
#include "broker/core/generation.h"
#include "broker/core/lease.h"
#include "broker/core/queue.h"
#include "broker/core/services.h"

/* ---- windows ---- */

static bool has_room(const struct core *core, struct worker *worker)
{
    if (!worker->ready || worker->closed || worker->generation != worker->service->generation)
        return false;
    if (worker->leases != NULL && core->now_ms - worker->leases->dispatched_ms > CORE_WINDOW_OLD_MS)
        worker->window = worker->concurrency;
    return worker->lease_count < worker->window;
}

struct worker *lease_find_worker(struct core *core, struct service *service)
{
    struct worker *best = NULL;
    for (struct worker *worker = service->workers; worker != NULL; worker = worker->next) {
        if (!has_room(core, worker))
            continue;
        if (best == NULL || worker->lease_count * best->concurrency < best->lease_count * worker->concurrency)
            best = worker;
    }
    return best;
}

static void learn_from_answer(const struct core *core, struct worker *worker, const struct call *call)
{
    const uint64_t age_ms = core->now_ms - call->dispatched_ms;
    if (core->now_us - call->dispatched_us < CORE_WINDOW_FAST_US && worker->window < CORE_WINDOW_MAX)
        worker->window++;
    struct service *service = worker->service;
    service->answer_ms_x16 += age_ms - service->answer_ms_x16 / 16;
    if (service->retry_tokens < CORE_RETRY_TOKENS)
        service->retry_tokens++;
}

/* ---- dispatch ---- */

static void set_running(const struct core *core, struct worker *worker, struct call *call)
{
    call->running_since_ms = core->now_ms > 0 ? core->now_ms : 1; /* 0 means not running */
    worker->running++;
}

static void send_call(struct core *core, struct worker *worker, struct call *call)
{
    const uint64_t left_ms = call->deadline_at_ms > core->now_ms ? call->deadline_at_ms - core->now_ms : 0;
    struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_DEADLINE | FIELD_SEQUENCE | FIELD_TARGET | (call->idempotent ? WIRE_IDEMPOTENT : 0u),
        .session = worker->session->id,
        .call = call_number(call),
        .deadline_ms = (uint32_t)left_ms,
        .sequence = call->sequence,
        .service = {.data = call->service->name, .size = strlen(call->service->name)},
        .method = call_method(call),
        .metadata = call_metadata(call),
    };
    if (header.metadata.size > 0)
        header.flags |= FIELD_METADATA;
    if (call->question == QUESTION_RECONFIGURE) {
        header.command = WIRE_RECONFIGURE;
        header.flags = FIELD_DEADLINE | FIELD_SEQUENCE;
    }
    struct body copy = {.present = false};
    if (call->body.present)
        core->settings.bodies->share(&copy, &call->body);
    effects_send(&core->effects, worker->session->peer, &header, &copy, core->settings.bodies);
}

void lease_start(struct core *core, struct worker *worker, struct call *call)
{
    call->state = CALL_LEASED;
    call->worker = worker;
    call->sequence = ++worker->sequence;
    call->dispatched_ms = core->now_ms;
    call->dispatched_us = core->now_us;
    call->running_since_ms = 0;
    DL_APPEND2(worker->leases, call, lease_prev, lease_next);
    worker->lease_count++;
    call->service->leased++;
    if (worker->running < worker->concurrency)
        set_running(core, worker, call);
    else if (worker->first_waiting == NULL)
        worker->first_waiting = call;
    send_call(core, worker, call);
}

static void unlink_lease(struct core *core, struct call *call)
{
    struct worker *worker = call->worker;
    if (call->running_since_ms != 0) {
        worker->running--;
        struct call *next = worker->first_waiting;
        if (next != NULL) {
            worker->first_waiting = next->lease_next;
            set_running(core, worker, next);
        }
    } else if (worker->first_waiting == call) {
        worker->first_waiting = call->lease_next;
    }
    DL_DELETE2(worker->leases, call, lease_prev, lease_next);
    worker->lease_count--;
    call->service->leased--;
    call->worker = NULL;
    call->running_since_ms = 0;
}

void lease_end(struct core *core, struct call *call)
{
    struct worker *worker = call->worker;
    if (!call->asked) /* a question takes no time: it says nothing of calls */
        learn_from_answer(core, worker, call);
    unlink_lease(core, call);
    lease_check_drained(core, worker);
}

void lease_pump(struct core *core, struct service *service)
{
    while (service->queue.count > 0) {
        struct worker *worker = lease_find_worker(core, service);
        if (worker == NULL)
            return;
        lease_start(core, worker, queue_pop(core, service));
    }
}

/* ---- cancelled and hung ---- */

void lease_watch_hang(struct core *core, struct call *call)
{
    const uint64_t since_ms = call->running_since_ms != 0 ? call->running_since_ms : core->now_ms;
    uint64_t at_ms = since_ms + call->hang_ms;
    if (at_ms <= core->now_ms)
        at_ms = core->now_ms + 1;
    timers_set(&core->timers, &call->timer.timer, at_ms);
}

void lease_cancel(struct core *core, struct call *call)
{
    if (call->worker->session != NULL) {
        const struct session *session = call->worker->session;
        const struct wire_header header = {.command = WIRE_CANCEL, .session = session->id, .call = call_number(call)};
        effects_send(&core->effects, session->peer, &header, NULL, core->settings.bodies);
    }
    lease_watch_hang(core, call);
}

void lease_check_hang(struct core *core, struct call *call)
{
    if (call->running_since_ms == 0 || core->now_ms - call->running_since_ms < call->hang_ms) {
        lease_watch_hang(core, call);
        return;
    }
    char text[160];
    (void)snprintf(text, sizeof(text), "a call has been running for %llu ms",
                   (unsigned long long)(core->now_ms - call->running_since_ms));
    effects_worker(&core->effects, EFFECT_WORKER_HUNG, call->worker->number, text);
}

/* ---- taken back, lost ---- */

/* Out of the hands of a worker that has not answered. */
static void take_out(struct core *core, struct call *call)
{
    ask_dropped(core, call);
    unlink_lease(core, call);
}

/* Back to the head of the queue with a call that is in no list. */
static void requeue(struct core *core, struct call *call)
{
    struct service *service = call->service;
    struct drover_error error = {.origin = DROVER_ORIGIN_BROKER, .outcome = call_outcome(call)};
    if (call->client == NULL) {
        call_free(core, call);
        return;
    }
    call_renumber(core, call); /* what the former worker still says of it is late */
    if (core->stopping)
        (void)drover_error_set(&error, DROVER_UNAVAILABLE, "the broker is stopping");
    else if (services_refusal(service) != NULL)
        (void)drover_error_set(&error, DROVER_UNAVAILABLE, "service '%s': %s", service->name,
                               services_refusal(service));
    else if (!queue_push(core, call, true))
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory to queue the call",
                               service->name);
    if (error.status != DROVER_OK)
        queue_end(core, call, &error);
}

void lease_close(struct worker *worker)
{
    worker->closed = true;
    if (worker->session != NULL && worker->ready)
        worker->session->state = WIRE_STATE_DRAINING;
}

void lease_give_back(struct core *core, struct call *call)
{
    struct worker *worker = call->worker;
    lease_close(worker);
    take_out(core, call);
    requeue(core, call);
    lease_check_drained(core, worker);
}

/* From the last to the first, so that each goes before the one that was given after it. */
static struct call *last_lease(const struct worker *worker)
{
    return worker->leases != NULL ? worker->leases->lease_prev : NULL;
}

void lease_take_back(struct core *core, struct worker *worker, uint64_t started)
{
    struct call *call = NULL;
    while ((call = last_lease(worker)) != NULL && call->sequence > started) {
        take_out(core, call);
        requeue(core, call);
    }
}

static bool is_idempotent(const struct worker *worker, const struct call *call)
{
    const struct drover_text method = call_method(call);
    if (call->idempotent)
        return true;
    for (size_t i = 0; i < worker->method_count; i++) {
        if (drover_text_equals(method, worker->methods[i].name))
            return worker->methods[i].idempotent;
    }
    return false;
}

static bool may_repeat(struct worker *worker, struct call *call)
{
    struct service *service = call->service;
    if (call->client == NULL || call->repeated || !service->retry || service->retry_tokens < CORE_RETRY_COST ||
        !is_idempotent(worker, call))
        return false;
    service->retry_tokens -= CORE_RETRY_COST;
    service->repeated++;
    call->repeated = true;
    return true;
}

void lease_lose(struct core *core, struct worker *worker)
{
    struct call *call = NULL;
    while ((call = last_lease(worker)) != NULL) {
        const bool repeat = may_repeat(worker, call);
        if (call->client != NULL)
            generation_count(worker, true);
        take_out(core, call);
        if (repeat || call->client == NULL) {
            requeue(core, call);
            continue;
        }
        struct drover_error error = {.origin = DROVER_ORIGIN_BROKER, .outcome = DROVER_OUTCOME_UNKNOWN};
        (void)drover_error_set(&error, DROVER_UNAVAILABLE,
                               "service '%s': the worker died while it had the call; it may have been carried out",
                               call->service->name);
        queue_end(core, call, &error);
    }
}

void lease_check_drained(struct core *core, struct worker *worker)
{
    if (!worker->closed || worker->drained || worker->lease_count > 0)
        return;
    worker->drained = true;
    effects_worker(&core->effects, EFFECT_WORKER_DRAINED, worker->number, "");
}
