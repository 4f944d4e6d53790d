/* family.h - all processes that descend from one, found by a mark in their environment
 *
 * A test that kills a broker must see the end of everything that the broker had started, also of what was re-parented.
 * The mark is an environment variable, FAMILY_MARK=<value>, that every descendant inherits; or, with the folder of a
 * broker as the value, its workers' endpoint in that folder, which is all that a sandbox leaves them.
 *
 * START: family_hold(). OPERATION: kill somebody, family_await_end(). END: family_release().
 */
#ifndef DROVER_TESTS_FAMILY_H
#define DROVER_TESTS_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FAMILY_MARK "TEST_FAMILY"
#define FAMILY_MAX 64

/* Processes that are held by descriptors, so that no number is ever mistaken. */
struct family {
    size_t count;
    pid_t pids[FAMILY_MAX];
    int pidfds[FAMILY_MAX];
};

/* Find all living processes with the mark `value` but `except` (0: all). Release with family_release(). */
void family_hold(struct family *family, const char *value, pid_t except);

/* Wait until all of them have ended, at most `limit_ms`. Returns how many still live. */
size_t family_await_end(const struct family *family, uint64_t limit_ms);

/* SIGKILL to all of them. */
void family_kill(const struct family *family);

void family_release(struct family *family);

/* How many living processes bear the mark, besides `except`. */
size_t family_count(const char *value, pid_t except);

/* Wait for the end of a process, at most `limit_ms`; it need not be a child. */
bool family_await_pidfd(int pidfd, uint64_t limit_ms);

/* A descriptor for a process; -1 when it is gone. The caller closes it. */
int family_open_pidfd(pid_t pid);

#endif
