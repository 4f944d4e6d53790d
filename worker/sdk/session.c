/* session.c - see session.h; what is done with each command stands in dispatch.c */
#include "worker/sdk/session.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <utlist.h>

#include "common/sys/sys.h"

#define GREET_AGAIN_MS 2000 /* no answer to HELLO: the broker was restarted just then */
#define CONNECT_LOOK_MS 100
#define SPARES_KEPT 512

static void look_and_answer(void *context);

enum drover_status session_init(struct session *session, const struct drover_driver *driver,
                                const struct environment *environment, const atomic_bool *stop, int wake_fd,
                                struct drover_error *error)
{
    *session = (struct session){
        .environment = environment,
        .stop = stop,
        .wake_fd = wake_fd,
        .served = {.driver = driver, .info = {.service = NULL}},
        .state = SESSION_CONNECTING,
        .instance = sys_random64(),
    };
    enum drover_status status = served_check(driver, error);
    if (status != DROVER_OK)
        return status;
    status = backlog_init(&session->backlog, environment->page, wake_fd, error);
    if (status != DROVER_OK)
        return status;
    status = runner_init(&session->runner, &session->served, error);
    if (status != DROVER_OK)
        goto fail;
    session->runner.look = look_and_answer;
    session->runner.context = session;
    if (served_concurrency(&session->served) > 1)
        status =
            pool_new(&session->backlog, &session->served, served_concurrency(&session->served), &session->pool, error);
    if (status == DROVER_OK)
        status = link_init(&session->link, environment->endpoint, error);
    if (status != DROVER_OK)
        goto fail;
    return DROVER_OK;

fail:
    session_done(session);
    return status;
}

void session_done(struct session *session)
{
    struct job *job, *next;

    backlog_halt(&session->backlog);
    session->pool = pool_free(session->pool);
    link_done(&session->link);
    served_done(&session->served);
    runner_done(&session->runner);
    backlog_done(&session->backlog);
    LL_FOREACH_SAFE(session->spares, job, next)
    job_free(job);
    session->spares = NULL;
}

/* ---- jobs ---- */

struct job *session_spare(struct session *session)
{
    struct job *job = session->spares;

    if (!job)
        return job_new();
    session->spares = job->next;
    session->spare_count--;
    return job;
}

void session_recycle(struct session *session, struct job *job)
{
    if (session->spare_count >= SPARES_KEPT) {
        job_free(job);
        return;
    }
    job_clear(job);
    job->next = session->spares;
    session->spares = job;
    session->spare_count++;
}

/* ---- sending ---- */

void session_send(struct session *session, enum wire_command command, uint64_t call)
{
    struct wire_header header = {.command = command, .session = session->id, .call = call};

    if (!link_send(&session->link, &header, NULL))
        session_lose(session, 0);
}

static void answer(struct session *session, struct job *job)
{
    struct wire_header header = {.command = WIRE_REPLY, .session = session->id, .call = job->header.call};
    bool is_reply = job->end == JOB_REPLY;

    /* A new session is opened only when every job of the lost one has come by here. */
    if (job->end == JOB_DROPPED || session->state == SESSION_LOST)
        return;
    if (!is_reply) {
        header.command = WIRE_ERROR;
        wire_header_set_error(&header, &job->error);
    }
    if (!link_send(&session->link, &header, is_reply ? &job->reply : NULL))
        session_lose(session, 0);
}

static void answer_ended(struct session *session)
{
    struct job *job;

    while ((job = backlog_next_ended(&session->backlog))) {
        answer(session, job);
        session_recycle(session, job);
    }
}

static void write_hello(const struct session *session, struct drover_writer *writer)
{
    const struct drover_driver *driver = session->served.driver;
    const struct startword_page *page = session->environment->page;
    struct wire_method methods[WIRE_METHODS_MAX];
    struct wire_hello hello = {
        .role = WIRE_ROLE_WORKER,
        .version_min = WIRE_VERSION,
        .version_max = WIRE_VERSION,
        .software = {"drover " DROVER_VERSION, sizeof("drover " DROVER_VERSION) - 1},
        .name = {program_invocation_short_name, strlen(program_invocation_short_name)},
        .instance = session->instance,
        .interface = {driver->interface, strlen(driver->interface)},
        .interface_version = {driver->interface_version, strlen(driver->interface_version)},
        .driver = {driver->name, strlen(driver->name)},
        .driver_version = {driver->version, strlen(driver->version)},
        .concurrency = served_concurrency(&session->served),
        .reconfigures = served_can_reconfigure(&session->served),
        .has_token = page != NULL,
    };

    if (page)
        memcpy(hello.token, page->token, sizeof(hello.token));
    for (size_t i = 0; i < driver->method_count; i++)
        methods[i] = (struct wire_method){driver->methods[i].name, driver->methods[i].idempotent};
    wire_hello_encode(&hello, methods, driver->method_count, writer);
}

/* Nobody is connected yet: that is no failure, HELLO is tried again. */
static void greet(struct session *session, uint64_t now_ms)
{
    struct wire_header header = {.command = WIRE_HELLO};
    struct drover_writer *writer = session->runner.reply; /* no call runs now */
    zmq_msg_t body;

    drover_writer_clear(writer);
    write_hello(session, writer);
    if (!drover_writer_ok(writer) || zmq_msg_init_size(&body, drover_writer_size(writer)) != 0) {
        drover_log(DROVER_LOG_ERROR, "worker: no memory for HELLO");
        session_end(session, EXIT_BROKEN);
        return;
    }
    memcpy(zmq_msg_data(&body), drover_writer_data(writer), drover_writer_size(writer));
    session->state = SESSION_CONNECTING;
    if (link_send(&session->link, &header, &body)) {
        session->state = SESSION_GREETING;
        session->greet_at_ms = now_ms + GREET_AGAIN_MS;
    }
    zmq_msg_close(&body);
}

/* ---- changes of state ---- */

void session_lose(struct session *session, uint64_t pause_ms)
{
    if (session->state == SESSION_ENDED)
        return;
    backlog_forget(&session->backlog);
    session->state = SESSION_LOST;
    session->greet_at_ms = sys_now_ms() + pause_ms;
}

void session_end(struct session *session, int exit_status)
{
    if (session->ending)
        return;
    session->ending = true;
    session->exit_status = exit_status;
    backlog_halt(&session->backlog);
}

static void leave(struct session *session)
{
    if (session->state & (SESSION_SERVING | SESSION_DRAINING))
        session_send(session, WIRE_BYE, 0);
    session->state = SESSION_ENDED;
}

static void finish_drain(struct session *session)
{
    if (backlog_unanswered(&session->backlog) > 0)
        return;
    session_send(session, WIRE_DRAINED, 0);
    session_end(session, 0);
}

static void greet_if_due(struct session *session)
{
    uint64_t now_ms = sys_now_ms();

    if (now_ms >= session->greet_at_ms)
        greet(session, now_ms);
}

/* Take the steps that have become possible. */
static void proceed(struct session *session)
{
    if (atomic_load_explicit(session->stop, memory_order_relaxed))
        session_end(session, 0);
    if (session->ending && backlog_started(&session->backlog) == 0) {
        leave(session);
        return;
    }
    if (session->state == SESSION_LOST && backlog_unanswered(&session->backlog) == 0)
        session->state = SESSION_CONNECTING;
    if (session->state & (SESSION_CONNECTING | SESSION_GREETING) && !session->ending)
        greet_if_due(session);
    else if (session->state == SESSION_DRAINING && !session->ending)
        finish_drain(session);
}

/* ---- the loop ---- */

static void look_and_answer(void *context)
{
    struct session *session = context;

    session_look(session);
    answer_ended(session);
}

/* While calls wait here, the socket is looked at once a millisecond: soon enough to see a CANCEL, seldom enough to cost
 * nothing. */
static void look_if_due(struct session *session)
{
    if (session->pool || session->ending || backlog_waiting(&session->backlog) == 0 ||
        sys_now_ms() != session->looked_at_ms)
        session_look(session);
}

/* With concurrency 1: run the next call here. False when there was none. */
static bool run_one(struct session *session)
{
    struct job *job = session->pool ? NULL : backlog_take(&session->backlog, false);

    if (!job)
        return false;
    if (job->end == JOB_OPEN)
        runner_run(&session->runner, job);
    backlog_end(&session->backlog, job, true);
    return true;
}

static int sleep_ms(const struct session *session)
{
    uint64_t now_ms = sys_now_ms();

    if (!(session->state & (SESSION_CONNECTING | SESSION_GREETING)))
        return -1;
    uint64_t left_ms = session->greet_at_ms > now_ms ? session->greet_at_ms - now_ms : 0;
    if (session->state == SESSION_CONNECTING && left_ms == 0)
        return CONNECT_LOOK_MS;
    return left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}

static void rest(struct session *session)
{
    eventfd_t ignored;

    if (link_wait(&session->link, session->wake_fd, sleep_ms(session)))
        (void)eventfd_read(session->wake_fd, &ignored);
}

int session_run(struct session *session)
{
    while (session->state != SESSION_ENDED) {
        look_if_due(session);
        bool ran = run_one(session);
        answer_ended(session);
        proceed(session);
        if (!ran && session->link.quiet && session->state != SESSION_ENDED)
            rest(session);
    }
    return session->exit_status;
}
