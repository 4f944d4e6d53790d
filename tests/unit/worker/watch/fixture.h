/* fixture.h - a temporary folder that is watched, real changes in it, and a clock that the test moves
 *
 * The kernel queues the events of a change before the change returns, so nothing has to be waited for: the clock stands
 * still while a command runs, and is then moved on.
 */
#ifndef DROVER_TESTS_WATCH_FIXTURE_H
#define DROVER_TESTS_WATCH_FIXTURE_H

#include <criterion/criterion.h>

#include "worker/watch/watch.h"

#define FILE_MS 150
#define TREE_MS 300
#define SOON_MS 5000    /* enough for any burst, too little for the sweep */
#define LATER_MS 100000 /* three sweeps */
#define IDS_MAX 16

struct fixture {
    char folder[64]; /* without links; all commands run here */
    struct watch *watch;
    uint64_t now_ms;
    unsigned told[IDS_MAX]; /* notices a subject, since the clock was last moved on */
    struct drover_error error;
};

extern struct fixture fixture;

void fixture_set_up(void);
void fixture_tear_down(void);

/* End the test as skipped, and clean up, which Criterion does not do then. */
_Noreturn void skip(const char *why);

/* Begin to watch; NULL: with default options. */
void start(const struct watch_options *options);

/* printf a path below the folder, into one of four static buffers. */
const char *at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Add a subject by its path below the folder. */
void add(uint64_t id, enum watch_kind kind, const char *path, uint64_t debounce_ms);

/* Run a command by the shell in the folder; it must end with 0. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Move the clock on by `ms`, step whenever it is due. */
void pass(uint64_t ms);

/* Pass `ms`; returns how often subject `id` was told. */
unsigned told_within(uint64_t id, uint64_t ms);

/* Expect one notice for subject `id` within `ms`, and no other for any subject, also not later by a sweep. */
void expect_one(uint64_t id, uint64_t ms, const char *what);

/* Expect none, now and later. */
void expect_none(const char *what);

/* The watches of all inotify descriptors of this process, and its descriptors. */
unsigned count_watches(void);
unsigned count_descriptors(void);

#endif
