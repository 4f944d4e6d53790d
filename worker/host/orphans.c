/* orphans.c - processes that a dead worker left behind
 *
 * A child that was not reaped yet keeps its number, so a number read from the list of our own children is safe to
 * signal: nobody but this thread reaps them.
 */
#include "worker/host/orphans.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "worker/host/launch.h"

#define ENVIRONMENT_MAX ((size_t)256 * 1024)

bool orphans_adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

/* The first octets of a process's environment, always ended by a NUL; "" when it cannot be read. */
static size_t read_environment(pid_t pid, char *buffer, size_t capacity)
{
    char path[64];
    size_t size = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        size = fread(buffer, 1, capacity - 1, file);
        (void)fclose(file);
    }
    buffer[size] = '\0';
    return size;
}

/* The number of the worker that a process descends from. */
static bool find_worker_number(const char *environment, size_t size, uint64_t *ret_number)
{
    static const char prefix[] = LAUNCH_ENV_NUMBER "=";
    for (size_t at = 0; at < size; at += strlen(environment + at) + 1)
        if (strncmp(environment + at, prefix, sizeof(prefix) - 1) == 0)
            return text_parse_number(environment + at + sizeof(prefix) - 1, ret_number);
    return false;
}

static bool is_left_behind(const struct orphans_view *view, pid_t pid)
{
    uint64_t number = 0;
    if (view->all)
        return true;
    char *environment = malloc(ENVIRONMENT_MAX);
    if (environment == NULL)
        return false;
    const size_t size = read_environment(pid, environment, ENVIRONMENT_MAX);
    const bool found = find_worker_number(environment, size, &number);
    free(environment);
    return found && !view->is_alive(view->context, number);
}

static bool reap(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

unsigned orphans_sweep(const struct orphans_view *view)
{
    char path[64];
    char *word = NULL;
    size_t capacity = 0;
    unsigned found = 0;

    /* Children belong to the thread that forked them or, when adopted, to the main one: the host's is both. */
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return 0;
    while (getdelim(&word, &capacity, ' ', children) > 0) {
        const pid_t pid = (pid_t)strtol(word, NULL, 10);
        if (pid <= 0 || view->is_worker(view->context, pid))
            continue;
        if (reap(pid)) {
            found++;
        } else if (is_left_behind(view, pid)) {
            (void)kill(pid, SIGKILL);
            found++;
        }
    }
    free(word);
    (void)fclose(children);
    return found;
}
