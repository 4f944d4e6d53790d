/* test_builds.c - sources of every kind become artefacts, once, and the same wherever they are built */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "rig.h"
#include "worker/store/store.h"

static struct rig rig;

static void set_up(void)
{
    rig_init(&rig);
}

static void tear_down(void)
{
    rig_done(&rig);
}

TestSuite(builds, .init = set_up, .fini = tear_down);

struct sample {
    char folder[32], name[32], system[16], form[16];
};

static struct sample samples[] = {
    {"cmake-driver", "cmake-driver", "cmake", "executable"},
    {"make-driver", "make-driver", "make", "executable"},
    {"plain-driver", "plain-driver", "cc", "executable"},
    {"command-driver", "command-driver", "command", "executable"},
    {"other-name", "butler", "cc", "executable"},
    {"module-driver", "module-driver", "make", "module"},
};

ParameterizedTestParameters(builds, every_kind_of_source)
{
    return cr_make_param_array(struct sample, samples, sizeof(samples) / sizeof(samples[0]));
}

/* What the artefact says of itself when it is run by hand. */
static void expect_says(const struct rig_run *run, const char *text)
{
    char *line = NULL, command[PATH_MAX];
    size_t capacity = 0;
    bool says = false;
    /* ASan wants to be the first library of a program; this one was not built with it. */
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    setenv("LD_LIBRARY_PATH", rig_text(run, "library_folder"), 1);
    snprintf(command, sizeof(command), "%s%s",
             strcmp(rig_text(run, "form"), "module") == 0 ? DROVER_BINARY_DIR "/bin/drover-worker --module " : "",
             rig_text(run, "path"));
    FILE *output = popen(command, "r"); /* NOLINT: a hash below the rig's folder */
    cr_assert_not_null(output);
    while (getline(&line, &capacity, output) > 0)
        says |= strstr(line, text) != NULL;
    free(line);
    pclose(output);
    unsetenv("LD_LIBRARY_PATH");
    cr_expect(says, "the artefact does not say '%s'", text);
}

ParameterizedTest(struct sample *sample, builds, every_kind_of_source)
{
    struct rig_run first, second;
    char hash[65], before[STORE_NAME_SIZE], after[STORE_NAME_SIZE];
    rig_copy_fixture(&rig, sample->folder, sample->folder);
    cr_assert_eq(store_tree_hash(rig_path(&rig, sample->folder), before, NULL), DROVER_OK);
    rig_build(&rig, &first, "store", sample->folder, "--interface hello");
    cr_assert(rig_is_done(&first));
    cr_expect_str_eq(rig_text(&first, "name"), sample->name);
    cr_expect_str_eq(rig_text(&first, "interface"), "hello");
    cr_expect_str_eq(rig_text(&first, "system"), sample->system);
    cr_expect_str_eq(rig_text(&first, "form"), sample->form);
    cr_expect_str_eq(rig_text(&first, "key"), first.key);
    cr_expect_not(rig_is_reused(&first));
    cr_assert_eq(sys_hash_file(rig_text(&first, "path"), hash, NULL), DROVER_OK);
    cr_expect_str_eq(rig_text(&first, "artefact"), hash);
    expect_says(&first, "greet");

    cr_assert_eq(store_tree_hash(rig_path(&rig, sample->folder), after, NULL), DROVER_OK);
    cr_expect_str_eq(before, after, "the user's folder was changed");

    rig_build(&rig, &second, "store", sample->folder, "");
    cr_assert(rig_is_done(&second));
    cr_expect(rig_is_reused(&second), "built twice");
    cr_expect_eq(second.lines, 0);
    cr_expect_str_eq(rig_text(&second, "artefact"), hash);
    rig_run_done(&first);
    rig_run_done(&second);
}

ParameterizedTestParameters(builds, the_same_bytes_from_two_folders)
{
    return cr_make_param_array(struct sample, samples, 4);
}

ParameterizedTest(struct sample *sample, builds, the_same_bytes_from_two_folders)
{
    struct rig_run here, there;
    rig_copy_fixture(&rig, sample->folder, "a");
    rig_write(&rig, "some where/else/README", 0644, "");
    rig_copy_fixture(&rig, sample->folder, "some where/else/b c");
    rig_build(&rig, &here, "store", "a", "");
    rig_build(&rig, &there, "some where/store 2", "some where/else/b c", "");
    cr_assert(rig_is_done(&here) && rig_is_done(&there));
    cr_expect_not(rig_is_reused(&there));
    cr_expect_str_eq(here.key, there.key);
    cr_expect_str_eq(rig_text(&here, "artefact"), rig_text(&there, "artefact"));
    rig_run_done(&here);
    rig_run_done(&there);
}

Test(builds, once_what_two_processes_want_at_once)
{
    struct rig_run first, second;
    struct store *store = NULL;
    struct store_lock *lock = NULL;
    char name[80];
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_build(&rig, &first, "elsewhere", "s", "");
    cr_assert(rig_is_done(&first));
    snprintf(name, sizeof(name), "build-%s", first.key);
    rig_run_done(&first);

    cr_assert_eq(store_open(rig_path(&rig, "store"), NULL, &store, NULL), DROVER_OK);
    cr_assert_eq(store_lock(store, name, 0, &lock, NULL), DROVER_OK);
    rig_start(&rig, &first, "store", "s", "");
    rig_start(&rig, &second, "store", "s", "");
    cr_assert(rig_await(&first, "start") && rig_await(&second, "start"));
    store_unlock(lock);
    rig_finish(&first);
    rig_finish(&second);
    store_free(store);
    cr_assert(rig_is_done(&first) && rig_is_done(&second));
    cr_expect_neq(rig_is_reused(&first), rig_is_reused(&second), "both built, or none");
    cr_expect_str_eq(rig_text(&first, "artefact"), rig_text(&second, "artefact"));
    rig_run_done(&first);
    rig_run_done(&second);
}

Test(builds, show_the_first_error_of_the_compiler_and_remember_it)
{
    struct rig_run run;
    char *log = NULL;
    size_t size;
    rig_copy_fixture(&rig, "cmake-driver", "s");
    rig_write(&rig, "s/driver.c", 0644, "#include <drover/worker.h>\n\nint main(void)\n{\n    return nothing;\n}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "driver.c:5:12: error: 'nothing' undeclared"));
    cr_assert_eq(sys_read_file(rig_text(&run, "log"), 1u << 20, &log, &size, NULL), DROVER_OK);
    cr_expect_not_null(strstr(log, "driver.c:5:12: error:"));
    cr_expect_null(strstr(log, rig.folder), "the log names the folder of the build");
    free(log);
    rig_run_done(&run);

    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "driver.c:5:12: error: 'nothing' undeclared"));
    cr_expect(rig_is_reused(&run), "compiled again");
    cr_expect_eq(access(rig_text(&run, "log"), R_OK), 0);
    rig_run_done(&run);

    rig_build(&rig, &run, "store", "s", "--force");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "driver.c:5:12"));
    cr_expect_not(rig_is_reused(&run));
    rig_run_done(&run);
}

Test(builds, again_what_was_damaged)
{
    struct rig_run first, second;
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_build(&rig, &first, "store", "s", "");
    cr_assert(rig_is_done(&first));
    cr_assert_eq(chmod(rig_text(&first, "path"), 0755), 0);
    cr_assert_eq(truncate(rig_text(&first, "path"), 100), 0);
    rig_build(&rig, &second, "store", "s", "");
    cr_assert(rig_is_done(&second));
    cr_expect_not(rig_is_reused(&second));
    cr_expect_str_eq(rig_text(&first, "artefact"), rig_text(&second, "artefact"));
    rig_run_done(&first);
    rig_run_done(&second);
}

Test(builds, nothing_without_a_compiler_but_uses_what_there_is)
{
    struct rig_run run;
    char *path = strdup(getenv("PATH"));
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    rig_run_done(&run);

    rig_write(&rig, "bin/README", 0644, "");
    cr_assert_eq(symlink("/usr/bin/timeout", rig_path(&rig, "bin/timeout")), 0);
    setenv("PATH", rig_path(&rig, "bin"), 1);
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_is_done(&run));
    cr_expect(rig_is_reused(&run));
    rig_run_done(&run);
    rig_build(&rig, &run, "another-store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "'cc', which is not in the PATH (package 'gcc')"));
    rig_run_done(&run);
    setenv("PATH", path, 1);
    free(path);
}

Test(builds, show_all_mistakes_of_the_manifest)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_write(&rig, "s/driver.yaml", 0644, "name: hello\nbuild:\n  sytem: cc\nsandbox: {network: all}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(
        rig_failed(&run, DROVER_INVALID_ARGUMENT, 78, "driver.yaml:3:3: key 'sytem': unknown (nearest: 'system')"));
    cr_expect_eq(json_array_size(json_object_get(run.last, "messages")), 2);
    rig_run_done(&run);
}

Test(builds, for_the_interface_that_is_wanted)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "other-name", "s");
    rig_build(&rig, &run, "store", "s", "--interface userprovider");
    cr_expect(rig_failed(&run, DROVER_INVALID_ARGUMENT, 78, "serves interface 'hello', not 'userprovider'"));
    rig_run_done(&run);
}

Test(builds, with_the_manifest_asking_for_permissions_that_are_handed_out)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "other-name", "s");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    const json_t *sandbox = json_object_get(run.last, "sandbox");
    cr_expect_str_eq(json_string_value(json_object_get(sandbox, "network")), "none");
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(sandbox, "read"), 0)), "/usr/share/dict");
    cr_expect_eq(json_integer_value(json_object_get(sandbox, "memory")), 64 << 20);
    cr_expect_str_eq(rig_text(&run, "version"), "2.1.0");
    rig_run_done(&run);
}

static void expect_asks(const struct rig_run *run, const char *method, const char *request, const char *expect)
{
    const json_t *test = json_object_get(run->last, "self_test");
    cr_expect_str_eq(json_string_value(json_object_get(test, "method")), method);
    cr_expect_str_eq(json_string_value(json_object_get(test, "request")), request);
    cr_expect_str_eq(json_string_value(json_object_get(test, "expect")), expect);
}

Test(builds, tell_what_the_manifest_wants_to_be_asked_also_when_there_is_nothing_to_build)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    cr_expect(json_is_null(json_object_get(run.last, "self_test")));
    rig_run_done(&run);
    rig_write(&rig, "s/driver.yaml", 0644,
              "self_test: {method: greet, request: {name: [1]}, expect: INVALID_ARGUMENT}\n");
    for (int i = 0; i < 2; i++) {
        rig_build(&rig, &run, "store", "s", "");
        cr_assert(rig_is_done(&run));
        cr_expect_eq(rig_is_reused(&run), i == 1);
        expect_asks(&run, "greet", "81a46e616d659101", "INVALID_ARGUMENT");
        rig_run_done(&run);
    }
}

Test(builds, a_module_too)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "command-driver", "s");
    rig_write(&rig, "s/driver.yaml", 0644,
              "build: {command: cc -shared -fPIC -o hello.so driver.c -ldrover-worker, artefact: hello.so}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    cr_expect_str_eq(rig_text(&run, "form"), "module");
    rig_run_done(&run);
}

Test(builds, anew_what_was_compiled_by_hand)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "make-driver", "s");
    rig_write(&rig, "s/driver.o", 0644, "\177ELF, and else nothing that could be linked");
    rig_write(&rig, "s/.git/HEAD", 0644, "ref: refs/heads/main\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    rig_run_done(&run);
    rig_write(&rig, "s/.git/HEAD", 0644, "ref: refs/heads/other\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_assert(rig_is_done(&run));
    cr_expect(rig_is_reused(&run), "version control is no part of the source");
    rig_run_done(&run);
}

Test(builds, with_packages_that_are_there)
{
    struct rig_run run;
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_write(&rig, "s/driver.yaml", 0644, "build: {pkg_config: [drover-worker, no-such-package]}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "no-such-package"));
    rig_run_done(&run);
    rig_write(&rig, "s/driver.yaml", 0644, "build: {pkg_config: [drover-worker, yaml-0.1]}\n");
    rig_build(&rig, &run, "store", "s", "");
    cr_expect(rig_is_done(&run));
    rig_run_done(&run);
}

Test(builds, say_what_is_missing)
{
    struct rig_run run;
    rig_write(&rig, "empty/README", 0644, "");
    rig_build(&rig, &run, "store", "empty", "");
    cr_expect(rig_failed(&run, DROVER_FAILED_PRECONDITION, 1, "nothing to build"));
    rig_run_done(&run);
    rig_build(&rig, &run, "store", "nowhere", "");
    cr_expect(rig_failed(&run, DROVER_NOT_FOUND, 1, "/nowhere'"));
    rig_run_done(&run);
    rig_copy_fixture(&rig, "plain-driver", "s");
    rig_build(&rig, &run, "store", "s", "--sdk /nowhere");
    cr_expect(rig_failed(&run, DROVER_NOT_FOUND, 1, "the SDK is not in /nowhere"));
    rig_run_done(&run);
    rig_build(&rig, &run, "store", "s", "--sandbox required --launcher /nowhere");
    cr_expect(rig_failed(&run, DROVER_PERMISSION_DENIED, 77, "sandbox: required"));
    rig_run_done(&run);
    rig_build(&rig, &run, "store", "s", "--sandbox maybe");
    cr_expect_eq(run.status, 2);
    rig_run_done(&run);
}
