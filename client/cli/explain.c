/* explain.c - `drover explain REFERENCE`: what a driver reference means, and why */
#include "client/cli/json.h"
#include "client/cli/place.h"
#include "common/load/load.h"

struct explain_options {
    struct cli_globals globals;
    const char *interface;
    const char *config;
    bool plugins;
};

static const struct option options[] = {
    {"interface", 0, OPTION_TEXT, offsetof(struct explain_options, interface), "NAME",
     "the interface of the service (default: that of the service with this driver, else of the built-in)"},
    {"plugins", 0, OPTION_FLAG, offsetof(struct explain_options, plugins), NULL, "as with 'plugins: true'"},
    {"config", 0, OPTION_TEXT, offsetof(struct explain_options, config), "FILE",
     "as if it stood in this file (default: in one in the working directory)"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

/* What a kind does not have is left out. */
static void print_member(const char *key, const char *value)
{
    if (value == NULL)
        return;
    printf(", \"%s\": ", key);
    json_write_string(stdout, value);
}

static void print_json(const char *reference, const struct reference_resolution *resolution)
{
    fputs("{\"reference\": ", stdout);
    json_write_string(stdout, reference);
    printf(", \"kind\": \"%s\", \"reason\": ", reference_kind_name(resolution->kind));
    json_write_string(stdout, resolution->reason == NULL ? "" : resolution->reason);
    fputs(", \"steps\": [", stdout);
    for (size_t i = 0; i < resolution->step_count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        json_write_string(stdout, resolution->steps[i]);
    }
    fputs("]", stdout);
    print_member("target", resolution->target);
    print_member("name", resolution->name);
    print_member("url", resolution->url);
    print_member("ref", resolution->ref);
    print_member("subdir", resolution->subdir);
    print_member("warning", resolution->warning);
    puts("}");
}

static void print_text(const struct reference_resolution *resolution)
{
    printf("kind:   %s\n", reference_kind_name(resolution->kind));
    if (resolution->target != NULL)
        printf("target: %s\n", resolution->target);
    if (resolution->url != NULL)
        printf("url:    %s\nref:    %s\nsubdir: %s\n", resolution->url,
               resolution->ref != NULL ? resolution->ref : "(the repository's own branch)",
               resolution->subdir != NULL ? resolution->subdir : "(the top)");
    printf("reason: %s\n", resolution->reason == NULL ? "out of memory" : resolution->reason);
    if (resolution->warning != NULL)
        printf("warning: %s\n", resolution->warning);
    puts("steps:");
    for (size_t i = 0; i < resolution->step_count; i++)
        printf("  %zu. %s\n", i + 1, resolution->steps[i]);
}

static int explain(const struct explain_options *explain, const char *reference, const struct config *config)
{
    struct reference_resolution resolution;
    int result = place_resolve(config, reference, explain->interface, explain->plugins, &resolution);

    if (result != EXIT_DONE)
        return result;
    if (explain->globals.json)
        print_json(reference, &resolution);
    else
        print_text(&resolution);
    result = resolution.kind == REFERENCE_REFUSED ? EXIT_ANSWERED : EXIT_DONE;
    reference_resolution_done(&resolution);
    return result;
}

static int run(const void *given, char **words, int count)
{
    const struct explain_options *explanation = given;
    struct config *config = NULL;
    struct config_messages messages = {0};
    int result = EX_CONFIG;

    (void)count;
    if (explanation->config == NULL || load_config(explanation->config, &config, &messages) == DROVER_OK)
        result = explain(explanation, words[0], config);
    for (size_t i = 0; i < messages.count; i++)
        fprintf(stderr, "%s\n", messages.lines[i]);
    config_messages_done(&messages);
    config_free(config);
    return result;
}

const struct verb verb_explain = {
    .name = "explain",
    .words = "REFERENCE",
    .summary = "say how a driver reference resolves, step by step",
    .options = options,
    .options_size = sizeof(struct explain_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
