/* logs.c - `drover logs [SERVICE] [-f]`: what the workers printed
 *
 * The broker keeps the last lines of every worker, each with a number; -f asks again for those above the last one seen.
 */
#include <inttypes.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/cli/json.h"
#include "common/base/text.h"

#define FOLLOW_MS 200

struct logs_options {
    struct cli_globals globals;
    bool follow;
};

static const struct option options[] = {
    {"follow", 'f', OPTION_FLAG, offsetof(struct logs_options, follow), NULL, "go on with the lines to come"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

static void write_request(struct drover_writer *writer, const char *service, uint64_t after)
{
    drover_writer_clear(writer);
    drover_write_map(writer, service == NULL ? 1 : 2);
    drover_write_string(writer, "after");
    drover_write_uint64(writer, after);
    if (service != NULL) {
        drover_write_string(writer, "service");
        drover_write_string(writer, service);
    }
}

static void print_line(const struct drover_value *line)
{
    struct drover_text service = drover_value_get_text(line, "service", "?");
    struct drover_text stream = drover_value_get_text(line, "stream", "?");
    struct drover_text text = drover_value_get_text(line, "line", "");
    char shown[8 * 1024 + 1], when[32] = "", from[256];
    uint64_t time_ms = 0, pid = 0;
    struct tm broken;
    time_t seconds;

    (void)drover_value_uint64(drover_value_get(line, "time_ms"), &time_ms);
    (void)drover_value_uint64(drover_value_get(line, "pid"), &pid);
    seconds = (time_t)(time_ms / 1000);
    if (localtime_r(&seconds, &broken) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &broken);
    printf("%s.%03u %s[%" PRIu64 "] %s: %s\n", when, (unsigned)(time_ms % 1000),
           text_printable(service.data, service.size, from, sizeof(from)), pid,
           drover_text_equals(stream, "stderr") ? "err" : "out",
           text_printable(text.data, text.size, shown, sizeof(shown)));
}

static void print_lines(const struct logs_options *logs, const struct drover_value *answer, uint64_t *next)
{
    const struct drover_value *lines = drover_value_get(answer, "lines");

    for (size_t i = 0; i < drover_value_count(lines); i++) {
        if (logs->globals.json) {
            json_write(stdout, drover_value_at(lines, i), JSON_ONE_LINE);
            putchar('\n');
        } else {
            print_line(drover_value_at(lines, i));
        }
    }
    (void)drover_value_uint64(drover_value_get(answer, "next"), next);
}

static enum drover_status ask(const struct logs_options *logs, struct drover_client *client,
                              struct drover_writer *request, uint64_t *next, struct drover_error *error)
{
    struct drover_reply reply = {0};
    struct drover_document *document = NULL;
    enum drover_status status =
        cli_admin(client, "logs", request, cli_admin_ms(&logs->globals), &reply, &document, error);

    if (status != DROVER_OK)
        return status;
    print_lines(logs, drover_document_root(document), next);
    drover_document_free(document);
    drover_reply_done(&reply);
    return DROVER_OK;
}

/* The first answer decides whether the question was right; after it, a broker that restarts is waited for. Its lines
 * are numbered from the beginning again. */
static int follow(const struct logs_options *logs, struct drover_client *client, struct drover_writer *request,
                  const char *service, uint64_t next)
{
    struct drover_error error = {0};

    for (;;) {
        if (fflush(stdout) != 0)
            return EX_SOFTWARE;
        cli_pause(FOLLOW_MS);
        write_request(request, service, next);
        if (ask(logs, client, request, &next, &error) == DROVER_OK)
            continue;
        if (cli_exit_status(&error) != EX_UNAVAILABLE && cli_exit_status(&error) != EX_TEMPFAIL)
            return cli_fail(&logs->globals, &error);
        next = 0;
    }
}

static int show(const struct logs_options *logs, struct drover_client *client, struct drover_writer *request,
                const char *service)
{
    struct drover_error error = {0};
    uint64_t next = 0;

    write_request(request, service, 0);
    if (ask(logs, client, request, &next, &error) != DROVER_OK)
        return cli_fail(&logs->globals, &error);
    return logs->follow ? follow(logs, client, request, service, next) : EXIT_DONE;
}

static int run(const void *given, char **words, int count)
{
    const struct logs_options *logs = given;
    struct drover_writer *request = drover_writer_new();
    struct drover_client *client = NULL;
    int result = request == NULL ? EX_SOFTWARE : cli_connect(&logs->globals, true, 0, &client);

    if (result == EXIT_DONE)
        result = show(logs, client, request, count > 0 ? words[0] : NULL);
    drover_client_free(client);
    drover_writer_free(request);
    return result;
}

const struct verb verb_logs = {
    .name = "logs",
    .words = "[SERVICE]",
    .summary = "print the captured output of the workers",
    .options = options,
    .options_size = sizeof(struct logs_options),
    .words_max = 1,
    .run = run,
};
