/* unquarantine.c - `drover unquarantine SERVICE [ARTEFACT]`: forget that a driver did badly */
#include "client/cli/inquiry.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static void write_request(struct inquiry *inquiry, char **words, int count)
{
    struct drover_writer *writer = inquiry_begin(inquiry);

    drover_write_map(writer, (size_t)count);
    drover_write_string(writer, "service");
    drover_write_string(writer, words[0]);
    if (count < 2)
        return;
    drover_write_string(writer, "artefact");
    drover_write_string(writer, words[1]);
}

static int run(const void *given, char **words, int count)
{
    const struct cli_globals *globals = given;
    struct drover_error error = {0};
    struct inquiry inquiry;
    int result = inquiry_open(&inquiry, globals);

    if (result == EXIT_DONE) {
        write_request(&inquiry, words, count);
        if (inquiry_ask(&inquiry, "unquarantine", cli_admin_ms(globals), &error) != DROVER_OK)
            result = cli_fail(globals, &error);
        else if (globals->json)
            puts("{}");
        else
            printf("service '%s': %s is not in quarantine any more ('drover reload %s' tries it)\n", words[0],
                   count > 1 ? words[1] : "whatever was", words[0]);
    }
    inquiry_close(&inquiry);
    return result;
}

const struct verb verb_unquarantine = {
    .name = "unquarantine",
    .words = "SERVICE [ARTEFACT]",
    .summary = "let a driver that did badly be tried again",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
