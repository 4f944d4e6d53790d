/* main.c - drover-worker: the process in which a driver runs that is no program of its own
 *
 * The broker starts `drover-worker --builtin INTERFACE/DRIVER` for each worker of a service whose driver is built in,
 * and `drover-worker --module PATH` for one whose driver is a shared object.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <drover/worker.h>

#include "common/base/options.h"
#include "worker/program/builtins.h"
#include "worker/program/module.h"

#define EXIT_USAGE 2
#define EXIT_INTERNAL 70
#define EXIT_MISFIT 78 /* what the host takes for "do not start it again" */

struct settings {
    const char *builtin, *module;
    bool list, help, version;
    /* For workers on other machines. */
    struct option_list broker, service;
    const char *driver, *key, *broker_key;
};

static const struct option table[] = {
    {"builtin", 0, OPTION_TEXT, offsetof(struct settings, builtin), "INTERFACE/DRIVER", "serve this built-in driver"},
    {"module", 0, OPTION_TEXT, offsetof(struct settings, module), "PATH", "serve the driver in this shared object"},
    {"list", 0, OPTION_FLAG, offsetof(struct settings, list), NULL, "list the built-in drivers"},
    {"broker", 0, OPTION_LIST, offsetof(struct settings, broker), "ENDPOINT",
     "serve a broker on another machine (later)"},
    {"service", 0, OPTION_LIST, offsetof(struct settings, service), "NAME", "which services to serve there (later)"},
    {"driver", 0, OPTION_TEXT, offsetof(struct settings, driver), "REFERENCE", "with which driver (later)"},
    {"key", 0, OPTION_TEXT, offsetof(struct settings, key), "FILE", "the key of this machine (later)"},
    {"broker-key", 0, OPTION_TEXT, offsetof(struct settings, broker_key), "KEY", "the broker's public key (later)"},
    {"help", 'h', OPTION_FLAG, offsetof(struct settings, help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, offsetof(struct settings, version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

static int print_help(void)
{
    char *help = options_help(table);

    if (!help)
        return EXIT_INTERNAL;
    printf("usage: drover-worker --builtin INTERFACE/DRIVER\n"
           "       drover-worker --module PATH\n"
           "       drover-worker --list\n\n"
           "Hosts one of drover's built-in drivers, or a driver in a shared object. drover-broker starts it; by hand, "
           "with --builtin or --module, it explains the driver.\n\n%s",
           help);
    free(help);
    return EXIT_SUCCESS;
}

/* The option for workers on other machines that was given, or NULL. */
static const char *planned_option(const struct settings *settings)
{
    const struct {
        const char *name;
        bool given;
    } planned[] = {
        {"--broker", settings->broker.count > 0},       {"--service", settings->service.count > 0},
        {"--driver", settings->driver != NULL},         {"--key", settings->key != NULL},
        {"--broker-key", settings->broker_key != NULL},
    };

    for (size_t i = 0; i < sizeof(planned) / sizeof(planned[0]); i++) {
        if (planned[i].given)
            return planned[i].name;
    }
    return NULL;
}

/* Say what is wrong with the command line. Returns the exit status. */
static int DROVER_PRINTF(1, 2) refuse(const char *format, ...)
{
    va_list arguments;

    fputs("drover-worker: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

static int serve_module(const struct settings *settings, int argc, char **argv)
{
    const struct drover_driver *driver = NULL;
    struct drover_error error = {0};

    if (module_load(settings->module, &driver, &error) == DROVER_OK)
        return drover_worker_main(driver, argc, argv);
    (void)refuse("%s", error.text);
    return EXIT_MISFIT;
}

static int serve_builtin(const struct settings *settings, int argc, char **argv)
{
    const struct drover_driver *driver = builtin_find(settings->builtin);

    if (driver)
        return drover_worker_main(driver, argc, argv);
    const char *nearest = builtin_nearest(settings->builtin);
    return refuse("driver '%s' is not built in (%s%s%s)", settings->builtin, nearest ? "nearest: '" : "see --list",
                  nearest ? nearest : "", nearest ? "'" : "");
}

int main(int argc, char **argv)
{
    struct settings settings = {0};
    struct drover_error error = {0};
    int rest = argc;

    if (options_parse(table, argc, argv, 1, &settings, &rest, &error) != DROVER_OK)
        return refuse("%s (see --help)", error.text);
    if (rest < argc)
        return refuse("unexpected word '%s' (see --help)", argv[rest]);
    if (planned_option(&settings))
        return refuse("option '%s' is not implemented yet: workers run on the broker's machine only",
                      planned_option(&settings));
    if (settings.builtin && settings.module)
        return refuse("--builtin and --module: one process hosts one driver");
    if (settings.builtin)
        return serve_builtin(&settings, argc, argv);
    if (settings.module)
        return serve_module(&settings, argc, argv);
    if (settings.help)
        return print_help();
    if (settings.version) {
        puts("drover-worker " DROVER_VERSION);
        return EXIT_SUCCESS;
    }
    if (!settings.list)
        return refuse("--builtin INTERFACE/DRIVER, --module PATH or --list is needed (see --help)");
    builtin_list(stdout);
    return EXIT_SUCCESS;
}
