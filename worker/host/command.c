/* command.c - what is executed for a worker: drover-launch with the command line of a profile */
#include "worker/host/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/host/identity.h"
#include "worker/launch/profile.h"

#define OWN_VARIABLES 5
#define COMMAND_WORDS 4

/* Without a word about it nothing is tried. */
static const struct launch_sandbox no_sandbox = {.policy = CONFIG_SANDBOX_OFF};

/* --- the environment -----------------------------------------------------------------------------------------------
 */

static bool is_own_variable(const char *entry)
{
    return strncmp(entry, "DROVER_", strlen("DROVER_")) == 0;
}

static size_t count_variables(char **variables)
{
    size_t count = 0;
    while (variables != NULL && variables[count] != NULL)
        count++;
    return count;
}

/* Own entries come first, and are the only ones that were allocated. */
static char **free_environment(char **environment)
{
    for (size_t i = 0; environment != NULL && i < OWN_VARIABLES && environment[i] != NULL; i++) {
        if (is_own_variable(environment[i]))
            free(environment[i]);
    }
    free(environment);
    return NULL;
}

/* What drover-launch inherits; of that the profile keeps what a worker needs. */
static char **make_environment(const struct launch_plan *plan)
{
    char **environment = calloc(OWN_VARIABLES + count_variables(environ) + 1, sizeof(*environment));
    size_t used = 0;
    if (environment == NULL)
        return NULL;

    environment[used++] = text_format("%s=%" PRIu64, LAUNCH_ENV_NUMBER, plan->number);
    environment[used++] = text_format("%s=%s", WORKER_ENV_ENDPOINT, plan->endpoint);
    environment[used++] = text_format("%s=%d", WORKER_ENV_PAGE, LAUNCH_PAGE_FD);
    environment[used++] = text_format("%s=%d", WORKER_ENV_LIFELINE, LAUNCH_LIFELINE_FD);
    if (plan->folder != NULL)
        environment[used++] = text_format("%s=%s", LAUNCH_ENV_FOLDER, plan->folder);
    for (size_t i = 0; i < used; i++) {
        if (environment[i] == NULL)
            return free_environment(environment);
    }
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (!is_own_variable(*entry))
            environment[used++] = *entry;
    return environment;
}

/* --- the command line ----------------------------------------------------------------------------------------------
 */

static enum sandbox_policy policy_of(enum config_sandbox policy)
{
    switch (policy) {
    case CONFIG_SANDBOX_REQUIRED:
        return SANDBOX_REQUIRED;
    case CONFIG_SANDBOX_OFF:
        return SANDBOX_OFF;
    case CONFIG_SANDBOX_BEST_EFFORT:
        return SANDBOX_BEST_EFFORT;
    }
    return SANDBOX_REQUIRED;
}

static enum sandbox_network network_of(enum config_network network)
{
    switch (network) {
    case CONFIG_NETWORK_LOOPBACK:
        return SANDBOX_NETWORK_LOOPBACK;
    case CONFIG_NETWORK_OUTBOUND:
        return SANDBOX_NETWORK_OUTBOUND;
    case CONFIG_NETWORK_NONE:
        return SANDBOX_NETWORK_NONE;
    }
    return SANDBOX_NETWORK_NONE;
}

/* The words of the program itself; drover-launch adds the name of a module's copy. */
static void list_words(const struct launch_plan *plan, const char *words[COMMAND_WORDS])
{
    size_t count = 0;

    words[count++] = plan->program;
    if (plan->module != NULL)
        words[count++] = "--module";
    if (plan->builtin != NULL) {
        words[count++] = "--builtin";
        words[count++] = plan->builtin;
    }
    words[count] = NULL;
}

static enum drover_status make_arguments(const struct launch_plan *plan, const struct identity *identity, pid_t parent,
                                         char ***ret, struct drover_error *error)
{
    static const int kept[] = {LAUNCH_PAGE_FD, LAUNCH_LIFELINE_FD};
    const struct launch_sandbox *sandbox = plan->sandbox != NULL ? plan->sandbox : &no_sandbox;
    const char *words[COMMAND_WORDS];
    char *launcher = text_format("%s/drover-launch", plan->helpers);
    const bool is_copied = plan->artefact != NULL && plan->module == NULL;
    const struct sandbox_worker worker = {
        .common = {.launcher = launcher,
                   .policy = policy_of(sandbox->policy),
                   .read = sandbox->read,
                   .write = sandbox->write,
                   .memory_bytes = sandbox->memory_bytes,
                   .uid = identity->changes ? identity->uid : 0,
                   .gid = identity->changes ? identity->gid : 0,
                   .namespaces = true,
                   .parent = parent,
                   .report_fd = COMMAND_REPORT_FD,
                   .command = words},
        .folder = plan->folder,
        .network = network_of(sandbox->network),
        .stays_root = !identity->changes,
        .group = identity->changes ? LAUNCH_GROUP : 0,
        .processors = sandbox->cpus,
        .libraries = plan->library_folder,
        .module = plan->module,
        .artefact = plan->artefact,
        .name = is_copied ? plan->name : NULL,
        .keep_fds = kept,
        .keep_count = sizeof(kept) / sizeof(kept[0]),
    };
    list_words(plan, words);
    const enum drover_status status =
        launcher != NULL ? sandbox_worker_argv(&worker, ret, error)
                         : drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a command line");
    free(launcher);
    return status;
}

enum drover_status command_make(const struct launch_plan *plan, pid_t parent, struct command *ret,
                                struct drover_error *error)
{
    const struct launch_sandbox *sandbox = plan->sandbox != NULL ? plan->sandbox : &no_sandbox;
    struct identity identity;
    struct command command = {0};

    if (plan->helpers == NULL)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "nobody said where drover-launch is");
    if (identity_choose(plan, sandbox, &identity, error) != DROVER_OK ||
        identity_make_folder(&identity, plan->folder, error) != DROVER_OK ||
        make_arguments(plan, &identity, parent, &command.arguments, error) != DROVER_OK)
        return error->status;
    command.environment = make_environment(plan);
    if (command.environment == NULL) {
        command_done(&command);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for an environment");
    }
    *ret = command;
    return DROVER_OK;
}

void command_done(struct command *command)
{
    command->arguments = sandbox_argv_free(command->arguments);
    command->environment = free_environment(command->environment);
}
