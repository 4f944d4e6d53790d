/* test_gc.c - what may go goes, what is needed stays; times are set, not waited for */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define HOUR_MS UINT64_C(3600000)
#define NOW_MS (UINT64_C(1700000000) * 1000)

/* Three artefacts of 10 bytes, last used 3, 2 and 1 hours ago. */
static char oldest[STORE_NAME_SIZE], middle[STORE_NAME_SIZE], newest[STORE_NAME_SIZE];

static void publish_used(const char *text, unsigned hours, char *ret_name)
{
    const time_t then = (time_t)((NOW_MS - hours * HOUR_MS) / 1000);
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    publish_artefact(fixture.store, text, ret_name);
    cr_assert_eq(utimensat(AT_FDCWD, at("artefact/%s", ret_name), times, 0), 0);
}

static void set_up(void)
{
    fixture_set_up();
    publish_used("artefact 1", 3, oldest);
    publish_used("artefact 2", 2, middle);
    publish_used("artefact 3", 1, newest);
}

TestSuite(gc, .init = set_up, .fini = fixture_tear_down);

static struct store_gc_result collect(const struct store_gc *gc)
{
    struct store_gc_result result;
    ASSERT_OK(store_gc(fixture.store, gc, &result, &fixture.error));
    cr_expect_eq(count_names(at("tmp")), 0);
    return result;
}

static bool has(const char *name)
{
    return store_has(fixture.store, STORE_ARTEFACT, name);
}

Test(gc, removes_what_was_not_used_for_long)
{
    struct store_gc_result result =
        collect(&(struct store_gc){.now_ms = NOW_MS, .max_age_ms = 2 * HOUR_MS, .max_bytes = UINT64_MAX});
    cr_expect_not(has(oldest));
    cr_expect(has(middle));
    cr_expect(has(newest));
    cr_expect_eq(result.removed, 1);
    cr_expect_eq(result.removed_bytes, 10);
    cr_expect_eq(result.kept, 2);
    cr_expect_eq(result.kept_bytes, 20);
}

Test(gc, removes_the_longest_unused_until_the_rest_fits)
{
    collect(&(struct store_gc){.now_ms = NOW_MS, .max_age_ms = UINT64_MAX, .max_bytes = 19});
    cr_expect_not(has(oldest));
    cr_expect_not(has(middle));
    cr_expect(has(newest));
}

Test(gc, keeps_roots)
{
    const struct store_root roots[] = {{STORE_ARTEFACT, oldest}, {STORE_SRC, middle}};
    collect(&(struct store_gc){.roots = roots, .root_count = 2, .now_ms = NOW_MS});
    cr_expect(has(oldest));
    cr_expect_not(has(middle)); /* of another kind: no root */
    cr_expect_not(has(newest));
}

Test(gc, keeps_what_was_used_just_now)
{
    collect(&(struct store_gc){.now_ms = NOW_MS, .min_age_ms = HOUR_MS + 1});
    cr_expect_not(has(oldest));
    cr_expect(has(newest));
}

Test(gc, keeps_what_is_held_and_holding_counts_as_use)
{
    struct store_lock *lock = NULL, *second = NULL;
    ASSERT_OK(store_hold(fixture.store, STORE_ARTEFACT, oldest, &lock, &fixture.error));
    ASSERT_OK(store_hold(fixture.store, STORE_ARTEFACT, oldest, &second, &fixture.error));
    collect(&(struct store_gc){.now_ms = UINT64_MAX / 2});
    cr_expect(has(oldest));
    cr_expect_not(has(middle));
    ASSERT_STATUS(store_remove(fixture.store, STORE_ARTEFACT, oldest, &fixture.error), DROVER_FAILED_PRECONDITION);
    ASSERT_SAYS("in use");
    store_unlock(lock);
    store_unlock(second);
    /* It was used a moment ago, which lies after NOW_MS: so it is younger than anything. */
    collect(&(struct store_gc){.now_ms = NOW_MS, .min_age_ms = 1});
    cr_expect(has(oldest));
    ASSERT_OK(store_remove(fixture.store, STORE_ARTEFACT, oldest, &fixture.error));
    cr_expect_not(has(oldest));
}

Test(gc, is_not_stopped_by_a_holder_that_was_killed)
{
    int pipes[2];
    char octet;
    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_lock *lock = NULL;
        struct drover_error error;
        if (store_hold(fixture.store, STORE_ARTEFACT, middle, &lock, &error) != DROVER_OK ||
            write(pipes[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipes[1]);
    cr_assert_eq(read(pipes[0], &octet, 1), 1);
    close(pipes[0]);
    ASSERT_STATUS(store_remove(fixture.store, STORE_ARTEFACT, middle, &fixture.error), DROVER_FAILED_PRECONDITION);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ASSERT_OK(store_remove(fixture.store, STORE_ARTEFACT, middle, &fixture.error));
}

Test(gc, cannot_hold_or_remove_what_is_not_there)
{
    struct store_lock *lock = NULL;
    ASSERT_STATUS(store_hold(fixture.store, STORE_SRC, NAME_A, &lock, &fixture.error), DROVER_NOT_FOUND);
    ASSERT_STATUS(store_hold(fixture.store, STORE_SRC, "../tmp", &lock, &fixture.error), DROVER_NOT_FOUND);
    ASSERT_STATUS(store_remove(fixture.store, STORE_SRC, NAME_A, &fixture.error), DROVER_NOT_FOUND);
    cr_expect_null(lock);
}

Test(gc, removes_trees_and_mirrors_too)
{
    char src[STORE_NAME_SIZE];
    publish_sample(fixture.store, src);
    make_folder(at("git/" NAME_A ".git"));
    struct store_gc_result result = collect(&(struct store_gc){.now_ms = UINT64_MAX / 2});
    cr_expect_eq(result.kept, 0);
    cr_expect_eq(count_names(at("src")), 0);
    cr_expect_eq(count_names(at("git")), 0);
}
