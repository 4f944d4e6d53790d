/* broker_rig.h - a real drover-broker under test, with its workers, in a folder of its own
 *
 * The broker and its workers are the programs of this build. Everything lies in a fresh folder below /tmp: the
 * configuration, the client's socket, the state directory, what the broker prints. A broker dies with the test that
 * started it, and its workers with it, so a test that crashes leaves no process behind.
 *
 * START: broker_rig_init(), broker_rig_start(), broker_rig_await_ready(). OPERATION: calls through `endpoint`, signals.
 * END: broker_rig_done(): stops the broker gracefully and requires that it ends with 0, leaves no process, and that no
 * sanitizer complained about it or its workers.
 *
 * Any function that cannot do what it says ends the test by abort(), with what the broker printed. Every wait is
 * bounded. No function keeps a client: a test may fork when it has none itself.
 */
#ifndef DROVER_TESTS_BROKER_RIG_H
#define DROVER_TESTS_BROKER_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drover/client.h>

#define BROKER_RIG_PATIENCE_MS 30000
#define BROKER_RIG_WORKERS 16

struct broker_rig {
    char folder[32];
    char endpoint[64]; /* for clients */
    char config[64];   /* path of the configuration */
    pid_t pid;         /* of the broker; 0 when none runs */
    int pidfd;
    uint64_t started_us;  /* when it was last started */
    const char *option;   /* one more option for it, or NULL */
    bool is_first_in_pid; /* start it as process 1 of a namespace (for root only) */
};

struct broker_rig_worker {
    pid_t pid;
    char state[16];
    char artefact[65];
    uint64_t restarts, in_flight, generation;
};

/* The generations of a service. */
struct broker_rig_rollout {
    char state[16];
    uint64_t active, candidate; /* generations; 0: none */
    char artefact[65], stable[65];
    char watch[128];
    size_t quarantined;        /* how many entries there are; of the last: */
    char quarantined_hash[65]; /* "" */
    char quarantined_why[256];
};

/* What `drover status` knows of a service. */
struct broker_rig_service {
    char state[16];
    char last_error[512];
    uint64_t generation, queued, calls, failed, unanswered;
    struct broker_rig_rollout rollout;
    size_t worker_count;
    struct broker_rig_worker workers[BROKER_RIG_WORKERS];
};

/* Make the folder and the configuration. `services` is YAML, the lines below `services:` (indented by two blanks or
 * more); an `@` in it stands for the folder. */
void broker_rig_init(struct broker_rig *rig, const char *services);

/* The same with other lines below `broker:` (NULL: a socket and a state directory in the folder). */
void broker_rig_init_with(struct broker_rig *rig, const char *broker, const char *services);

/* Write a file into the folder, at once and as a whole; `mode` 0700 makes a program of it. */
void broker_rig_write(const struct broker_rig *rig, const char *name, unsigned mode, const char *text);

/* A path in the folder, in one of four buffers that are used in turn. */
const char *broker_rig_path(const struct broker_rig *rig, const char *name);

/* Fork and exec the broker; does not wait for it. */
void broker_rig_start(struct broker_rig *rig);

/* broker_rig_start() and wait until all services are ready. */
void broker_rig_start_and_await(struct broker_rig *rig);

/* Wait until every service is ready. */
void broker_rig_await_ready(struct broker_rig *rig);

/* Ask for the status of a service. */
void broker_rig_look(struct broker_rig *rig, const char *service, struct broker_rig_service *ret);

/* Wait until `met` says so of the service's status, which is left in `*ret`. */
typedef bool broker_rig_met(const struct broker_rig_service *service, const void *context);
void broker_rig_await(struct broker_rig *rig, const char *service, broker_rig_met *met, const void *context,
                      struct broker_rig_service *ret);

/* Wait until the service is in this state. */
void broker_rig_await_state(struct broker_rig *rig, const char *service, const char *state,
                            struct broker_rig_service *ret);

/* Sessions that the broker has now, this question's own included. */
uint64_t broker_rig_sessions(struct broker_rig *rig);

/* A verb of the broker that takes a service: "restart", "drain". */
void broker_rig_admin(struct broker_rig *rig, const char *verb, const char *service);

void broker_rig_signal(const struct broker_rig *rig, int signal);

/* Wait for the broker's end: its exit status, or 1000 + the signal. */
int broker_rig_await_end(struct broker_rig *rig);

/* SIGTERM, and wait for its end, which must be a good one with no process left. */
void broker_rig_stop(struct broker_rig *rig);

/* What the broker has printed so far; the caller frees it. */
char *broker_rig_output(const struct broker_rig *rig);

/* Run the `drover` command on this broker with these arguments of a shell. Returns its exit status and what it printed
 * on both streams, for the caller to free. */
int broker_rig_drover(const struct broker_rig *rig, const char *arguments, char **ret_text);

/* The test cannot go on: say why, and what the broker has printed. The broker ends with the test. */
_Noreturn void broker_rig_give_up(const struct broker_rig *rig, const char *format, ...) DROVER_PRINTF(2, 3);

/* Stop it if it runs, check that nothing is left behind, remove the folder. */
void broker_rig_done(struct broker_rig *rig);

/* Whether this build has AddressSanitizer: then sizes of memory say nothing. */
bool broker_rig_is_sanitized(void);

#endif
