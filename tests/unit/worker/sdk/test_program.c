/* test_program.c - drover-worker, and drivers started by hand */
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/unit/worker/sdk/worker_rig_test.h"

static char output[8192];

/* Run a command line without the environment of a worker; its exit status. The output of both streams is kept. */
static int run(const char *command)
{
    FILE *pipe = popen(command, "r");

    cr_assert_not_null(pipe);
    size_t size = fread(output, 1, sizeof(output) - 1, pipe);
    output[size] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define cr_expect_output(text) cr_expect(strstr(output, text), "no '%s' in: %s", text, output)

TestSuite(program, .timeout = 60);

Test(program, a_driver_started_by_hand_explains_itself)
{
    cr_expect_eq(run(RIG_DRIVER " 2>&1"), 2);
    cr_expect_output("Driver 'rig' 0.9: interface rig 2.1.0");
    cr_expect_output("shows what the worker library does");
    cr_expect_output("  big *\n");
    cr_expect_output("driver: " RIG_DRIVER "\n");
}

Test(program, a_driver_has_help_and_version)
{
    cr_expect_eq(run(RIG_DRIVER " --help 2>&1"), 0);
    cr_expect_output("interface rig 2.1.0");
    cr_expect_eq(run(RIG_DRIVER " --version 2>&1"), 0);
    cr_expect_str_eq(output, "rig 0.9 (rig 2.1.0, drover " DROVER_VERSION ")\n");
}

Test(program, a_built_in_driver_explains_itself_by_its_name)
{
    cr_expect_eq(run(DROVER_WORKER " --builtin echo/echo 2>&1"), 2);
    cr_expect_output("driver: echo\n");
}

Test(program, drover_worker_lists_every_built_in)
{
    cr_expect_eq(run(DROVER_WORKER " --list 2>&1"), 0);
#define BUILTIN(interface, name, symbol) cr_expect_output("\n" #interface "/" #name " ");
    memmove(output + 1, output, strlen(output) + 1);
    output[0] = '\n';
#include "common/config/builtins.def"
#undef BUILTIN
}

Test(program, drover_worker_names_the_nearest_built_in)
{
    cr_expect_eq(run(DROVER_WORKER " --builtin userprovider/jsn 2>&1"), 2);
    cr_expect_output("driver 'userprovider/jsn' is not built in (nearest: 'userprovider/json')");
}

Test(program, drover_worker_refuses_what_is_planned_by_name)
{
    cr_expect_eq(run(DROVER_WORKER " --broker tcp://127.0.0.1:1 2>&1"), 2);
    cr_expect_output("option '--broker' is not implemented yet");
}

Test(program, drover_worker_refuses_an_empty_command_line_and_stray_words)
{
    cr_expect_eq(run(DROVER_WORKER " 2>&1"), 2);
    cr_expect_output("--builtin");
    cr_expect_eq(run(DROVER_WORKER " --list stray 2>&1"), 2);
    cr_expect_output("stray");
}

Test(program, drover_worker_has_help_and_version)
{
    cr_expect_eq(run(DROVER_WORKER " --help 2>&1"), 0);
    cr_expect_output("--builtin INTERFACE/DRIVER");
    cr_expect_eq(run(DROVER_WORKER " --version 2>&1"), 0);
    cr_expect_str_eq(output, "drover-worker " DROVER_VERSION "\n");
}

Test(program, drover_worker_serves_a_built_in, .init = set_up, .fini = tear_down)
{
    worker_rig_start(&rig, DROVER_WORKER, (const char *const[]){"--builtin", "echo/echo", NULL});
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, NULL);
    worker_rig_expect(&rig, WIRE_READY);
    worker_rig_simple_call(&rig, 1, "whoami");
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_eq(worker_rig_reply_number(&rig, "pid"), (uint64_t)rig.pid);
}

Test(program, the_small_driver_of_the_readme_greets, .init = set_up, .fini = tear_down)
{
    struct drover_writer *request = worker_rig_map_string("name", "Marie");

    worker_rig_serve(&rig, HELLO_DRIVER, NULL);
    worker_rig_call(&rig, &(struct worker_rig_call){.call = 1, .method = "greet", .request = request});
    worker_rig_expect_for(&rig, WIRE_REPLY, 1);
    cr_expect_text(worker_rig_reply_text(&rig, "greeting"), "Hello, Marie");
    drover_writer_free(request);
}

Test(program, a_driver_without_configure_refuses_settings, .init = set_up, .fini = tear_down)
{
    struct drover_writer *settings = worker_rig_map_string("greeting", "Salut");

    worker_rig_start(&rig, HELLO_DRIVER, NULL);
    worker_rig_expect(&rig, WIRE_HELLO);
    worker_rig_welcome(&rig, &(struct worker_rig_welcome){.settings = settings});
    worker_rig_expect(&rig, WIRE_CONFIG_ERROR);
    cr_expect_text(rig.message.header.text, "driver 'hello' takes no settings (remove the section 'hello')");
    cr_expect_eq(worker_rig_exit_status(&rig), 78);
    drover_writer_free(settings);
}
