/* steady.c - see steady.h */
#include "steady.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <drover/client.h>

#include "common/sys/sys.h"

#define CLIENTS_MAX 16
#define PATIENCE_S 60
#define STEPS ((size_t)8) /* buckets of one power of two */

/* A service, as its answers show it. */
struct seen {
    const char *name;
    uint64_t generation, version;      /* the newest that has answered */
    uint64_t generations[CLIENTS_MAX]; /* that answered each client last */
};

struct client {
    struct steady *steady;
    unsigned number;
    pthread_t thread;
    struct drover_client *handle;
    uint64_t due_us;
};

struct steady {
    struct steady_options options;
    struct client clients[CLIENTS_MAX];
    struct drover_writer *slow; /* the body of slow calls */
    int stop;                   /* an eventfd: readable when all is to end */
    pthread_mutex_t lock;
    pthread_cond_t counted; /* a call has ended */
    /* Under the lock: */
    size_t service_count;
    struct seen services[STEADY_SERVICES_MAX];
    struct steady_tally tally;
};

static _Noreturn void DROVER_PRINTF(1, 2) give_up(const char *format, ...)
{
    va_list arguments;

    fputs("steady: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* ---- how long calls took ---- */

/* Up to STEPS us a bucket each, then STEPS buckets for each power of two. */
static size_t bucket_of(uint64_t us)
{
    size_t power = 0;

    while (us >> power >= 2 * STEPS)
        power++;
    const size_t bucket = power * STEPS + (size_t)(us >> power);
    return bucket < STEADY_BUCKETS ? bucket : STEADY_BUCKETS - 1;
}

static uint64_t floor_of(size_t bucket)
{
    const size_t power = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;

    return (uint64_t)(bucket - power * STEPS) << power;
}

uint64_t steady_quantile_us(const struct steady_tally *tally, double quantile)
{
    const double wanted = quantile * (double)tally->calls;
    uint64_t below = 0;

    for (size_t i = 0; i < STEADY_BUCKETS; i++) {
        below += tally->times[i];
        if ((double)below >= wanted)
            return floor_of(i);
    }
    return tally->worst_us;
}

static void keep_worst(struct steady_tally *tally, uint64_t us, const char *service)
{
    if (us <= tally->worst_us)
        return;
    tally->worst_us = us;
    tally->worst_service = service;
}

void steady_add(struct steady_tally *sum, const struct steady_tally *tally)
{
    const size_t used = strlen(sum->trouble);

    sum->calls += tally->calls;
    sum->failed += tally->failed;
    sum->stale += tally->stale;
    keep_worst(sum, tally->worst_us, tally->worst_service);
    for (size_t i = 0; i < STEADY_BUCKETS; i++)
        sum->times[i] += tally->times[i];
    snprintf(sum->trouble + used, sizeof(sum->trouble) - used, "%s", tally->trouble);
}

/* ---- a call ---- */

/* Under the lock. What does not fit is left out: the first failures tell most. */
static void DROVER_PRINTF(2, 3) note_trouble(struct steady *steady, const char *format, ...)
{
    char *text = steady->tally.trouble;
    const size_t used = strlen(text), room = sizeof(steady->tally.trouble) - used;
    va_list arguments;

    va_start(arguments, format);
    const int size = vsnprintf(text + used, room, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= room)
        text[used] = '\0';
}

static uint64_t number_of(const struct drover_value *map, const char *key)
{
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(map, key), &number);
    return number;
}

/* Under the lock. `expected` was the newest generation when the call was sent. */
static void count_answer(struct client *client, struct seen *seen, const struct drover_reply *reply, uint64_t expected)
{
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    struct steady *steady = client->steady;

    if (drover_document_parse(reply->body, reply->body_size, &document, &error) != DROVER_OK)
        give_up("%s: an answer that cannot be read: %s", seen->name, error.text);
    const uint64_t generation = number_of(drover_document_root(document), "generation");
    seen->generations[client->number] = generation;
    if (generation < expected) {
        steady->tally.stale++;
        note_trouble(steady, "%s: generation %" PRIu64 " answers after %" PRIu64 "\n", seen->name, generation,
                     expected);
    } else if (generation > seen->generation) {
        seen->generation = generation;
        seen->version = number_of(drover_document_root(document), "version");
    }
    drover_document_free(document);
}

static uint64_t newest_of(struct steady *steady, const struct seen *seen)
{
    pthread_mutex_lock(&steady->lock);
    const uint64_t generation = seen->generation;
    pthread_mutex_unlock(&steady->lock);
    return generation;
}

static void call_once(struct client *client, struct seen *seen, bool slow)
{
    struct steady *steady = client->steady;
    const struct drover_request request = {.service = seen->name,
                                           .method = slow ? "take" : "whoami",
                                           .body = slow ? drover_writer_data(steady->slow) : NULL,
                                           .body_size = slow ? drover_writer_size(steady->slow) : 0,
                                           .deadline_ms = steady->options.deadline_ms};
    struct drover_reply reply = {0};
    struct drover_error error = {0};
    const uint64_t expected = newest_of(steady, seen), sent_us = sys_now_us();
    const enum drover_status status = drover_client_call(client->handle, &request, &reply, &error);
    const uint64_t took_us = sys_now_us() - sent_us;

    pthread_mutex_lock(&steady->lock);
    steady->tally.calls++;
    steady->tally.times[bucket_of(took_us)]++;
    keep_worst(&steady->tally, took_us, seen->name);
    if (status == DROVER_OK) {
        count_answer(client, seen, &reply, expected);
    } else {
        steady->tally.failed++;
        note_trouble(steady, "%s: %s: %s\n", seen->name, drover_status_name(status), error.text);
    }
    pthread_cond_signal(&steady->counted);
    pthread_mutex_unlock(&steady->lock);
    drover_reply_done(&reply);
}

/* ---- a client ---- */

/* Is it all to end? Until the next call is due, that is what is waited for. */
static bool is_stopped(struct client *client)
{
    struct pollfd stop = {.fd = client->steady->stop, .events = POLLIN};
    const uint64_t now_us = sys_now_us();
    const uint64_t left_us = client->due_us > now_us ? client->due_us - now_us : 0;
    const struct timespec left = {.tv_sec = (time_t)(left_us / 1000000), .tv_nsec = (long)(left_us % 1000000) * 1000};

    client->due_us = now_us + left_us + client->steady->options.pace_us;
    return ppoll(&stop, 1, &left, NULL) > 0;
}

static void *run_client(void *argument)
{
    struct client *client = argument;
    struct steady *steady = client->steady;

    const unsigned every = steady->options.slow_every;

    for (size_t turn = client->number; !is_stopped(client); turn++)
        call_once(client, &steady->services[turn % steady->service_count],
                  every != 0 && turn / steady->service_count % every == 0);
    return NULL;
}

static void start_client(struct steady *steady, const struct broker_rig *rig, unsigned number)
{
    const struct drover_client_options options = {.broker = rig->endpoint, .name = "steady"};
    struct client *client = &steady->clients[number];
    struct drover_error error = {0};

    /* One after the other: within the pace, not all at once. */
    *client = (struct client){.steady = steady, .number = number};
    client->due_us = sys_now_us() + (uint64_t)number * steady->options.pace_us / steady->options.clients;
    if (drover_client_new(&options, &client->handle, &error) != DROVER_OK ||
        pthread_create(&client->thread, NULL, run_client, client) != 0)
        give_up("client %u cannot be started: %s", number, error.text);
}

struct steady *steady_begin(const struct broker_rig *rig, const struct steady_options *options)
{
    struct steady *steady = calloc(1, sizeof(*steady));

    if (steady == NULL || options->clients > CLIENTS_MAX)
        give_up("no room for %u clients", options->clients);
    steady->options = *options;
    for (const char *const *name = options->services; steady->service_count < STEADY_SERVICES_MAX && *name != NULL;
         name++)
        steady->services[steady->service_count++].name = *name;
    steady->slow = drover_writer_new();
    drover_write_map(steady->slow, 1);
    drover_write_string(steady->slow, "ms");
    drover_write_uint64(steady->slow, options->slow_ms);
    steady->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&steady->lock, NULL);
    pthread_cond_init(&steady->counted, NULL);
    if (steady->stop < 0 || steady->service_count == 0)
        give_up("no service, or no descriptor");
    for (unsigned i = 0; i < options->clients; i++)
        start_client(steady, rig, i);
    return steady;
}

struct steady *steady_end(struct steady *steady)
{
    if (eventfd_write(steady->stop, 1) != 0)
        give_up("the clients cannot be stopped");
    for (unsigned i = 0; i < steady->options.clients; i++) {
        pthread_join(steady->clients[i].thread, NULL);
        drover_client_free(steady->clients[i].handle);
    }
    drover_writer_free(steady->slow);
    close(steady->stop);
    pthread_cond_destroy(&steady->counted);
    pthread_mutex_destroy(&steady->lock);
    free(steady);
    return NULL;
}

/* ---- what was counted ---- */

/* Under the lock: wait for the next call to end, until `until`. */
static bool await_call(struct steady *steady, const struct timespec *until)
{
    return pthread_cond_timedwait(&steady->counted, &steady->lock, until) == 0;
}

static struct timespec end_of_patience(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    return until;
}

static bool all_met(const struct steady *steady, const struct seen *seen, uint64_t version)
{
    bool met = seen->version == version;

    for (unsigned i = 0; i < steady->options.clients && met; i++)
        met = seen->generations[i] == seen->generation;
    return met;
}

void steady_await_version(struct steady *steady, const char *service, uint64_t version)
{
    const struct timespec until = end_of_patience();
    const struct seen *seen = steady->services;

    while (seen < steady->services + steady->service_count && strcmp(seen->name, service) != 0)
        seen++;
    if (seen == steady->services + steady->service_count)
        give_up("nobody calls '%s'", service);
    pthread_mutex_lock(&steady->lock);
    while (!all_met(steady, seen, version))
        if (!await_call(steady, &until))
            give_up("%s: version %" PRIu64 " is awaited, %" PRIu64 " answers (generation %" PRIu64 ")\n%s", service,
                    version, seen->version, seen->generation, steady->tally.trouble);
    pthread_mutex_unlock(&steady->lock);
}

uint64_t steady_calls(struct steady *steady)
{
    pthread_mutex_lock(&steady->lock);
    const uint64_t calls = steady->tally.calls;
    pthread_mutex_unlock(&steady->lock);
    return calls;
}

void steady_await_calls(struct steady *steady, uint64_t calls)
{
    const struct timespec until = end_of_patience();

    pthread_mutex_lock(&steady->lock);
    while (steady->tally.calls < calls)
        if (!await_call(steady, &until))
            give_up("%" PRIu64 " calls are awaited, %" PRIu64 " have ended\n%s", calls, steady->tally.calls,
                    steady->tally.trouble);
    pthread_mutex_unlock(&steady->lock);
}

void steady_turn(struct steady *steady, struct steady_tally *ret)
{
    pthread_mutex_lock(&steady->lock);
    *ret = steady->tally;
    steady->tally = (struct steady_tally){0};
    pthread_mutex_unlock(&steady->lock);
}
