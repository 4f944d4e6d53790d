/* test_limits.c - what is watched is given back, and what cannot be watched is polled */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fixture.h"

static void set_up(void)
{
    fixture_set_up();
    run("mkdir -p src/a/b src/c bin && echo 1 >src/a/b/f && echo 1 >bin/driver && ln -s bin/driver link");
}

TestSuite(limits, .init = set_up, .fini = fixture_tear_down);

Test(limits, watches_and_descriptors_are_given_back)
{
    const unsigned descriptors = count_descriptors();
    start(NULL);
    cr_expect_eq(count_descriptors(), descriptors + 1, "one for everything");
    cr_expect_eq(count_watches(), 0);
    for (unsigned round = 0; round < 3; round++) {
        add(1, WATCH_FILE, "link", FILE_MS);
        add(2, WATCH_FILE, "nothing/there", FILE_MS);
        add(3, WATCH_TREE, "src", TREE_MS);
        add(4, WATCH_TREE, "src", TREE_MS);
        cr_expect_gt(count_watches(), 5);
        run("mkdir -p src/new/er && rm -r src/c && ln -sf src/a/b/f link && mkdir nothing");
        pass(SOON_MS);
        run("rm -r src/new nothing && mkdir src/c && ln -sf bin/driver link");
        pass(LATER_MS);
        cr_expect_eq(count_descriptors(), descriptors + 1);
        for (uint64_t id = 1; id <= 4; id++)
            watch_remove(fixture.watch, id);
        cr_expect_eq(count_watches(), 0);
    }
    fixture.watch = watch_free(fixture.watch);
    cr_expect_eq(count_descriptors(), descriptors);
}

Test(limits, many_changes_leave_no_watch_behind)
{
    start(NULL);
    add(1, WATCH_FILE, "link", FILE_MS);
    add(2, WATCH_TREE, "src", TREE_MS);
    const unsigned watches = count_watches();
    for (unsigned i = 0; i < 50; i++) {
        run("rm -r src bin && mkdir -p src/a/b src/c bin && echo 1 >src/a/b/f && echo 1 >bin/driver");
        cr_expect_eq(told_within(1, SOON_MS), 1);
        cr_expect_eq(count_watches(), watches);
    }
}

Test(limits, one_folder_has_one_watch_however_many_need_it)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    const unsigned watches = count_watches();
    for (uint64_t id = 2; id < IDS_MAX; id++)
        add(id, WATCH_FILE, "bin/driver", FILE_MS);
    cr_expect_eq(count_watches(), watches);
    for (uint64_t id = 1; id < IDS_MAX - 1; id++)
        watch_remove(fixture.watch, id);
    run("echo 2 >bin/driver");
    expect_one(IDS_MAX - 1, SOON_MS, "the last one");
}

Test(limits, without_watches_left_everything_is_polled)
{
    start(&(struct watch_options){.watches_max = 1});
    add(1, WATCH_FILE, "link", FILE_MS);
    add(2, WATCH_TREE, "src", TREE_MS);
    cr_expect_eq(count_watches(), 1);
    cr_expect_str_eq(watch_report(fixture.watch, 1), "polled: no inotify watch is left (fs.inotify.max_user_watches)");
    cr_expect_str_eq(watch_report(fixture.watch, 2), "polled: no inotify watch is left (fs.inotify.max_user_watches)");
    run("echo 2 >bin/driver");
    expect_one(1, SOON_MS, "a file");
    run("mkdir src/a/n && echo 2 >src/a/n/f");
    expect_one(2, SOON_MS, "a tree");
    run("ln -sf src/a/b/f link");
    expect_one(1, SOON_MS, "a link");
}

Test(limits, when_there_are_watches_again_they_are_used)
{
    start(&(struct watch_options){.watches_max = 12});
    run("mkdir -p wide/1 wide/2 wide/3 wide/4 wide/5 wide/6");
    add(2, WATCH_TREE, "wide", TREE_MS);
    add(1, WATCH_TREE, "src", TREE_MS);
    cr_expect_str_neq(watch_report(fixture.watch, 1), "inotify");
    watch_remove(fixture.watch, 2);
    pass(LATER_MS);
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
    run("echo 2 >src/a/b/f");
    cr_expect_eq(told_within(1, TREE_MS), 1, "at once, not by a poll");
}

Test(limits, folders_beyond_the_limit_of_a_tree_are_polled)
{
    start(&(struct watch_options){.folders_max = 3});
    add(1, WATCH_TREE, "src", TREE_MS);
    run("mkdir -p src/x/y/z");
    expect_one(1, SOON_MS, "too many now");
    cr_expect_str_eq(watch_report(fixture.watch, 1), "polled: it has too many folders");
    run("echo 1 >src/x/y/z/f");
    expect_one(1, SOON_MS, "in a folder that is not watched");
    run("rm -r src/x src/c");
    expect_one(1, SOON_MS, "few enough now");
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(limits, a_tree_without_end_is_looked_at_in_part)
{
    start(&(struct watch_options){.folders_max = 2});
    run("mkdir src/many && cd src/many && mkdir $(seq 200 300)");
    add(1, WATCH_TREE, "src", TREE_MS);
    cr_expect_str_eq(watch_report(fixture.watch, 1),
                     "polled: it has too many folders, and some of them are not looked at");
    run("echo 1 >src/f");
    expect_one(1, SOON_MS, "the top is watched");
    unsigned told = 0;
    for (unsigned i = 200; i <= 300; i++) {
        run("echo 1 >src/many/%u/f", i);
        told += told_within(1, SOON_MS);
    }
    cr_expect_gt(told, 10);
    cr_expect_leq(told, 32, "sixteen times the limit");
}

Test(limits, a_tree_may_be_deeper_than_is_looked_at)
{
    start(NULL);
    run("cd src && for i in $(seq 200); do mkdir d && cd d; done && echo 1 >f");
    add(1, WATCH_TREE, "src", TREE_MS);
    run("cd src/d/d/d && echo 1 >g");
    expect_one(1, SOON_MS, "where it is looked at");
    run("cd src && for i in $(seq 200); do cd d; done && echo 2 >f");
    expect_none("beyond");
}

Test(limits, without_a_descriptor_everything_is_polled)
{
    struct rlimit before, none;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest = dup(0); /* the next descriptor would have this number */
    cr_assert_geq(lowest, 0);
    close(lowest);
    none = before;
    none.rlim_cur = (rlim_t)lowest;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    start(NULL);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);

    cr_expect_eq(watch_fd(fixture.watch), -1);
    add(1, WATCH_FILE, "link", FILE_MS);
    cr_expect_str_eq(watch_report(fixture.watch, 1),
                     "polled: no inotify instance is left (fs.inotify.max_user_instances)");
    run("echo 2 >bin/driver");
    expect_one(1, SOON_MS, "polled");
}

Test(limits, a_shortage_of_descriptors_tells_nothing_and_is_outlived)
{
    struct rlimit before, none;
    start(NULL);
    add(1, WATCH_TREE, "src", TREE_MS);
    run("echo 2 >src/a/b/f");
    cr_assert_eq(told_within(1, SOON_MS), 1);
    run("echo 3 >src/a/b/f && mkdir -p src/n/m");
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    const unsigned told = told_within(1, SOON_MS);
    const bool is_said = strncmp(watch_report(fixture.watch, 1), "polled: no memory", 17) == 0;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect_eq(told, 0);
    cr_expect(is_said);
    expect_one(1, SOON_MS, "with descriptors again");
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(limits, what_cannot_be_watched_is_refused)
{
    char long_path[5000];
    memset(long_path, 'a', sizeof(long_path));
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    struct watch_subject subject = {2, WATCH_FILE, "bin/driver", FILE_MS};
    cr_expect_eq(watch_add(fixture.watch, &subject, 0, &fixture.error), DROVER_INVALID_ARGUMENT);
    subject.path = long_path;
    cr_expect_eq(watch_add(fixture.watch, &subject, 0, &fixture.error), DROVER_INVALID_ARGUMENT);
    subject = (struct watch_subject){1, WATCH_FILE, "/bin/driver", FILE_MS};
    cr_expect_eq(watch_add(fixture.watch, &subject, 0, &fixture.error), DROVER_ALREADY_EXISTS);
    cr_expect_null(watch_report(fixture.watch, 2));
    watch_remove(fixture.watch, 2);
}
