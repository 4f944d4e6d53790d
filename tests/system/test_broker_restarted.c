/* test_broker_restarted.c - a broker that goes and comes again under clients that never pause
 *
 * Two client processes call without end: one keeps eight calls in flight, one makes blocking calls. Their broker is
 * restarted 50 times, by SIGKILL and SIGTERM in turn. Each call has exactly one outcome (caller.h insists on it), and
 * calls go on soon after each return.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"

#define RESTARTS 50
#define IN_FLIGHT 8
#define BEATS 100 /* good answers between two restarts */
#define BACK_MS 1000
#define GENEROUS 10

static struct broker_rig rig;

/* What a client has seen. */
struct tally {
    size_t sent, ended, ok, not_started, unknown, other;
};

/* A process that calls without pause. */
struct client {
    pid_t pid;
    int beat;    /* an octet for each good answer */
    int stop;    /* an octet: it is to finish */
    int results; /* its tally, at the end */
};

static const struct caller_request echo = {.service = "echo", .method = "echo", .key = "payload", .string = "x"};
static const struct caller_request nap = {.service = "echo", .method = "sleep", .key = "ms", .number = 1};

static bool asked_to_stop(int stop)
{
    struct pollfd end = {.fd = stop, .events = POLLIN};
    return poll(&end, 1, 0) == 1;
}

static void note(struct tally *tally, const struct drover_error *error, int beat)
{
    tally->ended++;
    if (error->status == DROVER_OK)
        tally->ok += write(beat, "b", 1) == 1 || errno == EAGAIN;
    else if (error->status != DROVER_UNAVAILABLE)
        tally->other++;
    else if (error->outcome == DROVER_OUTCOME_UNKNOWN)
        tally->unknown++;
    else
        tally->not_started += error->outcome == DROVER_OUTCOME_NOT_STARTED;
    if (error->status != DROVER_OK && error->status != DROVER_UNAVAILABLE)
        fprintf(stderr, "%s: %s\n", drover_status_name(error->status), error->text);
}

/* Every other call is one that must not be repeated. */
static void call_without_pause(struct caller *caller, int stop, int beat, struct tally *tally)
{
    struct caller_end end;

    for (size_t i = 0; i < IN_FLIGHT; i++)
        caller_send(caller, i % 2 ? &echo : &nap);
    while (caller->ended < caller->sent && caller_take(caller, CALLER_PATIENCE_MS, &end)) {
        note(tally, &end.error, beat);
        if (!asked_to_stop(stop))
            caller_send(caller, end.index % 2 ? &echo : &nap);
    }
    tally->sent = caller->sent;
}

static void call_one_by_one(struct caller *caller, int stop, int beat, struct tally *tally)
{
    struct drover_error error;

    while (!asked_to_stop(stop)) {
        tally->sent++;
        (void)caller_call(caller, tally->sent % 2 ? &echo : &nap, &error);
        note(tally, &error, beat);
    }
}

typedef void calls_fn(struct caller *caller, int stop, int beat, struct tally *tally);

static _Noreturn void be_client(calls_fn *calls, int stop, int beat, int results)
{
    struct caller caller;
    struct tally tally = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    caller_init(&caller, rig.endpoint);
    calls(&caller, stop, beat, &tally);
    caller_done(&caller);
    _exit(write(results, &tally, sizeof(tally)) != (ssize_t)sizeof(tally));
}

static struct client start_client(calls_fn *calls)
{
    int stop[2], beat[2], results[2];

    cr_assert(pipe2(stop, O_CLOEXEC) == 0 && pipe2(beat, O_CLOEXEC | O_NONBLOCK) == 0 &&
              pipe2(results, O_CLOEXEC) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(stop[1]);
        be_client(calls, stop[0], beat[1], results[1]);
    }
    close(stop[0]);
    close(beat[1]);
    close(results[1]);
    return (struct client){.pid = pid, .beat = beat[0], .stop = stop[1], .results = results[0]};
}

static struct tally stop_client(struct client *client)
{
    struct tally tally = {0};
    int status = 0;

    cr_assert_eq(write(client->stop, "s", 1), 1);
    cr_assert_eq(read(client->results, &tally, sizeof(tally)), (ssize_t)sizeof(tally), "the client has died");
    cr_assert_eq(waitpid(client->pid, &status, 0), client->pid);
    close(client->stop);
    close(client->beat);
    close(client->results);
    return tally;
}

static void forget_beats(const struct client *client)
{
    char octets[4096];

    while (read(client->beat, octets, sizeof(octets)) > 0)
        ;
}

/* Wait for `count` good answers. */
static void await_beats(const struct client *client, size_t count)
{
    struct pollfd beat = {.fd = client->beat, .events = POLLIN};
    char octets[4096];

    while (count > 0) {
        cr_assert_eq(poll(&beat, 1, BROKER_RIG_PATIENCE_MS), 1, "calls do not go on");
        const ssize_t got = read(client->beat, octets, count < sizeof(octets) ? count : sizeof(octets));
        cr_assert_gt(got, 0, "the client has died");
        count -= (size_t)got;
    }
}

/* How long after its start the broker serves both clients again. */
static uint64_t restart_us(int signal, const struct client *clients)
{
    broker_rig_signal(&rig, signal);
    cr_assert_eq(broker_rig_await_end(&rig), signal == SIGKILL ? 1000 + SIGKILL : 0);
    for (size_t i = 0; i < 2; i++)
        forget_beats(&clients[i]);
    broker_rig_start(&rig);
    for (size_t i = 0; i < 2; i++)
        await_beats(&clients[i], 1);
    const uint64_t back_us = sys_now_us() - rig.started_us;
    for (size_t i = 0; i < 2; i++)
        await_beats(&clients[i], BEATS);
    return back_us;
}

static void check(const char *who, const struct tally *tally)
{
    printf("%s: %zu calls: %zu good, %zu unknown, %zu not started\n", who, tally->sent, tally->ok, tally->unknown,
           tally->not_started);
    cr_expect_eq(tally->ended, tally->sent, "%s: each call has one outcome", who);
    cr_expect_eq(tally->ok + tally->unknown + tally->not_started, tally->sent);
    cr_expect_eq(tally->other, 0);
    cr_expect_gt(tally->ok, RESTARTS);
}

Test(broker_restarted, leaves_each_call_one_outcome_and_calls_go_on)
{
    struct client clients[2];
    uint64_t worst_us = 0, sum_us = 0;

    broker_rig_init(&rig, "  echo: {driver: echo, replicas: 2}");
    broker_rig_start_and_await(&rig);
    clients[0] = start_client(call_without_pause);
    clients[1] = start_client(call_one_by_one);
    for (size_t i = 0; i < 2; i++)
        await_beats(&clients[i], BEATS);
    for (int i = 0; i < RESTARTS; i++) {
        const uint64_t us = restart_us(i % 2 ? SIGTERM : SIGKILL, clients);
        worst_us = us > worst_us ? us : worst_us;
        sum_us += us;
    }
    const struct tally many = stop_client(&clients[0]), single = stop_client(&clients[1]);
    printf("calls go on %.0f ms after the start of the broker, at worst %.0f ms (promised: %d ms)\n",
           (double)sum_us / RESTARTS / 1000, (double)worst_us / 1000, BACK_MS);
    check("eight in flight", &many);
    check("one by one", &single);
    cr_expect_lt(worst_us, BACK_MS * GENEROUS * 1000);
    broker_rig_done(&rig);
}
