/* main.c - drover-launch: shuts itself in, then becomes the program it was given
 *
 * A program of its own because none of this may be done between fork and exec of a process with threads: it needs
 * memory. The host or drover-build starts it with the command line of profile.h.
 *
 * The order of the steps:
 *   - the program is copied into memory and hashed, and what is granted is opened, by whoever started this;
 *   - namespaces and the bounding set need privileges, so they come before the change of user;
 *   - the parent-death signal comes after that change, which clears it; then the parent is looked at once more;
 *   - Landlock and seccomp need no_new_privs;
 *   - limits come last: this program may need more memory than the one it becomes.
 *
 * END: execve() closes the report's descriptor. Exit status 2: the command line; 65: the program is not the one that is
 * meant; 70: the sandbox; 127: the program cannot be executed. Each says so in one line on standard error, and
 * {"status": ..., "error": ...} on the report's descriptor.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker/launch/descriptors.h"
#include "worker/launch/environment.h"
#include "worker/launch/filter.h"
#include "worker/launch/identity.h"
#include "worker/launch/landlock.h"
#include "worker/launch/layers.h"
#include "worker/launch/limits.h"
#include "worker/launch/namespaces.h"
#include "worker/launch/sealed.h"
#include "worker/launch/settings.h"

#define EXIT_USAGE 2
#define EXIT_OTHER_BYTES 65
#define EXIT_SANDBOX 70
#define EXIT_NOT_EXECUTED 127

/* A reader that is gone is the parent, which is looked for elsewhere. */
static void tell(int fd, const char *line, size_t size)
{
    if (fd >= 0 && write(fd, line, size) != (ssize_t)size)
        fputs("drover-launch: the report was not read\n", stderr);
}

/* Nothing is done at the exit: what a sanitizer looks for then needs calls that are refused by now. */
static _Noreturn void give_up(int exit_status, int report_fd, const struct drover_error *error)
{
    char line[LAYERS_REPORT_SIZE];

    fprintf(stderr, "drover-launch: %s\n", error->text);
    tell(report_fd, line, layers_report_error(error->status, error->text, line));
    _exit(exit_status);
}

static int print_help(void)
{
    char *help = settings_help();

    if (help == NULL)
        return EXIT_SANDBOX;
    printf(
        "usage: drover-launch [OPTION...] -- PROGRAM [ARGUMENT...]\n\n"
        "Runs a program with no more rights than are granted: what it may read, write and execute, which sockets it\n"
        "may have, how much it may use. Nothing is granted by itself but PROGRAM.\n\n%s",
        help);
    free(help);
    return EXIT_SUCCESS;
}

/* Die with the parent. It may have died before the signal was set, and the process have another one by now. */
static enum drover_status follow_parent(pid_t parent, struct drover_error *error)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return drover_error_set(error, DROVER_INTERNAL, "no parent-death signal: %s", strerror(errno));
    if (getppid() != parent)
        return drover_error_set(error, DROVER_CANCELLED, "process %d, which started this, is gone", (int)parent);
    return DROVER_OK;
}

/* The layers that a policy may leave out. */
static enum drover_status shut_in(const struct settings *settings, const struct sealed *sealed, pid_t parent,
                                  struct layers *layers, struct drover_error *error)
{
    int rules_fd = -1;
    enum drover_status status = landlock_prepare(settings, sealed, layers, &rules_fd, error);

    if (status != DROVER_OK)
        return status;
    if ((status = namespaces_enter(settings, layers, error)) != DROVER_OK)
        goto done;
    identity_bound_capabilities();
    if ((status = identity_change_user(settings, layers, error)) != DROVER_OK)
        goto done;
    identity_drop_capabilities(layers);
    if ((status = follow_parent(parent, error)) != DROVER_OK)
        goto done;
    limits_choose_processors(settings, layers);
    identity_give_up_privileges(layers);
    landlock_enforce(rules_fd, layers);
    filter_enforce(settings, layers);
done:
    if (rules_fd >= 0)
        close(rules_fd);
    return status;
}

/* Without a sandbox there are still a user, limits, and an end when the parent ends. */
static enum drover_status stay_open(const struct settings *settings, pid_t parent, struct layers *layers,
                                    struct drover_error *error)
{
    const enum drover_status status = identity_change_user(settings, layers, error);

    if (status != DROVER_OK)
        return status;
    limits_choose_processors(settings, layers);
    return follow_parent(parent, error);
}

static enum drover_status prepare(const struct settings *settings, const struct sealed *sealed, struct layers *layers,
                                  struct drover_error *error)
{
    const pid_t parent = settings->parent > 0 ? settings->parent : getppid();
    const uid_t uid = settings->changes_user ? settings->uid : getuid();
    const uint64_t tasks = settings->limits[LIMIT_PROCESSES].given && uid != 0 ? limits_count_tasks(uid) : 0;
    enum drover_status status;

    if (setpgid(0, 0) != 0 && getpgrp() != getpid())
        return drover_error_set(error, DROVER_INTERNAL, "no process group of its own: %s", strerror(errno));
    if (settings->policy == SANDBOX_OFF)
        status = stay_open(settings, parent, layers, error);
    else
        status = shut_in(settings, sealed, parent, layers, error);
    if (status == DROVER_OK)
        status = descriptors_enforce(settings, sealed, error);
    if (status != DROVER_OK)
        return status;
    limits_enforce(settings, tasks, layers);
    return layers_check(layers, settings->policy, error);
}

/* The command, with another name if one is given, and that of the module's copy at its end. NULL when there is no
 * memory. */
static char **make_arguments(const struct settings *settings, const struct sealed *sealed)
{
    size_t count = 0;

    while (settings->command[count] != NULL)
        count++;
    char **arguments = calloc(count + 2, sizeof(*arguments));
    if (arguments == NULL)
        return NULL;
    memcpy(arguments, settings->command, count * sizeof(*arguments));
    if (settings->name != NULL)
        arguments[0] = (char *)(uintptr_t)settings->name; /* execve() takes it so, and does not change it */
    if (sealed->is_module && asprintf(&arguments[count], "/proc/self/fd/%d", sealed->fd) < 0) {
        free(arguments);
        return NULL;
    }
    return arguments;
}

static void execute(const struct settings *settings, const struct sealed *sealed, char **arguments, char **environment)
{
    if (sealed->fd >= 0 && !sealed->is_module)
        fexecve(sealed->fd, arguments, environment);
    else
        execve(settings->command[0], arguments, environment);
}

static _Noreturn void launch(const struct settings *settings)
{
    struct layers layers = {0};
    struct sealed sealed;
    struct drover_error error = {0};
    char line[LAYERS_REPORT_SIZE];

    if (sealed_open(settings, &layers, &sealed, &error) != DROVER_OK)
        give_up(error.status == DROVER_DATA_LOSS ? EXIT_OTHER_BYTES : EXIT_NOT_EXECUTED, settings->report_fd, &error);
    char **environment = environment_make(settings), **arguments = make_arguments(settings, &sealed);
    if (environment == NULL || arguments == NULL) {
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "no memory");
        give_up(EXIT_SANDBOX, settings->report_fd, &error);
    }
    if (prepare(settings, &sealed, &layers, &error) != DROVER_OK)
        give_up(EXIT_SANDBOX, settings->report_fd, &error);
    tell(settings->report_fd, line, layers_report(&layers, settings->policy, line));
    execute(settings, &sealed, arguments, environment);
    (void)drover_error_set(&error, DROVER_UNAVAILABLE, "cannot start %.300s: %s", settings->command[0],
                           strerror(errno));
    give_up(EXIT_NOT_EXECUTED, settings->report_fd, &error);
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct drover_error error = {0};

    if (settings_read(argc, argv, &settings, &error) != DROVER_OK) {
        fprintf(stderr, "drover-launch: %s (see --help)\n", error.text);
        return EXIT_USAGE;
    }
    if (settings.help)
        return print_help();
    if (settings.version) {
        puts("drover-launch " DROVER_VERSION);
        return EXIT_SUCCESS;
    }
    launch(&settings);
}
