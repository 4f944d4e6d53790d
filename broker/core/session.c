/* session.c - records of peers; see session.h */
#include <stdlib.h>

#include "broker/core/call.h"
#include "broker/core/care.h"
#include "broker/core/lease.h"
#include "broker/core/principal.h"
#include "broker/core/queue.h"
#include "broker/core/session.h"

/* ---- records ---- */

struct session *session_find(const struct core *core, uint64_t peer)
{
    struct session *session = NULL;
    HASH_FIND(hh, core->sessions, &peer, sizeof(peer), session);
    return session;
}

struct session *session_new(struct core *core, uint64_t peer, bool back)
{
    if (HASH_COUNT(core->sessions) >= core->settings.sessions_max)
        return NULL;
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return NULL;
    session->peer = peer;
    session->back = back;
    session->state = WIRE_STATE_NEW;
    session->heard_ms = core->now_ms;
    session->timer.owner = TIMER_SESSION;
    HASH_ADD(hh, core->sessions, peer, sizeof(peer), session);
    if (session->hh.tbl == NULL) {
        free(session);
        return NULL;
    }
    timers_set(&core->timers, &session->timer.timer, core->now_ms + CORE_IDLE_MS);
    return session;
}

/* The client is gone, or its session is: what it has open is for nobody. */
static void drop_calls(struct core *core, struct session *session)
{
    while (session->calls != NULL) {
        struct call *call = session->calls;
        call_detach(core, call);
        if (call->state == CALL_LEASED) {
            lease_cancel(core, call);
        } else {
            queue_remove(core, call);
            call_free(core, call);
        }
    }
}

void session_clear(struct core *core, struct session *session)
{
    drop_calls(core, session);
    if (session->worker != NULL) {
        session->worker->session = NULL;
        session->worker->ready = false;
        session->worker = NULL;
    }
    if (session->principal != NULL) {
        session->principal->sessions--;
        principal_release(core, session->principal);
        session->principal = NULL;
    }
    session->id = 0;
    session->state = WIRE_STATE_NEW;
    session->sent_count = session->sent_bytes = session->read_count = session->read_bytes = 0;
    session->slow_since_ms = 0;
}

void session_end(struct core *core, struct session *session)
{
    session_clear(core, session);
    timers_cancel(&core->timers, &session->timer.timer);
    HASH_DEL(core->sessions, session);
    free(session);
}

void session_ban(struct core *core, struct session *session)
{
    session_clear(core, session);
    session->ignored = true;
}

/* ---- sending ---- */

void session_send(struct core *core, const struct session *session, struct wire_header *header)
{
    header->session = session->id;
    effects_send(&core->effects, session->peer, header, NULL, core->settings.bodies);
}

void session_refuse(struct core *core, uint64_t peer, uint64_t session, struct drover_error *error)
{
    struct wire_header header = {.command = WIRE_REFUSED, .session = session};
    error->outcome = DROVER_OUTCOME_NOT_STARTED;
    error->origin = DROVER_ORIGIN_BROKER;
    wire_header_set_error(&header, error);
    effects_send(&core->effects, peer, &header, NULL, core->settings.bodies);
}

/* ---- time ---- */

static void close_slow_reader(struct core *core, struct session *session)
{
    struct drover_error error = {.retry_after_ms = CORE_SLOW_READER_MS};
    (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED,
                           "%llu outcomes (%llu bytes) are unread: the session is closed; read faster or ask for less",
                           (unsigned long long)(session->sent_count - session->read_count),
                           (unsigned long long)(session->sent_bytes - session->read_bytes));
    session_refuse(core, session->peer, session->id, &error);
    session_end(core, session);
}

void session_tick(struct core *core, struct session *session)
{
    session->pinging = false;
    if (care_is_stuck(core, session)) {
        close_slow_reader(core, session);
        return;
    }
    if (session->slow_since_ms != 0 && session->read_count != session->slow_read_count) {
        session->slow_since_ms = core->now_ms;
        session->slow_read_count = session->read_count;
    }
    if (session->calls_open > 0 || session->slow_since_ms != 0) {
        struct wire_header ping = {.command = WIRE_PING};
        session_send(core, session, &ping);
        care_watch(core, session);
        return;
    }
    const uint64_t idle_at_ms = session->heard_ms + CORE_IDLE_MS;
    if (core->now_ms >= idle_at_ms && session->worker == NULL) {
        session_end(core, session);
        return;
    }
    const uint64_t next_ms = core->now_ms >= idle_at_ms ? core->now_ms + CORE_IDLE_MS : idle_at_ms;
    timers_set(&core->timers, &session->timer.timer, next_ms);
}
