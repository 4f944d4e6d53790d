/* worker.c - drover_worker_main(): a driver's process from its first line to its exit status
 *
 * START: by hand, the driver explains itself. Started by a host, the inheritance is taken over, output becomes line by
 * line, SIGTERM becomes "finish what runs, then leave". OPERATION: session.h. END: the session's exit status.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/sdk/explain.h"
#include "worker/sdk/session.h"

#define EXIT_USAGE 2

/* A signal handler has no parameter. */
static struct {
    atomic_bool wanted;
    int wake_fd;
} stop = {.wake_fd = -1};

static void ask_to_stop(int number)
{
    (void)number;
    atomic_store(&stop.wanted, true);
    /* Fails only when the counter is full, and then everybody is awake already. */
    (void)eventfd_write(stop.wake_fd, 1);
}

static enum drover_status catch_sigterm(struct drover_error *error)
{
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = SA_RESTART};

    stop.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop.wake_fd == -1 || sigaction(SIGTERM, &action, NULL) == -1)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "worker: SIGTERM cannot be caught");
    return DROVER_OK;
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], word) == 0)
            return true;
    }
    return false;
}

/* The value of an option of drover-worker: `--name VALUE` or `--name=VALUE`; NULL when it was not given. */
static const char *option_value(int argc, char **argv, const char *name)
{
    const size_t size = strlen(name);

    for (int i = 1; i < argc && argv[i]; i++) {
        if (strncmp(argv[i], name, size) == 0 && argv[i][size] == '=')
            return argv[i] + size + 1;
        if (strcmp(argv[i], name) == 0 && i + 1 < argc)
            return argv[i + 1];
    }
    return NULL;
}

/* What would stand behind `driver:`: the name of a built-in, or the path of the module or of this program. */
static void explain_myself(const struct drover_driver *driver, int argc, char **argv)
{
    char program[4096] = "/path/to/this/program";
    const char *module = option_value(argc, argv, "--module");
    char *path = module ? sys_absolute_path(module) : NULL;
    const ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (size > 0)
        program[size] = '\0';
    if (option_value(argc, argv, "--builtin"))
        explain_driver(driver, driver->name, stdout);
    else
        explain_driver(driver, path ? path : program, stdout);
    free(path);
}

/* Started by hand: the exit status, or -1 to go on and serve. */
static int answer_a_human(const struct drover_driver *driver, int argc, char **argv)
{
    if (has_word(argc, argv, "--version")) {
        explain_version(driver, stdout);
        return 0;
    }
    bool asked = has_word(argc, argv, "--help");
    if (!asked && environment_is_supervised())
        return -1;
    explain_myself(driver, argc, argv);
    return asked ? 0 : EXIT_USAGE;
}

/* Set everything up; on failure nothing needs to be released. */
static enum drover_status begin(const struct drover_driver *driver, struct environment *environment,
                                struct session *session, struct drover_error *error)
{
    enum drover_status status = environment_take(environment, error);
    if (status != DROVER_OK)
        return status;
    status = environment_watch_lifeline(environment, error);
    if (status == DROVER_OK)
        status = catch_sigterm(error);
    if (status == DROVER_OK)
        status = session_init(session, driver, environment, &stop.wanted, stop.wake_fd, error);
    if (status != DROVER_OK)
        environment_done(environment);
    return status;
}

int drover_worker_main(const struct drover_driver *driver, int argc, char **argv)
{
    static struct environment environment; /* outlives this function: the lifeline's thread looks at it */
    struct session session;
    struct drover_error error = {0};

    if (served_check(driver, &error) != DROVER_OK) {
        drover_log(DROVER_LOG_ERROR, "%s", error.text);
        return EXIT_MISFIT;
    }
    int exit_status = answer_a_human(driver, argc, argv);
    if (exit_status != -1)
        return exit_status;
    sys_seed_libzmq();
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (begin(driver, &environment, &session, &error) != DROVER_OK) {
        drover_log(DROVER_LOG_ERROR, "%s", error.text);
        return EXIT_BROKEN;
    }
    exit_status = session_run(&session);
    session_done(&session);
    environment_done(&environment);
    return exit_status;
}
