/* launch.h - one worker process: its page, its pipes, fork and exec
 *
 * START: process_prepare() makes the page with the token, so that the worker can be announced before it exists;
 * process_launch() forks. OPERATION: poll `pidfd` and the pipes. END: `pidfd` is readable: process_reap(), then
 * process_done().
 *
 * What the child gets: a process group of its own, no signal blocked or ignored, SIGKILL when its parent ends,
 * /dev/null as standard input, pipes as standard output and error, the page at descriptor LAUNCH_PAGE_FD, the read
 * end of a pipe that ends with the host at LAUNCH_LIFELINE_FD, and nothing else that was open. Its environment is the
 * host's without DROVER_*, and with the variables of startword.h and LAUNCH_ENV_NUMBER.
 */
#ifndef DROVER_HOST_LAUNCH_H
#define DROVER_HOST_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>

#include "common/wire/startword.h"
#include "worker/host/capture.h"

#define LAUNCH_PAGE_FD 3
#define LAUNCH_LIFELINE_FD 4

/* The number of the worker. The driver's own children inherit it, so that an orphan can be told whose it was. */
#define LAUNCH_ENV_NUMBER "DROVER_WORKER_NUMBER"

/* What to run. All borrowed. */
struct launch_plan {
    const char *program;   /* absolute path */
    const char *builtin;   /* NULL, or given as `--builtin NAME` */
    const char *directory; /* working directory */
    const char *endpoint;
    uint64_t number;
};

/* Descriptors are -1, `pid` is 0 and `page` NULL where there is none. */
struct process {
    pid_t pid;
    int pidfd;
    int output[CAPTURE_SOURCES]; /* read ends, non-blocking */
    int lifeline;                /* write end: never written to */
    int trouble;                 /* read end: bears a struct launch_trouble when exec did not succeed */
    int page_fd;                 /* until the launch */
    struct startword_page *page;
};

/* A process that is none yet. */
void process_init(struct process *process);

/* Make the page with `token`. Errors: RESOURCE_EXHAUSTED; `process` is unchanged. */
DROVER_MUST_CHECK enum drover_status process_prepare(struct process *process, const uint8_t token[WIRE_TOKEN_SIZE],
                                                     struct drover_error *error);

/* Fork and exec a prepared process. The calling thread must live as long as the child is to live. Errors:
 * RESOURCE_EXHAUSTED (descriptors, memory, processes). That the program cannot be executed is not known yet. */
DROVER_MUST_CHECK enum drover_status process_launch(struct process *process, const struct launch_plan *plan,
                                                    struct drover_error *error);

/* The process is dead: take down what is left of its group, take its exit status. `*ret_code` and `*ret_status` are
 * si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and si_status. False when it is not dead. */
bool process_reap(struct process *process, int *ret_code, int *ret_status);

/* Why the program of a dead process was never executed: a line in `error`, with status UNAVAILABLE. False when it was
 * executed. */
bool process_trouble(const struct process *process, const struct launch_plan *plan, struct drover_error *error);

/* Signal the process alone, or its whole group. Both wake a stopped process, or it could not act on the signal.
 * Nothing happens when there is no process. */
void process_signal(const struct process *process, int signal_number);
void process_signal_group(const struct process *process, int signal_number);

/* Kill the group, and wait for the leader: not long, unless the kernel holds it fast; then 2 s. */
void process_destroy(struct process *process);

/* Release all; does not end the process. */
void process_done(struct process *process);

#endif
