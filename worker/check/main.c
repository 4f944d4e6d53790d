/* main.c - drover-check-driver: does a driver keep to the protocol?
 *
 * START: the file is looked at, not run, and hashed; a module is hosted by drover-worker. OPERATION: the checks of
 * checks.def, one after the other, each on a process that is READY where it needs one; a driver that dies in one check
 * is started afresh for the next. END: a summary; 0 when nothing has failed, 1 otherwise.
 *
 * The driver is started as the broker's host starts it, with the same launcher, but without a sandbox.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/options.h"
#include "common/base/text.h"
#include "common/sys/binary.h"
#include "common/sys/sys.h"
#include "worker/check/checks.h"
#include "worker/check/report.h"
#include "worker/check/settings.h"

#define EXIT_FAULTY 1
#define EXIT_USAGE 2
#define EXIT_INTERNAL 70

struct arguments {
    const char *file, *interface, *settings, *worker;
    uint64_t patience_ms;
    bool json, help, version;
};

static const struct option table[] = {
    {"interface", 0, OPTION_TEXT, offsetof(struct arguments, interface), "NAME", "the interface that it has to serve"},
    {"settings", 0, OPTION_TEXT, offsetof(struct arguments, settings), "JSON|@FILE", "its settings, an object"},
    {"json", 0, OPTION_FLAG, offsetof(struct arguments, json), NULL, "print JSON"},
    {"patience", 0, OPTION_TIME, offsetof(struct arguments, patience_ms), "TIME", "for each thing it has to do (10s)"},
    {"worker", 0, OPTION_TEXT, offsetof(struct arguments, worker), "PATH", "the drover-worker that hosts a module"},
    {"help", 'h', OPTION_FLAG, offsetof(struct arguments, help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, offsetof(struct arguments, version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

/* What was made for a subject_plan. */
struct places {
    char *helpers, *libraries, *worker, *file, *directory;
    char artefact[65];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    interrupted = number;
}

static int DROVER_PRINTF(2, 3) refuse(int exit_status, const char *format, ...)
{
    va_list arguments;

    (void)fputs("drover-check-driver: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return exit_status;
}

static int print_help(void)
{
    char *help = options_help(table);

    if (!help)
        return EXIT_INTERNAL;
    (void)printf("usage: drover-check-driver [OPTION]... FILE\n\n"
                 "Runs the driver FILE, an executable or a module, and says whether it keeps to drover's protocol: one "
                 "line a check.\n\n%s\nChecks:\n",
                 help);
    for (size_t i = 0; i < check_count; i++)
        (void)printf("  %-18s %s\n", checks[i].name, checks[i].summary);
    free(help);
    return EXIT_SUCCESS;
}

/* ---- the checks ---- */

/* Look at one, if the driver has come as far as that. */
static void run_check(const struct check *check, struct stage *stage, enum check_needs reached, struct finding *finding)
{
    if (check->needs > reached)
        (void)finding_skip(finding, reached == CHECK_NEEDS_NOTHING ? "no HELLO came that can be read"
                                                                   : "it does not become READY");
    else if (check->needs < CHECK_NEEDS_READY || stage_ensure_ready(stage, finding))
        (void)check->run(stage, finding);
}

static enum check_needs reached_by(const struct stage *stage, enum check_needs reached)
{
    if (reached == CHECK_NEEDS_NOTHING && stage->hello.is_read)
        return CHECK_NEEDS_HELLO;
    return stage->is_ready ? CHECK_NEEDS_READY : reached;
}

/* A HELLO that came and cannot be read is a matter of the check `hello`. */
static void run_checks(struct stage *stage, struct report *report)
{
    enum check_needs reached = CHECK_NEEDS_NOTHING;

    for (size_t i = 0; i < check_count && !interrupted; i++) {
        struct finding finding = {.verdict = VERDICT_FAILED};
        const bool is_hello = checks[i].run == check_hello && stage->hello.trouble[0];
        run_check(&checks[i], stage, is_hello ? CHECK_NEEDS_HELLO : reached, &finding);
        reached = reached_by(stage, reached);
        if (!interrupted)
            report_add(report, &checks[i], &finding);
    }
}

static int check(struct stage *stage, const struct arguments *arguments)
{
    struct report report;

    if (!report_init(&report, arguments->file, arguments->json))
        return refuse(EXIT_INTERNAL, "no memory");
    run_checks(stage, &report);
    const bool told = interrupted || report_end(&report, &stage->hello);
    const bool faulty = report.counts[VERDICT_FAILED] > 0;
    report_done(&report);
    if (!told)
        return refuse(EXIT_INTERNAL, "standard output cannot be written");
    return faulty ? EXIT_FAULTY : EXIT_SUCCESS;
}

static int run(const struct subject_plan *plan, const struct arguments *arguments)
{
    static struct stage stage; /* large */
    struct drover_writer *settings = drover_writer_new();
    struct drover_error error = {0};
    int result = EXIT_INTERNAL;

    if (!settings || stage_init(&stage, plan, &interrupted, &error) != DROVER_OK) {
        (void)refuse(result, "%s", settings ? error.text : "no memory");
    } else {
        if (settings_read(arguments->settings, settings, &error) != DROVER_OK) {
            result = refuse(EXIT_USAGE, "%s", error.text);
        } else {
            stage.patience_ms = arguments->patience_ms ? arguments->patience_ms : STAGE_PATIENCE_MS;
            stage.settings = (struct drover_text){drover_writer_data(settings), drover_writer_size(settings)};
            result = check(&stage, arguments);
        }
        stage_done(&stage);
    }
    drover_writer_free(settings);
    return result;
}

/* ---- what is to be checked ---- */

/* What lies in the build at `beside` and in an installation at `installed`, both seen from `here`. NULL when there is
 * no memory. */
static char *find(const char *here, const char *beside, const char *installed)
{
    char *first = text_format("%s/%s", here, beside);
    char *second = text_format("%s/%s", here, installed);
    const bool is_first = first && access(first, F_OK) == 0;

    free(is_first ? second : first);
    return is_first ? first : second;
}

/* Helpers lie in one folder, with this program. */
static bool find_places(const struct arguments *arguments, struct places *places)
{
    char *here = sys_program_dir();

    if (here) {
        places->worker = arguments->worker ? sys_absolute_path(arguments->worker)
                                           : find(here, "drover-worker", "../../bin/drover-worker");
        places->libraries = find(here, "../lib/libdrover-worker.so", "../../" DROVER_LIBDIR "/libdrover-worker.so");
    }
    if (places->libraries)
        *strrchr(places->libraries, '/') = '\0';
    places->helpers = here;
    places->file = sys_absolute_path(arguments->file);
    places->directory = sys_absolute_path(".");
    return places->helpers && places->libraries && places->worker && places->file && places->directory;
}

static void places_done(struct places *places)
{
    free(places->helpers);
    free(places->libraries);
    free(places->worker);
    free(places->file);
    free(places->directory);
}

/* Why the file is no driver, in words for the caller to free(); NULL when it may be one. */
static char *objection(const char *file, enum binary_kind kind)
{
    const int code = errno;

    if (kind == BINARY_MODULE)
        return NULL;
    if (kind == BINARY_UNREADABLE)
        return text_format("'%s': %s", file, strerror(code));
    if (kind != BINARY_EXECUTABLE && kind != BINARY_SCRIPT)
        return text_format("'%s' is %s: a driver is an executable or a module", file, binary_kind_text(kind));
    return access(file, X_OK) == 0 ? NULL : text_format("'%s' is not executable (chmod +x)", file);
}

static int prepare(const struct arguments *arguments)
{
    struct drover_error error = {0};
    const enum binary_kind kind = binary_look_at(arguments->file);
    struct places places = {.worker = NULL};
    char *why_not = objection(arguments->file, kind);
    int result = EXIT_FAULTY;

    if (why_not) {
        (void)refuse(result, "%s", why_not);
        free(why_not);
        return result;
    }
    if (!find_places(arguments, &places))
        result = refuse(EXIT_INTERNAL, "no memory");
    else if (sys_hash_file(places.file, places.artefact, &error) != DROVER_OK)
        result = refuse(EXIT_FAULTY, "%s", error.text);
    else
        result = run(&(struct subject_plan){.helpers = places.helpers,
                                            .library_folder = places.libraries,
                                            .worker = places.worker,
                                            .file = places.file,
                                            .is_module = kind == BINARY_MODULE,
                                            .artefact = places.artefact,
                                            .directory = places.directory},
                     arguments);
    places_done(&places);
    return result;
}

/* An interruption ends the waiting, so that the folder is removed; then it takes its usual course. */
static int prepare_interruptibly(const struct arguments *arguments)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = interrupt};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)sigaction(numbers[i], &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    const int result = prepare(arguments);
    if (interrupted) {
        (void)signal(interrupted, SIG_DFL);
        (void)raise(interrupted);
    }
    return result;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct drover_error error = {0};
    int rest = argc;

    if (options_parse(table, argc, argv, 1, &arguments, &rest, &error) != DROVER_OK)
        return refuse(EXIT_USAGE, "%s (see --help)", error.text);
    if (arguments.help)
        return print_help();
    if (arguments.version)
        return puts("drover-check-driver " DROVER_VERSION) < 0 ? EXIT_INTERNAL : EXIT_SUCCESS;
    arguments.file = rest < argc ? argv[rest] : NULL;
    if (rest < argc && options_parse(table, argc, argv, rest + 1, &arguments, &rest, &error) != DROVER_OK)
        return refuse(EXIT_USAGE, "%s (see --help)", error.text);
    if (!arguments.file || rest < argc)
        return refuse(EXIT_USAGE, "one FILE is needed (see --help)");
    check_wanted_interface = arguments.interface;
    sys_seed_libzmq();
    return prepare_interruptibly(&arguments);
}
