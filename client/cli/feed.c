/* feed.c - see feed.h */
#include "client/cli/feed.h"

#include <time.h>

#include "client/cli/inquiry.h"
#include "client/cli/json.h"

#define FOLLOW_MS 200
#define PAGES_MAX 64 /* answers in a row without a pause: a page may be all that fits into one */

const struct option feed_options[] = {
    {"follow", 'f', OPTION_FLAG, offsetof(struct feed_options, follow), NULL, "go on with those to come"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

/* A feed that is being read. */
struct reading {
    const struct feed *feed;
    const struct feed_options *options;
    const char *service;
    struct inquiry inquiry;
    uint64_t next; /* what was read before */
};

void feed_print_time(const struct drover_value *entry)
{
    char when[32] = "";
    uint64_t time_ms = 0;
    struct tm broken;
    time_t seconds;

    (void)drover_value_uint64(drover_value_get(entry, "time_ms"), &time_ms);
    seconds = (time_t)(time_ms / 1000);
    if (localtime_r(&seconds, &broken) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &broken);
    printf("%s.%03u", when, (unsigned)(time_ms % 1000));
}

static void write_request(struct reading *reading)
{
    struct drover_writer *writer = inquiry_begin(&reading->inquiry);

    drover_write_map(writer, reading->service == NULL ? 1 : 2);
    drover_write_string(writer, "after");
    drover_write_uint64(writer, reading->next);
    if (reading->service != NULL) {
        drover_write_string(writer, "service");
        drover_write_string(writer, reading->service);
    }
}

static void print_entry(const struct reading *reading, const struct drover_value *entry)
{
    if (!reading->options->globals.json) {
        reading->feed->print(entry);
        return;
    }
    json_write(stdout, entry, JSON_ONE_LINE);
    putchar('\n');
}

/* Print the next entries; `*ret_count` says how many. */
static enum drover_status read_page(struct reading *reading, size_t *ret_count, struct drover_error *error)
{
    const struct drover_value *entries;
    enum drover_status status;

    write_request(reading);
    status = inquiry_ask(&reading->inquiry, reading->feed->verb, cli_admin_ms(&reading->options->globals), error);
    if (status != DROVER_OK)
        return status;
    entries = drover_value_get(inquiry_answer(&reading->inquiry), reading->feed->list);
    *ret_count = drover_value_count(entries);
    for (size_t i = 0; i < *ret_count; i++)
        print_entry(reading, drover_value_at(entries, i));
    (void)drover_value_uint64(drover_value_get(inquiry_answer(&reading->inquiry), "next"), &reading->next);
    return DROVER_OK;
}

/* All that there is now. */
static enum drover_status read_pages(struct reading *reading, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    size_t count = 1;

    for (unsigned i = 0; status == DROVER_OK && count > 0 && i < PAGES_MAX; i++)
        status = read_page(reading, &count, error);
    return status;
}

/* The first answer decides whether the question was right; after it, a broker that restarts is waited for. Its entries
 * are numbered from the beginning again. */
static int follow(struct reading *reading)
{
    struct drover_error error = {0};

    for (;;) {
        if (fflush(stdout) != 0)
            return EX_SOFTWARE;
        cli_pause(FOLLOW_MS);
        if (read_pages(reading, &error) == DROVER_OK)
            continue;
        if (cli_exit_status(&error) != EX_UNAVAILABLE && cli_exit_status(&error) != EX_TEMPFAIL)
            return cli_fail(&reading->options->globals, &error);
        reading->next = 0;
    }
}

int feed_run(const struct feed *feed, const struct feed_options *options, const char *service)
{
    struct reading reading = {.feed = feed, .options = options, .service = service};
    struct drover_error error = {0};
    int result = inquiry_open(&reading.inquiry, &options->globals);

    if (result == EXIT_DONE && read_pages(&reading, &error) != DROVER_OK)
        result = cli_fail(&options->globals, &error);
    else if (result == EXIT_DONE && options->follow)
        result = follow(&reading);
    inquiry_close(&reading.inquiry);
    return result;
}
