/* test_plan.c - what is done with a source, by what is in it and what its manifest says */
#include <criterion/criterion.h>
#include <string.h>

#include "folder.h"
#include "worker/build/plan.h"

TestSuite(plan, .init = (void (*)(void))folder_make, .fini = folder_remove);

static char program_cc[] = "/usr/bin/cc", program_cmake[] = "/usr/bin/cmake", program_make[] = "/usr/bin/make",
            program_ninja[] = "/usr/bin/ninja";

static enum build_system choose(const char *const *files)
{
    const struct manifest manifest = {0};
    enum build_system system = SYSTEM_UNSAID;
    for (; *files; files++)
        folder_write(*files, 0644, "");
    cr_expect_eq(plan_choose(&manifest, folder_path("s"), "s", &system, NULL), DROVER_OK);
    return system;
}

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(plan, prefers_cmake)
{
    cr_expect_eq(choose(FILES("s/CMakeLists.txt", "s/Makefile", "s/a.c")), SYSTEM_CMAKE);
}

Test(plan, then_make)
{
    cr_expect_eq(choose(FILES("s/Makefile", "s/a.c")), SYSTEM_MAKE);
}

Test(plan, then_the_compiler)
{
    cr_expect_eq(choose(FILES("s/a.c", "s/a.h", "s/README")), SYSTEM_CC);
}

Test(plan, does_what_the_manifest_says)
{
    const struct manifest manifest = {.system = SYSTEM_MAKE};
    enum build_system system = SYSTEM_UNSAID;
    folder_write("s/CMakeLists.txt", 0644, "");
    cr_expect_eq(plan_choose(&manifest, folder_path("s"), "s", &system, NULL), DROVER_OK);
    cr_expect_eq(system, SYSTEM_MAKE);
}

Test(plan, says_what_it_looked_for)
{
    const struct manifest manifest = {0};
    struct drover_error error = {0};
    enum build_system system;
    folder_write("s/README", 0644, "");
    cr_expect_eq(plan_choose(&manifest, folder_path("s"), "here", &system, &error), DROVER_FAILED_PRECONDITION);
    cr_expect_str_eq(error.text, "folder 'here': nothing to build: no CMakeLists.txt, no Makefile, no *.c, and no "
                                 "driver.yaml that says 'build: {system: ...}'");
}

/* The steps as lines. */
static char *steps_of(const struct plan_input *input, const char *root)
{
    static char text[4096];
    struct plan plan;
    text[0] = '\0';
    cr_assert_eq(plan_make(input, root, &plan, NULL), DROVER_OK);
    for (size_t i = 0; i < plan.step_count; i++) {
        for (size_t word = 0; word < plan.steps[i].count; word++)
            strcat(strcat(text, word ? " " : ""), plan.steps[i].items[word]);
        strcat(text, "\n");
    }
    plan_done(&plan);
    return text;
}

Test(plan, of_cmake_is_two_steps)
{
    struct manifest manifest = {.target = strdup("it")};
    const struct plan_tools tools = {.cc = program_cc, .cmake = program_cmake, .ninja = program_ninja};
    const struct words none = {0};
    const struct plan_input input = {&manifest, SYSTEM_CMAKE, &none, &none, &tools, "/bin"};
    cr_expect_str_eq(steps_of(&input, "/r"),
                     "/usr/bin/cmake -S/r/source -B/r/build -GNinja --no-warn-unused-cli -DCMAKE_BUILD_TYPE=Release "
                     "-DCMAKE_SKIP_RPATH=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON\n"
                     "/usr/bin/cmake --build /r/build --parallel 1 --target it\n");
    free(manifest.target);
}

Test(plan, of_plain_files_makes_no_option_of_a_name)
{
    const struct manifest manifest = {0};
    const struct plan_tools tools = {.cc = program_cc};
    struct words names = {0}, flags = {0};
    words_add(&names, "-rf.c");
    words_add(&names, "a b.c");
    words_add(&flags, "-lz");
    const struct plan_input input = {&manifest, SYSTEM_CC, &names, &flags, &tools, "/bin"};
    struct plan plan;
    cr_assert_eq(plan_make(&input, "/r", &plan, NULL), DROVER_OK);
    cr_expect(words_have(&plan.steps[0], "./-rf.c"));
    cr_expect(words_have(&plan.steps[0], "a b.c"));
    cr_expect(words_have(&plan.steps[0], "-lz"));
    cr_expect_not(words_have(&plan.steps[0], "-rf.c"));
    plan_done(&plan);
    words_done(&names);
    words_done(&flags);
}

Test(plan, names_the_package_of_a_missing_program)
{
    const struct manifest manifest = {0};
    const struct plan_tools tools = {.cc = program_cc};
    const struct words none = {0};
    const struct plan_input input = {&manifest, SYSTEM_MAKE, &none, &none, &tools, "/bin"};
    struct drover_error error = {0};
    struct plan plan;
    cr_expect_eq(plan_make(&input, "/r", &plan, &error), DROVER_FAILED_PRECONDITION);
    cr_expect_str_eq(error.text, "this driver is built with 'make', which is not in the PATH (package 'make')");
    plan_done(&plan);
}

Test(plan, has_one_identity_wherever_it_is_carried_out)
{
    const struct manifest manifest = {0};
    const struct plan_tools tools = {.cc = program_cc, .make = program_make};
    const struct words none = {0};
    struct plan_input input = {&manifest, SYSTEM_MAKE, &none, &none, &tools, ""};
    char first[DIGEST_SIZE], second[DIGEST_SIZE];
    for (unsigned i = 0; i < 2; i++) {
        struct digest digest;
        struct plan plan;
        cr_assert_eq(plan_make(&input, "", &plan, NULL), DROVER_OK);
        digest_init(&digest);
        plan_identify(&plan, &digest);
        digest_end(&digest, i == 0 ? first : second);
        plan_done(&plan);
        cr_assert_eq(setenv("HOME", "/somewhere", 1), 0);
    }
    cr_expect_str_eq(first, second);
}
