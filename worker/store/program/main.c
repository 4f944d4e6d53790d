/* main.c - drover-store: looks after the store of artefacts, by hand and for the broker
 *
 * `drover store` is the way to use list, gc and verify; `add` is for the broker, which does not read files that are not
 * its own. It answers in JSON, one object on a line, with the event "done" or "error", as drover-fetch and drover-build
 * do.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/base/options.h"
#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/store/program/program.h"

#define EXIT_USAGE 2
#define HOUR_MS UINT64_C(3600000)

#define AT(member) offsetof(struct program_options, member)

static const struct option table[] = {
    {"store", 0, OPTION_TEXT, AT(store), "DIR", "the store (needed)"},
    {"lock", 0, OPTION_TEXT, AT(lock), "FILE", "gc: keep what this lock file names"},
    {"versions", 0, OPTION_TEXT, AT(versions), "DIR",
     "gc: keep what services remember here (default: 'versions' beside the store)"},
    {"max-age", 0, OPTION_TIME, AT(max_age_ms), "TIME", "gc: remove what was not used for so long (720h)"},
    {"min-age", 0, OPTION_TIME, AT(min_age_ms), "TIME", "gc: keep what was used within this time (1h)"},
    {"max-size", 0, OPTION_TEXT, AT(max_size), "SIZE", "gc: then remove the longest unused down to this size (8GiB)"},
    {"json", 0, OPTION_FLAG, AT(json), NULL, "print JSON"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, AT(version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

static const struct verb {
    const char *name;
    program_verb run;
    int words;
    bool event; /* answers with events */
} verbs[] = {
    {"add", program_add, 1, true},
    {"list", program_list, 0, false},
    {"gc", program_gc, 0, false},
    {"verify", program_verify, 0, false},
};

enum drover_status program_print(json_t *object, struct drover_error *error)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    puts(text);
    free(text);
    return DROVER_OK;
}

const char *program_size(uint64_t bytes, char *buffer)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double value = (double)bytes;
    for (; value >= 1024 && unit < sizeof units / sizeof *units - 1; unit++)
        value /= 1024;
    snprintf(buffer, PROGRAM_SIZE_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return buffer;
}

enum drover_status program_trouble(struct drover_error *error, int code, const char *path)
{
    return drover_error_set(error, sys_status_of(code), "'%s': %s", path, strerror(code));
}

static int exit_status(enum drover_status status)
{
    switch ((unsigned)status) {
    case DROVER_RESOURCE_EXHAUSTED:
    case DROVER_ABORTED:
    case DROVER_DEADLINE_EXCEEDED:
        return EX_TEMPFAIL;
    case DROVER_PERMISSION_DENIED:
        return EX_NOPERM;
    case DROVER_INVALID_ARGUMENT:
    case DROVER_FAILED_PRECONDITION:
    case DROVER_NOT_FOUND:
        return EX_CONFIG;
    case DROVER_INTERNAL:
        return EX_SOFTWARE;
    default:
        return EXIT_FAILURE;
    }
}

/* Tell about an error in the form of the verb. */
static int fail(const struct verb *verb, const struct program_options *options, const struct drover_error *error)
{
    char text[DROVER_ERROR_TEXT_SIZE];
    const char *status = drover_status_name(error->status);
    struct drover_error ignored;
    text_printable(error->text, strlen(error->text), text, sizeof text);
    if (verb->event)
        (void)!program_print(json_pack("{s:s, s:s, s:s}", "event", "error", "status", status, "message", text),
                             &ignored);
    else if (options->json)
        (void)!program_print(json_pack("{s:s, s:s, s:s, s:s}", "status", status, "message", text, "outcome",
                                       "not started", "origin", "host"),
                             &ignored);
    else
        fprintf(stderr, "%s: %s\n", status, text);
    return exit_status(error->status);
}

static int refuse(const char *what, const char *which)
{
    fprintf(stderr, "drover-store: %s%s (see --help)\n", what, which);
    return EXIT_USAGE;
}

static int print_help(void)
{
    char *help = options_help(table);
    if (!help)
        return EX_SOFTWARE;
    printf("usage: drover-store list|gc|verify --store DIR [OPTION]...\n"
           "       drover-store add --store DIR FILE\n\n"
           "Looks after what drover fetched and built. 'drover store' is the way to use it by hand.\n\n%s",
           help);
    free(help);
    return EXIT_SUCCESS;
}

static int run(const struct verb *verb, const struct program_options *options, const char *word)
{
    struct store *store = NULL;
    struct drover_error error = {0};
    int result = EXIT_SUCCESS;
    (void)umask(022);
    enum drover_status status = store_open(options->store, NULL, &store, &error);
    if (status == DROVER_OK)
        status = verb->run(store, options, word, &result, &error);
    if (status != DROVER_OK)
        result = fail(verb, options, &error);
    store_free(store);
    return fflush(stdout) == 0 ? result : EX_SOFTWARE;
}

/* Parse one run of options from argv[*at] on; then *at is the next word. */
static bool parse(int argc, char **argv, struct program_options *options, int *at)
{
    struct drover_error error = {0};
    if (options_parse(table, argc, argv, *at, options, at, &error) == DROVER_OK)
        return true;
    fprintf(stderr, "drover-store: %s (see --help)\n", error.text);
    return false;
}

int main(int argc, char **argv)
{
    struct program_options options = {.max_age_ms = 720 * HOUR_MS, .min_age_ms = HOUR_MS};
    const struct verb *verb = NULL;
    int at = 1;
    if (!parse(argc, argv, &options, &at))
        return EXIT_USAGE;
    if (options.help)
        return print_help();
    if (options.version)
        return puts("drover-store " DROVER_VERSION) < 0 ? EX_SOFTWARE : EXIT_SUCCESS;
    for (size_t i = 0; at < argc && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[at], verbs[i].name) == 0)
            verb = &verbs[i];
    if (!verb)
        return refuse("one of add, list, gc and verify is needed", "");
    at++;
    if (!parse(argc, argv, &options, &at))
        return EXIT_USAGE;
    if (options.help)
        return print_help();
    if (!options.store)
        return refuse("--store DIR is needed", "");
    if (argc - at != verb->words)
        return refuse(argc - at < verb->words ? "a file is needed behind " : "unexpected word ",
                      argc - at < verb->words ? verb->name : argv[at + verb->words]);
    return run(verb, &options, verb->words > 0 ? argv[at] : NULL);
}
