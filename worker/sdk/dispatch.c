/* dispatch.c - what the worker does with each command it receives: a table
 *
 * A frame that is not for us, not decodable, or not allowed in the present state is thrown away and counted. Only the
 * loss of a call is no small matter: the calls of a session are numbered without gaps, and a worker that has missed one
 * could not keep its start word true any more, so it ends and is started afresh.
 */
#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/sdk/session.h"

#define LOOK_MAX 512 /* messages a look: then it is somebody else's turn */
#define MAX_BODY_DEFAULT (16u << 20)

/* Say now and then that frames were thrown away: the 1st, 2nd, 4th, 8th, ... */
static void count_odd_frame(struct session *session, const char *why)
{
    session->odd_frames++;
    if ((session->odd_frames & (session->odd_frames - 1)) == 0)
        drover_log(DROVER_LOG_WARNING, "worker: threw away a message of the broker: %s (%llu so far)", why,
                   (unsigned long long)session->odd_frames);
}

static void say(enum drover_log_level level, const char *what, struct drover_text text)
{
    char printable[DROVER_ERROR_TEXT_SIZE];

    drover_log(level, "%s: %s", what, text_printable(text.data, text.size, printable, sizeof(printable)));
}

/* ---- opening ---- */

static void refuse_configuration(struct session *session, struct drover_error *error)
{
    struct wire_header header = {.command = WIRE_CONFIG_ERROR, .session = session->id};

    error->outcome = DROVER_OUTCOME_NOT_STARTED;
    error->origin = DROVER_ORIGIN_DRIVER;
    wire_header_set_error(&header, error);
    drover_log(DROVER_LOG_ERROR, "configuration: %s", error->text);
    if (!link_send(&session->link, &header, NULL))
        drover_log(DROVER_LOG_ERROR, "worker: the broker is gone before it could be told");
    session_end(session, EXIT_MISFIT);
}

static void open_session(struct session *session, const struct wire_welcome *welcome)
{
    struct drover_error error = {0};

    session->id = welcome->session;
    session->next_sequence = 1;
    if (served_configure(&session->served, welcome, &error) != DROVER_OK) {
        refuse_configuration(session, &error);
        return;
    }
    if (session->served.max_body == 0)
        session->served.max_body = MAX_BODY_DEFAULT;
    session->state = SESSION_SERVING;
    session_send(session, WIRE_READY, 0);
}

static enum drover_status read_welcome(zmq_msg_t *body, struct drover_document **ret_document,
                                       struct wire_welcome *ret_welcome, struct drover_error *error)
{
    enum drover_status status = drover_document_parse(zmq_msg_data(body), zmq_msg_size(body), ret_document, error);

    if (status == DROVER_OK)
        status = wire_welcome_decode(*ret_document, ret_welcome, error);
    if (status == DROVER_OK && ret_welcome->version != WIRE_VERSION)
        status = drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                  "protocol version %llu was chosen, this worker speaks %d",
                                  (unsigned long long)ret_welcome->version, WIRE_VERSION);
    return status;
}

static bool on_welcome(struct session *session, struct job *message)
{
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    struct wire_welcome welcome;

    if (read_welcome(&message->body, &document, &welcome, &error) == DROVER_OK) {
        open_session(session, &welcome);
    } else {
        drover_log(DROVER_LOG_ERROR, "worker: WELCOME cannot be used: %s", error.text);
        session_end(session, EXIT_BROKEN);
    }
    drover_document_free(document);
    return false;
}

static bool on_refused(struct session *session, struct job *message)
{
    say(DROVER_LOG_ERROR, "worker: refused by the broker", message->header.text);
    if (message->header.retry_after_ms == 0)
        session_end(session, EXIT_MISFIT);
    else
        session_lose(session, message->header.retry_after_ms);
    return false;
}

/* An answer to something that an earlier session sent says nothing about this one. */
static bool on_hello_first(struct session *session, struct job *message)
{
    if (message->header.session == session->id || message->header.session == 0)
        session_lose(session, 0);
    return false;
}

/* ---- calls ---- */

/* CALL, and RECONFIGURE, which has its place among the calls. */
static bool on_call(struct session *session, struct job *job)
{
    const struct wire_header *header = &job->header;

    if (header->flags & FIELD_SEQUENCE && header->sequence != session->next_sequence) {
        drover_log(DROVER_LOG_ERROR, "worker: call %llu came where call %llu was due; ending, to be started afresh",
                   (unsigned long long)header->sequence, (unsigned long long)session->next_sequence);
        session_end(session, EXIT_BROKEN);
        return false;
    }
    session->next_sequence++;
    job->deadline_at_ms = header->flags & FIELD_DEADLINE ? session->looked_at_ms + header->deadline_ms : UINT64_MAX;
    if (backlog_push(&session->backlog, job) != DROVER_OK) {
        drover_log(DROVER_LOG_ERROR, "worker: more than %d calls at once; ending, to be started afresh", BACKLOG_MAX);
        session_end(session, EXIT_BROKEN);
        return false;
    }
    if (session->state == SESSION_DRAINING)
        backlog_give_back(&session->backlog);
    return true;
}

static bool on_cancel(struct session *session, struct job *message)
{
    /* Not held any more: the answer and the CANCEL have crossed. */
    (void)backlog_cancel(&session->backlog, session->id, message->header.call);
    return false;
}

/* ---- the rest ---- */

static bool on_ping(struct session *session, struct job *message)
{
    session_send(session, WIRE_PONG, message->header.call);
    return false;
}

static bool on_pong(struct session *session, struct job *message)
{
    (void)session;
    (void)message;
    return false;
}

static bool on_drain(struct session *session, struct job *message)
{
    (void)message;
    session->state = SESSION_DRAINING;
    backlog_give_back(&session->backlog);
    return false;
}

static bool on_bye(struct session *session, struct job *message)
{
    (void)message;
    session_end(session, 0);
    return false;
}

#define OPEN_STATES (SESSION_SERVING | SESSION_DRAINING)

/* `act` returns true when it keeps the job. `any_session`: the header need not bear our session's number. */
static const struct reaction {
    unsigned states;
    bool any_session;
    bool (*act)(struct session *session, struct job *message);
} reactions[WIRE_COMMAND_END] = {
    [WIRE_WELCOME] = {SESSION_GREETING, true, on_welcome},
    [WIRE_REFUSED] = {SESSION_GREETING | OPEN_STATES, true, on_refused},
    [WIRE_HELLO_FIRST] = {OPEN_STATES, true, on_hello_first},
    [WIRE_CALL] = {OPEN_STATES, false, on_call},
    [WIRE_RECONFIGURE] = {OPEN_STATES, false, on_call},
    [WIRE_CANCEL] = {OPEN_STATES, false, on_cancel},
    [WIRE_PING] = {OPEN_STATES, false, on_ping},
    [WIRE_PONG] = {OPEN_STATES, false, on_pong},
    [WIRE_DRAIN] = {OPEN_STATES, false, on_drain},
    [WIRE_BYE] = {OPEN_STATES, false, on_bye},
};

/* Why a decoded header is not acted upon; NULL when it is. */
static const char *objection(const struct session *session, const struct job *message)
{
    const struct wire_header *header = &message->header;
    const struct reaction *reaction = &reactions[header->command];

    if (!reaction->act)
        return "a command that no worker is sent";
    if (!(reaction->states & session->state))
        return "a command out of place";
    if (!reaction->any_session && header->session != session->id)
        return "another session";
    if (wire_command_info(header->command)->body == WIRE_NO_BODY && zmq_msg_size(&message->body) > 0)
        return "a body where none belongs";
    return NULL;
}

/* Returns true when the job is kept. */
static bool dispatch(struct session *session, struct job *message)
{
    enum wire_verdict verdict =
        wire_header_decode(zmq_msg_data(&message->head), zmq_msg_size(&message->head), &message->header);

    if (verdict != WIRE_DECODED) {
        count_odd_frame(session, "no valid header");
        return false;
    }
    const char *why_not = objection(session, message);
    if (why_not) {
        count_odd_frame(session, why_not);
        return false;
    }
    return reactions[message->header.command].act(session, message);
}

void session_look(struct session *session)
{
    session->looked_at_ms = sys_now_ms();
    for (int i = 0; i < LOOK_MAX; i++) {
        struct job *message = session_spare(session);
        if (!message) {
            drover_log(DROVER_LOG_ERROR, "worker: no memory to receive a message");
            session_end(session, EXIT_BROKEN);
            return;
        }
        enum link_news news = link_receive(&session->link, &message->head, &message->body);
        bool kept = news == LINK_MESSAGE && dispatch(session, message);
        if (!kept)
            session_recycle(session, message);
        if (news == LINK_NOTHING)
            return;
        if (news == LINK_TOO_LONG)
            count_odd_frame(session, "more than two frames");
    }
}
