/* profile.c - see profile.h
 *
 * START: a list of words. OPERATION: each part of a profile adds its words; the first failure is kept and ends the
 * adding. END: the list is given to the caller, or released.
 */
#include "worker/launch/profile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (UINT64_C(1) << 20)

static const char *const policies[] = {
    [SANDBOX_REQUIRED] = "required", [SANDBOX_BEST_EFFORT] = "best-effort", [SANDBOX_OFF] = "off"};
static const char *const networks[] = {[SANDBOX_NETWORK_NONE] = "none",
                                       [SANDBOX_NETWORK_UNIX] = "unix",
                                       [SANDBOX_NETWORK_LOOPBACK] = "loopback",
                                       [SANDBOX_NETWORK_OUTBOUND] = "outbound"};

/* Where programs and libraries are. What a system does not have is left out. */
static const char *const system_exec[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL};
static const char *const system_read[] = {
    "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/proc", "/dev/urandom", "/dev/random", NULL};

/* What a resolver and TLS need as well. */
static const char *const network_read[] = {"/etc/resolv.conf", "/etc/hosts",    "/etc/host.conf", "/etc/nsswitch.conf",
                                           "/etc/gai.conf",    "/etc/services", "/etc/ssl",       NULL};

/* What a worker inherits of its host's environment. */
static const char *const worker_env[] = {"PATH",
                                         "LANG",
                                         "LC_ALL",
                                         "TZ",
                                         "DROVER_WORKER_NUMBER",
                                         "DROVER_WORKER_ENDPOINT",
                                         "DROVER_WORKER_PAGE_FD",
                                         "DROVER_WORKER_LIFELINE_FD",
                                         "DROVER_STATE_DIR",
                                         "ASAN_OPTIONS",
                                         "LSAN_OPTIONS",
                                         "UBSAN_OPTIONS",
                                         NULL};

/* What is not said elsewhere, per profile; 0: no limit. */
struct defaults {
    uint64_t memory_bytes, cpu_s, file_bytes, processes, descriptors;
};
static const struct defaults compile_defaults = {2048 * MIB, 120, 256 * MIB, 256, 256};
static const struct defaults worker_defaults = {.processes = 1024, .descriptors = 1024};

/* A command line that grows. */
struct words {
    char **items; /* ended by NULL once there is one */
    size_t count;
    bool failed;
};

static bool find_word(const char *const *words, size_t count, const char *word, size_t *ret)
{
    for (*ret = 0; *ret < count; ++*ret)
        if (strcmp(words[*ret], word) == 0)
            return true;
    return false;
}

const char *sandbox_policy_name(enum sandbox_policy policy)
{
    return (size_t)policy < COUNT(policies) ? policies[policy] : "unknown";
}

bool sandbox_policy_parse(const char *word, enum sandbox_policy *ret)
{
    size_t found;

    if (!find_word(policies, COUNT(policies), word, &found))
        return false;
    *ret = (enum sandbox_policy)found;
    return true;
}

const char *sandbox_network_name(enum sandbox_network network)
{
    return (size_t)network < COUNT(networks) ? networks[network] : "unknown";
}

bool sandbox_network_parse(const char *word, enum sandbox_network *ret)
{
    size_t found;

    if (!find_word(networks, COUNT(networks), word, &found))
        return false;
    *ret = (enum sandbox_network)found;
    return true;
}

char **sandbox_argv_free(char **argv)
{
    for (char **word = argv; word != NULL && *word != NULL; word++)
        free(*word);
    free((void *)argv);
    return NULL;
}

static DROVER_PRINTF(2, 3) void add(struct words *words, const char *format, ...)
{
    va_list arguments;
    char *word = NULL;

    if (words->failed)
        return;
    va_start(arguments, format);
    const int length = vasprintf(&word, format, arguments);
    va_end(arguments);
    char **items = length >= 0 ? realloc((void *)words->items, (words->count + 2) * sizeof(*items)) : NULL;
    if (items == NULL) {
        free(length >= 0 ? word : NULL);
        words->failed = true;
        return;
    }
    words->items = items;
    items[words->count++] = word;
    items[words->count] = NULL;
}

static void add_list(struct words *words, const char *option, const char *const *values)
{
    for (; values != NULL && *values != NULL; values++) {
        add(words, "--%s", option);
        add(words, "%s", *values);
    }
}

static void add_number(struct words *words, const char *option, uint64_t number)
{
    if (number > 0) {
        add(words, "--%s", option);
        add(words, "%" PRIu64, number);
    }
}

static void add_existing(struct words *words, const char *option, const char *const *paths)
{
    for (; *paths != NULL; paths++) {
        const char *const one[] = {*paths, NULL};
        if (access(*paths, F_OK) == 0)
            add_list(words, option, one);
    }
}

/* Other limits are counted for the user, so it has to be one of its own where that can be had. */
static void add_user(struct words *words, const struct sandbox_common *common)
{
    const uid_t uid = common->uid != 0 ? common->uid : SANDBOX_NOBODY;

    if (common->uid == 0 && geteuid() != 0)
        return;
    add(words, "--user");
    add(words, "%u:%u", (unsigned)uid, (unsigned)(common->gid != 0 ? common->gid : uid));
}

static void add_limits(struct words *words, const struct sandbox_common *common, const struct defaults *defaults)
{
    add_number(words, "memory", common->memory_bytes != 0 ? common->memory_bytes : defaults->memory_bytes);
    add_number(words, "cpu", common->cpu_s != 0 ? common->cpu_s : defaults->cpu_s);
    add_number(words, "file-size", defaults->file_bytes);
    add_number(words, "processes", defaults->processes);
    add_number(words, "descriptors", defaults->descriptors);
}

static void add_common(struct words *words, const struct sandbox_common *common, enum sandbox_network network,
                       const char *folder)
{
    const char *const writable[] = {"/dev/null", folder, NULL}; /* ends before a folder that is none */

    add(words, "%s", common->launcher);
    add(words, "--policy");
    add(words, "%s", sandbox_policy_name(common->policy));
    add(words, "--network");
    add(words, "%s", sandbox_network_name(network));
    add_existing(words, "exec", system_exec);
    add_existing(words, "read", system_read);
    add_list(words, "write", writable);
    add_list(words, "write", common->write);
    add_list(words, "env", common->env);
    add_number(words, "parent", (uint64_t)common->parent);
    if (common->namespaces)
        add(words, "--namespaces");
    if (common->report_fd >= 0)
        add_number(words, "report-fd", (uint64_t)common->report_fd);
}

/* One variable that names a folder. */
static void add_variable(struct words *words, const char *name, const char *value)
{
    add(words, "--env");
    add(words, "%s=%s", name, value);
}

static void add_command(struct words *words, const char *const *command)
{
    add(words, "--");
    for (; *command != NULL; command++)
        add(words, "%s", *command);
}

/* How often an option was given. */
static size_t count_option(const struct words *words, const char *option)
{
    size_t count = 0;

    for (size_t i = 0; i < words->count && strcmp(words->items[i], "--") != 0; i++)
        count += strcmp(words->items[i], option) == 0;
    return count;
}

static enum drover_status check(const struct sandbox_common *common, struct drover_error *error)
{
    if (common->command == NULL || common->command[0] == NULL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "there is no command to run in a sandbox");
    return DROVER_OK;
}

static enum drover_status finish(struct words *words, char ***ret, struct drover_error *error)
{
    static const char *const lists[] = {"--read", "--write", "--exec", "--env", "--keep-fd"};
    enum drover_status status = DROVER_OK;

    if (words->failed)
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for the command line of a sandbox");
    for (size_t i = 0; status == DROVER_OK && i < COUNT(lists); i++)
        if (count_option(words, lists[i]) > OPTION_LIST_MAX)
            status = drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                      "a sandbox takes at most %d times '%s', its own included: grant a folder above",
                                      OPTION_LIST_MAX, lists[i]);
    if (status == DROVER_OK)
        *ret = words->items;
    else
        sandbox_argv_free(words->items);
    return status;
}

enum drover_status sandbox_compile_argv(const struct sandbox_compile *compile, char ***ret, struct drover_error *error)
{
    const char *const folders[] = {compile->folder, NULL};
    struct words words = {0};
    enum drover_status status = check(&compile->common, error);

    if (status == DROVER_OK && (compile->folder == NULL || compile->folder[0] != '/'))
        status = drover_error_set(error, DROVER_INVALID_ARGUMENT, "a build needs the absolute path of its folder");
    if (status != DROVER_OK)
        return status;
    add_common(&words, &compile->common, SANDBOX_NETWORK_NONE, compile->folder);
    add_list(&words, "read", compile->common.read);
    add_list(&words, "exec", folders); /* a build runs what it has just built */
    add_user(&words, &compile->common);
    add_limits(&words, &compile->common, &compile_defaults);
    add(&words, "--clear-env");
    add_variable(&words, "TMPDIR", compile->folder);
    add_variable(&words, "HOME", compile->folder);
    add_variable(&words, "PATH", "/usr/bin:/bin");
    add_variable(&words, "LC_ALL", "C");
    add_command(&words, compile->common.command);
    return finish(&words, ret, error);
}

/* With the policy `off` a worker inherits everything. */
static void add_worker_environment(struct words *words, const struct sandbox_worker *worker)
{
    if (worker->libraries != NULL)
        add_variable(words, "LD_LIBRARY_PATH", worker->libraries);
    if (worker->common.policy == SANDBOX_OFF)
        return;
    add(words, "--clear-env");
    add_list(words, "keep-env", worker_env);
    if (worker->folder == NULL)
        return;
    add_variable(words, "TMPDIR", worker->folder);
    add_variable(words, "HOME", worker->folder);
}

static void add_worker_user(struct words *words, const struct sandbox_worker *worker)
{
    if (worker->stays_root && worker->common.uid == 0)
        return;
    add_user(words, &worker->common);
    add_number(words, "group", worker->group);
}

static void add_artefact(struct words *words, const struct sandbox_worker *worker)
{
    const char *const artefact[] = {worker->artefact, NULL}, *const module[] = {worker->module, NULL};
    const char *const name[] = {worker->name, NULL};

    add_list(words, "artefact", artefact);
    add_list(words, "module", module);
    add_list(words, "name", name);
}

enum drover_status sandbox_worker_argv(const struct sandbox_worker *worker, char ***ret, struct drover_error *error)
{
    const bool is_connected =
        worker->network == SANDBOX_NETWORK_LOOPBACK || worker->network == SANDBOX_NETWORK_OUTBOUND;
    const char *const libraries[] = {worker->libraries, NULL};
    struct words words = {0};
    const enum drover_status status = check(&worker->common, error);

    if (status != DROVER_OK)
        return status;
    add_common(&words, &worker->common, is_connected ? worker->network : SANDBOX_NETWORK_UNIX, worker->folder);
    add_list(&words, "exec", worker->common.read); /* who may read a program can run a copy of it anyway */
    add_existing(&words, "read", libraries);
    if (is_connected)
        add_existing(&words, "read", network_read);
    add_worker_user(&words, worker);
    add_limits(&words, &worker->common, &worker_defaults);
    add_number(&words, "processors", worker->processors);
    add_worker_environment(&words, worker);
    add_artefact(&words, worker);
    for (size_t i = 0; i < worker->keep_count; i++) {
        add(&words, "--keep-fd");
        add(&words, "%d", worker->keep_fds[i]);
    }
    add_command(&words, worker->common.command);
    return finish(&words, ret, error);
}
