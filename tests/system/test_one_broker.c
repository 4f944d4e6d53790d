/* test_one_broker.c - a second broker in the same place is refused; a broker that is process 1 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "tests/support/family.h"

#define UNRULY DROVER_BINARY_DIR "/tests/unruly_driver"

static struct broker_rig rig;

static void end(void)
{
    broker_rig_done(&rig);
}

TestSuite(one_broker, .fini = end);

/* Start a second broker with one place of the first; the first must not notice. */
static void expect_refused(const char *socket_in, const char *state_in, const char *what)
{
    struct broker_rig second;
    struct caller caller;
    char lines[512], *output = NULL;

    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
    const pid_t before = caller_ask_pid(&caller, "echo");
    snprintf(lines, sizeof(lines), "  listen: ['ipc://%s/broker.sock']\n  state_dir: %s/state\n", socket_in, state_in);
    broker_rig_init_with(&second, lines, "  echo: {driver: echo}");
    broker_rig_start(&second);
    cr_expect_eq(broker_rig_await_end(&second), 78);
    output = broker_rig_output(&second);
    printf("%s", output);
    cr_expect(strstr(output, "another drover-broker") != NULL && strstr(output, what) != NULL, "%s", output);
    cr_expect_eq(caller_ask_pid(&caller, "echo"), before, "the first one serves as before");
    free(output);
    caller_done(&caller);
    broker_rig_done(&second);

    caller_init(&caller, rig.endpoint);
    cr_expect_eq(caller_ask_pid(&caller, "echo"), before, "also those who come now");
    caller_done(&caller);
}

Test(one_broker, has_a_socket)
{
    broker_rig_init(&rig, "  echo: {driver: echo}");
    expect_refused(rig.folder, "@", "broker.sock");
}

Test(one_broker, has_a_state_directory)
{
    broker_rig_init(&rig, "  echo: {driver: echo}");
    expect_refused("@", rig.folder, "/state/");
}

/* The socket and the locks of a broker that was killed are in nobody's way. */
Test(one_broker, follows_one_that_was_killed)
{
    broker_rig_init(&rig, "  echo: {driver: echo}");
    broker_rig_start_and_await(&rig);
    broker_rig_signal(&rig, SIGKILL);
    cr_assert_eq(broker_rig_await_end(&rig), 1000 + SIGKILL);
    broker_rig_start_and_await(&rig);
}

/* ---- orphans ---- */

static bool may_make_namespaces(void)
{
    const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWPID | CLONE_NEWNS, NULL, NULL, NULL, NULL);
    int status = 1;

    if (pid == 0)
        _exit(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
              mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Wait until the process table has forgotten a process. */
static bool await_reaped(pid_t pid)
{
    const uint64_t until_ms = sys_now_ms() + BROKER_RIG_PATIENCE_MS;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    while (access(path, F_OK) == 0 && sys_now_ms() < until_ms)
        (void)family_await_pidfd(rig.pidfd, 5);
    return access(path, F_OK) != 0;
}

/* A driver's process loses its parent, lives on, and ends: the broker is its parent then, and buries it. */
static void see_an_orphan_buried(void)
{
    struct caller caller;
    struct family family, with_orphan;
    broker_rig_start_and_await(&rig);
    const char *until = broker_rig_path(&rig, "until");
    cr_assert_eq(mkfifo(until, 0600), 0);
    const struct caller_request orphan = {.service = "unruly", .method = "orphan", .key = "until", .string = until};

    caller_init(&caller, rig.endpoint);
    family_hold(&family, rig.folder, rig.pid);
    cr_assert_eq(family.count, 1);
    cr_assert_gt(caller_ask_number(&caller, &orphan, "pid"), 0);
    family_hold(&with_orphan, rig.folder, rig.pid);
    cr_assert_eq(with_orphan.count, 2, "the worker and the orphan");
    close(open(until, O_WRONLY | O_CLOEXEC));
    for (size_t i = 0; i < 2; i++)
        if (with_orphan.pids[i] != family.pids[0])
            cr_expect(await_reaped(with_orphan.pids[i]), "the orphan stays a zombie");
    family_release(&with_orphan);
    family_release(&family);
    caller_done(&caller);
}

Test(one_broker, buries_the_orphans_of_its_drivers)
{
    broker_rig_init(&rig, "  unruly: {driver: " UNRULY ", grants: {read: [@]}}");
    see_an_orphan_buried();
}

Test(one_broker, can_be_process_1)
{
    broker_rig_init(&rig, "  unruly: {driver: " UNRULY ", grants: {read: [@]}}");
    if (!may_make_namespaces())
        cr_skip_test("no right to make a PID namespace");
    rig.is_first_in_pid = true;
    see_an_orphan_buried();
    broker_rig_stop(&rig);
}

Test(one_broker, as_process_1_takes_its_workers_along_when_killed)
{
    struct family family;
    broker_rig_init(&rig, "  unruly: {driver: " UNRULY ", config: {stubborn: true}}");
    if (!may_make_namespaces())
        cr_skip_test("no right to make a PID namespace");
    rig.is_first_in_pid = true;
    broker_rig_start_and_await(&rig);
    family_hold(&family, rig.folder, rig.pid);
    cr_assert_eq(family.count, 1);
    broker_rig_signal(&rig, SIGKILL);
    cr_expect_eq(broker_rig_await_end(&rig), 1000 + SIGKILL);
    cr_expect_eq(family_await_end(&family, 5000), 0);
    family_release(&family);
}
