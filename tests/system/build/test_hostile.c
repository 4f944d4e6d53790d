/* test_hostile.c - sources that do not end, do not stop talking, do not stay where they are, or make something else
 *
 * Each ends with one clear error, and no process is left of it (rig_build() looks).
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static struct rig rig;

static void set_up(void)
{
    rig_init(&rig);
}

static void tear_down(void)
{
    rig_done(&rig);
}

TestSuite(hostile, .init = set_up, .fini = tear_down);

/* Build with a Makefile whose only rule is `commands`. */
static void make(struct rig_run *run, const char *commands, const char *options)
{
    char text[1024];
    snprintf(text, sizeof(text), "all:\n\t%s\n", commands);
    rig_write(&rig, "s/Makefile", 0644, text);
    rig_build(&rig, run, "store", "s", options);
}

Test(hostile, make_without_end)
{
    struct rig_run run;
    make(&run, "echo begun; while :; do sleep 1000; done", "--deadline 1s");
    cr_expect(rig_failed(&run, DROVER_DEADLINE_EXCEEDED, 75, "not done in its time"));
    rig_run_done(&run);
}

Test(hostile, flood_of_output)
{
    struct rig_run run;
    struct stat log;
    make(&run, "yes 'all work and no play'", "");
    cr_expect(rig_failed(&run, DROVER_RESOURCE_EXHAUSTED, 75, "printed more than 16 MiB"));
    cr_assert_eq(stat(rig_text(&run, "log"), &log), 0);
    cr_expect_lt(log.st_size, 17 << 20);
    cr_expect_lt(run.lines, 5000, "lines are not held back");
    rig_run_done(&run);
}

Test(hostile, bomb_of_processes)
{
    struct rig_run run;
    if (!rig_has_sandbox(&rig) && geteuid() != 0)
        cr_skip_test("no sandbox that could bound it");
    /* Doubles until it may not. */
    rig_write(&rig, "s/bomb.sh", 0755, "sh ./bomb.sh & sh ./bomb.sh & sleep 1000\n");
    make(&run, "sh ./bomb.sh", "--processes 24 --deadline 2s");
    cr_expect_neq(run.status, 0);
    cr_expect_str_eq(rig_text(&run, "event"), "error");
    rig_run_done(&run);
}

Test(hostile, processes_that_leave_their_group)
{
    struct rig_run run;
    /* Read: not before they have left. */
    make(&run, "{ setsid sh -c 'setsid sleep 1000 & echo left; sleep 1000' & } | read x; echo started", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "made no executable"));
    rig_run_done(&run);
}

Test(hostile, memory_without_end)
{
    struct rig_run run;
    rig_write(&rig, "s/a.c", 0644, "#include \"/dev/zero\"\nint main(void) { return 0; }\n");
    rig_build(&rig, &run, "store", "s", "--memory 256MiB --deadline 20s");
    cr_expect_neq(run.status, 0);
    cr_expect_str_eq(rig_text(&run, "event"), "error");
    rig_run_done(&run);
}

Test(hostile, file_without_end)
{
    struct rig_run run;
    make(&run, "head -c 300000000 /dev/zero >big", "--deadline 30s");
    cr_expect_neq(run.status, 0);
    cr_expect_str_eq(rig_text(&run, "status"), "FAILED_PRECONDITION");
    rig_run_done(&run);
}

Test(hostile, writing_elsewhere)
{
    struct rig_run run;
    char commands[256];
    if (!rig_has_sandbox(&rig))
        cr_skip_test("no sandbox here");
    rig_write(&rig, "open/README", 0644, "");
    cr_assert_eq(chmod(rig_path(&rig, "open"), 0777), 0);
    snprintf(commands, sizeof(commands), "echo x >%s", rig_path(&rig, "open/escaped"));
    make(&run, commands, "--sandbox required");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "escaped: Permission denied"));
    cr_expect_neq(access(rig_path(&rig, "open/escaped"), F_OK), 0);
    rig_run_done(&run);
}

Test(hostile, reading_what_is_secret)
{
    struct rig_run run;
    if (!rig_has_sandbox(&rig))
        cr_skip_test("no sandbox here");
    rig_write(&rig, "open/secret", 0644, "0123456789");
    char text[512];
    snprintf(text, sizeof(text), "__asm__(\".incbin \\\"%s\\\"\");\nint main(void) { return 0; }\n",
             rig_path(&rig, "open/secret"));
    rig_write(&rig, "s/a.c", 0644, text);
    rig_build(&rig, &run, "store", "s", "--sandbox required");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "open/secret"));
    rig_run_done(&run);
}

struct made {
    char commands[160], artefact[32], message[80];
};

ParameterizedTestParameters(hostile, artefact_that_is_none)
{
    static struct made rows[] = {
        {"mkdir driver", "driver", "artefact 'driver': is a folder"},
        {"ln -s /bin/true driver", "driver", "artefact 'driver': is a symlink"},
        {"ln -s /bin out", "out/true", "artefact 'out/true': a part of its path is no folder of its own"},
        {"true", "driver", "artefact 'driver': the build did not make it"},
        {"printf '#!/bin/sh\\n' >driver; chmod +x driver", "driver", "artefact 'driver': is a script"},
        {"cp /bin/true driver; chmod -x driver", "driver", "artefact 'driver': is not executable"},
        {": >driver; chmod +x driver", "driver", "artefact 'driver': is an empty file"},
        {"mkfifo driver; chmod +x driver", "driver", "artefact 'driver': is no regular file"},
    };
    return cr_make_param_array(struct made, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct made *row, hostile, artefact_that_is_none)
{
    struct rig_run run;
    char manifest[128];
    snprintf(manifest, sizeof(manifest), "build: {system: make, artefact: %s}\n", row->artefact);
    rig_write(&rig, "s/driver.yaml", 0644, manifest);
    make(&run, row->commands, "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, row->message));
    rig_run_done(&run);
}

Test(hostile, names_of_files)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "make-driver", "a folder; with $(odd) 'names'");
    rig_write(&rig, "a folder; with $(odd) 'names'/Makefile", 0644, "");
    cr_assert_eq(unlink(rig_path(&rig, "a folder; with $(odd) 'names'/Makefile")), 0);
    cr_assert_eq(rename(rig_path(&rig, "a folder; with $(odd) 'names'/word.c"),
                        rig_path(&rig, "a folder; with $(odd) 'names'/-rf.c")),
                 0);
    rig_write(&rig, "a folder; with $(odd) 'names'/-rf", 0644, "");
    rig_write(&rig, "a folder; with $(odd) 'names'/@options.c", 0644, "int options;\n");
    rig_write(&rig, "a folder; with $(odd) 'names'/two words.c", 0644, "int two_words;\n");
    rig_build(&rig, &run, "store", "a folder; with $(odd) 'names'", "");
    cr_expect(rig_is_done(&run));
    rig_run_done(&run);
}

Test(hostile, link_in_the_source)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "plain-driver", "s");
    cr_assert_eq(symlink("/etc/shadow", rig_path(&rig, "s/more.c")), 0);
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "more.c': a driver's source may hold"));
    rig_run_done(&run);
}

Test(hostile, command_that_is_none)
{
    struct rig_run run;
    rig_write(&rig, "s/driver.yaml", 0644, "build: {command: [./nothing], artefact: x}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "cannot start ./nothing: "));
    rig_run_done(&run);
    rig_write(&rig, "s/driver.yaml", 0644, "build: {command: [no-such-program], artefact: x}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "'no-such-program', which is not in the PATH"));
    rig_run_done(&run);
}

Test(hostile, build_that_is_called_off)
{
    struct rig_run run;
    rig_write(&rig, "s/Makefile", 0644, "all:\n\techo begun; setsid sleep 1000 & sleep 1000\n");
    rig_start(&rig, &run, "store", "s", "");
    cr_assert(rig_await(&run, "line") && rig_await(&run, "line"));
    kill(run.pid, SIGTERM); /* timeout(1) hands it on */
    rig_finish(&run);
    rig_expect_nothing_left(&rig);
    cr_expect_str_eq(rig_text(&run, "status"), "CANCELLED");
    rig_run_done(&run);
    /* What was called off is no failure to be remembered. */
    rig_build(&rig, &run, "store", "s", "--deadline 500ms");
    cr_expect(rig_failed(&run, DROVER_DEADLINE_EXCEEDED, 75, ""));
    cr_expect_not(rig_is_reused(&run));
    rig_run_done(&run);
}
