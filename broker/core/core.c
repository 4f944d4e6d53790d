/* core.c - the core's life, its orders and its clock; see core.h */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/care.h"
#include "broker/core/lease.h"
#include "broker/core/queue.h"
#include "broker/core/services.h"
#include "broker/core/session.h"

/* ---- life ---- */

enum drover_status core_new(const struct core_settings *settings, uint64_t now_ms, struct core **ret_core,
                            struct drover_error *error)
{
    struct core *core = calloc(1, sizeof(*core));
    if (core == NULL)
        goto fail;
    core->settings = *settings;
    if (core->settings.sessions_max == 0)
        core->settings.sessions_max = CORE_SESSIONS_MAX;
    core->now_ms = now_ms;
    timers_init(&core->timers, now_ms);
    core->writer = drover_writer_new();
    if (core->writer == NULL || drover_document_parse(NULL, 0, &core->document, error) != DROVER_OK)
        goto fail;
    *ret_core = core;
    return DROVER_OK;

fail:
    core_free(core);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for the broker's core");
}

static void free_methods(struct worker *worker)
{
    for (size_t i = 0; i < worker->method_count; i++)
        free(worker->methods[i].name);
    free(worker->methods);
}

/* The worker has no leases any more. */
static void worker_free(struct core *core, struct worker *worker)
{
    if (worker->session != NULL) {
        worker->session->worker = NULL;
        session_end(core, worker->session);
    }
    DL_DELETE(worker->service->workers, worker);
    HASH_DEL(core->workers, worker);
    free_methods(worker);
    free(worker->artefact);
    free(worker->settings);
    free(worker);
}

static void free_calls(struct core *core)
{
    for (size_t chunk = 0; chunk < core->calls.chunk_count; chunk++) {
        for (size_t i = 0; i < CALLS_CHUNK; i++) {
            struct call *call = &core->calls.chunks[chunk][i];
            if (call->state == CALL_FREE)
                continue;
            call_detach(core, call);
            if (call->lane != NULL)
                queue_remove(core, call);
            call_free(core, call);
        }
    }
    for (size_t chunk = 0; chunk < core->calls.chunk_count; chunk++)
        free(core->calls.chunks[chunk]);
    free(core->calls.chunks);
}

struct core *core_free(struct core *core)
{
    if (core == NULL)
        return NULL;
    free_calls(core);
    while (core->workers != NULL)
        worker_free(core, core->workers); /* NOLINT(clang-analyzer-unix.Malloc): it takes itself out of the table */
    while (core->sessions != NULL)
        session_end(core, core->sessions);
    services_free_all(core);
    effects_done(&core->effects, core->settings.bodies);
    drover_document_free(core->document);
    drover_writer_free(core->writer);
    free(core);
    return NULL;
}

struct effects *core_effects(struct core *core)
{
    return &core->effects;
}

/* ---- leaving ---- */

void core_leave(struct core *core, uint64_t now_ms)
{
    core->now_ms = now_ms;
    for (struct session *session = core->sessions; session != NULL; session = session->hh.next) {
        struct wire_header bye = {.command = WIRE_BYE};
        if (session->id != 0 && session->worker == NULL && session->calls == NULL)
            session_send(core, session, &bye);
    }
}

/* ---- workers ---- */

static struct worker *find_worker(const struct core *core, uint64_t number)
{
    struct worker *worker = NULL;
    HASH_FIND(hh, core->workers, &number, sizeof(number), worker);
    return worker;
}

enum drover_status core_expect_worker(struct core *core, const struct core_expected *expected,
                                      struct drover_error *error)
{
    struct service *service = services_find(core, expected->service);
    if (service == NULL)
        return drover_error_set(error, DROVER_NOT_FOUND, "service '%s' is not configured here", expected->service);
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        goto fail;
    worker->number = expected->worker;
    worker->generation = expected->generation;
    worker->service = service;
    worker->artefact = strdup(expected->artefact != NULL ? expected->artefact : "");
    worker->settings = malloc(expected->settings_size + 1);
    memcpy(worker->token, expected->token, sizeof(worker->token));
    if (worker->artefact == NULL || worker->settings == NULL)
        goto fail;
    if (expected->settings_size > 0)
        memcpy(worker->settings, expected->settings, expected->settings_size);
    worker->settings_size = expected->settings_size;
    HASH_ADD(hh, core->workers, number, sizeof(worker->number), worker);
    if (worker->hh.tbl == NULL)
        goto fail;
    DL_APPEND(service->workers, worker);
    return DROVER_OK;

fail:
    if (worker != NULL) {
        free(worker->artefact);
        free(worker->settings);
        free(worker);
    }
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "service '%s': no memory for a worker",
                            expected->service);
}

void core_worker_closed(struct core *core, uint64_t now_ms, uint64_t number, uint64_t started)
{
    core->now_ms = now_ms;
    struct worker *worker = find_worker(core, number);
    if (worker == NULL)
        return;
    lease_close(worker);
    worker->drained = false; /* it may have left by itself before; whoever asks gets an answer */
    lease_take_back(core, worker, started);
    lease_check_drained(core, worker);
    lease_pump(core, worker->service);
}

void core_worker_lost(struct core *core, uint64_t now_ms, uint64_t number, uint64_t started)
{
    core->now_ms = now_ms;
    struct worker *worker = find_worker(core, number);
    if (worker == NULL)
        return;
    struct service *service = worker->service;
    worker->closed = true;
    worker->drained = true; /* nobody is left to be told so */
    lease_take_back(core, worker, started);
    lease_lose(core, worker);
    worker_free(core, worker);
    lease_pump(core, service);
    services_worker_gone(core, service);
}

bool core_worker_peer(const struct core *core, uint64_t number, uint64_t *ret_peer)
{
    const struct worker *worker = find_worker(core, number);
    if (worker == NULL || worker->session == NULL)
        return false;
    *ret_peer = worker->session->peer;
    return true;
}

/* ---- connections and answers ---- */

void core_peer_gone(struct core *core, uint64_t now_ms, uint64_t peer)
{
    core->now_ms = now_ms;
    struct session *session = session_find(core, peer);
    if (session == NULL)
        return;
    /* A worker that is dead is reported by its host, with what it had begun; one that only lost its connection is of no
     * use any more, and the host is to replace it. */
    if (session->worker != NULL)
        effects_worker(&core->effects, EFFECT_WORKER_HUNG, session->worker->number, "its connection was lost");
    session_end(core, session);
}

void core_answer_admin(struct core *core, uint64_t now_ms, uint64_t peer, uint64_t session_id, uint64_t call,
                       const struct drover_error *error, struct body *body)
{
    core->now_ms = now_ms;
    struct session *session = session_find(core, peer);
    if (session != NULL && session->id == session_id) {
        struct wire_header header = {.command = WIRE_REPLY, .session = session_id, .call = call};
        if (error != NULL && error->status != DROVER_OK) {
            header.command = WIRE_ERROR;
            wire_header_set_error(&header, error);
        }
        const size_t size = body->present ? body->size : 0;
        effects_send(&core->effects, peer, &header, body, core->settings.bodies);
        care_sent(core, session, size);
    }
    if (body->present)
        core->settings.bodies->release(body);
}

/* ---- time ---- */

static void deadline_passed(struct core *core, struct call *call)
{
    const bool leased = call->state == CALL_LEASED;
    if (call->client == NULL && call->question == QUESTION_NONE) { /* it was told before: is the worker hung? */
        lease_check_hang(core, call);
        return;
    }
    struct drover_error error = {.origin = DROVER_ORIGIN_BROKER, .outcome = call_outcome(call)};
    (void)drover_error_set(&error, DROVER_DEADLINE_EXCEEDED, "service '%s': no answer within %llu ms (%s)",
                           call->service->name, (unsigned long long)call->deadline_ms,
                           leased ? "a worker has the call" : "no worker was free");
    if (!leased) {
        queue_end(core, call, &error);
        return;
    }
    call_tell_error(core, call, &error);
    lease_cancel(core, call);
}

void core_expire(struct core *core, uint64_t now_ms)
{
    core->now_ms = now_ms;
    struct timer *timer = NULL;
    while ((timer = timers_expire(&core->timers, now_ms)) != NULL) {
        struct owned_timer *owned = (struct owned_timer *)timer;
        if (owned->owner == TIMER_CALL)
            deadline_passed(core, (struct call *)((char *)owned - offsetof(struct call, timer)));
        else
            session_tick(core, (struct session *)((char *)owned - offsetof(struct session, timer)));
    }
}

uint64_t core_next_ms(const struct core *core)
{
    return timers_next_ms(&core->timers);
}
