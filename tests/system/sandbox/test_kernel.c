/* test_kernel.c - parts of the kernel that drivers do not need, and ways to more rights */
#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_kernel, .init = rig_init, .fini = rig_done, .timeout = 60);

static void refuses(const char *const *attempt)
{
    const struct sandbox_worker worker = rig_worker();

    rig_refuses(&worker, attempt);
}

Test(sandbox_kernel, no_new_namespaces)
{
    refuses(ATTEMPT("unshare"));
    refuses(ATTEMPT("clone"));
}

Test(sandbox_kernel, no_namespaces_of_others)
{
    refuses(ATTEMPT("setns"));
}

Test(sandbox_kernel, no_mounts)
{
    refuses(ATTEMPT("mount", rig_path("mine")));
}

Test(sandbox_kernel, no_io_uring)
{
    refuses(ATTEMPT("uring"));
}

Test(sandbox_kernel, no_keyrings)
{
    refuses(ATTEMPT("keyring"));
}

Test(sandbox_kernel, no_calls_of_another_architecture)
{
    refuses(ATTEMPT("int80"));
}

Test(sandbox_kernel, no_root_through_setuid_programs)
{
    const char *const readable[] = {rig_path("setuid"), NULL};
    struct sandbox_worker worker = rig_worker();

    if (!rig.is_root)
        rig_skip("only root can make a program setuid root");
    /* As the program itself, it may be executed. */
    const char *const words[] = {rig_path("setuid"), "euid", NULL};
    if (rig_run(AS_NOBODY, words).status != 0)
        rig_skip("setuid has no effect here: /tmp is mounted nosuid, or this is a user namespace");
    worker.common.read = readable;
    worker.common.command = words;
    for (int who = AS_SELF; who <= AS_NOBODY; who++) {
        const struct outcome outcome = rig_run_worker((enum who)who, &worker);
        cr_expect_eq(outcome.status, RIG_REFUSED, "%d: %s", outcome.status, outcome.output);
    }
}

/* Root without another user is nobody special: it has no capabilities. */
Test(sandbox_kernel, no_rights_of_root_for_a_worker_that_stays_root)
{
    const char *const words[] = {rig_path("launch"),
                                 "--exec",
                                 "/usr",
                                 "--exec",
                                 "/lib",
                                 "--exec",
                                 "/lib64",
                                 "--write",
                                 rig_path("other"),
                                 "--",
                                 rig_path("escape"),
                                 "write",
                                 rig_path("other/file"),
                                 NULL};

    if (!rig.is_root)
        rig_skip("only root can stay root");
    const struct outcome outcome = rig_run(AS_SELF, words);
    cr_expect_eq(rig_run(AS_SELF, words + 10).status, 0, "not even without a sandbox");
    cr_expect_eq(outcome.status, RIG_REFUSED, "%d: %s", outcome.status, outcome.output);
}
