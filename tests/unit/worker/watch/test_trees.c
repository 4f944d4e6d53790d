/* test_trees.c - changes anywhere in a tree of sources are told, once a burst */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "fixture.h"

static void set_up(void)
{
    fixture_set_up();
    run("mkdir -p src/lib/deep && echo 1 >src/main.c && echo 1 >src/lib/a.c && echo 1 >src/lib/deep/b.c");
}

static void watch_source(void)
{
    static const char *names[] = {"node_modules", "tags"};
    const char *state = at("src/state");
    start(
        &(struct watch_options){.skip_names = names, .skip_name_count = 2, .skip_paths = &state, .skip_path_count = 1});
    add(1, WATCH_TREE, "src", TREE_MS);
}

TestSuite(trees, .init = set_up, .fini = fixture_tear_down);

Test(trees, every_change_in_it_is_told_once)
{
    static const char *const ways[] = {
        "echo 2 >src/main.c",
        "echo 2 >>src/lib/deep/b.c",
        "sed -i s/1/3/ src/lib/a.c",
        "cp src/main.c src/lib/new.c",
        "mv src/lib/new.c src/lib/deep",
        "rm src/lib/deep/new.c",
        "mkdir -p src/a/b/c; echo >src/a/b/c/f",
        "echo 2 >src/a/b/c/f",
        "mv src/a src/lib/a",
        "echo 3 >src/lib/a/b/c/f",
        "mv src/lib/a . && mv a src/a",
        "echo 4 >src/a/b/c/f",
        "rm -r src/a",
        "mkdir -p src/a/b/c; echo >src/a/b/c/f",
        "echo 5 >src/a/b/c/f",
        "rm -r src && mkdir -p src/lib && echo 6 >src/lib/a.c",
        "echo 7 >src/lib/a.c",
        "mv src old && mkdir src && echo 7 >src/main.c",
        "cp -r old/lib src",
        "chmod u+x src/main.c",
        "touch src/lib/a.c",
        "ln -s main.c src/link.c",
        "ln -sf a.c src/link.c",
        "tar -cf t.tar -C old . && tar -xf t.tar -C src",
        "ln -s ../old src/elsewhere",
        "mkdir src/empty",
        "chmod 711 src/lib",
        "touch src/.hidden-file",
    };
    watch_source();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run("%s", ways[i]);
        expect_one(1, TREE_MS, ways[i]);
    }
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(trees, a_checkout_is_told_once)
{
    setenv("HOME", fixture.folder, 1); /* no settings of the user's */
    unsetenv("XDG_CONFIG_HOME");
    run("cd src && git init -q -b master && git config user.email a@b && git config user.name a && git add . && "
        "git commit -qm one && git checkout -qb two && git mv lib bil && mkdir new && echo 3 >new/c.c && "
        "echo 2 >main.c && git add . && git commit -qm two");
    watch_source();
    for (unsigned i = 0; i < 4; i++) {
        run("cd src && git checkout -q %s", i % 2 == 0 ? "master" : "two");
        expect_one(1, SOON_MS, "checkout");
    }
    run("cd src && git status >/dev/null && git gc -q && git tag t && git log >/dev/null");
    expect_none("what git does for itself");
    run("cd src && git stash -q 2>/dev/null; git reset -q --hard master");
    expect_one(1, SOON_MS, "reset");
}

Test(trees, what_is_no_source_tells_nothing)
{
    static const char *const ways[] = {
        "mkdir src/build && echo 1 >src/build/out.o && rm -r src/build",
        "mkdir -p src/lib/build/deep && echo 1 >src/lib/build/deep/x && echo 2 >src/lib/build/deep/x",
        "mkdir -p src/.cache/a && echo 1 >src/.cache/a/b",
        "mkdir -p src/lib/node_modules/a && echo 1 >src/lib/node_modules/a/b && echo 1 >src/tags && rm src/tags",
        "mkdir -p src/state/build src/state/x && echo 1 >src/state/x/y && mv src/state/x src/state/z",
        "cat src/*.c >/dev/null && ls -lR src >/dev/null && cp -r src copy",
    };
    watch_source();
    run("echo 2 >src/main.c");
    pass(SOON_MS);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run("%s", ways[i]);
        expect_none(ways[i]);
    }
    run("mkdir src/lib/state && echo 1 >src/lib/state/x");
    expect_one(1, SOON_MS, "a folder called as the one that is left out, elsewhere");
}

Test(trees, the_state_folder_is_left_out_by_whatever_link_it_was_named)
{
    run("mkdir src/state && ln -s src/state by-link");
    const char *state = at("by-link");
    start(&(struct watch_options){.skip_paths = &state, .skip_path_count = 1});
    add(1, WATCH_TREE, "src", TREE_MS);
    run("echo 2 >src/main.c");
    pass(SOON_MS);
    run("mkdir -p src/state/x && echo 1 >src/state/x/y");
    expect_none("the state folder");
}

Test(trees, something_that_comes_and_goes_within_a_burst_is_no_change)
{
    watch_source();
    run("echo 2 >src/main.c");
    pass(SOON_MS);
    run("echo 1 >src/4913 && rm src/4913 && mkdir -p src/t/u && rm -r src/t");
    expect_none("there and gone");
    run("mv src other && mv other src");
    expect_none("the whole tree away and back");
    run("echo 3 >src/lib/a.c");
    expect_one(1, SOON_MS, "it is still watched");
}

Test(trees, a_tree_that_goes_away_is_told_when_another_comes)
{
    watch_source();
    const unsigned watches = count_watches();
    run("echo 2 >src/main.c");
    expect_one(1, SOON_MS, "a change");
    run("mv src away");
    expect_none("away");
    cr_expect_lt(count_watches(), watches, "what is not there is not watched");
    run("echo 3 >away/lib/a.c");
    expect_none("changed while away");
    run("mv away src");
    expect_one(1, SOON_MS, "back, with another file");
    cr_expect_eq(count_watches(), watches);
    run("echo 4 >src/lib/deep/b.c");
    expect_one(1, SOON_MS, "watched again");
}

Test(trees, a_folder_that_is_moved_out_is_watched_no_more)
{
    watch_source();
    const unsigned watches = count_watches();
    run("mv src/lib out");
    expect_one(1, SOON_MS, "moved out");
    cr_expect_eq(count_watches(), watches - 2);
    run("echo 2 >out/a.c && echo 2 >out/deep/b.c");
    expect_none("outside");
    run("mv out src/lib");
    expect_one(1, SOON_MS, "moved in");
    cr_expect_eq(count_watches(), watches);
    run("echo 3 >src/lib/deep/b.c");
    expect_one(1, SOON_MS, "inside");
}

Test(trees, ten_thousand_files_are_one_change)
{
    watch_source();
    run("mkdir src/many && cd src/many && mkdir $(seq 100) && "
        "for d in *; do for f in $(seq 100); do : >$d/$f; done; done");
    expect_one(1, SOON_MS, "ten thousand files");
    run("echo 1 >src/many/77/77");
    expect_one(1, SOON_MS, "one of them");
    run("rm -r src/many");
    expect_one(1, SOON_MS, "none of them");
}

Test(trees, lost_events_are_made_up_for_by_looking)
{
    watch_source();
    add(2, WATCH_FILE, "src/lib/a.c", FILE_MS);
    run("echo 2 >src/main.c && echo 2 >src/lib/a.c");
    pass(SOON_MS);
    /* More events than the kernel keeps: what comes after them gets none. */
    run("cd src && most=$(cat /proc/sys/fs/inotify/max_queued_events) && "
        "i=0; while [ $i -le $most ]; do : >f$((i %% 2)); i=$((i + 1)); done; rm f0 f1");
    run("echo 3 >src/lib/a.c && mkdir -p src/late/r && echo 1 >src/late/r/f");
    watch_step(fixture.watch, fixture.now_ms);
    int left = 0;
    cr_assert_eq(ioctl(watch_fd(fixture.watch), FIONREAD, &left), 0);
    cr_expect_gt(left, 65536, "a step takes some of them only");
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
    expect_none("after that");
    run("echo 2 >src/late/r/f");
    expect_one(1, SOON_MS, "a folder whose event was lost is watched");
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(trees, a_filesystem_mounted_into_it_is_followed)
{
    run("mkdir src/mnt");
    if (mount("none", at("src/mnt"), "tmpfs", 0, NULL) != 0)
        skip("may not mount");
    watch_source();
    run("mkdir src/mnt/sub && echo 1 >src/mnt/sub/f");
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(umount2(at("src/mnt"), MNT_DETACH), 0);
    cr_expect_eq(told_within(1, SOON_MS), 1, "what was mounted is gone");
    run("echo 1 >src/mnt/g");
    cr_expect_eq(told_within(1, SOON_MS), 1, "what was under it is watched");
}

Test(trees, a_filesystem_mounted_over_all_of_it_is_followed)
{
    run("echo 0 >src/under");
    if (mount("none", at("src"), "tmpfs", 0, NULL) != 0)
        skip("may not mount");
    run("mkdir -p src/lib && echo 1 >src/lib/a.c");
    watch_source();
    run("echo 2 >src/lib/a.c");
    cr_expect_eq(told_within(1, SOON_MS), 1);
    cr_expect_eq(umount2(at("src"), MNT_DETACH), 0);
    cr_expect_eq(told_within(1, SOON_MS), 1, "what was mounted is gone");
    run("echo 2 >src/under");
    cr_expect_eq(told_within(1, TREE_MS), 1, "what was under it is watched");
    run("echo 2 >src/lib/deep/b.c");
    expect_one(1, TREE_MS, "also below");
}

Test(trees, a_mount_of_the_tree_within_itself_does_no_harm)
{
    run("mkdir src/lib/loop");
    if (mount(at("src"), at("src/lib/loop"), NULL, MS_BIND, NULL) != 0)
        skip("may not mount");
    watch_source();
    const unsigned watches = count_watches();
    run("mkdir src/n && mv src/lib src/bil && mv src/bil src/lib && rm -r src/lib/deep");
    cr_expect_eq(told_within(1, SOON_MS), 1);
    cr_expect_eq(count_watches(), watches);
    cr_expect_eq(umount2(at("src/lib/loop"), MNT_DETACH), 0);
}

Test(trees, work_in_a_new_folder_is_waited_for)
{
    watch_source();
    run("mkdir -p src/n/m");
    for (unsigned i = 0; i < 8; i++) {
        cr_expect_eq(told_within(1, TREE_MS - 100), 0, "change %u", i);
        run("echo %u >src/n/m/f", i);
    }
    expect_one(1, TREE_MS, "all of it");
}

Test(trees, work_on_what_does_not_belong_to_it_is_not_waited_for)
{
    watch_source();
    run("mv src/lib out");
    for (unsigned i = 0; i < 2; i++) {
        cr_expect_eq(told_within(1, TREE_MS / 3), 0);
        run("echo %u >out/a.c && echo %u >src/tags && mkdir -p src/build && echo %u >src/build/x && rm -r src/build", i,
            i, i);
    }
    expect_one(1, TREE_MS / 3, "no later than without");
}
