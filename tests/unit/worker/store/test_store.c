/* test_store.c - a store's layout, and who may open it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

TestSuite(store, .init = fixture_set_up, .fini = fixture_tear_down);

static unsigned mode_of(const char *path)
{
    struct stat about;
    cr_assert_eq(stat(path, &about), 0, "%s", path);
    return about.st_mode & 07777;
}

Test(store, makes_what_is_missing_of_its_layout)
{
    cr_expect_eq(mode_of(at("git")), 0700);
    cr_expect_eq(mode_of(at("src")), 0755);
    cr_expect_eq(mode_of(at("artefact")), 0755);
    cr_expect_eq(mode_of(at("build")), 0755);
    cr_expect_eq(mode_of(at("tmp")), 0711);
    cr_expect_eq(mode_of(at("locks")), 0700);
    cr_expect_eq(mode_of(at("quarantine")), 0700);

    cr_assert_eq(rmdir(at("quarantine")), 0);
    struct store *again = NULL;
    ASSERT_OK(store_open(fixture.path, NULL, &again, &fixture.error));
    cr_expect(exists(at("quarantine")));
    store_free(again);
}

Test(store, is_not_made_below_a_folder_that_is_not_there)
{
    struct store *other = NULL;
    ASSERT_STATUS(store_open(at("nowhere/store"), NULL, &other, &fixture.error), DROVER_NOT_FOUND);
    ASSERT_SAYS("nowhere/store");
    cr_expect_null(other);
}

Test(store, is_refused_when_others_may_write_to_it)
{
    struct store *other = NULL;
    cr_assert_eq(chmod(fixture.path, 0777), 0);
    ASSERT_STATUS(store_open(fixture.path, NULL, &other, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("chmod go-w");
    cr_assert_eq(chmod(fixture.path, 0755), 0);
}

Test(store, is_refused_when_it_is_another_users)
{
    struct store *other = NULL;
    if (geteuid() != 0)
        cr_skip_test("only root can give a folder away");
    cr_assert_eq(chown(fixture.path, 65534, 65534), 0);
    ASSERT_STATUS(store_open(fixture.path, NULL, &other, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("belongs to user 65534");
}

Test(store, is_refused_when_a_file_is_in_its_place)
{
    struct store *other = NULL;
    write_file(at("file"), "", 0644);
    cr_expect_neq(store_open(at("file"), NULL, &other, &fixture.error), DROVER_OK);
    ASSERT_SAYS("file");
}

Test(store, knows_where_entries_are)
{
    char *path = store_path(fixture.store, STORE_GIT, NAME_A);
    cr_expect_str_eq(path, at("git/" NAME_A ".git"));
    free(path);
    path = store_path(fixture.store, STORE_BUILD, NAME_B);
    cr_expect_str_eq(path, at("build/" NAME_B));
    free(path);
}

Test(store, takes_only_64_hex_digits_for_a_name)
{
    cr_expect(store_is_name(NAME_A));
    cr_expect_not(store_is_name(""));
    cr_expect_not(store_is_name("../../../../etc/passwd"));
    cr_expect_not(store_is_name(NAME_A "a"));
    cr_expect_not(store_is_name("Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    cr_expect_not(store_has(fixture.store, STORE_SRC, ".."));
}

Test(store, lists_its_entries_by_kind_and_name_with_their_sizes)
{
    char src[STORE_NAME_SIZE], one[STORE_NAME_SIZE], two[STORE_NAME_SIZE];
    publish_sample(fixture.store, src);
    publish_artefact(fixture.store, "one", one);
    publish_artefact(fixture.store, "three", two);
    make_folder(at("src/no-entry"));

    struct store_entry *entries = NULL;
    size_t count = 0;
    ASSERT_OK(store_list(fixture.store, &entries, &count, &fixture.error));
    cr_assert_eq(count, 3);
    cr_expect_eq(entries[0].kind, STORE_SRC);
    cr_expect_str_eq(entries[0].name, src);
    cr_expect_eq(entries[0].bytes, 24);
    cr_expect_gt(entries[0].used_ms, 0);
    cr_expect_eq(entries[1].kind, STORE_ARTEFACT);
    cr_expect_eq(entries[2].kind, STORE_ARTEFACT);
    cr_expect_lt(strcmp(entries[1].name, entries[2].name), 0);
    cr_expect_eq(entries[1].bytes + entries[2].bytes, 8);
    free(entries);
}
