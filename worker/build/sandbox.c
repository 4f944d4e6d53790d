/* sandbox.c - wraps the commands of a build (sandbox.h) */
#include "worker/build/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/text.h"
#include "worker/build/files.h"
#include "worker/build/trouble.h"

#define REPORT_SIZE 8192

/* May everybody pass through each folder that leads to `place`? The build's own folder belongs to its user. */
static bool all_may_reach(const char *place)
{
    struct stat about;
    char *path = strdup(place);
    bool may = path != NULL;
    while (may && path[0] != '\0') {
        may = stat(path, &about) == 0 && (about.st_mode & S_IXOTH) != 0;
        char *slash = strrchr(path, '/');
        *(slash ? slash : path) = '\0';
    }
    free(path);
    return may;
}

/* A build needs nothing that is root's. */
static enum drover_status choose_user(struct sandbox *sandbox, const char *place, struct drover_error *error)
{
    sandbox->owner.uid = (uid_t)-1;
    if (geteuid() != 0)
        return DROVER_OK;
    const struct passwd *user = getpwnam("drover-build");
    if (!user)
        user = getpwnam("nobody");
    if (user && user->pw_uid != 0 && all_may_reach(place)) {
        sandbox->owner = (struct owner){user->pw_uid, user->pw_gid};
        (void)snprintf(sandbox->user, sizeof(sandbox->user), "%s", user->pw_name);
        return DROVER_OK;
    }
    if (sandbox->policy != SANDBOX_REQUIRED)
        return DROVER_OK;
    return drover_error_set(
        error, DROVER_PERMISSION_DENIED,
        user ? "sandbox: required, but the user '%s' cannot reach '%s': 'chmod o+x' the folders that "
               "lead there"
             : "sandbox: required, but there is no user 'drover-build' or '%s' to build '%s' as",
        user ? user->pw_name : "nobody", place);
}

static void describe(struct sandbox *sandbox)
{
    (void)snprintf(sandbox->layers, sizeof(sandbox->layers), "%s%s%s",
                   sandbox->user[0] ? "user "
                   : geteuid() == 0 ? "user root"
                                    : "same user",
                   sandbox->user, sandbox->launcher ? "" : ", limits");
}

enum drover_status sandbox_choose(enum sandbox_policy policy, const char *launcher, const char *place,
                                  struct sandbox *ret, struct drover_error *error)
{
    *ret = (struct sandbox){.policy = policy};
    enum drover_status status = choose_user(ret, place, error);
    if (status != DROVER_OK)
        return status;
    if (policy != SANDBOX_OFF && launcher && files_is_regular(launcher)) {
        ret->launcher = strdup(launcher);
        if (!ret->launcher)
            status = trouble_memory(error);
    } else if (policy == SANDBOX_REQUIRED) {
        status = drover_error_set(error, DROVER_PERMISSION_DENIED, "sandbox: required, but there is no '%s'",
                                  launcher ? launcher : "drover-launch");
    }
    describe(ret);
    return status;
}

void sandbox_done(struct sandbox *sandbox)
{
    free(sandbox->launcher);
    *sandbox = (struct sandbox){0};
}

/* --- with drover-launch --------------------------------------------------------------------------------------------
 */

/* Take over the launcher's command line, with a plan's own environment, which it inherits, instead of the profile's. */
static void adapt(const struct sandbox *sandbox, const struct run *run, char *const *line, struct words *arguments)
{
    for (; *line && strcmp(*line, "--") != 0; line++) {
        const bool is_user = strcmp(*line, "--user") == 0;
        if (strcmp(*line, "--clear-env") == 0)
            continue;
        if (strcmp(*line, "--env") == 0 || (is_user && !sandbox->user[0]))
            line++;
        else
            words_add(arguments, *line);
    }
    if (run->limits.processes) {
        words_add(arguments, "--processes");
        words_format(arguments, "%" PRIu64, run->limits.processes);
    }
    for (; *line; line++)
        words_add(arguments, *line);
}

static enum drover_status wrap(const struct sandbox *sandbox, const struct words *step, const char *root,
                               const struct run *run, struct words *arguments, struct drover_error *error)
{
    const struct sandbox_compile compile = {.folder = root,
                                            .common = {.launcher = sandbox->launcher,
                                                       .policy = sandbox->policy,
                                                       .memory_bytes = run->limits.memory_bytes,
                                                       .cpu_s = run->limits.cpu_s,
                                                       .uid = sandbox->user[0] ? sandbox->owner.uid : 0,
                                                       .gid = sandbox->user[0] ? sandbox->owner.gid : 0,
                                                       .namespaces = true,
                                                       .parent = getpid(),
                                                       .report_fd = run->report,
                                                       .command = (const char *const *)step->items}};
    char **line = NULL;
    const enum drover_status status = sandbox_compile_argv(&compile, &line, error);
    if (status == DROVER_OK)
        adapt(sandbox, run, line, arguments);
    sandbox_argv_free(line);
    return status;
}

/* The names of the keys of an object, with `before` before the first and ", " between them, behind what is in `text`.
 */
static void add_names(json_t *object, const char *before, char *text, size_t capacity)
{
    const char *name;
    json_t *value;
    size_t used = strlen(text);
    json_object_foreach(object, name, value)
    {
        const int size = snprintf(text + used, capacity - used, "%s%s", before, name);
        if (size < 0 || (size_t)size >= capacity - used)
            return;
        used += (size_t)size;
        before = ", ";
    }
}

/* Keep what the launcher said: first of its layers, then, if it could not become the program, why. Without the first it
 * did not even get that far. Errors: FAILED_PRECONDITION, PERMISSION_DENIED. */
static enum drover_status read_report(struct sandbox *sandbox, int report, struct drover_error *error)
{
    char text[REPORT_SIZE];
    enum drover_status status = DROVER_OK;
    bool is_locked_up = false;
    const ssize_t size = read(report, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    sandbox->layers[0] = '\0';
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        json_t *json = json_loadb(line, strcspn(line, "\n"), 0, NULL);
        const char *why = json_string_value(json_object_get(json, "error"));
        is_locked_up |= json_object_get(json, "held") != NULL;
        add_names(json_object_get(json, "held"), "", sandbox->layers, sizeof(sandbox->layers));
        add_names(json_object_get(json, "missing"), "; without ", sandbox->layers, sizeof(sandbox->layers));
        if (why)
            status = drover_error_set(error, is_locked_up ? DROVER_FAILED_PRECONDITION : DROVER_PERMISSION_DENIED,
                                      "sandbox: %.400s", why);
        json_decref(json);
    }
    return status;
}

static enum drover_status run_wrapped(struct sandbox *sandbox, const struct words *step, const char *root,
                                      struct run *run, struct run_result *ret, struct drover_error *error)
{
    struct words arguments = {0};
    const struct run_limits limits = run->limits;
    int report[2];
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0)
        return trouble_errno(error, errno, "no pipe for the sandbox's report");
    run->report = report[1];
    run->owner.uid = (uid_t)-1;
    enum drover_status status = wrap(sandbox, step, root, run, &arguments, error);
    run->limits = (struct run_limits){0}; /* the launcher sets them */
    run->arguments = &arguments;
    if (status == DROVER_OK)
        status = run_command(run, ret, error);
    run->limits = limits;
    close(report[1]);
    if (status == DROVER_OK)
        status = read_report(sandbox, report[0], error);
    close(report[0]);
    words_done(&arguments);
    return status;
}

enum drover_status sandbox_run(struct sandbox *sandbox, const struct words *step, const char *root, struct run *run,
                               struct run_result *ret, struct drover_error *error)
{
    if (sandbox->launcher)
        return run_wrapped(sandbox, step, root, run, ret, error);
    const uint64_t processes = run->limits.processes;
    if (!sandbox->user[0])
        run->limits.processes = 0; /* it would count all that the user runs anyway */
    run->owner = sandbox->owner;
    run->report = -1;
    run->arguments = step;
    const enum drover_status status = run_command(run, ret, error);
    run->limits.processes = processes;
    return status;
}
