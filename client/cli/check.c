/* check.c - `drover check FILE`: what the broker would say to a configuration, without starting it */
#include "client/cli/cli.h"
#include "client/cli/json.h"
#include "common/load/load.h"

static const struct option options[] = {CLI_GLOBAL_OPTIONS, {0}};

static void print_json(const char *path, const struct config_messages *messages, bool good)
{
    printf("{\"file\": ");
    json_write_string(stdout, path);
    printf(", \"valid\": %s, \"messages\": [", good ? "true" : "false");
    for (size_t i = 0; i < messages->count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        json_write_string(stdout, messages->lines[i]);
    }
    puts("]}");
}

static int run(const void *given, char **words, int count)
{
    const struct cli_globals *globals = given;
    struct config *config = NULL;
    struct config_messages messages;
    bool good = load_config(words[0], &config, &messages) == DROVER_OK;

    (void)count;
    if (globals->json)
        print_json(words[0], &messages, good);
    for (size_t i = 0; i < messages.count && !globals->json; i++)
        fprintf(stderr, "%s\n", messages.lines[i]);
    if (good && !globals->json)
        printf("%s: valid, services: %zu\n", words[0], config->service_count);
    config_messages_done(&messages);
    config_free(config);
    return good ? EXIT_DONE : EX_CONFIG;
}

const struct verb verb_check = {
    .name = "check",
    .words = "FILE",
    .summary = "find every mistake of a configuration file",
    .options = options,
    .options_size = sizeof(struct cli_globals),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
