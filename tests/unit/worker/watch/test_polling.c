/* test_polling.c - what inotify does not tell is found by looking */
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

#include "fixture.h"

static void set_up(void)
{
    fixture_set_up();
    run("mkdir -p src/a/b bin && echo 1 >src/a/b/f && echo 1 >bin/driver");
}

TestSuite(polling, .init = set_up, .fini = fixture_tear_down);

static void poll_everything(void)
{
    start(&(struct watch_options){.without_events = true});
    cr_expect_eq(watch_fd(fixture.watch), -1);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    add(2, WATCH_TREE, "src", TREE_MS);
}

Test(polling, finds_changes_within_two_seconds)
{
    poll_everything();
    run("echo 2 >bin/driver");
    cr_expect_eq(told_within(1, 2000), 1);
    run("mkdir -p src/x/y && echo 2 >src/x/y/f");
    cr_expect_eq(told_within(2, 2000), 1);
    run("rm -r src && mkdir src");
    cr_expect_eq(told_within(2, 2000), 1);
    expect_none("at rest");
}

Test(polling, waits_until_a_change_is_over)
{
    poll_everything();
    unsigned told = 0;
    for (unsigned i = 0; i < 17; i++) { /* found after 1.5 s, and not over then */
        run("echo %u >>bin/driver; echo %u >>src/a/b/f", i, i);
        pass(100);
        told += fixture.told[1] + fixture.told[2];
    }
    cr_expect_eq(told, 0);
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
}

Test(polling, does_not_wait_without_end)
{
    poll_everything();
    unsigned told = 0;
    for (unsigned i = 0; i < 100; i++) {
        run("echo %u >>bin/driver", i);
        told += told_within(1, 50);
    }
    cr_expect_geq(told, 1);
    cr_expect_leq(told, 3, "not more often than each 2 s");
}

Test(polling, a_large_tree_is_read_in_parts)
{
    run("mkdir src/many && cd src/many && mkdir $(seq 100) && "
        "for d in *; do for f in $(seq 50); do : >$d/$f; done; done");
    poll_everything();
    run("echo 1 >src/many/99/49 && echo 2 >bin/driver");
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1] + fixture.told[2], 0);
    /* One step does not read all of it. */
    watch_step(fixture.watch, fixture.now_ms += SOON_MS);
    cr_expect_eq(watch_deadline_ms(fixture.watch), 0);

    /* And if it changes in each step, so that no pass finds it at rest, it is told nevertheless. */
    unsigned told = 0;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t id;
        FILE *file = fopen(at("src/a/b/f"), "we");
        cr_assert_not_null(file);
        (void)fprintf(file, "%*u", (int)i + 1, i);
        cr_assert_eq(fclose(file), 0);
        watch_step(fixture.watch, fixture.now_ms += 20);
        while (watch_next(fixture.watch, &id))
            told++;
    }
    cr_expect_geq(told, 1);
    cr_expect_leq(told, 2);
}

Test(polling, a_change_without_an_event_is_found_by_the_sweep)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    add(2, WATCH_TREE, "src", TREE_MS);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip("may not mount");
    run("mkdir other && echo 2 >other/driver");
    cr_assert_eq(mount(at("other"), at("bin"), NULL, MS_BIND, NULL), 0);
    cr_assert_eq(mount(at("other"), at("src/a/b"), NULL, MS_BIND, NULL), 0);
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1] + fixture.told[2], 0, "a mount makes no event");
    pass(30000);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
    run("echo 3 >other/driver");
    pass(TREE_MS);
    cr_expect_eq(fixture.told[1], 1, "what is mounted is watched");
    cr_expect_eq(fixture.told[2], 1, "here, too");
    cr_assert_eq(umount2(at("bin"), MNT_DETACH), 0);
    cr_assert_eq(umount2(at("src/a/b"), MNT_DETACH), 0);
}

Test(polling, an_overlay_is_polled_because_its_upper_folder_may_be_written_to)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", at("bin"), "tmpfs", 0, NULL) != 0)
        skip("may not mount");
    char options[1024];
    run("mkdir -p bin/low bin/up bin/work bin/all && echo 1 >bin/low/driver");
    (void)snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", at("bin/low"), at("bin/up"),
                   at("bin/work"));
    if (mount("overlay", at("bin/all"), "overlay", 0, options) != 0) {
        (void)umount2(at("bin"), MNT_DETACH);
        skip("no overlay here");
    }
    start(NULL);
    run("echo 2 >bin/all/driver");
    add(1, WATCH_FILE, "bin/all/driver", FILE_MS);
    add(2, WATCH_TREE, "bin/all", TREE_MS);
    cr_expect_str_eq(watch_report(fixture.watch, 1), "polled: it is on an overlay");
    cr_expect_str_eq(watch_report(fixture.watch, 2), "polled: it is on an overlay");
    run("echo 33 >bin/up/driver");
    pass(2000);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
    expect_none("at rest");
    fixture.watch = watch_free(fixture.watch);
    cr_assert_eq(umount2(at("bin/all"), MNT_DETACH), 0);
    cr_assert_eq(umount2(at("bin"), MNT_DETACH), 0);
}
