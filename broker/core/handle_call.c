/* handle_call.c - CALL, CANCEL and ADMIN: what clients ask */
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/care.h"
#include "broker/core/handle.h"
#include "broker/core/lease.h"
#include "broker/core/queue.h"
#include "broker/core/session.h"
#include "common/base/error.h"

/* Say no to a call that has no record (yet). It was not started, and it counts as an outcome. */
static void refuse(struct core *core, struct session *session, const struct wire_header *header,
                   struct drover_error *error)
{
    struct wire_header answer = {.command = WIRE_ERROR, .call = header->call};
    error->outcome = DROVER_OUTCOME_NOT_STARTED;
    error->origin = DROVER_ORIGIN_BROKER;
    wire_header_set_error(&answer, error);
    session_send(core, session, &answer);
    care_sent(core, session, 0);
}

static struct service *find_service(const struct core *core, struct drover_text name)
{
    struct service *service = NULL;
    HASH_FIND(hh, core->services, name.data, name.size, service);
    return service;
}

static uint64_t deadline_of(const struct service *service, const struct wire_header *header)
{
    const uint64_t ms = header->flags & FIELD_DEADLINE ? header->deadline_ms : service->deadline_ms;
    return ms < CORE_DEADLINE_MAX_MS ? ms : CORE_DEADLINE_MAX_MS;
}

/* The checks of a call, in the order of the architecture: service, state, reader, size, deadline. */
static enum drover_status judge_call(const struct core *core, const struct session *session,
                                     const struct wire_header *header, const struct service *service, size_t size,
                                     struct drover_error *error)
{
    if (service == NULL)
        return drover_error_set(error, DROVER_NOT_FOUND, "service '%.*s' is not configured here",
                                (int)header->service.size, header->service.data);
    if (core->stopping)
        return drover_error_set(error, DROVER_UNAVAILABLE, "the broker is stopping");
    if (service->refusal != NULL)
        return drover_error_set(error, DROVER_UNAVAILABLE, "service '%s': %s", service->name, service->refusal);
    if (care_is_behind(session)) {
        error->retry_after_ms = queue_retry_after_ms(service);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "this client has %llu unread outcomes; read them before calling again",
                                (unsigned long long)(session->sent_count - session->read_count));
    }
    if (size > service->max_body)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "service '%s': a request of %zu bytes is larger than max_body (%llu)", service->name,
                                size, (unsigned long long)service->max_body);
    if (service->bytes + size > service->queue_bytes) {
        error->retry_after_ms = queue_retry_after_ms(service);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED,
                                "service '%s': its calls hold %llu of %llu bytes; come back in %u ms", service->name,
                                (unsigned long long)service->bytes, (unsigned long long)service->queue_bytes,
                                error->retry_after_ms);
    }
    if (deadline_of(service, header) == 0)
        return drover_error_set(error, DROVER_DEADLINE_EXCEEDED, "service '%s': the deadline was over on arrival",
                                service->name);
    return DROVER_OK;
}

static void count_refusal(struct service *service)
{
    if (service == NULL)
        return;
    service->calls++;
    service->failed++;
    service->unanswered++;
}

/* Make the record of an accepted call and attach it to its client. NULL when there is no memory. */
static struct call *accept_call(struct core *core, struct session *session, struct service *service,
                                const struct incoming *incoming)
{
    const struct wire_header *header = incoming->header;
    struct call *call = call_new(core);
    if (call == NULL)
        return NULL;
    if (!call_keep_text(call, header)) {
        call_free(core, call);
        return NULL;
    }
    call->service = service;
    call->principal = session->principal;
    call->client = session;
    call->client_call = header->call;
    call->idempotent = (header->flags & WIRE_IDEMPOTENT) != 0;
    call->deadline_ms = deadline_of(service, header);
    call->deadline_at_ms = core->now_ms + call->deadline_ms;
    const uint64_t hang_ms = service->hang_ms > 0 ? service->hang_ms : service->deadline_ms;
    call->hang_ms = (hang_ms > call->deadline_ms ? hang_ms : call->deadline_ms) + CORE_HANG_GRACE_MS;
    call->size = incoming->body->size;
    service->bytes += call->size;
    call->body = body_take(incoming->body);
    DL_APPEND2(session->calls, call, client_prev, client_next);
    session->calls_open++;
    care_watch(core, session);
    timers_set(&core->timers, &call->timer.timer, call->deadline_at_ms);
    return call;
}

void handle_call(struct core *core, struct session *session, const struct incoming *incoming)
{
    const struct wire_header *header = incoming->header;
    struct service *service = find_service(core, header->service);
    struct drover_error error;
    drover_error_clear(&error);
    if (judge_call(core, session, header, service, incoming->body->size, &error) != DROVER_OK) {
        count_refusal(service);
        refuse(core, session, header, &error);
        return;
    }
    struct worker *worker = service->queue.count == 0 ? lease_find_worker(core, service) : NULL;
    if (worker == NULL && queue_admit(core, service, session->principal, &error) != DROVER_OK) {
        count_refusal(service);
        refuse(core, session, header, &error);
        return;
    }
    struct call *call = accept_call(core, session, service, incoming);
    if (call != NULL && worker != NULL) {
        lease_start(core, worker, call);
        return;
    }
    if (call != NULL && queue_push(core, call, false))
        return;
    (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory for the call", service->name);
    if (call == NULL) {
        count_refusal(service);
        refuse(core, session, header, &error);
        return;
    }
    error.outcome = DROVER_OUTCOME_NOT_STARTED;
    error.origin = DROVER_ORIGIN_BROKER;
    queue_end(core, call, &error);
}

void handle_cancel(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct call *call = session->calls;
    while (call != NULL && call->client_call != incoming->header->call)
        call = call->client_next;
    if (call == NULL) { /* it ended meanwhile */
        core->late++;
        return;
    }
    struct drover_error error = {.origin = DROVER_ORIGIN_BROKER, .outcome = call_outcome(call)};
    (void)drover_error_set(&error, DROVER_CANCELLED, "the caller cancelled the call");
    if (call->state == CALL_LEASED) {
        call_tell_error(core, call, &error);
        lease_cancel(core, call);
        return;
    }
    queue_end(core, call, &error);
}

void handle_admin(struct core *core, struct session *session, const struct incoming *incoming)
{
    const struct wire_header *header = incoming->header;
    care_watch(core, session);
    effects_admin(&core->effects, session->peer, session->id, header->call, header->method, incoming->body,
                  core->settings.bodies);
}
