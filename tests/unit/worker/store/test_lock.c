/* test_lock.c - processes wait for each other */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "fixture.h"

TestSuite(lock, .init = fixture_set_up, .fini = fixture_tear_down);

/* A child that takes the lock, says so through a pipe and keeps it until it is killed. */
static pid_t child_with_lock(const char *name)
{
    int pipes[2];
    char octet;
    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_lock *lock = NULL;
        struct drover_error error;
        if (store_lock(fixture.store, name, STORE_NO_DEADLINE, &lock, &error) != DROVER_OK)
            _exit(1);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipes[1]);
    cr_assert_gt(child, 0);
    cr_assert_eq(read(pipes[0], &octet, 1), 1);
    close(pipes[0]);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

Test(lock, is_for_one_at_a_time)
{
    struct store_lock *lock = NULL;
    pid_t child = child_with_lock("git-x");
    ASSERT_STATUS(store_lock(fixture.store, "git-x", 0, &lock, &fixture.error), DROVER_DEADLINE_EXCEEDED);
    ASSERT_SAYS("another process has it");
    ASSERT_STATUS(store_lock(fixture.store, "git-x", sys_now_ms() + 30, &lock, &fixture.error),
                  DROVER_DEADLINE_EXCEEDED);
    ASSERT_OK(store_lock(fixture.store, "git-y", 0, &lock, &fixture.error));
    store_unlock(lock);
    end(child);
}

Test(lock, ends_with_its_holder)
{
    struct store_lock *lock = NULL;
    end(child_with_lock("build"));
    ASSERT_OK(store_lock(fixture.store, "build", 0, &lock, &fixture.error));
    store_unlock(lock);
}

Test(lock, can_be_taken_again_after_it_was_given_back)
{
    struct store_lock *lock = NULL;
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(store_lock(fixture.store, "build", 0, &lock, &fixture.error));
        lock = store_unlock(lock);
    }
}

Test(lock, has_a_name_that_leads_nowhere_else)
{
    static const char *const bad[] = {"", "../x", "a/b", ".hidden", "a b"};
    struct store_lock *lock = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ASSERT_STATUS(store_lock(fixture.store, bad[i], 0, &lock, &fixture.error), DROVER_INVALID_ARGUMENT);
}

Test(lock, is_not_swept_while_it_is_held)
{
    struct store_lock *lock = NULL;
    pid_t child = child_with_lock("held");
    ASSERT_OK(store_lock(fixture.store, "left", 0, &lock, &fixture.error));
    lock = store_unlock(lock);
    ASSERT_OK(store_sweep(fixture.store, NULL, &fixture.error));
    cr_expect(exists(at("locks/held.lock")));
    cr_expect_not(exists(at("locks/left.lock")));
    ASSERT_STATUS(store_lock(fixture.store, "held", 0, &lock, &fixture.error), DROVER_DEADLINE_EXCEEDED);
    end(child);
}

/* The file of the lock is swept between its opening and its locking, and another has the new file of that name. */
static void sweep_and_take(const char *what, void *context)
{
    struct store_lock **taken = context;
    if (*taken || strcmp(what, "open lock") != 0)
        return;
    ASSERT_OK(store_sweep(fixture.store, NULL, &fixture.error));
    ASSERT_OK(store_lock(fixture.store, "raced", 0, taken, &fixture.error));
}

Test(lock, is_not_had_when_its_file_was_swept_meanwhile)
{
    struct store_lock *taken = NULL, *lock = NULL;
    const struct store_hook hook = {sweep_and_take, &taken};
    struct store *other = NULL;
    ASSERT_OK(store_open(fixture.path, &hook, &other, &fixture.error));
    ASSERT_STATUS(store_lock(other, "raced", 0, &lock, &fixture.error), DROVER_DEADLINE_EXCEEDED);
    cr_assert_not_null(taken);
    store_unlock(taken);
    ASSERT_OK(store_lock(other, "raced", 0, &lock, &fixture.error));
    store_unlock(lock);
    store_free(other);
}

Test(lock, keeps_ten_children_apart_while_locks_are_swept)
{
    /* Each child adds one to a file that it reads and writes; without the lock some would be lost. */
    enum { CHILDREN = 10, ROUNDS = 20 };
    pid_t children[CHILDREN];
    write_file(at("number"), "0", 0600);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            struct store_lock *lock = NULL;
            struct drover_error error;
            char text[32] = "";
            if (store_lock(fixture.store, "count", STORE_NO_DEADLINE, &lock, &error) != DROVER_OK)
                _exit(1);
            FILE *file = fopen(at("number"), "r+");
            if (!file || !fgets(text, sizeof text, file))
                _exit(1);
            rewind(file);
            fprintf(file, "%d", atoi(text) + 1);
            fclose(file);
            store_unlock(lock);
            if (i == 0 && store_sweep(fixture.store, NULL, &error) != DROVER_OK)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < CHILDREN; i++) {
        int how = -1;
        cr_assert_eq(waitpid(children[i], &how, 0), children[i]);
        cr_expect_eq(how, 0);
    }
    char *text = NULL;
    size_t size = 0;
    ASSERT_OK(sys_read_file(at("number"), 32, &text, &size, &fixture.error));
    cr_expect_eq(atoi(text), CHILDREN * ROUNDS);
    free(text);
}
