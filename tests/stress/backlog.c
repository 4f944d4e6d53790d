/* backlog.c - a worker's executors against its socket's thread and its host
 *
 * Four executors run calls, and now and then take new settings; the main thread, as the socket's, puts calls in,
 * cancels some and takes those that ended; a third party, as the host, closes the start word at some moment. At the end
 * every call has ended once, and those that were answered are exactly those that the word says were started. The
 * settings are no atomic number: two methods may read it at once, but nobody may while it is written.
 */
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/error.h"
#include "worker/sdk/pool.h"

#define ROUNDS 20
#define CALLS 2000
#define EXECUTORS 4
#define SETTINGS_EVERY 37
#define AHEAD 64 /* calls that are held at once at most */

static uint64_t setting;

static enum drover_status answer(struct drover_call *call)
{
    drover_write_map(drover_call_reply(call), 1);
    drover_write_string(drover_call_reply(call), "setting");
    drover_write_uint64(drover_call_reply(call), *(const uint64_t *)drover_call_state(call));
    return drover_call_cancelled(call) ? drover_call_fail(call, DROVER_CANCELLED, "given up") : DROVER_OK;
}

static enum drover_status reconfigure(void *state, const struct drover_value *settings, struct drover_error *error)
{
    (void)settings;
    (void)error;
    ++*(uint64_t *)state;
    return DROVER_OK;
}

static const struct drover_method methods[] = {{.name = "answer", .run = answer}};
static const struct drover_driver driver = {.abi = DROVER_DRIVER_ABI,
                                            .interface = "stress",
                                            .interface_version = "1.0.0",
                                            .name = "stress",
                                            .version = "1",
                                            .summary = "answers",
                                            .methods = methods,
                                            .method_count = 1,
                                            .concurrency = EXECUTORS,
                                            .reconfigure = reconfigure};

/* One round: what the threads share is in the backlog and in the page. */
struct round {
    struct startword_page page;
    struct backlog backlog;
    struct pool *pool;
    int wake_fd;
    uint64_t close_at; /* the host closes the word when so many calls were started; 0: never */
    uint64_t closed;   /* written by the host's thread, read when that has ended */
    unsigned char ends[CALLS + 1];
    unsigned pushed, ended;
};

/* A condition that must hold in release builds too. */
static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "stress.backlog: %s\n", what);
    abort();
}

static void *close_word(void *argument)
{
    struct round *round = argument;
    while (atomic_load(&round->page.word) < round->close_at)
        (void)sched_yield();
    round->closed = startword_close(&round->page);
    return NULL;
}

static void push(struct round *round)
{
    struct job *job = job_new();
    need(job != NULL, "no memory");
    job->header = (struct wire_header){.command = WIRE_CALL, .session = 1, .call = ++round->pushed};
    if (round->pushed % SETTINGS_EVERY == 0)
        job->header.command = WIRE_RECONFIGURE;
    job->header.method = (struct drover_text){"answer", strlen("answer")};
    job->header.service = (struct drover_text){"stress", strlen("stress")};
    job->deadline_at_ms = UINT64_MAX;
    zmq_msg_close(&job->body);
    need(zmq_msg_init_size(&job->body, 1) == 0, "no memory");
    *(uint8_t *)zmq_msg_data(&job->body) = 0x80;
    need(backlog_push(&round->backlog, job) == DROVER_OK, "a call was refused");
}

static void take_ended(struct round *round)
{
    struct job *job;
    while ((job = backlog_next_ended(&round->backlog)) != NULL) {
        need(job->header.call <= CALLS && round->ends[job->header.call] == JOB_OPEN, "a call ended twice");
        round->ends[job->header.call] = (unsigned char)job->end;
        round->ended++;
        (void)job_free(job);
    }
}

/* The wake-up may have been for calls that were taken already. */
static void await_ended(struct round *round)
{
    struct pollfd item = {.fd = round->wake_fd, .events = POLLIN};
    eventfd_t ignored;
    need(poll(&item, 1, 10000) == 1, "no call ended within 10 s");
    (void)eventfd_read(round->wake_fd, &ignored);
    take_ended(round);
}

static void check(const struct round *round)
{
    const uint64_t started = round->close_at > 0 ? round->closed : CALLS;
    for (uint64_t call = 1; call <= CALLS; call++) {
        need(round->ends[call] != JOB_OPEN, "a call never ended");
        need((round->ends[call] == JOB_DROPPED) == (call > started), "the word and the answers differ");
    }
}

static void run(uint64_t close_at)
{
    static const struct served served = {.driver = &driver, .state = &setting, .configured = true, .max_body = 65536};
    struct round *round = calloc(1, sizeof(*round));
    struct drover_error error;
    pthread_t host;

    need(round != NULL, "no memory");
    round->close_at = close_at;
    round->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    need(backlog_init(&round->backlog, &round->page, round->wake_fd, &error) == DROVER_OK, "no backlog");
    need(pool_new(&round->backlog, &served, EXECUTORS, &round->pool, &error) == DROVER_OK, "no executors");
    need(close_at == 0 || pthread_create(&host, NULL, close_word, round) == 0, "no thread");
    while (round->ended < CALLS) {
        while (round->pushed < CALLS && round->pushed - round->ended < AHEAD)
            push(round);
        if (round->pushed % 3 == 0)
            (void)backlog_cancel(&round->backlog, 1, round->pushed);
        await_ended(round);
    }
    need(close_at == 0 || pthread_join(host, NULL) == 0, "no end of a thread");
    check(round);
    backlog_halt(&round->backlog);
    (void)pool_free(round->pool);
    backlog_done(&round->backlog);
    close(round->wake_fd);
    free(round);
}

int main(void)
{
    for (uint64_t i = 0; i < ROUNDS; i++)
        run(i % 4 == 0 ? 0 : i * (CALLS / ROUNDS / 2));
    printf("%d rounds of %d calls on %d executors: every call ended once, as its start word says\n", ROUNDS, CALLS,
           EXECUTORS);
    return 0;
}
