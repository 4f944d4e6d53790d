/* explain.c - `drover explain REFERENCE`: what a driver reference means, and why */
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/json.h"
#include "common/load/load.h"
#include "common/sys/sys.h"

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

static const struct {
    const char *interface, *name;
} builtins[] = {
#define BUILTIN(interface, name, symbol) {#interface, #name},
#include "common/config/builtins.def"
#undef BUILTIN
};

/* A reference alone does not say for which interface: take the most likely one. */
static const char *guess_interface(const char *reference, const struct config *config)
{
    for (size_t i = 0; config != NULL && i < config->service_count; i++)
        if (strcmp(config->services[i].driver, reference) == 0)
            return config->services[i].interface;
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strcmp(builtins[i].name, reference) == 0)
            return builtins[i].interface;
    return builtins[0].interface;
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
    if (resolution->target != NULL) {
        fputs(", \"target\": ", stdout);
        json_write_string(stdout, resolution->target);
    }
    if (resolution->warning != NULL) {
        fputs(", \"warning\": ", stdout);
        json_write_string(stdout, resolution->warning);
    }
    puts("}");
}

static void print_text(const struct reference_resolution *resolution)
{
    printf("kind:   %s\n", reference_kind_name(resolution->kind));
    if (resolution->target != NULL)
        printf("target: %s\n", resolution->target);
    printf("reason: %s\n", resolution->reason == NULL ? "out of memory" : resolution->reason);
    if (resolution->warning != NULL)
        printf("warning: %s\n", resolution->warning);
    puts("steps:");
    for (size_t i = 0; i < resolution->step_count; i++)
        printf("  %zu. %s\n", i + 1, resolution->steps[i]);
}

static int explain(const struct explain_options *explain, const char *reference, const struct config *config)
{
    char *here = sys_absolute_path(".");
    struct reference_setting setting = {
        .interface = explain->interface != NULL ? explain->interface : guess_interface(reference, config),
        .directory = config != NULL ? config->directory : here,
        .plugins = explain->plugins || (config != NULL && config->plugins),
        .driver_path = config != NULL ? config->driver_path : NULL,
        .driver_path_count = config != NULL ? config->driver_path_count : 0,
    };
    struct reference_resolution resolution;
    bool refused;

    if (setting.directory == NULL) {
        fputs("drover: there is no working directory\n", stderr);
        free(here);
        return EX_SOFTWARE;
    }
    reference_resolve(reference, &setting, &load_disk, &resolution);
    if (explain->globals.json)
        print_json(reference, &resolution);
    else
        print_text(&resolution);
    refused = resolution.kind == REFERENCE_REFUSED;
    reference_resolution_done(&resolution);
    free(here);
    return refused ? EXIT_ANSWERED : EXIT_DONE;
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
