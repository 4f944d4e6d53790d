/* test_links.c - a link anywhere on the way to a file may be made to lead elsewhere */
#include "fixture.h"

static void set_up(void)
{
    fixture_set_up();
    run("mkdir v1 v2 && echo 1 >v1/driver && echo 2 >v2/driver && ln -s v1 current && ln -s current/driver driver");
    start(NULL);
}

TestSuite(links, .init = set_up, .fini = fixture_tear_down);

Test(links, swapping_a_link_is_told_once_however_it_is_done)
{
    static const char *const ways[] = {
        "ln -s $to new && mv -T new current",
        "ln -sfn $to current",
        "rm current && ln -s $to current",
        "ln -s \"$PWD/$to\" new && mv -T new current",
        "rm current && mkdir current && cp $to/driver current && rm -r current && ln -s $to current",
    };
    add(1, WATCH_FILE, "driver", FILE_MS);
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        run("to=v%u; %s", i % 2 == 0 ? 2 : 1, ways[i]);
        expect_one(1, FILE_MS, ways[i]);
    }
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
}

Test(links, the_file_where_a_link_leads_now_is_watched_and_the_old_one_is_not)
{
    add(1, WATCH_FILE, "driver", FILE_MS);
    run("echo 1 >v1/driver");
    expect_one(1, SOON_MS, "before");
    run("ln -sfn v2 current");
    expect_one(1, SOON_MS, "swapped");
    run("echo 3 >v1/driver");
    expect_none("the old one");
    run("echo 3 >v2/driver");
    expect_one(1, SOON_MS, "the new one");
}

Test(links, the_link_at_the_end_of_the_path_may_be_swapped_for_a_file)
{
    add(1, WATCH_FILE, "driver", FILE_MS);
    run("rm driver && echo 9 >driver");
    expect_one(1, SOON_MS, "a file");
    run("ln -sf v2/driver driver");
    expect_one(1, SOON_MS, "a link again");
    run("echo 5 >v2/driver");
    expect_one(1, SOON_MS, "a change behind it");
}

Test(links, a_link_that_is_swapped_counts_though_it_leads_to_the_same_file)
{
    add(1, WATCH_FILE, "driver", FILE_MS);
    run("echo 1 >v1/driver");
    expect_one(1, SOON_MS, "before");
    run("ln -sfn ./v1 current");
    expect_one(1, SOON_MS, "the same file");
}

Test(links, one_that_leads_nowhere_is_followed_when_it_can_be)
{
    add(1, WATCH_FILE, "driver", FILE_MS);
    run("ln -sfn v3/deep current");
    expect_none("nowhere");
    run("mkdir -p v3/deep");
    expect_none("a folder without the file");
    run("echo 3 >v3/deep/driver");
    expect_one(1, SOON_MS, "somewhere");
}

Test(links, links_in_a_circle_lead_nowhere)
{
    run("ln -s a b && ln -s b a");
    add(1, WATCH_FILE, "a/driver", FILE_MS);
    expect_none("a circle");
    run("ln -sfn v1 a");
    expect_one(1, SOON_MS, "the circle is broken");
}

Test(links, a_tree_may_be_behind_a_link)
{
    add(1, WATCH_TREE, "current", TREE_MS);
    run("echo 1 >v1/driver");
    expect_one(1, SOON_MS, "a change behind it");
    run("ln -sfn v2 current");
    expect_one(1, SOON_MS, "swapped");
    run("echo 3 >v1/driver");
    expect_none("the old tree");
    run("mkdir v2/sub && echo 3 >v2/sub/file");
    expect_one(1, SOON_MS, "the new tree");
}

Test(links, atomic_replacement_of_a_whole_folder_as_in_a_mounted_config_map)
{
    run("mkdir map && mkdir map/..1 && echo 1 >map/..1/conf && ln -s ..1 map/..data && ln -s ..data/conf map/conf");
    add(1, WATCH_FILE, "map/conf", FILE_MS);
    run("mkdir map/..2 && echo 2 >map/..2/conf && ln -s ..2 map/..tmp && mv -T map/..tmp map/..data && rm -r map/..1");
    expect_one(1, SOON_MS, "first");
    run("mkdir map/..3 && echo 2 >map/..3/conf && ln -s ..3 map/..tmp && mv -T map/..tmp map/..data && rm -r map/..2");
    expect_one(1, SOON_MS, "second");
}
