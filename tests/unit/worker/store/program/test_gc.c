/* test_gc.c - `drover-store gc` removes nothing that somebody may need: what is in the lock file, and what services
 * remember to go back to */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/worker/store/fixture.h"
#include "worker/rollout/stable.h"

TestSuite(store_gc, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

#define AGED "--min-age 1ms --max-age 1ms" /* of what the tests made, all but the roots is old enough */

static char said[8192]; /* by the last run, on both streams */

/* Let everything be old, run `drover-store gc` with these options of a shell, and return its exit status. */
static int collect(const char *options)
{
    char *command = NULL;
    cr_assert_gt(asprintf(&command,
                          "find '%s' -mindepth 2 -maxdepth 2 -exec touch -d '2001-01-01' {} +; " DROVER_BINARY_DIR
                          "/bin/drover-store gc --store '%s' " AGED " %s 2>&1",
                          fixture.path, fixture.path, options),
                 0);
    FILE *in = popen(command, "r"); /* NOLINT: the command is the test's own */
    cr_assert_not_null(in);
    const size_t size = fread(said, 1, sizeof(said) - 1, in);
    said[size] = '\0';
    const int how = pclose(in);
    free(command);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static bool has(const char *artefact)
{
    return store_has(fixture.store, STORE_ARTEFACT, artefact);
}

/* A path beside the store. */
static const char *beside(const char *name)
{
    static char paths[2][160];
    static unsigned next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof(paths[0]), "%s/%s", fixture.folder, name);
    return path;
}

/* Add a version with this artefact to those that a memory has as stable. */
static void mark(struct rollout_memory *memory, const char *artefact)
{
    struct rollout_version version = {0};
    cr_assert(rollout_hash_read(artefact, &version.artefact));
    rollout_memory_mark(memory, &version);
}

static void write_memory(const char *path, const struct rollout_memory *memory)
{
    char *text = stable_write(memory);
    cr_assert_not_null(text);
    write_file(path, text, 0600);
    free(text);
}

/* A service remembers this artefact, in the folder beside the store. */
static void remember(const char *file, const char *artefact)
{
    struct rollout_memory memory = {.stable_count = 0};
    char path[32];
    cr_assert(mkdir(beside("versions"), 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "versions/%s", file);
    mark(&memory, artefact);
    write_memory(beside(path), &memory);
}

Test(store_gc, removes_what_nobody_remembers)
{
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "old", name);
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect_not(has(name));
}

Test(store_gc, keeps_what_each_service_remembers)
{
    char first[STORE_NAME_SIZE], second[STORE_NAME_SIZE], third[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "first", first);
    publish_artefact(fixture.store, "second", second);
    publish_artefact(fixture.store, "third", third);
    remember("echo", first);
    remember("user-provider_2", second);
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect(has(first) && has(second));
    cr_expect_not(has(third));
}

/* The present version of a service, and five to go back to. */
Test(store_gc, keeps_five_artefacts_besides_the_present_one)
{
    char names[8][STORE_NAME_SIZE];
    struct rollout_memory memory = {.stable_count = 0};
    for (size_t i = 0; i < 8; i++) {
        char bytes[16];
        snprintf(bytes, sizeof(bytes), "version %zu", i);
        publish_artefact(fixture.store, bytes, names[i]);
        mark(&memory, names[i]);
    }
    cr_assert_eq(mkdir(beside("versions"), 0700), 0);
    write_memory(beside("versions/echo"), &memory);
    cr_expect_eq(collect(""), 0, "%s", said);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(has(names[i]), i >= 2, "version %zu", i);
}

Test(store_gc, takes_no_notice_of_what_is_in_quarantine)
{
    char name[STORE_NAME_SIZE];
    struct rollout_memory memory = {.stable_count = 0};
    struct rollout_version version = {0};
    publish_artefact(fixture.store, "bad", name);
    cr_assert(rollout_hash_read(name, &version.artefact));
    rollout_memory_quarantine(&memory, &version, true, "died before it was ready");
    cr_assert_eq(mkdir(beside("versions"), 0700), 0);
    write_memory(beside("versions/echo"), &memory);
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect_not(has(name));
}

Test(store_gc, finds_the_folder_beside_a_store_that_is_a_link)
{
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "old", name);
    remember("echo", name);
    cr_assert_eq(mkdir(beside("disk"), 0700), 0);
    cr_assert_eq(rename(fixture.path, beside("disk/store")), 0);
    cr_assert_eq(symlink("disk/store", fixture.path), 0);
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect(has(name));
}

Test(store_gc, takes_another_folder)
{
    char name[STORE_NAME_SIZE];
    char options[128];
    publish_artefact(fixture.store, "old", name);
    remember("echo", name);
    cr_assert_eq(rename(beside("versions"), beside("elsewhere")), 0);
    snprintf(options, sizeof(options), "--versions '%s'", beside("elsewhere"));
    cr_expect_eq(collect(options), 0, "%s", said);
    cr_expect(has(name));
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect_not(has(name));
}

Test(store_gc, removes_nothing_when_it_cannot_read_what_is_remembered)
{
    static const char *const texts[] = {"", "drover-rollout 2\nend\n", "drover-rollout 1\nstable 00\nend\n",
                                        "drover-rollout 1\n"};
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "old", name);
    cr_assert_eq(mkdir(beside("versions"), 0700), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file(beside("versions/echo"), texts[i], 0600);
        cr_expect_eq(collect(""), 78, "%s", said);
        cr_expect_not_null(strstr(said, "/versions/echo:"), "%s", said);
        cr_expect_not_null(strstr(said, "nothing is removed"), "%s", said);
        cr_expect_eq(strchr(said, '\n'), said + strlen(said) - 1, "one line: %s", said);
        cr_expect(has(name));
    }
}

Test(store_gc, removes_nothing_when_a_folder_stands_for_what_is_remembered)
{
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "old", name);
    cr_assert_eq(mkdir(beside("versions"), 0700), 0);
    cr_assert_eq(mkdir(beside("versions/echo"), 0700), 0);
    cr_expect_neq(collect(""), 0);
    cr_expect_not_null(strstr(said, "/versions/echo': is a directory"), "%s", said);
    cr_expect(has(name));
}

Test(store_gc, removes_nothing_when_the_place_of_the_folder_is_taken)
{
    char name[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "old", name);
    write_file(beside("versions"), "", 0600);
    cr_expect_neq(collect(""), 0);
    cr_expect_not_null(strstr(said, "/versions': Not a directory"), "%s", said);
    cr_expect(has(name));
}

Test(store_gc, goes_by_what_was_moved_aside_or_not_written_to_the_end)
{
    char bad[STORE_NAME_SIZE], fresh[STORE_NAME_SIZE];
    publish_artefact(fixture.store, "bad", bad);
    publish_artefact(fixture.store, "fresh", fresh);
    remember("echo.bad", bad);
    remember("echo.new", fresh);
    write_file(beside("versions/other.bad"), "what?\n", 0600);
    cr_expect_eq(collect(""), 0, "%s", said);
    cr_expect_not(has(bad) || has(fresh));
}

Test(store_gc, removes_nothing_when_it_cannot_read_the_lock_file)
{
    char name[STORE_NAME_SIZE], options[128];
    publish_artefact(fixture.store, "old", name);
    write_file(beside("drover.lock"), "version: 9\n", 0600);
    snprintf(options, sizeof(options), "--lock '%s'", beside("drover.lock"));
    cr_expect_eq(collect(options), 78, "%s", said);
    cr_expect_not_null(strstr(said, "/drover.lock:1:10:"), "%s", said);
    cr_expect(has(name));
}
