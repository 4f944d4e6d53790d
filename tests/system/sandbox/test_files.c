/* test_files.c - what a driver may do with files that are not its own: nothing */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_files, .init = rig_init, .fini = rig_done, .timeout = 60);

static void refuses(const char *const *attempt)
{
    const struct sandbox_worker worker = rig_worker();

    rig_needs_landlock(1);
    rig_refuses(&worker, attempt);
}

Test(sandbox_files, may_use_its_own_folder)
{
    const struct sandbox_worker worker = rig_worker();

    rig_allows(&worker, ATTEMPT("write", rig_path("mine/new")));
    rig_allows(&worker, ATTEMPT("read", rig_path("mine/new")));
    rig_allows(&worker, ATTEMPT("truncate", rig_path("mine/new")));
    rig_allows(&worker, ATTEMPT("link", rig_path("mine/new"), rig_path("mine/linked")));
    rig_allows(&worker, ATTEMPT("list", rig_path("mine")));
}

Test(sandbox_files, may_use_what_is_granted)
{
    const char *const readable[] = {rig_path("other"), NULL}, *const writable[] = {rig_path("outside"), NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.read = readable;
    worker.common.write = writable;
    rig_allows(&worker, ATTEMPT("read", rig_path("other/file")));
    rig_allows(&worker, ATTEMPT("write", rig_path("outside/note")));
    rig_needs_landlock(1);
    rig_refuses(&worker, ATTEMPT("write", rig_path("other/file")));
}

Test(sandbox_files, does_not_read_outside)
{
    refuses(ATTEMPT("read", rig_path("outside/note")));
    refuses(ATTEMPT("read", "/etc/passwd"));
    refuses(ATTEMPT("list", rig_path("outside")));
}

Test(sandbox_files, does_not_read_the_keys_of_the_broker)
{
    refuses(ATTEMPT("read", rig_path("key")));
}

Test(sandbox_files, does_not_read_the_keys_of_the_broker_even_when_their_folder_is_granted)
{
    const char *const readable[] = {rig.folder, NULL};
    struct sandbox_worker worker = rig_worker();

    if (!rig.is_root)
        rig_skip("only root can give it a user of its own");
    worker.common.read = readable;
    rig_refuses(&worker, ATTEMPT("read", rig_path("key")));
}

Test(sandbox_files, does_not_enter_the_folder_of_another_driver)
{
    refuses(ATTEMPT("read", rig_path("other/file")));
    refuses(ATTEMPT("write", rig_path("other/file")));
    refuses(ATTEMPT("list", rig_path("other")));
}

Test(sandbox_files, does_not_write_outside)
{
    refuses(ATTEMPT("write", rig_path("outside/note")));
    refuses(ATTEMPT("write", rig_path("outside/new")));
    refuses(ATTEMPT("rename", rig_path("outside/note"), rig_path("outside/renamed")));
}

Test(sandbox_files, does_not_empty_files_outside)
{
    const struct sandbox_worker worker = rig_worker();

    rig_needs_landlock(3);
    rig_refuses(&worker, ATTEMPT("truncate", rig_path("outside/note")));
    rig_refuses(&worker, ATTEMPT("empty", rig_path("outside/note")));
}

Test(sandbox_files, does_not_get_out_through_links)
{
    refuses(ATTEMPT("symlink", rig_path("outside/note"), rig_path("mine/link")));
    refuses(ATTEMPT("link", rig_path("outside/note"), rig_path("mine/linked")));
    refuses(ATTEMPT("rename", rig_path("outside/note"), rig_path("mine/moved")));
    refuses(ATTEMPT("read", "/proc/self/cwd/outside/note"));
}

Test(sandbox_files, does_not_open_files_by_their_number)
{
    const char *const readable[] = {rig_path("outside"), NULL};
    struct sandbox_worker worker = rig_worker();

    worker.common.read = readable;
    rig_refuses(&worker, ATTEMPT("handle", rig_path("outside"), rig_path("outside/note")));
}

Test(sandbox_files, is_not_given_a_folder_that_is_a_link)
{
    const char *const command[] = {rig_path("escape"), "nothing", NULL};
    struct sandbox_worker worker = rig_worker();

    rig_needs_landlock(1);
    cr_assert_eq(symlink("outside", rig_path("link")), 0);
    worker.folder = rig_path("link");
    worker.common.command = command;
    const struct outcome outcome = rig_run_worker(AS_SELF, &worker);
    cr_expect_eq(outcome.status, 70);
    cr_expect(strstr(outcome.output, "symbolic link") != NULL, "%s", outcome.output);
}
