/* family.c - reads /proc; see family.h */
#include "tests/support/family.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "common/wire/startword.h"

#define ENVIRONMENT_MAX ((size_t)128 * 1024)

/* Does this variable say that its process belongs to the broker of the folder `value`? A worker that is shut in has of
 * its host's environment only where to connect: to a socket in that folder. */
static bool is_mark(const char *variable, const char *value)
{
    static const char endpoint[] = WORKER_ENV_ENDPOINT "=ipc://", mark[] = FAMILY_MARK "=";
    const size_t size = strlen(value);

    if (strncmp(variable, mark, sizeof(mark) - 1) == 0)
        return strcmp(variable + sizeof(mark) - 1, value) == 0;
    return strncmp(variable, endpoint, sizeof(endpoint) - 1) == 0 &&
           strncmp(variable + sizeof(endpoint) - 1, value, size) == 0 && variable[sizeof(endpoint) - 1 + size] == '/';
}

/* A process that has ended has no environment any more, so what is found does live. */
static bool bears_mark(pid_t pid, const char *value)
{
    static char environment[ENVIRONMENT_MAX];
    char path[64];
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(environment, 1, sizeof(environment) - 1, file);
    fclose(file);
    environment[size] = '\0';
    for (size_t at = 0; at < size && !found; at += strlen(environment + at) + 1)
        found = is_mark(environment + at, value);
    return found;
}

int family_open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Held first and looked at then: the number cannot become somebody else's in between. */
static void hold_one(struct family *family, pid_t pid, const char *value)
{
    int pidfd = family_open_pidfd(pid);

    if (pidfd >= 0 && family->count < FAMILY_MAX && bears_mark(pid, value)) {
        family->pids[family->count] = pid;
        family->pidfds[family->count++] = pidfd;
    } else if (pidfd >= 0) {
        close(pidfd);
    }
}

void family_hold(struct family *family, const char *value, pid_t except)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    family->count = 0;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != except && pid != getpid())
            hold_one(family, pid, value);
    }
    if (proc != NULL)
        closedir(proc);
}

bool family_await_pidfd(int pidfd, uint64_t limit_ms)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    return poll(&end, 1, (int)limit_ms) == 1;
}

size_t family_await_end(const struct family *family, uint64_t limit_ms)
{
    uint64_t until_ms = sys_now_ms() + limit_ms, now_ms;
    size_t living = 0;

    for (size_t i = 0; i < family->count; i++) {
        now_ms = sys_now_ms();
        living += !family_await_pidfd(family->pidfds[i], now_ms < until_ms ? until_ms - now_ms : 0);
    }
    return living;
}

void family_kill(const struct family *family)
{
    for (size_t i = 0; i < family->count; i++)
        (void)syscall(SYS_pidfd_send_signal, family->pidfds[i], SIGKILL, NULL, 0);
}

void family_release(struct family *family)
{
    for (size_t i = 0; i < family->count; i++)
        close(family->pidfds[i]);
    family->count = 0;
}

size_t family_count(const char *value, pid_t except)
{
    struct family family;

    family_hold(&family, value, except);
    size_t count = family.count;
    family_release(&family);
    return count;
}
