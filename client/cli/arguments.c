/* arguments.c - from a command line to a verb, its options and its words; see cli.h */
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "common/base/text.h"

static const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#define PLANNED(name)
#include "client/cli/verbs.def"
#undef VERB
#undef PLANNED
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const char *const planned[] = {
#define VERB(name)
#define PLANNED(name) #name,
#include "client/cli/verbs.def"
#undef VERB
#undef PLANNED
};
#define PLANNED_COUNT (sizeof(planned) / sizeof(planned[0]))

const struct verb *cli_find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

bool cli_is_planned(const char *name)
{
    for (size_t i = 0; i < PLANNED_COUNT; i++)
        if (strcmp(planned[i], name) == 0)
            return true;
    return false;
}

const char *cli_nearest_verb(const char *name)
{
    const char *names[VERB_COUNT];

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    return text_nearest(name, names, VERB_COUNT);
}

static enum drover_status check_words(const struct verb *verb, int count, struct drover_error *error)
{
    if (count < verb->words_min)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "verb '%s' needs more words: %s", verb->name,
                                verb->words);
    if (count > verb->words_max)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "verb '%s' takes no more words than: %s", verb->name,
                                *verb->words == '\0' ? "none" : verb->words);
    return DROVER_OK;
}

enum drover_status cli_parse(const struct verb *verb, int argc, char **argv, void *options, char **words,
                             int *ret_count, struct drover_error *error)
{
    const struct cli_globals *globals = options;
    int at = 0, count = 0;
    bool only_words = false;

    while (at < argc) {
        int from = at;
        if (!only_words) {
            enum drover_status status = options_parse(verb->options, argc, argv, at, options, &at, error);
            if (status != DROVER_OK)
                return status;
            only_words = at > from && strcmp(argv[at - 1], "--") == 0;
        }
        if (at < argc)
            words[count++] = argv[at++];
    }
    *ret_count = count;
    return globals->help ? DROVER_OK : check_words(verb, count, error);
}

static void print_usage(const struct verb *verb, FILE *out)
{
    fprintf(out, "usage: drover %s%s%s [OPTION]...\n", verb->name, *verb->words == '\0' ? "" : " ", verb->words);
}

void cli_print_help(const struct verb *verb, FILE *out)
{
    char *options = options_help(verb->options);

    print_usage(verb, out);
    fprintf(out, "%s\n\n%s", verb->summary, options == NULL ? "" : options);
    free(options);
}

void cli_print_overview(FILE *out)
{
    static const struct option globals[] = {CLI_GLOBAL_OPTIONS, {0}};
    char *options = options_help(globals);

    fputs("usage: drover [--broker ENDPOINT] [--json] [--timeout TIME] VERB ...\n"
          "Calls the services of a drover broker and looks after it.\n\n",
          out);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-12s  %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(out, "\nOptions, before the verb or after it:\n%s", options == NULL ? "" : options);
    fputs("\nExit status: 0 done, 1 the driver answered with an error, 2 wrong usage, 69 no broker or no worker,\n"
          "70 internal, 75 try again, 77 not allowed, 78 configuration error.\n",
          out);
    free(options);
}

int cli_usage(const struct verb *verb, const struct drover_error *error)
{
    fprintf(stderr, "drover: %s\n", error->text);
    if (verb != NULL)
        print_usage(verb, stderr);
    return EXIT_USAGE;
}
