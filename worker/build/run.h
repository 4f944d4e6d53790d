/* run.h - one command, bounded: in time, in what it may use, in what it may print; and nothing of it is left
 *
 * The process that uses this has to be the subreaper of what it starts (PR_SET_CHILD_SUBREAPER) and may have no other
 * children: whatever descends from the command and outlives it is killed.
 */
#ifndef DROVER_BUILD_RUN_H
#define DROVER_BUILD_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

#include "worker/build/copy.h"
#include "worker/build/words.h"

/* Limits of each process; 0: none. */
struct run_limits {
    uint64_t memory_bytes, file_bytes, cpu_s, processes;
};

struct run {
    const struct words *arguments; /* the first is the path of the program */
    const struct words *environment;
    const char *directory;
    struct owner owner; /* whom to become; uid -1: stay */
    struct run_limits limits;
    uint64_t deadline_ms; /* of sys_now_ms() */
    int cancel;           /* a descriptor: readable when all shall end; -1: none */
    int report;           /* a descriptor that the program inherits under the same number; -1: none */
    /* What it prints, on both streams. False ends it. */
    bool (*output)(const char *data, size_t size, void *context);
    void *context;
};

enum run_end {
    RUN_EXITED,    /* by itself, with `code` */
    RUN_SIGNALLED, /* by signal `code`, not one of ours */
    RUN_LATE,
    RUN_REFUSED, /* its output was */
    RUN_CANCELLED,
};

struct run_result {
    enum run_end end;
    int code;
};

/* Run a command to its end. Errors (it was not run): NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status run_command(const struct run *run, struct run_result *ret,
                                                 struct drover_error *error);

/* Run a short command (10 s) and keep what it prints, at most 64 KiB, for the caller to free(). Errors: those of
 * run_command(), and FAILED_PRECONDITION (it failed; with its last line). */
DROVER_MUST_CHECK enum drover_status run_for_output(const struct words *arguments, const struct words *environment,
                                                    char **ret_output, struct drover_error *error);

#endif
