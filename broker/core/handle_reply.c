/* handle_reply.c - REPLY, ERROR and DRAINED: what workers answer; PING, PONG and BYE of anybody */
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/handle.h"
#include "broker/core/lease.h"
#include "broker/core/session.h"

/* The leased call that a frame of a worker is for. NULL: it is late (counted), or was never given (a breach). */
static struct call *find_lease(struct core *core, struct session *session, const struct wire_header *header)
{
    struct call *call = call_find(core, header->call);
    if (call != NULL && call->state == CALL_LEASED && call->worker == session->worker)
        return call;
    if (call != NULL || call_never_was(core, header->call)) {
        struct drover_error error = {0};
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "%s: call %016llx was never given to this worker",
                               wire_command_info(header->command)->name, (unsigned long long)header->call);
        handle_breach(core, session, header->call, &error);
        return NULL;
    }
    core->late++;
    return NULL;
}

/* A lease ended: the record is free, the worker has room, the queue moves on. */
static void finish(struct core *core, struct call *call)
{
    struct service *service = call->service;
    lease_end(core, call);
    call_free(core, call);
    lease_pump(core, service);
}

static void tell_too_large(struct core *core, struct call *call, size_t size)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_HOST, .outcome = DROVER_OUTCOME_ANSWERED};
    (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED,
                           "service '%s': the reply of %zu bytes is larger than max_body (%llu)", call->service->name,
                           size, (unsigned long long)call->service->max_body);
    call_tell_error(core, call, &error);
}

void handle_reply(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct call *call = find_lease(core, session, incoming->header);
    if (call == NULL)
        return;
    if (incoming->body->size > call->service->max_body) {
        tell_too_large(core, call, incoming->body->size);
    } else {
        struct wire_header header = {.command = WIRE_REPLY};
        call_tell(core, call, &header, incoming->body);
    }
    finish(core, call);
}

void handle_error(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct call *call = find_lease(core, session, incoming->header);
    if (call == NULL)
        return;
    struct wire_header header = *incoming->header;
    struct service *service = call->service;
    if (header.outcome == DROVER_OUTCOME_NOT_STARTED && header.status == DROVER_UNAVAILABLE) {
        lease_give_back(core, call);
        lease_pump(core, service);
        return;
    }
    if (header.outcome == DROVER_OUTCOME_NOT_STARTED && call->repeated)
        header.outcome = DROVER_OUTCOME_UNKNOWN; /* the worker before this one may have begun it */
    header.flags &= FIELD_STATUS;
    if (header.origin != DROVER_ORIGIN_HOST)
        header.origin = DROVER_ORIGIN_DRIVER;
    if (header.status == DROVER_OK)
        header.status = DROVER_INTERNAL;
    call_tell(core, call, &header, incoming->body);
    finish(core, call);
}

void handle_drained(struct core *core, struct session *session, const struct incoming *incoming)
{
    (void)incoming;
    struct worker *worker = session->worker;
    lease_close(worker);
    lease_lose(core, worker);
    lease_check_drained(core, worker);
    lease_pump(core, worker->service);
}

void handle_ping(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct wire_header pong = {.command = WIRE_PONG, .call = incoming->header->call};
    session_send(core, session, &pong);
}

void handle_pong(struct core *core, struct session *session, const struct incoming *incoming)
{
    (void)core;
    (void)session;
    (void)incoming; /* that it came is all it says: heard_ms and the read counters are updated already */
}

void handle_bye(struct core *core, struct session *session, const struct incoming *incoming)
{
    (void)incoming;
    session_end(core, session); /* a worker's leases end with its death, which its host reports */
}
