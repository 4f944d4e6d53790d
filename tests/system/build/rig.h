/* rig.h - drover-build on a source and a store of a test's own
 *
 * A rig's folder may be reached by everybody, so that builds started by root can run as somebody else. Whatever goes
 * wrong in the rig itself aborts the test.
 */
#ifndef TEST_BUILD_RIG_H
#define TEST_BUILD_RIG_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <drover/status.h>
#include <jansson.h>

/* A run that takes longer is ended, with status 124. */
#define RIG_PATIENCE "60"

struct rig {
    char folder[64];
};

struct rig_run {
    pid_t pid;
    FILE *output;
    int status;     /* the exit status */
    json_t *last;   /* "done" or "error"; NULL when there was neither */
    char key[65];   /* of "start"; "" when there was none */
    unsigned lines; /* how many were told */
};

void rig_init(struct rig *rig);
void rig_done(struct rig *rig);

/* `name` in the rig's folder; one of eight buffers. */
const char *rig_path(const struct rig *rig, const char *name);

/* Make a file, and the folders that lead to it. */
void rig_write(const struct rig *rig, const char *name, mode_t mode, const char *text);
void rig_write_bytes(const struct rig *rig, const char *name, mode_t mode, const void *data, size_t size);

/* Copy the fixture `name` to `to`. */
void rig_copy_fixture(const struct rig *rig, const char *name, const char *to);

/* Start drover-build with the store `store` and the source `source` (below the rig's folder) and `options`, separated
 * by blanks. */
void rig_start(const struct rig *rig, struct rig_run *run, const char *store, const char *source, const char *options);
/* Read events until one of `event` came; false at the end. */
bool rig_await(struct rig_run *run, const char *event);
/* Read all events and reap it. */
void rig_finish(struct rig_run *run);
void rig_run_done(struct rig_run *run);

/* Start and finish, and expect nothing left. */
void rig_build(const struct rig *rig, struct rig_run *run, const char *store, const char *source, const char *options);

/* A text of the last event; "" when it has none. */
const char *rig_text(const struct rig_run *run, const char *key);
bool rig_is_reused(const struct rig_run *run);

/* Is the build done? Shows the event if not. */
bool rig_is_done(const struct rig_run *run);

/* Has it failed with this status, exit status, and a text in its message? Shows the event if not. */
bool rig_failed(const struct rig_run *run, enum drover_status status, int exit_status, const char *text);

/* Can builds be locked up here as `required` says? */
bool rig_has_sandbox(const struct rig *rig);

/* Fail the test when a process is left that was started for a build of this rig. */
void rig_expect_nothing_left(const struct rig *rig);

#endif
