/* test_memory.c - whichever allocation fails, nothing breaks, and the change is told when there is memory again
 *
 * Linked with --wrap, which puts the functions below between drover's code and the real ones.
 */
#include <stdlib.h>

#include "fixture.h"

static long allocations_left = -1; /* the one that takes it to 0 fails; below 0 none does */
static unsigned failures;

static bool fails_now(void)
{
    if (allocations_left < 0 || allocations_left-- > 0)
        return false;
    failures++;
    return true;
}

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
void *__wrap_reallocarray(void *data, size_t count, size_t size);
char *__wrap_strdup(const char *text);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void *__real_reallocarray(void *data, size_t count, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return fails_now() ? NULL : __real_realloc(data, size);
}

void *__wrap_reallocarray(void *data, size_t count, size_t size)
{
    return fails_now() ? NULL : __real_reallocarray(data, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}

static void set_up(void)
{
    fixture_set_up();
    run("mkdir -p src/a/b bin && echo 1 >src/a/b/f && echo 1 >bin/driver && ln -s bin/driver link");
}

TestSuite(memory, .init = set_up, .fini = fixture_tear_down);

/* False when an allocation failed, as it was to. */
static bool try_to_begin(long n)
{
    const struct watch_options options = {.skip_names = (const char *[]){"x"}, .skip_name_count = 1};
    const struct watch_subject file = {1, WATCH_FILE, at("link"), FILE_MS}, tree = {2, WATCH_TREE, at("src"), TREE_MS};
    struct watch *watch = NULL;
    failures = 0;
    allocations_left = n;
    enum drover_status status = watch_new(&options, &watch, &fixture.error);
    if (status == DROVER_OK)
        status = watch_add(watch, &file, 0, &fixture.error);
    if (status == DROVER_OK)
        status = watch_add(watch, &tree, 0, &fixture.error);
    allocations_left = -1;
    cr_expect_eq(status, failures > 0 ? DROVER_RESOURCE_EXHAUSTED : DROVER_OK, "allocation %ld", n);
    (void)watch_free(watch);
    return failures == 0;
}

Test(memory, adding_fails_whole)
{
    const unsigned descriptors = count_descriptors();
    long n = 0;
    while (!try_to_begin(n))
        cr_assert_lt(++n, 1000);
    cr_expect_gt(n, 20, "allocations are counted");
    cr_expect_eq(count_descriptors(), descriptors);
}

/* A change, while the n-th allocation fails. False when none failed. */
static bool try_to_change(long n)
{
    run("rm -r src && mkdir -p src/a/b src/c src/d%ld && echo %ld >src/a/b/f && rm link && echo %ld >bin/driver && "
        "ln -s bin/driver link",
        n, n, n);
    failures = 0;
    allocations_left = n;
    watch_step(fixture.watch, fixture.now_ms);
    watch_step(fixture.watch, fixture.now_ms + TREE_MS);
    allocations_left = -1;
    pass(SOON_MS);
    cr_expect_eq(fixture.told[1], 1, "allocation %ld", n);
    cr_expect_eq(fixture.told[2], 1, "allocation %ld", n);
    expect_none("afterwards");
    cr_expect_str_eq(watch_report(fixture.watch, 1), "inotify");
    cr_expect_str_eq(watch_report(fixture.watch, 2), "inotify");
    return failures == 0;
}

Test(memory, a_change_is_told_though_memory_was_short)
{
    start(NULL);
    add(1, WATCH_FILE, "link", FILE_MS);
    add(2, WATCH_TREE, "src", TREE_MS);
    long n = 0;
    while (!try_to_change(n))
        cr_assert_lt(++n, 1000);
    cr_expect_gt(n, 20, "allocations are counted");
}

/* The folder that changed is read first, and then memory is short for one that did not. */
static bool try_to_change_one_of_two(long n)
{
    run("echo %ld >src/a/b/f; exec 3<>src/c/same; exec 3<&-", n);
    failures = 0;
    allocations_left = n;
    watch_step(fixture.watch, fixture.now_ms);
    watch_step(fixture.watch, fixture.now_ms + TREE_MS);
    allocations_left = -1;
    cr_expect_eq(told_within(2, SOON_MS), 1, "allocation %ld", n);
    return failures == 0;
}

Test(memory, a_change_is_told_though_memory_was_short_for_something_else)
{
    run("mkdir src/c && echo 1 >src/c/same");
    start(NULL);
    add(2, WATCH_TREE, "src", TREE_MS);
    long n = 0;
    while (!try_to_change_one_of_two(n))
        cr_assert_lt(++n, 1000);
    cr_expect_gt(n, 1, "allocations are counted");
}
