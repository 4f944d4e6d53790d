/* test_resources.c - no more of a resource than is granted */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/system/sandbox/sandbox_rig.h"

/* A user whose processes nobody else starts: the kernel counts them for the whole machine. */
#define LONELY "61234"

TestSuite(sandbox_resources, .init = rig_init, .fini = rig_done, .timeout = 120);

/* Done by the launcher with `option`, and refused when it is smaller. */
static void refuses_beyond(const char *option, const char *enough, const char *less, const char *what,
                           const char *amount)
{
    const char *words[] = {rig_path("launch"),
                           option,
                           enough,
                           "--policy",
                           "best-effort",
                           "--exec",
                           "/usr",
                           "--exec",
                           "/lib",
                           "--exec",
                           "/lib64",
                           "--user",
                           rig.is_root ? LONELY ":" LONELY : NULL,
                           "--",
                           rig_path("escape"),
                           what,
                           amount,
                           NULL};

    if (!rig.is_root) { /* it stays who it is */
        words[11] = "--write";
        words[12] = rig_path("mine");
    }
    const struct outcome allowed = rig_run(AS_SELF, words);
    cr_expect_eq(allowed.status, 0, "%s %s: %d: %s", option, enough, allowed.status, allowed.output);
    words[2] = less;
    const struct outcome refused = rig_run(AS_SELF, words);
    cr_expect(refused.status == RIG_REFUSED || refused.status >= RIG_SIGNALLED, "%s %s: %d: %s", option, less,
              refused.status, refused.output);
}

Test(sandbox_resources, processes)
{
    refuses_beyond("--processes", rig.is_root ? "170" : "20000", "100", "forks", "150");
}

Test(sandbox_resources, memory)
{
    if (SANDBOX_SANITIZED)
        rig_skip("built with a sanitizer, which reserves terabytes of address space");
    refuses_beyond("--memory", "600MiB", "400MiB", "memory", "500");
}

/* SIGXCPU is ignored by the program: SIGKILL comes a second later. */
Test(sandbox_resources, processor_time)
{
    refuses_beyond("--cpu", "20", "1", "burn", "3");
}

Test(sandbox_resources, descriptors)
{
    refuses_beyond("--descriptors", "120", "90", "open-many", "100");
}

Test(sandbox_resources, sizes_of_files)
{
    struct sandbox_compile compile = rig_compile();
    const char *const small[] = {rig_path("escape"), "grow", rig_path("mine/file"), "256", NULL};
    const char *const large[] = {rig_path("escape"), "grow", rig_path("mine/file"), "257", NULL};

    compile.common.command = small;
    const struct outcome allowed = rig_run_compile(AS_SELF, &compile);
    cr_expect_eq(allowed.status, 0, "%d: %s", allowed.status, allowed.output);
    compile.common.command = large;
    const struct outcome refused = rig_run_compile(AS_SELF, &compile);
    cr_expect_eq(refused.status, RIG_REFUSED, "%d: %s", refused.status, refused.output);
    cr_expect_eq(rig_run(AS_SELF, large).status, 0, "not even without a sandbox");
}
