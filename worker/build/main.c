/* main.c - drover-build: compiles the source of a driver into the store
 *
 * Says what it does as JSON, one object a line, to whoever started it:
 *
 *     {"event":"start","key":...}
 *     {"event":"line","line":...}                   what the build prints; all of it is in the log, some of it here
 *     {"event":"done","key","artefact","path","form","name","interface","version","reused","seconds","sandbox",
 *      "self_test",...}
 *     {"event":"error","status","message","messages","log","key","reused"}
 *
 * SIGTERM, SIGINT and SIGHUP end the build and all that it started.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/options.h"
#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/build.h"

#define EXIT_USAGE 2
#define TIME_MS (UINT64_C(5) * 60 * 1000)
#define MEMORY_BYTES (UINT64_C(2) << 30)
#define FILE_BYTES (UINT64_C(256) << 20)
#define PROCESSES 256
#define NICENESS 10

/* Lines that are told beyond the log: this many at once, and then one for each of so many milliseconds. */
#define LINES_AT_ONCE 200
#define MS_PER_LINE 20

struct settings {
    const char *store, *source, *interface, *name, *sdk, *policy, *launcher, *memory, *grants;
    uint64_t time_ms, processes;
    bool force, help, version;
};

static const struct option table[] = {
    {"store", 0, OPTION_TEXT, offsetof(struct settings, store), "DIR", "the store (needed)"},
    {"source", 0, OPTION_TEXT, offsetof(struct settings, source), "DIR", "the source of the driver (needed)"},
    {"interface", 0, OPTION_TEXT, offsetof(struct settings, interface), "NAME", "the interface that is wanted"},
    {"name", 0, OPTION_TEXT, offsetof(struct settings, name), "NAME", "the driver's name, if its manifest has none"},
    {"sdk", 0, OPTION_TEXT, offsetof(struct settings, sdk), "DIR", "where include/ and lib/ of drover are"},
    {"sandbox", 0, OPTION_TEXT, offsetof(struct settings, policy), "POLICY", "required, best-effort (default) or off"},
    {"grants", 0, OPTION_TEXT, offsetof(struct settings, grants), "JSON", "refuse a manifest that asks for more"},
    {"launcher", 0, OPTION_TEXT, offsetof(struct settings, launcher), "FILE", "drover-launch, if not beside this"},
    {"deadline", 0, OPTION_TIME, offsetof(struct settings, time_ms), "TIME", "how long it may take (5m)"},
    {"memory", 0, OPTION_TEXT, offsetof(struct settings, memory), "SIZE", "what each process may use (2GiB)"},
    {"processes", 0, OPTION_NUMBER, offsetof(struct settings, processes), "NUMBER", "how many there may be (256)"},
    {"force", 0, OPTION_FLAG, offsetof(struct settings, force), NULL, "build again what was built, or has failed"},
    {"help", 'h', OPTION_FLAG, offsetof(struct settings, help), NULL, "show this text"},
    {"version", 0, OPTION_FLAG, offsetof(struct settings, version), NULL, "show the version"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL},
};

static int exit_status(enum drover_status status)
{
    static const unsigned char exits[DROVER_STATUS_END] = {
        [DROVER_UNAVAILABLE] = EX_UNAVAILABLE,     [DROVER_INTERNAL] = EX_SOFTWARE,
        [DROVER_DATA_LOSS] = EX_SOFTWARE,          [DROVER_DEADLINE_EXCEEDED] = EX_TEMPFAIL,
        [DROVER_RESOURCE_EXHAUSTED] = EX_TEMPFAIL, [DROVER_PERMISSION_DENIED] = EX_NOPERM,
        [DROVER_UNAUTHENTICATED] = EX_NOPERM,      [DROVER_INVALID_ARGUMENT] = EX_CONFIG,
    };
    if (status == DROVER_OK)
        return EXIT_SUCCESS;
    return status < DROVER_STATUS_END && exits[status] ? exits[status] : EXIT_FAILURE;
}

/* --- events --------------------------------------------------------------------------------------------------------
 */

static _Noreturn void give_up(void)
{
    fputs("drover-build: out of memory\n", stderr);
    exit(EX_SOFTWARE);
}

/* One line; takes `event`. Nobody listens any more: then nobody wants the build. */
static void emit(json_t *event)
{
    char *text = event ? json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(event);
    if (!text)
        give_up();
    if (puts(text) < 0 || fflush(stdout) != 0)
        (void)raise(SIGTERM);
    free(text);
}

/* Text of a file system or a compiler, as JSON: what is no UTF-8 becomes '?'. NULL is null. */
static json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    json_t *json = copy ? json_string(text_printable(text, size - 1, copy, size)) : NULL;
    free(copy);
    return json;
}

static void tell_start(const char *key, void *context)
{
    (void)context;
    emit(json_pack("{s:s, s:s}", "event", "start", "key", key));
}

struct teller {
    uint64_t told, start_ms;
};

static void tell_line(const char *line, void *context)
{
    struct teller *teller = context;
    if (teller->told >= LINES_AT_ONCE + (sys_now_ms() - teller->start_ms) / MS_PER_LINE)
        return;
    teller->told++;
    emit(json_pack("{s:s, s:o}", "event", "line", "line", json_text(line)));
}

static json_t *json_list(char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_text(items[i]));
    return list;
}

/* What the manifest asks for at run time. */
static json_t *json_permissions(const struct permissions *asked)
{
    json_t *json = json_pack("{s:s, s:o, s:o}", "network", network_access_name(asked->network), "read",
                             json_list(asked->read.items, asked->read.count), "write",
                             json_list(asked->write.items, asked->write.count));
    if (asked->memory_bytes)
        (void)json_object_set_new(json, "memory", json_integer((json_int_t)asked->memory_bytes));
    if (asked->cpu_milli)
        (void)json_object_set_new(json, "cpu", json_real((double)asked->cpu_milli / 1000));
    return json;
}

/* Octets in hex, or null: JSON does not have all values that msgpack has. */
static json_t *json_octets(const void *data, size_t size)
{
    char *text = data ? malloc(2 * size + 1) : NULL;
    if (!text)
        return data ? NULL : json_null();
    text_hex(data, size, text);
    json_t *json = json_string(text);
    free(text);
    return json;
}

/* What a new version is to be asked, or null. */
static json_t *json_self_test(const struct manifest_self_test *test)
{
    if (!test->method)
        return json_null();
    return json_pack("{s:o, s:o, s:s}", "method", json_text(test->method), "request",
                     json_octets(test->request, test->request_size), "expect", drover_status_name(test->expect));
}

static void tell_done(const struct build_result *result, uint64_t taken_ms)
{
    const struct record *record = &result->record;
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"event", json_text("done")},
        {"key", json_text(record->key)},
        {"artefact", json_text(record->artefact)},
        {"path", json_text(result->path)},
        {"form", json_text(artefact_form_name(record->form))},
        {"name", json_text(result->name)},
        {"interface", json_text(*result->interface ? result->interface : NULL)},
        {"version", json_text(result->manifest->version)},
        {"reused", json_boolean(result->reused)},
        {"seconds", json_real((double)taken_ms / 1000)},
        {"system", json_text(record->system)},
        {"log", json_text(result->log)},
        {"library_folder", json_text(result->library_folder)},
        {"layers", json_text(record->sandbox)},
        {"sandbox", json_permissions(&result->manifest->sandbox)},
        {"self_test", json_self_test(&result->manifest->self_test)},
    };
    json_t *event = json_object();
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (json_object_set_new(event, members[i].key, members[i].value) != 0)
            give_up();
    }
    emit(event);
}

static void tell_error(const struct build_result *result, const struct drover_error *error)
{
    emit(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "event", "error", "status", drover_status_name(error->status),
                   "message", json_text(error->text), "messages",
                   json_list(result->messages.lines, result->messages.count), "log", json_text(result->log), "key",
                   json_text(*result->record.key ? result->record.key : NULL), "reused", (int)result->reused));
}

/* --- start ---------------------------------------------------------------------------------------------------------
 */

/* Say what is wrong with the command line. Returns the exit status. */
static int DROVER_PRINTF(1, 2) refuse(const char *format, ...)
{
    va_list arguments;
    fputs("drover-build: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

static int print_help(void)
{
    char *help = options_help(table);
    if (!help)
        return EX_SOFTWARE;
    printf(
        "usage: drover-build --store DIR --source DIR [OPTION...]\n\n"
        "Compiles the source of a driver in a sandbox and puts what comes out into the store. Prints what happens as "
        "JSON, one object a line. 'drover build' is the way to use it by hand.\n\n%s",
        help);
    free(help);
    return EXIT_SUCCESS;
}

/* A descriptor that tells of the signals that shall end the build; -1 with errno. */
static int watch_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
        return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Programs beside this one. */
static char *find_launcher(void)
{
    char *here = sys_program_dir();
    char *launcher = here ? text_format("%s/drover-launch", here) : NULL;
    free(here);
    return launcher;
}

static int build(const struct build_request *request)
{
    struct teller teller = {.start_ms = sys_now_ms()};
    const struct build_watcher watcher = {.start = tell_start, .line = tell_line, .context = &teller};
    struct build_result result;
    struct drover_error error = {0};
    const enum drover_status status = build_driver(request, &watcher, &result, &error);
    if (status == DROVER_OK)
        tell_done(&result, sys_now_ms() - teller.start_ms);
    else
        tell_error(&result, &error);
    build_result_done(&result);
    return exit_status(status);
}

/* With the grants of the command line, if there are any. */
static int build_within(const char *grants, struct build_request *request)
{
    struct permissions permissions;
    struct drover_error error = {0};
    if (!grants)
        return build(request);
    int result;
    request->grants = &permissions;
    if (permissions_parse(grants, &permissions, &error) != DROVER_OK)
        result = refuse("--grants: %s", error.text);
    else
        result = build(request);
    permissions_done(&permissions);
    request->grants = NULL;
    return result;
}

static int run(const struct settings *settings, struct build_request *request)
{
    request->cancel = watch_signals();
    if (request->cancel < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        perror("drover-build: cannot watch what it starts");
        return EX_SOFTWARE;
    }
    (void)umask(022);
    (void)setpriority(PRIO_PROCESS, 0, NICENESS); /* beside it, workers serve */
    char *launcher = settings->launcher ? strdup(settings->launcher) : find_launcher();
    request->launcher = launcher;
    const int result = build_within(settings->grants, request);
    free(launcher);
    close(request->cancel);
    return result;
}

int main(int argc, char **argv)
{
    struct settings settings = {.time_ms = TIME_MS, .processes = PROCESSES};
    struct build_request request = {.policy = SANDBOX_BEST_EFFORT,
                                    .limits = {.memory_bytes = MEMORY_BYTES, .file_bytes = FILE_BYTES}};
    struct drover_error error = {0};
    int rest = argc;
    if (options_parse(table, argc, argv, 1, &settings, &rest, &error) != DROVER_OK)
        return refuse("%s (see --help)", error.text);
    if (settings.help)
        return print_help();
    if (settings.version)
        return puts("drover-build " DROVER_VERSION) < 0 ? EX_SOFTWARE : EXIT_SUCCESS;
    if (rest < argc)
        return refuse("unexpected word '%s' (see --help)", argv[rest]);
    if (!settings.store || !settings.source)
        return refuse("--store DIR and --source DIR are needed (see --help)");
    if (settings.policy && !sandbox_policy_parse(settings.policy, &request.policy))
        return refuse("--sandbox: must be required, best-effort or off, not '%s'", settings.policy);
    if (settings.memory && !text_parse_size(settings.memory, &request.limits.memory_bytes))
        return refuse("--memory: must be a size such as 512MiB, not '%s'", settings.memory);
    if (settings.time_ms == 0 || settings.processes == 0)
        return refuse("--deadline and --processes: must be more than 0");
    request.store = settings.store;
    request.source = settings.source;
    request.interface = settings.interface;
    request.name = settings.name;
    request.sdk = settings.sdk;
    request.force = settings.force;
    request.time_ms = settings.time_ms;
    request.limits.processes = settings.processes;
    request.limits.cpu_s = settings.time_ms / 1000 + 1;
    return run(&settings, &request);
}
