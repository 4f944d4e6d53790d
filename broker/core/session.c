/* session.c - records of peers; see session.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/call.h"
#include "broker/core/lease.h"
#include "broker/core/queue.h"
#include "broker/core/session.h"

/* ---- principals ---- */

/* "localhost:uid:gid:pid" -> "uid:pid". False when the address is of another form. */
static bool principal_key(const char *address, char *key, size_t size)
{
    unsigned long uid = 0;
    unsigned long gid = 0;
    unsigned long pid = 0;
    if (address == NULL || strncmp(address, "localhost:", strlen("localhost:")) != 0)
        return false;
    char *end = NULL;
    uid = strtoul(address + strlen("localhost:"), &end, 10);
    if (*end != ':')
        return false;
    gid = strtoul(end + 1, &end, 10);
    if (*end != ':')
        return false;
    pid = strtoul(end + 1, &end, 10);
    (void)gid;
    (void)snprintf(key, size, "%lu:%lu", uid, pid);
    return *end == '\0';
}

struct principal *principal_get(struct core *core, const char *address, uint64_t peer)
{
    char key[sizeof(((struct principal *)NULL)->key)];
    if (!principal_key(address, key, sizeof(key)))
        (void)snprintf(key, sizeof(key), "connection %016llx", (unsigned long long)peer);
    struct principal *principal = NULL;
    HASH_FIND_STR(core->principals, key, principal);
    if (principal != NULL)
        return principal;
    principal = calloc(1, sizeof(*principal));
    if (principal == NULL)
        return NULL;
    (void)snprintf(principal->key, sizeof(principal->key), "%s", key);
    HASH_ADD_STR(core->principals, key, principal);
    if (principal->hh.tbl == NULL) {
        free(principal);
        return NULL;
    }
    return principal;
}

void principal_release(struct core *core, struct principal *principal)
{
    if (principal == NULL || principal->sessions > 0 || principal->lanes > 0)
        return;
    HASH_DEL(core->principals, principal);
    free(principal);
}

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

/* ---- unread outcomes ---- */

static bool unread_above(const struct session *session, uint64_t factor)
{
    return session->sent_count - session->read_count > factor * CORE_UNREAD_MAX ||
           session->sent_bytes - session->read_bytes > factor * CORE_UNREAD_BYTES_MAX;
}

bool session_is_behind(const struct session *session)
{
    return unread_above(session, 1);
}

void session_count_outcome(struct core *core, struct session *session, size_t size)
{
    session->sent_count++;
    session->sent_bytes += size;
    if (session->slow_since_ms != 0 || !unread_above(session, 2))
        return;
    session->slow_since_ms = core->now_ms;
    session->slow_read_count = session->read_count;
    if (!session->pinging)
        session_watch(core, session);
}

static void raise_to(uint64_t *count, uint64_t said, uint64_t sent)
{
    const uint64_t read = said < sent ? said : sent;
    *count = read > *count ? read : *count;
}

void session_count_read(struct session *session, const struct wire_header *header)
{
    if (!(header->flags & FIELD_READ))
        return;
    raise_to(&session->read_count, header->read_count, session->sent_count);
    raise_to(&session->read_bytes, header->read_bytes, session->sent_bytes);
    if (session->slow_since_ms != 0 && !unread_above(session, 2))
        session->slow_since_ms = 0;
}

/* ---- time ---- */

void session_watch(struct core *core, struct session *session)
{
    if (session->pinging)
        return;
    session->pinging = true;
    timers_set(&core->timers, &session->timer.timer, core->now_ms + CORE_PING_MS);
}

static bool is_slow_reader(const struct core *core, const struct session *session)
{
    return session->slow_since_ms != 0 && session->read_count == session->slow_read_count &&
           core->now_ms - session->slow_since_ms >= CORE_SLOW_READER_MS;
}

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
    if (is_slow_reader(core, session)) {
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
        session_watch(core, session);
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
