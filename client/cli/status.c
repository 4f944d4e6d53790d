/* status.c - `drover status [SERVICE]`: once, again and again (--watch), or until all is ready (--wait) */
#include <string.h>
#include <unistd.h>

#include "client/cli/inquiry.h"
#include "client/cli/json.h"
#include "client/cli/status_view.h"
#include "common/sys/sys.h"

#define WATCH_MS 1000
#define WAIT_STEP_MS 50     /* between two looks */
#define WAIT_ANSWER_MS 1000 /* for one look: a broker that was just replaced is asked again */

struct status_options {
    struct cli_globals globals;
    bool watch;
    uint64_t wait_ms;
};

static const struct option options[] = {
    {"watch", 0, OPTION_FLAG, offsetof(struct status_options, watch), NULL, "show it again every second"},
    {"wait", 0, OPTION_TIME, offsetof(struct status_options, wait_ms), "TIME",
     "wait until the broker is there and every service is ready; 75 when the time is over"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static void print_json(const struct drover_value *status)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_document *document = NULL;

    if (writer != NULL) {
        status_put_in_order(writer, status);
        if (drover_writer_ok(writer) &&
            drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, NULL) == DROVER_OK)
            status = drover_document_root(document);
    }
    json_write(stdout, status, JSON_ONE_LINE);
    putchar('\n');
    drover_document_free(document);
    drover_writer_free(writer);
}

static void print(const struct status_options *status, const struct inquiry *inquiry)
{
    const struct drover_value *root = inquiry_answer(inquiry);

    if (status->globals.json)
        print_json(root);
    else
        status_print_table(stdout, root);
}

static int show_once(const struct status_options *status, struct inquiry *inquiry)
{
    struct drover_error error = {0};

    if (inquiry_ask(inquiry, "status", cli_admin_ms(&status->globals), &error) != DROVER_OK)
        return cli_fail(&status->globals, &error);
    print(status, inquiry);
    return EXIT_DONE;
}

/* Until somebody ends the program. A broker that is away for a while is said, and waited for. */
static int watch(const struct status_options *status, struct inquiry *inquiry)
{
    bool clear = isatty(STDOUT_FILENO) && !status->globals.json;

    for (;;) {
        if (clear)
            fputs("\033[H\033[2J", stdout);
        (void)show_once(status, inquiry);
        if (fflush(stdout) != 0)
            return EX_SOFTWARE;
        cli_pause(WATCH_MS);
    }
}

/* Errors that waiting may mend. */
static bool is_passing(const struct drover_error *error)
{
    int result = cli_exit_status(error);

    return result == EX_UNAVAILABLE || result == EX_TEMPFAIL;
}

static int give_up_waiting(const struct status_options *status, const struct inquiry *inquiry,
                           const struct drover_error *error)
{
    struct drover_error over = {.outcome = DROVER_OUTCOME_NOT_STARTED, .origin = DROVER_ORIGIN_CLIENT};

    if (inquiry_answer(inquiry) == NULL) {
        (void)drover_error_set(&over, DROVER_DEADLINE_EXCEEDED, "waited %llu ms: %.380s",
                               (unsigned long long)status->wait_ms, error->text);
        return cli_fail(&status->globals, &over);
    }
    print(status, inquiry);
    status_print_waiting(stderr, inquiry_answer(inquiry));
    return EX_TEMPFAIL;
}

static int wait_until_ready(const struct status_options *status, struct inquiry *inquiry)
{
    uint64_t until_ms = sys_now_ms() + status->wait_ms, now_ms;
    struct drover_error error = {0};

    while ((now_ms = sys_now_ms()) < until_ms) {
        uint64_t left_ms = until_ms - now_ms;
        uint32_t answer_ms = left_ms < WAIT_ANSWER_MS ? (uint32_t)left_ms : WAIT_ANSWER_MS;
        if (inquiry_ask(inquiry, "status", answer_ms, &error) != DROVER_OK) {
            if (!is_passing(&error))
                return cli_fail(&status->globals, &error);
        } else if (status_is_ready(inquiry_answer(inquiry))) {
            print(status, inquiry);
            return EXIT_DONE;
        }
        cli_pause(left_ms < WAIT_STEP_MS ? left_ms : WAIT_STEP_MS);
    }
    return give_up_waiting(status, inquiry, &error);
}

static int run(const void *given, char **words, int count)
{
    const struct status_options *status = given;
    struct inquiry inquiry;
    int result = inquiry_open(&inquiry, &status->globals);

    if (result == EXIT_DONE)
        inquiry_about(&inquiry, count > 0 ? words[0] : NULL);
    if (result == EXIT_DONE && status->wait_ms > 0)
        result = wait_until_ready(status, &inquiry);
    if (result == EXIT_DONE && status->watch)
        result = watch(status, &inquiry);
    else if (result == EXIT_DONE && status->wait_ms == 0)
        result = show_once(status, &inquiry);
    inquiry_close(&inquiry);
    return result;
}

const struct verb verb_status = {
    .name = "status",
    .words = "[SERVICE]",
    .summary = "show the broker, its services and their workers",
    .options = options,
    .options_size = sizeof(struct status_options),
    .words_max = 1,
    .run = run,
};
