/* test_files.c - every way of replacing a file is told once */
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"

static void set_up(void)
{
    fixture_set_up();
    run("mkdir bin spare && printf 'int main(void) { return 0; }' >main.c && printf 1 >bin/driver && touch bin/other");
}

TestSuite(files, .init = set_up, .fini = fixture_tear_down);

/* Each is run with the file bin/driver there, and leaves one there that differs by stat(). */
static const char *const ways[] = {
    "printf in-place >bin/driver",
    "printf more >>bin/driver",
    "gcc -o bin/driver main.c",
    "cp -f main.c bin/driver",
    "cp bin/driver spare/new && mv spare/new bin/driver",
    "printf beside >bin/.driver.tmp && mv bin/.driver.tmp bin/driver",
    "install -m 755 main.c bin/driver",
    "install -C -m 750 main.c bin/driver",
    "sed -i s/main/niam/ bin/driver",
    "perl -pi -e 's/niam/main/' bin/driver",
    "rm bin/driver && printf again >bin/driver",
    "dd if=main.c of=bin/driver conv=notrunc bs=1 status=none",
    "truncate -s 100 bin/driver",
    "ln -f main.c bin/driver",
    "cp main.c spare/x && ln -f spare/x bin/driver",
    "printf u >spare/y && rm bin/driver && ln spare/y bin/driver",
    "tar -cf t.tar main.c && tar -xf t.tar -C bin --transform s/main.c/driver/",
    "rm -r bin && mkdir bin && cp main.c bin/driver",
    "mv bin old && mkdir bin && printf moved >bin/driver && rm -r old",
    "mkdir next && printf next >next/driver && mv --exchange bin next 2>/dev/null || "
    "{ mv bin b && mv next bin && mv b next; }; rm -r next",
    "touch bin/driver",
    "printf 1234 >bin/driver && touch -d @5 bin/driver",
    "printf 4321 >bin/driver && touch -d @5 bin/driver", /* same inode, size and time */
    "rm bin/driver && ln -s ../main.c bin/driver",
    "cp -f --remove-destination main.c bin/driver",
    "chmod 700 bin/driver",
    "for i in 1 2 3 4 5 6 7 8 9; do cp -f main.c bin/driver; gcc -o bin/driver main.c; done",
};

static void try_all_ways(const char *path, uint64_t within_ms)
{
    add(1, WATCH_FILE, path, FILE_MS);
    add(2, WATCH_FILE, "bin/other", FILE_MS);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run("[ -e bin/other ] || touch bin/other"); /* where the folder was another one */
        pass(LATER_MS);
        run("%s", ways[i]);
        pass(within_ms);
        cr_expect_eq(fixture.told[1], 1, "%s: %u notices", ways[i], fixture.told[1]);
        expect_none(ways[i]);
    }
}

Test(files, every_way_of_replacing_a_file_is_told_once)
{
    start(NULL);
    try_all_ways("bin/driver", FILE_MS);
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(files, so_it_is_through_a_link_to_the_file)
{
    start(NULL);
    run("ln -s bin/driver link");
    try_all_ways("link", FILE_MS);
}

Test(files, so_it_is_through_links_to_folders)
{
    start(NULL);
    run("ln -s %s/bin absolute && mkdir -p a/b && ln -s ../../absolute a/b/relative", fixture.folder);
    try_all_ways("a/./b/../b//relative/driver", FILE_MS);
}

Test(files, so_it_is_where_everything_is_polled)
{
    start(&(struct watch_options){.without_events = true});
    try_all_ways("bin/driver", SOON_MS);
}

Test(files, a_change_is_told_after_the_debounce_time_and_not_before)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("printf 2 >bin/driver");
    cr_expect_eq(told_within(1, FILE_MS - 1), 0);
    cr_expect_eq(told_within(1, 1), 1);
}

Test(files, changes_without_end_are_told_after_two_seconds)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    for (unsigned i = 0; i < 20; i++) {
        run("printf %u >bin/driver", i);
        cr_expect_eq(told_within(1, 100), i == 19, "after %u ms", (i + 1) * 100);
    }
    cr_expect_eq(told_within(1, SOON_MS), 0, "the last state was told");
}

Test(files, a_file_that_is_still_being_written_is_waited_for)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("rm bin/driver");
    FILE *file = fopen(at("bin/driver"), "we");
    cr_assert_not_null(file);
    cr_expect_eq(told_within(1, 1900), 0, "it is open for writing");
    cr_assert_eq(fclose(file), 0);
    cr_expect_eq(told_within(1, FILE_MS), 1);
    expect_none("afterwards");
}

Test(files, it_is_not_waited_for_without_end)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("rm bin/driver");
    FILE *file = fopen(at("bin/driver"), "we");
    cr_assert_not_null(file);
    cr_expect_eq(told_within(1, 2000), 1);
    cr_assert_gt(fputs("late", file), 0);
    cr_assert_eq(fclose(file), 0);
    expect_one(1, SOON_MS, "closed late");
}

Test(files, reading_tells_nothing)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    add(2, WATCH_TREE, "bin", TREE_MS);
    run("printf 2 >bin/driver");
    pass(SOON_MS);
    run("cat bin/driver >/dev/null && stat bin/driver >/dev/null && ls -lR . >/dev/null && cp bin/driver copy && "
        "grep -r x . >/dev/null || true");
    expect_none("reading");
    run("exec 3<>bin/driver; exec 3<&-");
    expect_none("opened for writing, and nothing written");
}

Test(files, what_happens_beside_it_tells_nothing)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("touch bin/driver2 bin/drive bin/other && mkdir bin/d && rm bin/other && mv bin/d bin/e && cp main.c spare");
    expect_none("beside");
}

Test(files, a_file_that_goes_away_is_told_when_another_comes)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("rm bin/driver");
    expect_none("it is gone");
    run("printf 2 >bin/driver");
    expect_one(1, SOON_MS, "it is back");
    run("rm -r bin");
    expect_none("its folder is gone");
    run("mkdir bin");
    expect_none("the folder is back");
    run("printf 3 >bin/driver");
    expect_one(1, SOON_MS, "both are back");
}

Test(files, a_file_that_was_never_there_is_told_when_it_comes)
{
    start(NULL);
    add(1, WATCH_FILE, "deep/er/still/driver", FILE_MS);
    expect_none("nothing is there");
    run("mkdir -p deep/er/still && echo 1 >deep/er/still/driver");
    expect_one(1, SOON_MS, "it came with all of its folders");
}

Test(files, a_folder_above_that_goes_and_comes_back_is_no_change_but_is_followed)
{
    start(NULL);
    run("mkdir -p up/mid/low && echo 1 >up/mid/low/driver");
    add(1, WATCH_FILE, "up/mid/low/driver", FILE_MS);
    run("echo 2 >up/mid/low/driver");
    expect_one(1, SOON_MS, "a first change");
    run("mv up away && mv away up");
    expect_none("there and back at once");
    run("mv up away");
    expect_none("away");
    run("echo 3 >away/mid/low/driver");
    expect_none("changed while away");
    run("mv away up");
    expect_one(1, SOON_MS, "back, as another one");
    run("mv up/mid up/dim && mv up/dim up/mid");
    expect_none("in the middle");
    run("echo 4 >up/mid/low/driver");
    expect_one(1, SOON_MS, "changed after all that");
}

Test(files, a_folder_above_is_followed_though_somebody_still_uses_the_old_one)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    cr_assert_eq(chdir(at("bin")), 0); /* so the folder lives on without a name, and the kernel says nothing of it */
    run("rm -r bin && mkdir bin && echo 2 >bin/driver");
    cr_expect_eq(told_within(1, SOON_MS), 1);
    cr_assert_eq(chdir("/"), 0);
    run("echo 3 >bin/driver");
    expect_one(1, SOON_MS, "changed");
}

Test(files, two_subjects_may_be_the_same_file)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    add(2, WATCH_FILE, "bin/driver", TREE_MS);
    run("echo 2 >bin/driver");
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1);
    cr_expect_eq(fixture.told[2], 1);
    watch_remove(fixture.watch, 1);
    run("echo 3 >bin/driver");
    expect_one(2, SOON_MS, "the other is still watched");
}

Test(files, a_change_that_times_do_not_show_is_told_where_the_last_was_read_too_early)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", 0);
    run("printf 2 >bin/driver");
    cr_expect_eq(told_within(1, SOON_MS), 1, "without a quiet time, it is read while it may still be written to");
    /* As a second write in the same grain of the clock would be: an event, and the same times. */
    run("exec 3<>bin/driver; exec 3<&-");
    cr_expect_eq(told_within(1, SOON_MS), 1);
}

Test(files, a_folder_in_place_of_a_file_is_no_file)
{
    start(NULL);
    add(1, WATCH_FILE, "bin/driver", FILE_MS);
    run("rm bin/driver && mkdir bin/driver");
    expect_none("a folder");
    run("rmdir bin/driver && mkfifo bin/driver");
    expect_none("a pipe");
    run("rm bin/driver && echo 2 >bin/driver");
    expect_one(1, SOON_MS, "a file");
}
