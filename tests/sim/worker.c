/* worker.c - a worker's process: takes calls in order, begins them by the start word, ends them well or badly
 *
 * It keeps the rules of architecture.md ("Who started what"): the word counts every call that it takes, also one that
 * it gives back; once the word is closed it drops what it still holds. All else may go wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define LIES_MAX 12 /* sixteen would be a reason to close its session */

struct sim_job {
    struct sim_worker *worker;
    uint64_t number; /* on the worker's leg */
    uint64_t record; /* 0: the host asks */
    bool settings;   /* and gives settings */
    uint64_t value;
    uint64_t deadline_at_ms;
    bool cancelled, done;
    struct sim_job *next;     /* waiting */
    struct sim_job *all_next; /* to be freed */
    struct sim_job *running_next;
};

static void take_more(struct sim *sim, struct sim_worker *worker);

/* ---- answers ---- */

static void send_header(struct sim *sim, struct sim_worker *worker, const struct wire_header *header, struct body *body)
{
    network_send(sim, worker->connection, NULL, header, body);
}

static struct body answer_body(const struct sim_job *job)
{
    const struct sim_answer answer = {.call = job->record, .worker = job->worker->number};
    return heap_body_new(&answer, sizeof(answer));
}

static void send_error(struct sim *sim, const struct sim_job *job, enum drover_status status,
                       enum drover_outcome outcome)
{
    const struct wire_header header = {
        .command = WIRE_ERROR,
        .flags = FIELD_STATUS,
        .session = job->worker->session,
        .call = job->number,
        .status = status,
        .outcome = outcome,
        .origin = outcome == DROVER_OUTCOME_ANSWERED ? DROVER_ORIGIN_DRIVER : DROVER_ORIGIN_HOST,
    };
    struct body body = {.present = false};
    if (outcome == DROVER_OUTCOME_ANSWERED)
        body = answer_body(job);
    send_header(sim, job->worker, &header, &body);
}

static void send_reply(struct sim *sim, const struct sim_job *job)
{
    const struct wire_header header = {.command = WIRE_REPLY, .session = job->worker->session, .call = job->number};
    struct body body = answer_body(job);
    send_header(sim, job->worker, &header, &body);
}

/* An answer to a call that this worker was never given: another's, or one that nobody was ever given. */
static void tell_lie(struct sim *sim, struct sim_worker *worker)
{
    if (worker->lies++ >= LIES_MAX)
        return;
    struct wire_header header = {.command = WIRE_REPLY, .session = worker->session};
    const struct sim_worker *other = sim->workers;
    for (uint64_t skip = sim_draw(sim, sim->worker_count); skip > 0; skip--)
        other = other->next;
    header.call = other->running != NULL ? other->running->number : sim_draw(sim, UINT64_C(1) << 45);
    if (other == worker)
        return;
    sim_trace(sim, "worker %llu answers a call that is not its", (unsigned long long)worker->number);
    struct body body = heap_body_new("lie", 3);
    send_header(sim, worker, &header, &body);
}

/* ---- running ---- */

static void unlink_running(struct sim_job *job)
{
    struct sim_job **link = &job->worker->running;
    while (*link != job)
        link = &(*link)->running_next;
    *link = job->running_next;
    job->worker->running_count--;
}

static void end_job(struct sim *sim, struct sim_job *job)
{
    struct sim_worker *worker = job->worker;
    job->done = true;
    unlink_running(job);
    take_more(sim, worker);
}

static void end_question(struct sim_worker *worker, const struct sim_job *job, bool refused)
{
    if (job->settings && !refused)
        worker->settings = job->value;
    else if (!job->settings)
        worker->answered = !refused || worker->any;
}

static void finish(struct sim *sim, const struct sim_event *event)
{
    struct sim_job *job = event->subject;
    struct sim_worker *worker = job->worker;
    if (worker->state == SIM_DEAD || worker->stopped || job->done)
        return;
    if (job->record != 0)
        ledger_finished(sim, ledger_find(sim, job->record), worker);
    const bool error = sim_chance(sim, job->record != 0 ? worker->error : worker->refuse);
    if (job->record == 0)
        end_question(worker, job, error);
    if (error)
        send_error(sim, job, DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    else
        send_reply(sim, job);
    if (sim_chance(sim, worker->twice))
        send_reply(sim, job);
    if (sim_chance(sim, worker->lie))
        tell_lie(sim, worker);
    end_job(sim, job);
}

static void die_now(struct sim *sim, const struct sim_event *event)
{
    worker_die(sim, event->subject, "in the middle of a call");
}

static void run(struct sim *sim, struct sim_job *job)
{
    struct sim_worker *worker = job->worker;
    sim_trace(sim, "worker %llu begins call %llx", (unsigned long long)worker->number, (unsigned long long)job->record);
    if (job->record != 0)
        ledger_started(sim, ledger_find(sim, job->record), worker);
    const uint64_t takes_ms = sim_draw(sim, worker->slow_ms + 1);
    if (sim_chance(sim, worker->die))
        sim_later(sim, sim_draw(sim, takes_ms + 1), die_now, worker, 0);
    if (sim_chance(sim, worker->hang)) {
        worker->stuck = true; /* by this call, for ever */
        return;
    }
    sim_later(sim, takes_ms, finish, job, 0);
}

/* It was not begun: cancelled, too late, or the worker is leaving. */
static void give_back(struct sim *sim, const struct sim_job *job)
{
    enum drover_status status = DROVER_UNAVAILABLE;
    if (job->cancelled)
        status = DROVER_CANCELLED;
    else if (job->deadline_at_ms <= sim->now_ms)
        status = DROVER_DEADLINE_EXCEEDED;
    send_error(sim, job, status, DROVER_OUTCOME_NOT_STARTED);
}

/* Begin a call, or end it unbegun. */
static void begin(struct sim *sim, struct sim_job *job)
{
    struct sim_worker *worker = job->worker;
    const bool closed = worker->closed;
    worker->word++;
    if (closed) {
        job->done = true; /* the core has given it to somebody else, and whatever is said of it here is late */
        if (sim_chance(sim, worker->twice))
            send_error(sim, job, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
        return;
    }
    if (!job->cancelled && job->deadline_at_ms > sim->now_ms && !worker->leaving &&
        !sim_chance(sim, worker->give_back)) {
        job->running_next = worker->running;
        worker->running = job;
        worker->running_count++;
        run(sim, job);
        return;
    }
    job->done = true;
    worker->gave_back |= !job->cancelled && job->deadline_at_ms > sim->now_ms;
    give_back(sim, job);
    if (sim_chance(sim, worker->twice))
        give_back(sim, job);
}

/* Settings are taken when nothing runs, and nothing runs while they are taken. */
static bool may_begin(const struct sim_worker *worker)
{
    if (worker->waiting == NULL || worker->stopped || worker->state == SIM_DEAD)
        return false;
    if (worker->running_count == 0)
        return true;
    return worker->running_count < worker->concurrency && !worker->waiting->settings && !worker->running->settings;
}

static void take_more(struct sim *sim, struct sim_worker *worker)
{
    while (may_begin(worker) && sim->failed == NULL) {
        struct sim_job *job = worker->waiting;
        worker->waiting = job->next;
        begin(sim, job);
    }
    if (worker->leaving && !worker->left && worker->running_count == 0 && worker->state == SIM_READY) {
        const struct wire_header header = {.command = WIRE_DRAINED, .session = worker->session};
        worker->left = true;
        worker->stopped = true; /* nothing is taken any more */
        send_header(sim, worker, &header, NULL);
    }
}

/* ---- what comes ---- */

static bool is_question(const struct wire_header *header)
{
    return header->command == WIRE_RECONFIGURE || drover_text_equals(header->method, SIM_PROBE) ||
           drover_text_equals(header->method, WIRE_NO_METHOD);
}

static uint64_t settings_of(struct sim *sim, const struct sim_worker *worker, const struct body *body)
{
    uint64_t settings = 0;
    if (!worker->reconfigures)
        sim_fail(sim, "worker %llu is given settings, but takes none", (unsigned long long)worker->number);
    if (body->present && body->size == sizeof(settings))
        memcpy(&settings, heap_bodies.data(body), sizeof(settings));
    if (settings == 0 || settings > worker->wanted)
        sim_fail(sim, "worker %llu is given settings that were never made", (unsigned long long)worker->number);
    return settings;
}

/* A call, or what its host asks of it. */
static void call_came(struct sim *sim, struct sim_worker *worker, const struct wire_header *header,
                      const struct body *body)
{
    const bool question = is_question(header);
    const bool settings = header->command == WIRE_RECONFIGURE;
    const struct sim_record *record = question ? NULL : ledger_of_call(sim, header);
    if (record == NULL && !question)
        return;
    if (header->sequence != ++worker->received)
        sim_fail(sim, "worker %llu is given sequence %llu after %llu", (unsigned long long)worker->number,
                 (unsigned long long)header->sequence, (unsigned long long)worker->received - 1);
    struct sim_job *job = sim_allocate(sizeof(*job));
    *job = (struct sim_job){.worker = worker,
                            .number = header->call,
                            .record = question ? 0 : ledger_call((uint32_t)(record - sim->records)),
                            .settings = settings,
                            .value = settings ? settings_of(sim, worker, body) : 0,
                            .deadline_at_ms = sim->now_ms + header->deadline_ms,
                            .all_next = worker->all};
    worker->all = job;
    struct sim_job **end = &worker->waiting;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    if (!worker->leaving && sim_chance(sim, sim->trouble / 10)) {
        sim_trace(sim, "worker %llu drains itself", (unsigned long long)worker->number);
        worker->leaving = true;
    }
    take_more(sim, worker);
}

static void cancel_came(struct sim *sim, struct sim_worker *worker, uint64_t number)
{
    for (struct sim_job *job = worker->all; job != NULL; job = job->all_next) {
        if (job->number != number || job->done)
            continue;
        job->cancelled = true;
        bool runs = false;
        for (const struct sim_job *other = worker->running; other != NULL; other = other->running_next)
            runs |= other == job;
        if (!runs || worker->stopped || sim_chance(sim, 500))
            return; /* not begun, or the driver does not look */
        if (job->record != 0)
            ledger_finished(sim, ledger_find(sim, job->record), worker);
        send_error(sim, job, DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED);
        end_job(sim, job);
        return;
    }
}

static void welcome_came(struct sim *sim, struct sim_worker *worker, const struct wire_header *header)
{
    const struct wire_header ready = {.command = WIRE_READY, .session = header->session};
    worker->session = header->session;
    if (sim_chance(sim, sim->trouble)) {
        worker_die(sim, worker, "while it configures itself");
        return;
    }
    worker->state = SIM_READY;
    send_header(sim, worker, &ready, NULL);
}

void worker_receive(struct sim *sim, struct sim_worker *worker, const struct wire_header *header,
                    const struct body *body)
{
    if (worker->state == SIM_DEAD)
        return;
    if (header->command == WIRE_ERROR && worker->lies == 0)
        sim_fail(sim, "worker %llu, which keeps the protocol, is told off: %.*s", (unsigned long long)worker->number,
                 (int)header->text.size, header->text.data);
    if (header->command == WIRE_WELCOME)
        welcome_came(sim, worker, header);
    else if (header->command == WIRE_CALL || header->command == WIRE_RECONFIGURE)
        call_came(sim, worker, header, body);
    else if (header->command == WIRE_CANCEL)
        cancel_came(sim, worker, header->call);
    else if (header->command == WIRE_HELLO_FIRST || header->command == WIRE_REFUSED)
        worker_die(sim, worker, "since the broker does not know it");
}

/* ---- life ---- */

static void connect_up(struct sim *sim, const struct sim_event *event)
{
    static const struct wire_method methods[] = {{"get", true}, {"put", false}};
    struct sim_worker *worker = event->subject;
    if (worker->state == SIM_DEAD)
        return;
    struct wire_hello hello = {.role = WIRE_ROLE_WORKER,
                               .version_min = 1,
                               .version_max = 1,
                               .interface = {"sim", 3},
                               .driver = {"sim", 3},
                               .concurrency = worker->concurrency,
                               .reconfigures = worker->reconfigures,
                               .has_token = true};
    const struct wire_header header = {.command = WIRE_HELLO};
    host_token(worker->number, hello.token);
    drover_writer_clear(sim->writer);
    wire_hello_encode(&hello, methods, 2, sim->writer);
    struct body body = heap_body_new(drover_writer_data(sim->writer), drover_writer_size(sim->writer));
    worker->connection = network_connect(sim, NULL, worker);
    send_header(sim, worker, &header, &body);
}

void worker_start(struct sim *sim, struct sim_worker *worker)
{
    sim_later(sim, 1 + sim_draw(sim, 30), connect_up, worker, 0);
}

void worker_die(struct sim *sim, struct sim_worker *worker, const char *why)
{
    if (worker->state == SIM_DEAD)
        return;
    sim_trace(sim, "worker %llu dies %s, %llu begun of %llu", (unsigned long long)worker->number, why,
              (unsigned long long)worker->word, (unsigned long long)worker->received);
    worker->state = SIM_DEAD;
    if (worker->connection != NULL)
        network_drop(sim, worker->connection, sim_chance(sim, 500));
    host_worker_died(sim, worker);
}

void worker_free(struct sim_worker *worker)
{
    while (worker->all != NULL) {
        struct sim_job *next = worker->all->all_next;
        free(worker->all);
        worker->all = next;
    }
    free(worker);
}
