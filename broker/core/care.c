/* care.c - see care.h */
#include "broker/core/care.h"

void care_watch(struct core *core, struct session *session)
{
    if (session->pinging)
        return;
    session->pinging = true;
    timers_set(&core->timers, &session->timer.timer, core->now_ms + CORE_PING_MS);
}

static bool unread_above(const struct session *session, uint64_t factor)
{
    return session->sent_count - session->read_count > factor * CORE_UNREAD_MAX ||
           session->sent_bytes - session->read_bytes > factor * CORE_UNREAD_BYTES_MAX;
}

bool care_is_behind(const struct session *session)
{
    return unread_above(session, 1);
}

void care_sent(struct core *core, struct session *session, size_t size)
{
    session->sent_count++;
    session->sent_bytes += size;
    if (session->slow_since_ms != 0 || !unread_above(session, 2))
        return;
    session->slow_since_ms = core->now_ms;
    session->slow_read_count = session->read_count;
    if (!session->pinging)
        care_watch(core, session);
}

static void raise_to(uint64_t *count, uint64_t said, uint64_t sent)
{
    const uint64_t read = said < sent ? said : sent;
    *count = read > *count ? read : *count;
}

void care_read(struct session *session, const struct wire_header *header)
{
    if (!(header->flags & FIELD_READ))
        return;
    raise_to(&session->read_count, header->read_count, session->sent_count);
    raise_to(&session->read_bytes, header->read_bytes, session->sent_bytes);
    if (session->slow_since_ms != 0 && !unread_above(session, 2))
        session->slow_since_ms = 0;
}

bool care_is_stuck(const struct core *core, const struct session *session)
{
    return session->slow_since_ms != 0 && session->read_count == session->slow_read_count &&
           core->now_ms - session->slow_since_ms >= CORE_SLOW_READER_MS;
}
