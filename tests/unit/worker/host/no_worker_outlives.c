/* no_worker_outlives.c - a host that is killed leaves no worker behind
 *
 * This program forks a process that runs a host with three workers, kills it in one of several ways, and sees the
 * workers end. It is a subreaper: the workers become its children when the host is gone, so their end can be waited
 * for instead of guessed.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "worker/host/host.h"

#define WORKERS 3
#define PATIENCE_MS 20000

static int complain(const char *what)
{
    (void)fprintf(stderr, "no_worker_outlives: %s\n", what);
    return 1;
}

/* The host: tells the pids of its workers, and goes on for ever. */

/* When it tells them: as soon as they are forked, or when all have printed a line. */
enum moment { FORKED, AWAKE, MOMENTS };

static bool all_awake(const struct host *host)
{
    struct drover_writer *writer = drover_writer_new();
    struct drover_document *lines = NULL;
    host_write_logs(host, NULL, 0, writer);
    const bool awake =
        drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &lines, NULL) == DROVER_OK &&
        drover_value_count(drover_document_root(lines)) == WORKERS;
    drover_document_free(lines);
    drover_writer_free(writer);
    return awake;
}

static bool tell_workers(const struct host *host, int fd)
{
    pid_t pids[WORKERS];
    struct host_worker_report report;
    for (unsigned i = 0; i < WORKERS; i++) {
        if (!host_worker_report(host, "test", i, &report) || report.pid == 0)
            return false;
        pids[i] = (pid_t)report.pid;
    }
    return write(fd, pids, sizeof(pids)) == (ssize_t)sizeof(pids);
}

static int run_host(const char *sleeper, enum moment moment, int fd)
{
    const struct host_options options = {
        .endpoint = "ipc:///nowhere", .worker_program = "/bin/sleep", .helpers = DROVER_BINARY_DIR "/bin"};
    const struct host_service service = {
        .name = "test",
        .interface = "test",
        .driver = "sleeper",
        .kind = "executable",
        .program = sleeper,
        .artefact = "0123456789abcdef",
        .directory = "/",
        .replicas = WORKERS,
        .restart_min_ms = 1000,
        .restart_max_ms = 1000,
        .ready_limit_ms = 10000,
    };
    struct host *host = NULL;
    struct host_event event;
    bool told = false;

    if (host_new(&options, &host, NULL) != DROVER_OK ||
        host_set_service(host, &service, 0, sys_now_ms(), NULL) != DROVER_OK)
        return complain("no host");
    for (;;) {
        struct pollfd poll_fd = {.fd = host_fd(host), .events = POLLIN};
        while (host_next_event(host, &event))
            ;
        host_step(host, sys_now_ms());
        told = told || ((moment == FORKED || all_awake(host)) && tell_workers(host, fd));
        (void)poll(&poll_fd, 1, 1000);
    }
}

/* The test. */

static pid_t start_host(const char *sleeper, enum moment moment, int *ret_fd)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(run_host(sleeper, moment, ends[1]));
    }
    close(ends[1]);
    *ret_fd = ends[0];
    return pid;
}

/* Wait for the end of `pid` with a limit; its status tells how it ended. */
static bool wait_for_end(pid_t pid, int *ret_status)
{
    struct pollfd death = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    if (death.fd < 0)
        return false;
    const bool ended = poll(&death, 1, PATIENCE_MS) == 1;
    close(death.fd);
    return ended && waitpid(pid, ret_status, 0) == pid;
}

/* A worker that finds its parent gone before it has begun exits by itself. */
static bool ended_by_kernel(int status, enum moment moment)
{
    return moment == FORKED || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int kill_and_look(const char *sleeper, enum moment moment, const int *signals)
{
    pid_t workers[WORKERS];
    int fd = -1, status = 0;
    const pid_t host = start_host(sleeper, moment, &fd);
    if (host < 0 || read(fd, workers, sizeof(workers)) != (ssize_t)sizeof(workers))
        return complain("the host did not start its workers");
    for (; *signals != 0; signals++)
        (void)kill(host, *signals);
    if (!wait_for_end(host, &status))
        return complain("the host did not end");
    for (unsigned i = 0; i < WORKERS; i++)
        if (!wait_for_end(workers[i], &status) || !ended_by_kernel(status, moment))
            return complain("a worker has outlived its host");
    close(fd);
    return 0;
}

static bool write_sleeper(char *path)
{
    static const char script[] = "#!/bin/sh\necho awake\nexec sleep 1000\n";
    const int fd = mkstemp(path);
    const bool written =
        fd >= 0 && write(fd, script, sizeof(script) - 1) == (ssize_t)sizeof(script) - 1 && fchmod(fd, 0700) == 0;
    if (fd >= 0)
        close(fd);
    return written;
}

int main(void)
{
    static const int ways[][3] = {{SIGKILL}, {SIGTERM}, {SIGHUP}, {SIGSTOP, SIGKILL}};
    char path[] = "/tmp/drover-sleeper-XXXXXX";
    int failed = 0;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || !write_sleeper(path))
        return complain("cannot prepare");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        for (int moment = 0; moment < MOMENTS; moment++)
            failed += kill_and_look(path, (enum moment)moment, ways[i]);
    (void)unlink(path);
    return failed != 0;
}
