/* launch.h - one worker process: its page, its pipes, fork and exec of drover-launch, which becomes the worker
 *
 * START: process_prepare() makes the page with the token, so that the worker can be announced before it exists;
 * process_launch() forks. OPERATION: poll `pidfd` and the pipes; process_layers() tells how well it is shut in. END:
 * `pidfd` is readable: process_reap(), process_trouble(), then process_done().
 *
 * What the child gets: a process group of its own, no signal blocked or ignored, SIGKILL when its parent ends,
 * /dev/null as standard input, pipes as standard output and error, the page at descriptor LAUNCH_PAGE_FD, the read
 * end of a pipe that ends with the host at LAUNCH_LIFELINE_FD, and nothing else that was open but the memory file that
 * a script or a module is. Its environment has the variables of startword.h, LAUNCH_ENV_NUMBER and LAUNCH_ENV_FOLDER;
 * of the host's what names language and time zone, or with the policy `off` all but DROVER_*.
 */
#ifndef DROVER_HOST_LAUNCH_H
#define DROVER_HOST_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/status.h>

#include "common/config/config.h"
#include "common/wire/startword.h"
#include "worker/host/capture.h"

#define LAUNCH_PAGE_FD 3
#define LAUNCH_LIFELINE_FD 4

/* The number of the worker. The driver's own children inherit it, so that an orphan can be told whose it was. */
#define LAUNCH_ENV_NUMBER "DROVER_WORKER_NUMBER"

/* The worker's own folder: the only one that it may write to, unless more is granted. */
#define LAUNCH_ENV_FOLDER "DROVER_STATE_DIR"

/* The group of every worker that is another user than the host: for the socket that it must reach. */
#define LAUNCH_GROUP 65534

#define LAUNCH_LAYERS_SIZE 256

/* How a worker is shut in. All borrowed; all zero is the policy `best-effort` without any grant. */
struct launch_sandbox {
    enum config_sandbox policy;
    enum config_network network;
    const char *const *read;  /* absolute paths that it may read: grants, and the files that its settings name; ended by
                               * NULL, or NULL */
    const char *const *write; /* the same of what it may change */
    uint64_t memory_bytes;    /* 0: no limit */
    uint64_t cpus;            /* processors; 0: no limit */
    const char *user;         /* name of the user it runs as; NULL: the host's own, or see `foreign` */
    bool foreign;             /* fetched or compiled by drover: where the host is root it is nobody, not root */
};

/* What to run. All borrowed. */
struct launch_plan {
    const char *helpers;  /* folder of drover-launch */
    const char *name;     /* the driver's: what lists of processes show of an artefact */
    const char *program;  /* absolute path; with `module` that of drover-worker */
    const char *builtin;  /* NULL, or given as `--builtin NAME` */
    const char *module;   /* NULL, or the absolute path of a shared object, given as `--module /proc/self/fd/N` */
    const char *artefact; /* SHA-256 in hex of the module or else the program: what runs is a sealed copy that has it,
                           * or nothing. NULL: the file is run as it is (drover-worker itself) */
    const char *library_folder;           /* of libdrover-worker: readable, and LD_LIBRARY_PATH; or NULL */
    const char *directory;                /* working directory */
    const char *folder;                   /* the service's own, made if need be; NULL: none */
    const struct launch_sandbox *sandbox; /* NULL: the policy `off` */
    const char *endpoint;
    uint64_t number;
};

/* Why a child did not even become drover-launch. */
struct launch_trouble {
    int step; /* of launch.c */
    int code; /* errno; 0: nothing went wrong */
};

/* Descriptors are -1, `pid` is 0 and `page` NULL where there is none. */
struct process {
    pid_t pid;
    int pidfd;
    int output[CAPTURE_SOURCES]; /* read ends, non-blocking */
    int lifeline;                /* write end: never written to */
    int report;                  /* read end: what drover-launch reports, or why it could not be executed */
    int page_fd;                 /* until the launch */
    struct startword_page *page;
    char layers[LAUNCH_LAYERS_SIZE]; /* of the report so far: "" as long as nothing is known */
    struct drover_error refusal;     /* of the report so far: DROVER_OK as long as there is none */
    struct launch_trouble trouble;   /* the same of what went wrong before there was a drover-launch */
};

/* A process that is none yet. */
void process_init(struct process *process);

/* Make the page with `token`. Errors: RESOURCE_EXHAUSTED; `process` is unchanged. */
DROVER_MUST_CHECK enum drover_status process_prepare(struct process *process, const uint8_t token[WIRE_TOKEN_SIZE],
                                                     struct drover_error *error);

/* Make the folder of the plan, fork and exec a prepared process. The calling thread must live as long as the child is
 * to live. Errors: NOT_FOUND (no such user), PERMISSION_DENIED (only root can start it as another user; the folder),
 * INVALID_ARGUMENT (more is granted than drover-launch takes), RESOURCE_EXHAUSTED (descriptors, memory, processes).
 * That the program cannot be executed is not known yet. */
DROVER_MUST_CHECK enum drover_status process_launch(struct process *process, const struct launch_plan *plan,
                                                    struct drover_error *error);

/* The process is dead: take down what is left of its group, take its exit status. `*ret_code` and `*ret_status` are
 * si_code (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and si_status. False when it is not dead. */
bool process_reap(struct process *process, int *ret_code, int *ret_status);

/* Why the program of a dead process was never executed: a line in `error`. False when it was executed. Status:
 * DATA_LOSS (the file is not the artefact; the text bears both hashes), FAILED_PRECONDITION (the sandbox is required,
 * but a layer does not hold), UNAVAILABLE (all else). */
bool process_trouble(struct process *process, const struct launch_plan *plan, struct drover_error *error);

/* Which layers of the sandbox hold, in one line for `drover status`: "landlock seccomp limits"; "off"; "" as long as
 * it is not known (it is before the worker says anything). Never blocks. */
const char *process_layers(struct process *process);

/* Signal the process alone, or it and its whole group, also when it has left that. Both wake a stopped process, or it
 * could not act on the signal. Nothing happens when there is no process. */
void process_signal(const struct process *process, int signal_number);
void process_signal_group(const struct process *process, int signal_number);

/* Kill the group, and wait for the leader: not long, unless the kernel holds it fast; then 2 s. */
void process_destroy(struct process *process);

/* Release all; does not end the process. */
void process_done(struct process *process);

#endif
