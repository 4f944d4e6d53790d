/* test_obtain_ended.c - a broker that ends while it fetches or builds leaves nothing behind */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "obtain_rig.h"

static struct obtain_rig rig;

static void set_up(void)
{
    obtain_rig_init(&rig);
}

static void end(void)
{
    obtain_rig_done(&rig);
}

TestSuite(obtain_ended, .init = set_up, .fini = end);

/* A build that takes longer than any test: its compiler is a shell that sleeps. */
static void start_endless_build(void)
{
    obtain_rig_run(
        &rig, "mkdir slow && printf 'name: slow\\nbuild: {system: command, command: [sh, build.sh], artefact: x}\\n'"
              " >slow/driver.yaml && printf 'sleep 600 & sleep 600\\n' >slow/build.sh");
    obtain_rig_configure(&rig, "  slow: {driver: DIR/slow, interface: hello}\n  echo: {driver: echo}");
    obtain_rig_start(&rig, NULL);
}

/* Until the helper has started what it has to. */
static void await_processes(unsigned count)
{
    struct command command = {0};
    for (int round = 0; round < 600 && obtain_rig_count_processes(&rig) < count; round++) {
        command_run(&command, &rig.broker, "drover status");
        command_done(&command);
    }
    cr_assert_geq(obtain_rig_count_processes(&rig), count);
}

static void expect_progress(const char *service, const char *text)
{
    struct command command;
    command_run(&command, &rig.broker, "drover --json status %s", service);
    cr_expect_str_eq(command_text(&command, "services.0.state"), "building");
    cr_expect_str_eq(command_text(&command, "services.0.progress"), text, "%s", command.out);
    command_done(&command);
    command_run(&command, &rig.broker, "drover status");
    cr_expect(strstr(command.out, text) != NULL, "%s", command.out);
    command_done(&command);
}

static void expect_clean_store(void)
{
    struct command command;
    command_run(&command, &rig.broker, "ls state/store/tmp state/store/quarantine | grep -v : | grep . || true");
    cr_expect_str_eq(command.out, "", "something is left in the store");
    command_done(&command);
}

Test(obtain_ended, by_sigterm_in_the_middle_of_a_build)
{
    start_endless_build();
    await_processes(4); /* drover-build, the shell, what sleeps, the worker of echo */
    expect_progress("slow", "compiling");
    obtain_rig_stop(&rig);
    cr_expect(obtain_rig_await_no_process(&rig));
    expect_clean_store();
}

Test(obtain_ended, by_sigkill_in_the_middle_of_a_build)
{
    start_endless_build();
    await_processes(4);
    broker_rig_signal(&rig.broker, SIGKILL);
    cr_expect_eq(broker_rig_await_end(&rig.broker), 1000 + SIGKILL);
    cr_expect(obtain_rig_await_no_process(&rig));
}

/* drover-build itself is killed: what it has started goes with it, and it is tried again. */
Test(obtain_ended, by_the_death_of_the_helper)
{
    struct broker_rig_service service;
    start_endless_build();
    await_processes(4);
    obtain_rig_run(&rig, "kill -9 $(pgrep -f '^[^ ]*drover-build .*%s')", rig.broker.folder);
    do
        broker_rig_look(&rig.broker, "slow", &service);
    while (service.last_error[0] == '\0');
    cr_expect(strstr(service.last_error, "SIGKILL") != NULL, "%s", service.last_error);
    cr_expect_str_eq(service.state, "building", "it is tried again");
}

/* A drain by hand ends a build, a restart begins it again. */
Test(obtain_ended, by_a_drain)
{
    struct broker_rig_service service;
    struct command command;
    start_endless_build();
    await_processes(4);
    command_run(&command, &rig.broker, "drover drain slow");
    cr_expect_eq(command.status, 0, "%s", command.err);
    command_done(&command);
    obtain_rig_await(&rig, "slow", "stopped", "by hand", &service);
    command_run(&command, &rig.broker, "drover restart slow");
    command_done(&command);
    broker_rig_await_state(&rig.broker, "slow", "building", &service);
}

/* A server that accepts connections and never says a word. */
Test(obtain_ended, in_the_middle_of_a_fetch)
{
    char services[256];
    unsigned port = 0;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t listener = fork();
    if (listener == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(DROVER_BINARY_DIR "/tests/fetch_listener", "fetch_listener", "silent", NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    cr_assert(output != NULL && fscanf(output, "%u", &port) == 1);
    fclose(output);
    snprintf(services, sizeof(services),
             "  mute: {driver: 'git://127.0.0.1:%u/x', interface: hello}\n  echo: {driver: echo}", port);
    obtain_rig_configure(&rig, services);
    obtain_rig_start(&rig, NULL);
    await_processes(2); /* drover-fetch, the worker of echo */
    expect_progress("mute", "fetching");
    obtain_rig_stop(&rig);
    cr_expect(obtain_rig_await_no_process(&rig));
    expect_clean_store();
    kill(listener, SIGKILL);
    waitpid(listener, NULL, 0);
}
