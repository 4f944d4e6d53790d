/* bench.c - `drover bench SERVICE.METHOD [JSON]`: how many calls, and how long they take
 *
 * Closed loop: --concurrency calls are always under way. Open loop (--rate): calls start by the clock, whatever became
 * of those before, and the time of a call counts from when it should have started; --concurrency then only bounds how
 * many are under way. When the time is over, those under way are waited for and counted.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "client/cli/cli.h"
#include "client/cli/histogram.h"
#include "client/cli/request.h"
#include "client/lib/calls.h"
#include "common/sys/sys.h"

#define DEFAULT_DURATION_MS 10000
#define OPEN_LOOP_CONCURRENCY 1024
#define CONCURRENCY_MAX 65536
#define RATE_MAX 10000000

struct bench_options {
    struct cli_globals globals;
    uint64_t concurrency;
    uint64_t duration_ms;
    uint64_t deadline_ms;
    uint64_t rate;
    bool idempotent;
};

static const struct option options[] = {
    {"concurrency", 0, OPTION_NUMBER, offsetof(struct bench_options, concurrency), "N",
     "calls under way (default: 1; with --rate: 1024 at most)"},
    {"duration", 0, OPTION_TIME, offsetof(struct bench_options, duration_ms), "TIME", "how long (default: 10s)"},
    {"rate", 0, OPTION_NUMBER, offsetof(struct bench_options, rate), "R", "start R calls a second (open loop)"},
    {"deadline", 0, OPTION_TIME, offsetof(struct bench_options, deadline_ms), "TIME", "of each call (default: 30s)"},
    {"idempotent", 0, OPTION_FLAG, offsetof(struct bench_options, idempotent), NULL,
     "the broker may repeat calls whose outcome is unknown"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

struct bench {
    const struct bench_options *options;
    const struct drover_request *request;
    struct drover_client *client;
    uint64_t begin_us, end_us; /* calls start between these */
    uint64_t started;
    uint64_t last_us;   /* when the last outcome came */
    uint64_t *start_us; /* by slot: when the call under way there should have started */
    uint64_t statuses[DROVER_STATUS_END];
    struct histogram times;
    struct drover_error last_error;
};

static void count(struct bench *bench, const struct drover_error *error, uint64_t from_us, uint64_t now_us)
{
    bench->statuses[error->status < DROVER_STATUS_END ? error->status : DROVER_UNKNOWN]++;
    histogram_add(&bench->times, now_us - from_us);
    bench->last_us = now_us;
    if (error->status != DROVER_OK)
        bench->last_error = *error;
}

/* When the next call should start; UINT64_MAX for never. */
static uint64_t next_start_us(const struct bench *bench, uint64_t now_us)
{
    uint64_t rate = bench->options->rate;
    uint64_t due_us = rate == 0 ? now_us : bench->begin_us + bench->started * 1000000 / rate;

    return due_us < bench->end_us && now_us < bench->end_us ? due_us : UINT64_MAX;
}

/* Start a call that is due. False when there is no room for it now. */
static bool start_call(struct bench *bench, uint64_t due_us, uint64_t now_us)
{
    struct drover_error error; /* filled in by a call that cannot be started */
    uint64_t call;

    if (drover_client_send(bench->client, bench->request, &call, &error) == DROVER_OK) {
        bench->start_us[calls_slot(call)] = due_us;
        bench->started++;
        return true;
    }
    if (error.status == DROVER_RESOURCE_EXHAUSTED && drover_client_open(bench->client) > 0)
        return false; /* the broker allows fewer calls under way than were asked for */
    bench->started++;
    count(bench, &error, due_us, now_us);
    return true;
}

/* Start all calls that are due and have room; returns when the next one will be due. */
static uint64_t start_calls(struct bench *bench, uint64_t now_us)
{
    for (;;) {
        uint64_t due_us = next_start_us(bench, now_us);
        if (due_us == UINT64_MAX)
            return UINT64_MAX;
        if (due_us > now_us)
            return due_us;
        if (drover_client_open(bench->client) >= bench->options->concurrency || !start_call(bench, due_us, now_us))
            return UINT64_MAX; /* an outcome makes room */
        now_us = sys_now_us();
    }
}

/* Receive what has come; wait for the first until the next call is due. */
static void receive_outcomes(struct bench *bench, uint64_t due_us)
{
    uint64_t now_us = sys_now_us();
    int timeout_ms = due_us == UINT64_MAX ? -1 : due_us <= now_us ? 0 : (int)((due_us - now_us) / 1000);
    struct drover_reply reply;

    while (drover_client_receive(bench->client, timeout_ms, &reply) == 1) {
        count(bench, &reply.error, bench->start_us[calls_slot(reply.call)], sys_now_us());
        drover_reply_done(&reply);
        timeout_ms = 0;
    }
}

static void run_calls(struct bench *bench)
{
    bench->begin_us = bench->last_us = sys_now_us();
    bench->end_us = bench->begin_us + bench->options->duration_ms * 1000;
    for (;;) {
        uint64_t due_us = start_calls(bench, sys_now_us());
        if (due_us == UINT64_MAX && drover_client_open(bench->client) == 0)
            return;
        receive_outcomes(bench, due_us);
    }
}

static void print_statuses(const struct bench *bench)
{
    const char *quote = bench->options->globals.json ? "\"" : "", *colon = bench->options->globals.json ? ":" : "";
    const char *separator = "";

    for (int i = 0; i < DROVER_STATUS_END; i++)
        if (bench->statuses[i] > 0) {
            printf("%s%s%s%s%s %" PRIu64, separator, quote, drover_status_name((enum drover_status)i), quote, colon,
                   bench->statuses[i]);
            separator = ", ";
        }
}

static void print(const struct bench *bench)
{
    uint64_t calls = bench->times.total, failed = calls - bench->statuses[DROVER_OK];
    double duration_s = (double)(bench->last_us - bench->begin_us) / 1e6;
    double per_s = duration_s > 0 ? (double)calls / duration_s : 0;
    uint64_t p50 = histogram_percentile(&bench->times, 50), p90 = histogram_percentile(&bench->times, 90);
    uint64_t p99 = histogram_percentile(&bench->times, 99);

    if (bench->options->globals.json) {
        printf("{\"calls\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"statuses\": {", calls, failed);
        print_statuses(bench);
        printf("}, \"duration_s\": %.3f, \"calls_per_s\": %.1f, \"p50_us\": %" PRIu64 ", \"p90_us\": %" PRIu64
               ", \"p99_us\": %" PRIu64 ", \"max_us\": %" PRIu64 "}\n",
               duration_s, per_s, p50, p90, p99, bench->times.max);
        return;
    }
    printf("%" PRIu64 " calls in %.3f s: %.1f a second, %" PRIu64 " failed\n", calls, duration_s, per_s, failed);
    printf("p50 %" PRIu64 " us, p90 %" PRIu64 " us, p99 %" PRIu64 " us, max %" PRIu64 " us\n", p50, p90, p99,
           bench->times.max);
    print_statuses(bench);
    putchar('\n');
}

/* Failed calls do not make a failed measurement; when all failed there was nothing to measure. */
static int verdict(const struct bench *bench)
{
    if (bench->times.total == 0 || bench->statuses[DROVER_OK] > 0)
        return EXIT_DONE;
    return bench->options->globals.json ? cli_exit_status(&bench->last_error)
                                        : cli_fail(&bench->options->globals, &bench->last_error);
}

static int measure(const struct bench_options *given, struct drover_request *request)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    int result = EX_SOFTWARE;

    request->idempotent = given->idempotent;
    request->deadline_ms = cli_clamp_ms(given->deadline_ms);
    if (bench == NULL)
        return EX_SOFTWARE;
    bench->options = given;
    bench->request = request;
    /* The table of calls doubles, so its slots are fewer than twice the calls; the smallest table has 8. */
    bench->start_us = calloc(given->concurrency * 2 + 8, sizeof(*bench->start_us));
    if (bench->start_us != NULL)
        result = cli_connect(&given->globals, false, (uint32_t)given->concurrency, &bench->client);
    if (result == EXIT_DONE) {
        run_calls(bench);
        print(bench);
        result = verdict(bench);
    }
    drover_client_free(bench->client);
    free(bench->start_us);
    free(bench);
    return result;
}

static enum drover_status complete(struct bench_options *bench, struct drover_error *error)
{
    if (bench->concurrency > CONCURRENCY_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '--concurrency': at most %d", CONCURRENCY_MAX);
    if (bench->rate > RATE_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '--rate': at most %d", RATE_MAX);
    if (bench->concurrency == 0)
        bench->concurrency = bench->rate > 0 ? OPEN_LOOP_CONCURRENCY : 1;
    if (bench->duration_ms == 0)
        bench->duration_ms = DEFAULT_DURATION_MS;
    return DROVER_OK;
}

static int run(const void *given, char **words, int word_count)
{
    struct bench_options bench = *(const struct bench_options *)given;
    static const struct option_list no_metadata;
    struct drover_error error = {0};
    struct request request = {0};
    int result;

    if (complete(&bench, &error) != DROVER_OK ||
        request_init(&request, words[0], word_count > 1 ? words[1] : NULL, &no_metadata, &error) != DROVER_OK)
        result = cli_usage(&verb_bench, &error);
    else
        result = measure(&bench, &request.request);
    request_done(&request);
    return result;
}

const struct verb verb_bench = {
    .name = "bench",
    .words = "SERVICE.METHOD [JSON|@FILE|-]",
    .summary = "measure throughput and latency",
    .options = options,
    .options_size = sizeof(struct bench_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
