/* reload_rig.c - see reload_rig.h */
#include "reload_rig.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/sys.h"
#include "common/wire/startword.h"
#include "tests/support/family.h"

#define SCRIPT_PATIENCE "120"
#define CALL_AGAIN_MS 5
#define CHILDREN_MAX ((size_t)64 * 1024)
#define ENVIRONMENT_MAX ((size_t)256 * 1024)

/* What is compiled finds the library of this build where it lies: modules and executables run from wherever they are
 * put. */
static const char prelude[] =
    "set -eu\n"
    "export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost\n"
    "export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost\n"
    "source() {\n"
    "  echo \"#define VERSION $1\"; shift\n"
    "  for line; do echo \"$line\"; done\n"
    "  cat " DROVER_SOURCE_DIR "/tests/system/reload/versioned_driver.c\n"
    "}\n"
    "link_of() {\n"
    "  form=$1 path=$2; shift 2\n"
    "  source \"$@\" >made.c\n"
    "  " DROVER_C_COMPILER " -w -O1 -fPIC $form -I" DROVER_BINARY_DIR "/sdk/include -o \"$path\" made.c "
    "-L" DROVER_BINARY_DIR "/lib -Wl,-rpath," DROVER_BINARY_DIR "/lib -ldrover-worker 2>made.log ||\n"
    "    { cat made.log >&2; exit 1; }\n"
    "}\n"
    "compile() { link_of -pie \"$@\"; }\n"
    "module() { link_of -shared \"$@\"; }\n"
    "edit() { source \"$@\" >source/driver.c; }\n"
    "commit() { edit $1; git -C source add -A; git -C source commit -qm v$1; git -C source tag v$1; }\n";

static _Noreturn void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "reload_rig: %s: %s\n", what, detail);
    abort();
}

/* ---- scripts ---- */

void reload_rig_run(const struct broker_rig *rig, const char *format, ...)
{
    char *lines = NULL, *script = NULL, *command = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&lines, format, arguments) < 0)
        abort();
    va_end(arguments);
    if (asprintf(&script, "cd '%s'\n%s%s\n", rig->folder, prelude, lines) < 0 ||
        asprintf(&command, "timeout -k 5 " SCRIPT_PATIENCE " sh '%s/reload.sh'", rig->folder) < 0)
        abort();
    broker_rig_write(rig, "reload.sh", 0600, script);
    if (system(command) != 0) /* NOLINT: the command is the test's own */
        give_up("a script failed", lines);
    free(lines);
    free(script);
    free(command);
}

/* ASan wants to be the first library of a program; what is compiled here was not built with it, but the library that
 * it links may have been. */
static void allow_unsanitized_drivers(void)
{
    static const char option[] = "verify_asan_link_order=0";
    const char *before = getenv("ASAN_OPTIONS");
    char *options = NULL;

    if (before != NULL && strstr(before, option) != NULL)
        return;
    if (asprintf(&options, "%s:%s", option, before != NULL ? before : "") < 0)
        abort();
    setenv("ASAN_OPTIONS", options, 1);
    free(options);
}

void reload_rig_init(struct broker_rig *rig, unsigned forms, const char *services)
{
    allow_unsanitized_drivers();
    broker_rig_init(rig, services);
    if (forms & RELOAD_BINARY)
        reload_rig_run(rig, "mkdir binary && compile binary/driver 1");
    if (forms & RELOAD_MODULE)
        reload_rig_run(rig, "mkdir module && module module/driver.so 1");
    if (forms & RELOAD_SOURCE)
        reload_rig_run(rig, "git init -q -b main source && commit 1");
}

/* ---- who answers ---- */

static uint64_t ask_version(struct caller *caller, const char *service)
{
    const struct caller_request request = {.service = service, .method = "whoami"};

    return caller_ask_number(caller, &request, "version");
}

uint64_t reload_rig_version(const struct broker_rig *rig, const char *service)
{
    struct caller caller;

    caller_init(&caller, rig->endpoint);
    const uint64_t version = ask_version(&caller, service);
    caller_done(&caller);
    return version;
}

void reload_rig_await_version(struct broker_rig *rig, const char *service, uint64_t version)
{
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;
    struct caller caller;
    char text[64];

    caller_init(&caller, rig->endpoint);
    uint64_t answered = ask_version(&caller, service);
    while (answered != version && sys_now_ms() < until_ms && !family_await_pidfd(rig->pidfd, CALL_AGAIN_MS))
        answered = ask_version(&caller, service);
    caller_done(&caller);
    if (answered == version)
        return;
    char *output = broker_rig_output(rig);
    snprintf(text, sizeof(text), "version %u is awaited, %u answers", (unsigned)version, (unsigned)answered);
    fprintf(stderr, "%s\n", output);
    free(output);
    give_up(service, text);
}

/* ---- at rest ---- */

size_t reload_rig_count_generations(const struct broker_rig_service *service)
{
    size_t count = 0;

    for (size_t i = 0; i < service->worker_count; i++) {
        bool is_new = service->workers[i].pid != 0;
        for (size_t before = 0; before < i && is_new; before++)
            is_new = service->workers[before].pid == 0 ||
                     service->workers[before].generation != service->workers[i].generation;
        count += is_new;
    }
    return count;
}

bool reload_rig_is_at_rest(const struct broker_rig_service *service)
{
    for (size_t i = 0; i < service->worker_count; i++)
        if (service->workers[i].generation != service->rollout.active ||
            strcmp(service->workers[i].state, "ready") != 0)
            return false;
    return strcmp(service->rollout.state, "serving") == 0 && strcmp(service->state, "ready") == 0;
}

static bool is_at_rest(const struct broker_rig_service *service, const void *context)
{
    (void)context;
    return reload_rig_is_at_rest(service);
}

void reload_rig_await_rest(struct broker_rig *rig, const char *service, struct broker_rig_service *ret)
{
    broker_rig_await(rig, service, is_at_rest, NULL, ret);
}

/* ---- what the broker holds ---- */

static size_t count_entries(const char *path)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *folder = opendir(path);

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* Lines of a file of /proc that begin with `start`; of the last one, the number behind it. */
static size_t count_lines(const char *path, const char *start, size_t *ret_number)
{
    char line[512];
    size_t count = 0;
    FILE *file = fopen(path, "re");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        count++;
        if (ret_number != NULL)
            *ret_number = strtoul(line + strlen(start), NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return count;
}

static size_t count_watches(pid_t pid)
{
    char path[300];
    size_t count = 0;
    const struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", (int)pid, entry->d_name);
        count += count_lines(path, "inotify wd:", NULL);
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

static bool is_any(pid_t pid)
{
    return pid != 0;
}

/* Workers are told where to connect; helpers are not. */
static bool is_worker(pid_t pid)
{
    static const char variable[] = WORKER_ENV_ENDPOINT "=";
    char path[64], *text = NULL;
    size_t size = 0;

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    const bool found = sys_read_file(path, ENVIRONMENT_MAX, &text, &size, NULL) == DROVER_OK &&
                       memmem(text, size, variable, strlen(variable)) != NULL;
    free(text);
    return found;
}

/* Only the main thread of a broker has children. Their numbers stand in one line. */
static size_t count_children(pid_t broker, bool (*is_wanted)(pid_t pid))
{
    char path[64], *text = NULL, *end = NULL;
    size_t count = 0, size = 0;
    struct drover_error error = {0};

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)broker, (int)broker);
    if (sys_read_file(path, CHILDREN_MAX, &text, &size, &error) != DROVER_OK)
        give_up("the kernel does not say who are children", error.text);
    for (const char *at = text; *at >= '0' && *at <= '9'; at = *end == ' ' ? end + 1 : end)
        count += is_wanted((pid_t)strtol(at, &end, 10));
    free(text);
    return count;
}

size_t reload_rig_count_workers(const struct broker_rig *rig)
{
    return count_children(rig->pid, is_worker);
}

void reload_rig_hold(const struct broker_rig *rig, struct reload_holdings *ret)
{
    char path[64];

    *ret = (struct reload_holdings){.children = count_children(rig->pid, is_any), .watches = count_watches(rig->pid)};
    ret->unfinished = count_entries(broker_rig_path(rig, "state/store/tmp"));
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)rig->pid);
    ret->descriptors = count_entries(path);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)rig->pid);
    (void)count_lines(path, "VmRSS:", &ret->memory_kib);
}
