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

/* What would stand behind `driver:`: the name of a built-in, or the path of this program. */
static void explain_myself(const struct drover_driver *driver, int argc, char **argv)
{
    char path[4096] = "/path/to/this/program";
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (size > 0)
        path[size] = '\0';
    explain_driver(driver, has_word(argc, argv, "--builtin") ? driver->name : path, stdout);
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
