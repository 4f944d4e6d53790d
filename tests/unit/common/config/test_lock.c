/* test_lock.c - the lock file: what is written is read back, and every mistake has its place */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/config/lock.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define TREE "89abcdef0123456789abcdef0123456789abcdef"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define CONTENT "sha256:" HASH

static struct lock_entry entry_of(const char *url, const char *requested, const char *subdir)
{
    return (struct lock_entry){.url = (char *)url,
                               .requested = (char *)requested,
                               .subdir = (char *)subdir,
                               .commit = (char *)COMMIT,
                               .tree = (char *)TREE,
                               .content = (char *)CONTENT};
}

static void set(struct lock *lock, const char *url, const char *requested, const char *subdir)
{
    struct drover_error error = {0};
    struct lock_entry entry = entry_of(url, requested, subdir);
    cr_assert_eq(lock_set(lock, &entry, &error), DROVER_OK, "%s", error.text);
}

static void set_artefact(struct lock *lock, const char *url, const char *target, const char *key)
{
    struct drover_error error = {0};
    struct lock_entry entry = entry_of(url, NULL, NULL);
    struct lock_artefact artefact = {(char *)target, (char *)key, (char *)OTHER};
    cr_assert_eq(lock_set_artefact(lock, &entry, &artefact, &error), DROVER_OK, "%s", error.text);
}

static struct lock *parse(const char *text)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    enum drover_status status = lock_parse(text, strlen(text), "drover.lock", &lock, &messages);
    cr_assert_eq(status, DROVER_OK, "%s", messages.count ? messages.lines[0] : "");
    config_messages_done(&messages);
    return lock;
}

static void expect_text(const struct lock *lock, const char *expected)
{
    char *text = lock_write(lock);
    const char *behind = strstr(text, "version:");
    cr_expect_eq(text[0], '#', "a comment comes first");
    cr_expect_str_eq(behind, expected);
    free(text);
}

static const char one[] = "version: 1\n"
                          "drivers:\n"
                          "  - url: \"https://host/a\"\n"
                          "    commit: " COMMIT "\n"
                          "    tree: " TREE "\n"
                          "    content: " CONTENT "\n"
                          "    artefacts:\n"
                          "      - target: \"x86_64-linux-gnu\"\n"
                          "        key: " HASH "\n"
                          "        sha256: " OTHER "\n";

Test(lock, is_written_in_one_form)
{
    struct lock *lock = lock_new();
    expect_text(lock, "version: 1\ndrivers: []\n");
    set(lock, "https://host/a", NULL, NULL);
    set_artefact(lock, "https://host/a", "x86_64-linux-gnu", HASH);
    expect_text(lock, one);
    lock_free(lock);
}

Test(lock, is_read_back_as_it_was_written)
{
    static const char *const urls[] = {"https://host/b", "git@host:a/b.git", "file:///srv/\"quoted\\\"/x",
                                       "https://host/gr\u00fc\u00df"};
    static const char *const refs[] = {NULL, "v1.0", "true", "1.5", "a: b", "~", "'x'", "#c", " blank "};
    struct lock *lock = lock_new();
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        for (size_t j = 0; j < sizeof refs / sizeof *refs; j++)
            set(lock, urls[i], refs[j], j % 2 ? "sub/dir" : NULL);
    set(lock, "a", NULL, NULL);
    set_artefact(lock, "a", "x86_64-linux-gnu", HASH);
    set_artefact(lock, "a", "aarch64-linux-gnu", HASH);
    char *text = lock_write(lock);
    struct lock *again = parse(text);
    cr_expect_eq(again->count, lock->count);
    char *second = lock_write(again);
    cr_expect_str_eq(second, text);
    for (size_t j = 0; j < sizeof refs / sizeof *refs; j++)
        cr_expect_not_null(lock_find(again, urls[2], refs[j], j % 2 ? "sub/dir" : NULL), "%zu", j);
    cr_expect_eq(lock_find(again, "a", NULL, NULL)->artefact_count, 2);
    free(second);
    free(text);
    lock_free(again);
    lock_free(lock);
}

Test(lock, the_order_in_which_it_was_filled_does_not_show)
{
    static const char *const urls[] = {"c", "a", "b"};
    struct lock *forth = lock_new(), *back = lock_new();
    for (int i = 0; i < 3; i++) {
        set(forth, urls[i], NULL, NULL);
        set(forth, urls[i], "v1", NULL);
        set(back, urls[2 - i], "v1", NULL);
        set(back, urls[2 - i], NULL, NULL);
    }
    set_artefact(forth, "a", "x", HASH);
    set_artefact(forth, "a", "w", HASH);
    set_artefact(back, "a", "w", HASH);
    set_artefact(back, "a", "x", HASH);
    char *text = lock_write(forth), *other = lock_write(back);
    cr_expect_str_eq(text, other);
    free(text);
    free(other);
    lock_free(forth);
    lock_free(back);
}

Test(lock, an_entry_is_found_by_what_was_asked_for)
{
    struct lock *lock = lock_new();
    set(lock, "u", NULL, NULL);
    set(lock, "u", "v1", NULL);
    set(lock, "u", NULL, "v1");
    cr_expect_eq(lock->count, 3);
    cr_expect_str_eq(lock_find(lock, "u", "v1", NULL)->requested, "v1");
    cr_expect_null(lock_find(lock, "u", NULL, NULL)->requested);
    cr_expect_str_eq(lock_find(lock, "u", NULL, "v1")->subdir, "v1");
    cr_expect_null(lock_find(lock, "u", "v1", "v1"));
    cr_expect_null(lock_find(lock, "U", NULL, NULL));
    lock_free(lock);
}

Test(lock, what_is_set_again_takes_the_place_of_the_old)
{
    struct drover_error error = {0};
    struct lock *lock = lock_new();
    set(lock, "u", "main", NULL);
    struct lock_entry entry = entry_of("u", "main", NULL);
    entry.commit = (char *)TREE;
    cr_assert_eq(lock_set(lock, &entry, &error), DROVER_OK);
    cr_expect_eq(lock->count, 1);
    cr_expect_str_eq(lock->entries[0].commit, TREE);
    lock_free(lock);
}

Test(lock, artefacts_stay_as_long_as_the_source_is_the_same)
{
    struct drover_error error = {0};
    struct lock *lock = lock_new();
    struct lock_entry entry = entry_of("u", NULL, NULL);
    set(lock, "u", NULL, NULL);
    set_artefact(lock, "u", "x", HASH);
    entry.commit = (char *)TREE;
    cr_assert_eq(lock_set(lock, &entry, &error), DROVER_OK);
    cr_assert_eq(lock->entries[0].artefact_count, 1);
    cr_expect_str_eq(lock_find_artefact(&lock->entries[0], HASH)->sha256, OTHER);
    cr_expect_null(lock_find_artefact(&lock->entries[0], OTHER));
    entry.content = (char *)"sha256:" OTHER;
    cr_assert_eq(lock_set(lock, &entry, &error), DROVER_OK);
    cr_expect_eq(lock->entries[0].artefact_count, 0);
    lock_free(lock);
}

Test(lock, an_entry_is_taken_out)
{
    struct lock *lock = lock_new();
    set(lock, "a", NULL, NULL);
    set(lock, "b", NULL, NULL);
    set(lock, "c", NULL, NULL);
    cr_expect(lock_remove(lock, "b", NULL, NULL));
    cr_expect_not(lock_remove(lock, "b", NULL, NULL));
    cr_expect_eq(lock->count, 2);
    cr_expect_not_null(lock_find(lock, "a", NULL, NULL));
    cr_expect_not_null(lock_find(lock, "c", NULL, NULL));
    lock_free(lock);
}

Test(lock, what_the_file_could_not_hold_is_refused_and_nothing_changes)
{
    struct drover_error error = {0};
    struct lock *lock = lock_new();
    struct lock_entry bad[] = {entry_of("a\nb", NULL, NULL),    entry_of("", NULL, NULL),   entry_of("a", "\xFF", NULL),
                               entry_of("a", NULL, "x\u2028y"), entry_of(NULL, NULL, NULL), entry_of("u", NULL, NULL),
                               entry_of("u", NULL, NULL),       entry_of("u", NULL, NULL)};
    bad[5].commit = (char *)"main";
    bad[6].content = (char *)HASH;
    bad[7].tree = NULL;
    set(lock, "u", NULL, NULL);
    char *before = lock_write(lock);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(lock_set(lock, &bad[i], &error), DROVER_INVALID_ARGUMENT, "%zu", i);
        cr_expect_not_null(strstr(error.text, "lock file: '"), "%s", error.text);
    }
    struct lock_artefact artefact = {(char *)"x", (char *)"y", (char *)HASH};
    cr_expect_eq(lock_set_artefact(lock, &bad[5], &artefact, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(lock_set_artefact(lock, &bad[2], &artefact, &error), DROVER_NOT_FOUND);
    char *after = lock_write(lock);
    cr_expect_str_eq(after, before);
    free(before);
    free(after);
    lock_free(lock);
}

Test(lock, has_room_for_so_many_and_no_more)
{
    struct drover_error error = {0};
    struct lock *lock = lock_new();
    char url[32];
    for (int i = 0; i < LOCK_ENTRIES_MAX; i++) {
        snprintf(url, sizeof url, "%d", i);
        set(lock, url, NULL, NULL);
    }
    struct lock_entry entry = entry_of("one more", NULL, NULL);
    cr_expect_eq(lock_set(lock, &entry, &error), DROVER_RESOURCE_EXHAUSTED);
    char *text = lock_write(lock);
    struct lock *again = parse(text);
    cr_expect_eq(again->count, LOCK_ENTRIES_MAX);
    free(text);
    lock_free(again);
    lock_free(lock);
}

Test(lock, an_empty_file_has_no_entries)
{
    static const char *const empty[] = {"", "# nothing\n", "version: 1\n", "version: 1\ndrivers:\n",
                                        "version: 1\ndrivers: []\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct lock *lock = parse(empty[i]);
        cr_expect_eq(lock->count, 0);
        lock_free(lock);
    }
}

/* A file, and all its messages behind "drover.lock:". */
static const struct {
    const char *text, *messages[8];
} faulty[] = {
    {"x", {"1:1: the file must be a map with the keys 'version' and 'drivers'"}},
    {"drivers: []\n", {"1:1: key 'version' is missing"}},
    {"version: 2\n", {"1:10: key 'version': this drover reads version 1 only (a newer one wrote the file?)"}},
    {"version: 1\ndriver: []\n", {"2:1: key 'driver': unknown"}},
    {"version: 1\ndrivers: x\n", {"2:10: key 'drivers': must be a list"}},
    {"version: 1\ndrivers: [a, {}]\n",
     {"2:11: a driver must be a map of keys", "2:14: a driver needs the key 'url'",
      "2:14: a driver needs the key 'commit'", "2:14: a driver needs the key 'tree'",
      "2:14: a driver needs the key 'content'"}},
    {"version: 1\ndrivers:\n  - url: \"\"\n    requested: {}\n    comit: x\n    commit: main\n    tree: " COMMIT
     "0\n    content: " HASH "\n",
     {"3:10: key 'url': must not be empty", "4:16: key 'requested': must be a text",
      "5:5: key 'comit': unknown (nearest: 'commit')", "6:13: key 'commit': must be 40 hex digits",
      "7:11: key 'tree': must be 40 hex digits", "8:14: key 'content': must be 'sha256:' and 64 hex digits"}},
    {"version: 1\ndrivers:\n  - {url: a, commit: " COMMIT ", tree: " TREE ", content: " CONTENT "}\n"
     "  - {url: a, commit: " TREE ", tree: " TREE ", content: " CONTENT "}\n",
     {"4:5: this driver stands here for the second time (url 'a')"}},
    {"version: 1\ndrivers:\n  - {url: a, url: b, commit: " COMMIT ", tree: " TREE ", content: " CONTENT "}\n",
     {"3:14: key 'url': stands here for the second time (the first is at line 3)"}},
    {"version: 1\ndrivers:\n  - {url: a, commit: " COMMIT ", tree: " TREE ", content: " CONTENT ",\n"
     "     artefacts: [{target: x, key: y},\n {target: x, key: " HASH ", sha256: " HASH "},\n {target: x, key: " HASH
     ", sha256: " OTHER "}]}\n",
     {"4:18: an artefact needs the key 'sha256'", "4:35: key 'key': must be 64 hex digits",
      "6:2: this artefact stands here for the second time"}},
    {"version: 1\ndrivers: [\n",
     {"3:1: not valid YAML: did not find expected node content (while parsing a flow node, line 3)"}},
    {"version: &x 1\n", {"1:10: anchor '&x': anchors are not allowed here (write the value where it is needed)"}},
};

Test(lock, every_mistake_has_its_place)
{
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        struct lock *lock = NULL;
        struct config_messages messages;
        size_t count = 0;
        enum drover_status status = lock_parse(faulty[i].text, strlen(faulty[i].text), "drover.lock", &lock, &messages);
        cr_expect_eq(status, DROVER_INVALID_ARGUMENT, "%s", faulty[i].text);
        cr_expect_null(lock);
        for (; count < messages.count && count < 8 && faulty[i].messages[count]; count++) {
            char expected[256];
            snprintf(expected, sizeof expected, "drover.lock:%s", faulty[i].messages[count]);
            cr_expect_str_eq(messages.lines[count], expected);
        }
        cr_expect(count == messages.count && !(count < 8 && faulty[i].messages[count]), "%s: %zu messages, the last %s",
                  faulty[i].text, messages.count, messages.count ? messages.lines[messages.count - 1] : "none");
        config_messages_done(&messages);
    }
}

Test(lock, a_file_cut_anywhere_gets_an_answer)
{
    for (size_t size = 0; size < sizeof one; size++) {
        char *copy = malloc(size + (size == 0));
        struct lock *lock = NULL;
        struct config_messages messages;
        memcpy(copy, one, size);
        enum drover_status status = lock_parse(copy, size, "drover.lock", &lock, &messages);
        cr_expect((status == DROVER_OK) == (lock != NULL) && (status == DROVER_OK) == (messages.count == 0), "%zu",
                  size);
        config_messages_done(&messages);
        lock_free(lock);
        free(copy);
    }
}

Test(lock, a_file_that_is_too_large_is_refused)
{
    struct lock *lock = NULL;
    struct config_messages messages;
    char *text = malloc(LOCK_SIZE_MAX + 1);
    memset(text, '#', LOCK_SIZE_MAX + 1);
    cr_expect_eq(lock_parse(text, LOCK_SIZE_MAX + 1, "l", &lock, &messages), DROVER_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(messages.lines[0], "at most 4194304 are read"), "%s", messages.lines[0]);
    config_messages_done(&messages);
    free(text);
}
