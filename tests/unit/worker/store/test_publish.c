/* test_publish.c - entries are whole or absent, wherever a process dies */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

TestSuite(publish, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

static unsigned mode_of(const char *path)
{
    struct stat about;
    cr_assert_eq(stat(path, &about), 0, "%s", path);
    return about.st_mode & 07777;
}

Test(publish, names_a_tree_by_its_content)
{
    char name[STORE_NAME_SIZE], hash[STORE_NAME_SIZE];
    publish_sample(fixture.store, name);
    ASSERT_OK(store_tree_hash(at("src/%s", name), hash, &fixture.error));
    cr_expect_str_eq(hash, name);
    ASSERT_OK(store_verify(fixture.store, STORE_SRC, name, &fixture.error));
    cr_expect_eq(count_names(at("tmp")), 0);
}

Test(publish, names_an_artefact_by_its_bytes)
{
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "abc", name);
    /* FIPS 180-2, appendix B.1 */
    cr_expect_str_eq(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_eq(mode_of(at("artefact/%s", name)), 0555);
}

Test(publish, leaves_no_bits_of_a_mode_but_x)
{
    char name[STORE_NAME_SIZE], path[4096];
    struct store_tmp *tmp = NULL;
    ASSERT_OK(store_tmp_new(fixture.store, "sample", &tmp, &fixture.error));
    snprintf(path, sizeof path, "%s/tree", store_tmp_path(tmp));
    make_sample(path);
    snprintf(path, sizeof path, "%s/tree/run.sh", store_tmp_path(tmp));
    cr_assert_eq(chmod(path, 06755), 0);
    snprintf(path, sizeof path, "%s/tree/src", store_tmp_path(tmp));
    cr_assert_eq(chmod(path, 01777), 0);
    ASSERT_OK(store_publish_content(fixture.store, STORE_SRC, tmp, "tree", name, &fixture.error));
    store_tmp_free(tmp);
    cr_expect_eq(mode_of(at("src/%s/run.sh", name)), 0755);
    cr_expect_eq(mode_of(at("src/%s/src", name)), 0755);
    cr_expect_eq(mode_of(at("src/%s/src/a.c", name)), 0644);
}

Test(publish, of_the_same_thing_twice_keeps_the_first)
{
    char first[STORE_NAME_SIZE], second[STORE_NAME_SIZE];
    struct stat before, after;
    publish_sample(fixture.store, first);
    cr_assert_eq(stat(at("src/%s", first), &before), 0);
    publish_sample(fixture.store, second);
    cr_assert_eq(stat(at("src/%s", second), &after), 0);
    cr_expect_str_eq(first, second);
    cr_expect_eq(before.st_ino, after.st_ino);
    cr_expect_eq(count_names(at("src")), 1);
    cr_expect_eq(count_names(at("tmp")), 0);
}

Test(publish, replaces_a_damaged_entry)
{
    char name[STORE_NAME_SIZE];
    publish_sample(fixture.store, name);
    write_file(at("src/%s/src/a.c", name), "int evil;\n", 0644);
    publish_sample(fixture.store, name);
    ASSERT_OK(store_verify(fixture.store, STORE_SRC, name, &fixture.error));
    cr_expect(exists(at("quarantine/src-%s.1/src/a.c", name)));
}

Test(publish, tells_who_was_first)
{
    bool is_new[2] = {false, true};
    for (int i = 0; i < 2; i++) {
        char path[4096];
        struct store_tmp *tmp = NULL;
        ASSERT_OK(store_tmp_new(fixture.store, "build", &tmp, &fixture.error));
        snprintf(path, sizeof path, "%s/build", store_tmp_path(tmp));
        make_folder(path);
        snprintf(path, sizeof path, "%s/build/meta.json", store_tmp_path(tmp));
        write_file(path, i == 0 ? "{}" : "{\"second\": true}", 0644);
        snprintf(path, sizeof path, "%s/build/log.txt", store_tmp_path(tmp));
        write_file(path, "", 0644);
        ASSERT_OK(store_publish_named(fixture.store, STORE_BUILD, NAME_A, tmp, "build", &is_new[i], &fixture.error));
        store_tmp_free(tmp);
    }
    cr_expect(is_new[0]);
    cr_expect_not(is_new[1]);
    ASSERT_OK(store_verify(fixture.store, STORE_BUILD, NAME_A, &fixture.error));
}

Test(publish, refuses_a_tree_with_a_symlink)
{
    char name[STORE_NAME_SIZE] = "", path[4096];
    struct store_tmp *tmp = NULL;
    ASSERT_OK(store_tmp_new(fixture.store, "sample", &tmp, &fixture.error));
    snprintf(path, sizeof path, "%s/tree", store_tmp_path(tmp));
    make_sample(path);
    snprintf(path, sizeof path, "%s/tree/link", store_tmp_path(tmp));
    cr_assert_eq(symlink("run.sh", path), 0);
    ASSERT_STATUS(store_publish_content(fixture.store, STORE_SRC, tmp, "tree", name, &fixture.error),
                  DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("'link' is a symlink");
    cr_expect_str_eq(name, "");
    store_tmp_free(tmp);
    cr_expect_eq(count_names(at("src")), 0);
}

Test(publish, refuses_what_is_of_another_type_than_its_kind)
{
    char name[STORE_NAME_SIZE], path[4096];
    struct store_tmp *tmp = NULL;
    ASSERT_OK(store_tmp_new(fixture.store, "sample", &tmp, &fixture.error));
    snprintf(path, sizeof path, "%s/link", store_tmp_path(tmp));
    cr_assert_eq(symlink("/bin/true", path), 0);
    ASSERT_STATUS(store_publish_content(fixture.store, STORE_ARTEFACT, tmp, "link", name, &fixture.error),
                  DROVER_FAILED_PRECONDITION);
    ASSERT_STATUS(store_publish_content(fixture.store, STORE_ARTEFACT, tmp, "nothing", name, &fixture.error),
                  DROVER_NOT_FOUND);
    ASSERT_STATUS(store_publish_named(fixture.store, STORE_BUILD, "../x", tmp, "link", NULL, &fixture.error),
                  DROVER_INVALID_ARGUMENT);
    store_tmp_free(tmp);
}

Test(publish, sweeps_what_the_dead_left_and_nothing_else)
{
    struct store_tmp *tmp = NULL;
    size_t removed = 0;
    ASSERT_OK(store_tmp_new(fixture.store, "mine", &tmp, &fixture.error));
    pid_t child = fork();
    if (child == 0) {
        struct store_tmp *its = NULL;
        struct drover_error error;
        _exit(store_tmp_new(fixture.store, "its", &its, &error) == DROVER_OK ? 0 : 1);
    }
    int how = -1;
    cr_assert_eq(waitpid(child, &how, 0), child);
    cr_assert_eq(how, 0);
    cr_assert_eq(symlink("/etc", at("tmp/link")), 0);
    cr_assert_eq(count_names(at("tmp")), 3);
    ASSERT_OK(store_sweep(fixture.store, &removed, &fixture.error));
    cr_expect_eq(removed, 2);
    cr_expect(exists(store_tmp_path(tmp)));
    cr_expect(exists("/etc/passwd"));
    store_tmp_free(tmp);
}

/* --- the steps, and death between them -----------------------------------------------------------------------------
 */

struct steps {
    unsigned count, die_at; /* 0: never */
    char told[64][16];
};

static void on_step(const char *what, void *context)
{
    struct steps *steps = context;
    if (steps->count < 64)
        snprintf(steps->told[steps->count], sizeof steps->told[0], "%s", what);
    if (++steps->count == steps->die_at)
        kill(getpid(), SIGKILL);
}

static int index_of(const struct steps *steps, const char *what, bool last)
{
    int found = -1;
    for (unsigned i = 0; i < steps->count && i < 64; i++) {
        if (strcmp(steps->told[i], what) == 0 && (found < 0 || last))
            found = (int)i;
    }
    return found;
}

Test(publish, brings_all_to_the_disk_before_the_rename_and_the_name_after_it)
{
    struct steps steps = {0};
    const struct store_hook hook = {on_step, &steps};
    struct store *store = NULL;
    char name[STORE_NAME_SIZE];
    ASSERT_OK(store_open(fixture.path, &hook, &store, &fixture.error));
    publish_sample(store, name);
    store_free(store);
    int rename_at = index_of(&steps, "rename", true);
    unsigned files = 0, folders = 0;
    for (int i = 0; i < rename_at; i++) {
        files += strcmp(steps.told[i], "sync file") == 0;
        folders += strcmp(steps.told[i], "sync folder") == 0;
    }
    cr_expect_eq(files, 3);
    cr_expect_eq(folders, 3);
    cr_expect_gt(index_of(&steps, "sync parent", false), rename_at);
    cr_expect_lt(index_of(&steps, "sync folder", true), rename_at);
    cr_expect_lt(index_of(&steps, "sync file", true), rename_at);
}

/* What a child does that may die at each step: publishes a tree over a damaged one, and an artefact; removes one. */
static void live_dangerously(unsigned die_at, const char *other)
{
    struct steps steps = {.die_at = die_at};
    const struct store_hook hook = {on_step, &steps};
    struct store *store = NULL;
    char name[STORE_NAME_SIZE];
    if (store_open(fixture.path, &hook, &store, &fixture.error) != DROVER_OK)
        _exit(1);
    publish_sample(store, name);
    publish_artefact(store, "an artefact", name);
    if (store_remove(store, STORE_ARTEFACT, other, &fixture.error) != DROVER_OK)
        _exit(1);
    store_free(store);
    _exit(0);
}

/* All that is listed is sound, after the damaged ones are put aside. */
static void expect_sound(const char *when, unsigned step)
{
    struct store_entry *entries = NULL;
    size_t count = 0;
    ASSERT_OK(store_list(fixture.store, &entries, &count, &fixture.error));
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(store_verify(fixture.store, entries[i].kind, entries[i].name, &fixture.error), DROVER_OK,
                     "%s, step %u: %s", when, step, fixture.error.text);
    free(entries);
}

Test(publish, survives_kill_9_at_every_step)
{
    char src[STORE_NAME_SIZE], other[STORE_NAME_SIZE], name[STORE_NAME_SIZE];
    unsigned step = 1;
    bool died = true;
    for (; died && step < 100; step++) {
        publish_sample(fixture.store, src);
        publish_artefact(fixture.store, "to be removed", other);
        write_file(at("src/%s/src/a.c", src), "damaged", 0644);
        pid_t child = fork();
        if (child == 0)
            live_dangerously(step, other);
        int how = -1;
        cr_assert_eq(waitpid(child, &how, 0), child);
        died = WIFSIGNALED(how);
        cr_assert(died || how == 0, "step %u: %d", step, how);

        /* Either the damaged tree is still there, which verification sees, or all is sound. */
        (void)!store_check(fixture.store, STORE_SRC, src, &fixture.error);
        expect_sound("after death", step);
        ASSERT_OK(store_sweep(fixture.store, NULL, &fixture.error));
        cr_expect_eq(count_names(at("tmp")), 0, "step %u", step);
        publish_sample(fixture.store, name);
        publish_artefact(fixture.store, "an artefact", name);
        expect_sound("published again", step);
    }
    cr_expect_not(died);
    cr_expect_gt(step, 15); /* else the steps are no longer told */
}

Test(publish, by_many_at_once_makes_one_entry)
{
    enum { CHILDREN = 6 };
    pid_t children[CHILDREN];
    char name[STORE_NAME_SIZE];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            publish_sample(fixture.store, name);
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int how = -1;
        cr_assert_eq(waitpid(children[i], &how, 0), children[i]);
        cr_expect_eq(how, 0);
    }
    cr_expect_eq(count_names(at("src")), 1);
    cr_expect_eq(count_names(at("tmp")), 0);
    cr_expect_eq(count_names(at("quarantine")), 0);
    publish_sample(fixture.store, name);
    ASSERT_OK(store_verify(fixture.store, STORE_SRC, name, &fixture.error));
}
