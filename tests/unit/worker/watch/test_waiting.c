/* test_waiting.c - a loop that waits for the descriptor and the deadline, in real time */
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "fixture.h"

TestSuite(waiting, .init = fixture_set_up, .fini = fixture_tear_down);

/* Wait as a loop does; the test's own time limit is the only one. */
static uint64_t wait_for_one(void)
{
    uint64_t id;
    while (!watch_next(fixture.watch, &id)) {
        struct pollfd poll_fd = {.fd = watch_fd(fixture.watch), .events = POLLIN};
        const uint64_t due_ms = watch_deadline_ms(fixture.watch), now_ms = sys_now_ms();
        cr_assert_geq(poll(&poll_fd, 1, due_ms > now_ms ? (int)(due_ms - now_ms) : 0), 0);
        watch_step(fixture.watch, sys_now_ms());
    }
    return id;
}

static void start_now(const struct watch_options *options)
{
    fixture.now_ms = sys_now_ms();
    start(options);
    run("mkdir -p src bin && echo 1 >bin/driver");
    add(1, WATCH_FILE, "bin/driver", 20);
    add(2, WATCH_TREE, "src", 20);
}

/* Run a command that does not end before it is waited for. */
static void wait_for_command(const char *command, uint64_t id)
{
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        run("%s", command);
        _exit(0);
    }
    cr_expect_eq(wait_for_one(), id, "%s", command);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
}

static void try_it(void)
{
    wait_for_command("echo 2 >bin/new && mv bin/new bin/driver", 1);
    wait_for_command("mkdir src/a", 2);
    wait_for_command("rm bin/driver && cp /bin/true bin/driver", 1);
    wait_for_command("mv src/a src/b", 2);
}

Test(waiting, is_ended_by_events)
{
    start_now(NULL);
    try_it();
}

Test(waiting, is_ended_by_the_time_to_poll)
{
    start_now(&(struct watch_options){.without_events = true, .poll_ms = 50});
    try_it();
}

Test(waiting, a_change_makes_the_descriptor_readable)
{
    start_now(NULL);
    watch_step(fixture.watch, sys_now_ms());
    struct pollfd poll_fd = {.fd = watch_fd(fixture.watch), .events = POLLIN};
    run("echo 2 >bin/driver");
    cr_expect_eq(poll(&poll_fd, 1, 0), 1);
}
