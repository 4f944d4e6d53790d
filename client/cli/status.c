/* status.c - `drover status [SERVICE]`: once, again and again (--watch), or until all is ready (--wait) */
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
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

/* One look at the broker. */
struct look {
    struct drover_client *client;
    struct drover_writer *request;
    struct drover_reply reply;
    struct drover_document *document; /* of the last good answer, or NULL */
};

static int look_init(struct look *look, const struct cli_globals *globals, const char *service)
{
    *look = (struct look){.request = drover_writer_new()};
    if (look->request == NULL)
        return EX_SOFTWARE;
    drover_write_map(look->request, service == NULL ? 0 : 1);
    if (service != NULL) {
        drover_write_string(look->request, "service");
        drover_write_string(look->request, service);
    }
    return cli_connect(globals, true, 0, &look->client);
}

static void look_forget(struct look *look)
{
    look->document = drover_document_free(look->document);
    drover_reply_done(&look->reply);
}

static void look_done(struct look *look)
{
    look_forget(look);
    drover_writer_free(look->request);
    drover_client_free(look->client);
}

/* Keeps the answer of before when there is no new one. */
static enum drover_status look_again(struct look *look, uint32_t deadline_ms, struct drover_error *error)
{
    struct drover_reply reply = {0};
    struct drover_document *document = NULL;
    enum drover_status status = cli_admin(look->client, "status", look->request, deadline_ms, &reply, &document, error);

    if (status == DROVER_OK) {
        look_forget(look);
        look->reply = reply;
        look->document = document;
    }
    return status;
}

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

static void print(const struct status_options *status, const struct look *look)
{
    const struct drover_value *root = drover_document_root(look->document);

    if (status->globals.json)
        print_json(root);
    else
        status_print_table(stdout, root);
}

static int show_once(const struct status_options *status, struct look *look)
{
    struct drover_error error = {0};

    if (look_again(look, cli_admin_ms(&status->globals), &error) != DROVER_OK)
        return cli_fail(&status->globals, &error);
    print(status, look);
    return EXIT_DONE;
}

/* Until somebody ends the program. A broker that is away for a while is said, and waited for. */
static int watch(const struct status_options *status, struct look *look)
{
    bool clear = isatty(STDOUT_FILENO) && !status->globals.json;

    for (;;) {
        if (clear)
            fputs("\033[H\033[2J", stdout);
        (void)show_once(status, look);
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

static int give_up_waiting(const struct status_options *status, const struct look *look,
                           const struct drover_error *error)
{
    struct drover_error over = {.outcome = DROVER_OUTCOME_NOT_STARTED, .origin = DROVER_ORIGIN_CLIENT};

    if (look->document == NULL) {
        (void)drover_error_set(&over, DROVER_DEADLINE_EXCEEDED, "waited %llu ms: %.380s",
                               (unsigned long long)status->wait_ms, error->text);
        return cli_fail(&status->globals, &over);
    }
    print(status, look);
    status_print_waiting(stderr, drover_document_root(look->document));
    return EX_TEMPFAIL;
}

static int wait_until_ready(const struct status_options *status, struct look *look)
{
    uint64_t until_ms = sys_now_ms() + status->wait_ms, now_ms;
    struct drover_error error = {0};

    while ((now_ms = sys_now_ms()) < until_ms) {
        uint64_t left_ms = until_ms - now_ms;
        uint32_t answer_ms = left_ms < WAIT_ANSWER_MS ? (uint32_t)left_ms : WAIT_ANSWER_MS;
        if (look_again(look, answer_ms, &error) != DROVER_OK) {
            if (!is_passing(&error))
                return cli_fail(&status->globals, &error);
        } else if (status_is_ready(drover_document_root(look->document))) {
            print(status, look);
            return EXIT_DONE;
        }
        cli_pause(left_ms < WAIT_STEP_MS ? left_ms : WAIT_STEP_MS);
    }
    return give_up_waiting(status, look, &error);
}

static int run(const void *given, char **words, int count)
{
    const struct status_options *status = given;
    struct look look;
    int result = look_init(&look, &status->globals, count > 0 ? words[0] : NULL);

    if (result == EXIT_DONE && status->wait_ms > 0)
        result = wait_until_ready(status, &look);
    if (result == EXIT_DONE && status->watch)
        result = watch(status, &look);
    else if (result == EXIT_DONE && status->wait_ms == 0)
        result = show_once(status, &look);
    look_done(&look);
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
