/* test_compile.c - sources that attack the machine they are compiled on, and some that do not */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "tests/system/sandbox/sandbox_rig.h"

#define OBJECT_MAX ((size_t)64 << 20)

TestSuite(sandbox_compile, .init = rig_init, .fini = rig_done, .timeout = 60);

static struct outcome run(struct sandbox_compile *compile, const char *const *words)
{
    compile->common.command = words;
    return rig_run_compile(AS_SELF, compile);
}

/* Compile `source` to `object`, shut in; with NULL for `compile`, free. */
static struct outcome compile_to(struct sandbox_compile *compile, const char *source, const char *object)
{
    const char *const words[] = {SANDBOX_COMPILER, "-c", rig_path("mine/source.c"), "-o", object, NULL};

    rig_write("mine/source.c", source);
    return compile != NULL ? run(compile, words) : rig_run(AS_SELF, words);
}

static bool file_has(const char *path, const char *text)
{
    struct drover_error error = {0};
    char *data = NULL;
    size_t size = 0;

    if (sys_read_file(path, OBJECT_MAX, &data, &size, &error) != DROVER_OK)
        return false;
    const bool found = memmem(data, size, text, strlen(text)) != NULL;
    free(data);
    return found;
}

Test(sandbox_compile, builds_and_runs_a_program)
{
    struct sandbox_compile compile = rig_compile();
    const char *const link[] = {SANDBOX_COMPILER, rig_path("mine/source.o"), "-o", rig_path("mine/program"), NULL};
    const char *const program[] = {rig_path("mine/program"), NULL};
    struct outcome outcome = compile_to(&compile, "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n",
                                        rig_path("mine/source.o"));

    cr_expect_eq(outcome.status, 0, "%s", outcome.output);
    outcome = run(&compile, link);
    cr_expect_eq(outcome.status, 0, "%s", outcome.output);
    outcome = run(&compile, program);
    cr_expect_str_eq(outcome.output, "hello\n");
}

Test(sandbox_compile, builds_with_cmake)
{
    struct sandbox_compile compile = rig_compile();
    const char *const configure[] = {SANDBOX_CMAKE,
                                     "-G",
                                     "Ninja",
                                     "-S",
                                     rig_path("mine"),
                                     "-B",
                                     rig_path("mine/build"),
                                     "-DCMAKE_C_COMPILER=" SANDBOX_COMPILER,
                                     NULL};
    const char *const build[] = {SANDBOX_CMAKE, "--build", rig_path("mine/build"), NULL};

    rig_write("mine/CMakeLists.txt",
              "cmake_minimum_required(VERSION 3.20)\nproject(p C)\nadd_library(p SHARED source.c)\n");
    rig_write("mine/source.c", "int answer(void);\nint answer(void) { return 42; }\n");
    struct outcome outcome = run(&compile, configure);
    cr_expect_eq(outcome.status, 0, "%s", outcome.output);
    outcome = run(&compile, build);
    cr_expect_eq(outcome.status, 0, "%s", outcome.output);
    cr_expect_eq(access(rig_path("mine/build/libp.so"), F_OK), 0);
}

Test(sandbox_compile, does_not_put_the_keys_of_the_broker_into_the_program)
{
    const char *object = rig_path("mine/source.o");
    struct sandbox_compile compile = rig_compile();
    char source[256];

    snprintf(source, sizeof(source), "__asm__(\".incbin \\\"%s\\\"\");\n", rig_path("key"));
    cr_expect_eq(compile_to(NULL, source, object).status, 0);
    cr_expect(file_has(object, "a secret of the broker"), "not even without a sandbox");
    cr_assert_eq(unlink(object), 0);
    cr_expect_neq(compile_to(&compile, source, object).status, 0);
    cr_expect_not(file_has(object, "a secret"));
}

Test(sandbox_compile, does_not_show_the_passwords_of_the_system)
{
    const char *object = rig_path("mine/source.o");
    struct sandbox_compile compile = rig_compile();

    cr_expect_neq(compile_to(&compile, "__asm__(\".incbin \\\"/etc/shadow\\\"\");\n", object).status, 0);
    cr_expect_not(file_has(object, "root:"));
}

Test(sandbox_compile, does_not_quote_other_files_in_its_errors)
{
    struct sandbox_compile compile = rig_compile();
    char source[256];

    snprintf(source, sizeof(source), "#include \"%s\"\n", rig_path("key"));
    const struct outcome free_outcome = compile_to(NULL, source, rig_path("mine/source.o"));
    cr_expect(strstr(free_outcome.output, "a secret of") != NULL, "not even without a sandbox");
    const struct outcome outcome = compile_to(&compile, source, rig_path("mine/source.o"));
    cr_expect_neq(outcome.status, 0);
    cr_expect(strstr(outcome.output, "a secret of") == NULL, "%s", outcome.output);
}

Test(sandbox_compile, writes_nowhere_else)
{
    struct sandbox_compile compile = rig_compile();
    const char *object = rig_path("outside/object");

    cr_expect_eq(compile_to(NULL, "int x;\n", object).status, 0);
    cr_assert_eq(unlink(object), 0);
    cr_expect_neq(compile_to(&compile, "int x;\n", object).status, 0);
    cr_expect_neq(access(object, F_OK), 0);
}

/* Not shown free: it would take all the memory of the machine. */
Test(sandbox_compile, does_not_include_a_file_without_end)
{
    const char *const readable[] = {"/dev/zero", NULL};
    struct sandbox_compile compile = rig_compile();
    struct outcome outcome = compile_to(&compile, "#include \"/dev/zero\"\n", rig_path("mine/source.o"));

    cr_expect_neq(outcome.status, 0);
    cr_expect(strstr(outcome.output, "ermission denied") != NULL, "%s", outcome.output);
    if (SANDBOX_SANITIZED)
        rig_skip("no limit of memory when built with a sanitizer");
    compile.common.read = readable;
    compile.common.memory_bytes = (uint64_t)256 << 20;
    outcome = compile_to(&compile, "#include \"/dev/zero\"\n", rig_path("mine/source.o"));
    cr_expect_neq(outcome.status, 0);
    cr_expect(strstr(outcome.output, "ermission denied") == NULL, "%s", outcome.output);
}

/* Not shown free: it would take 8 GiB of the disk. What a limit of files does is shown in test_resources.c. */
Test(sandbox_compile, does_not_write_files_of_eight_gigabytes)
{
    const char *object = rig_path("mine/source.o");
    struct sandbox_compile compile = rig_compile();
    struct stat found = {0};

    cr_expect_neq(compile_to(&compile, "char large[8ULL << 30] = {1};\n", object).status, 0);
    cr_expect(stat(object, &found) != 0 || found.st_size <= (256 << 20), "%lld octets", (long long)found.st_size);
}
