/* worker_rig.h - a worker under test: the test plays its broker and its host
 *
 * START: worker_rig_init() binds a ROUTER on a private ipc path; worker_rig_start() runs a driver's program with the
 * environment of a supervised worker (endpoint, page with token and start word, lifeline). OPERATION: send and expect
 * messages; every wait is bounded and ends the test with a message when it is in vain. END: worker_rig_done() kills
 * what still runs, by pid.
 */
#ifndef DROVER_TESTS_WORKER_RIG_H
#define DROVER_TESTS_WORKER_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <zmq.h>

#include <drover/value.h>

#include "common/wire/startword.h"

#define WORKER_RIG_SESSION UINT64_C(0x5e5510)
#define WORKER_RIG_OUTPUT_SIZE 65536

/* The last message received; strings and document are borrowed until the next one. */
struct worker_rig_message {
    zmq_msg_t head, body;
    bool has_body;
    struct wire_header header;
    struct drover_document *document; /* of the body; NULL without a body */
};

struct worker_rig {
    char directory[64];
    char endpoint[96];
    void *context, *router;
    struct startword_page *page;
    int page_fd, lifeline_fd; /* the host's end */
    int output_fd;            /* what the worker prints on both streams */
    char output[WORKER_RIG_OUTPUT_SIZE];
    size_t output_size;
    pid_t pid; /* 0: none runs */
    uint8_t peer[16];
    size_t peer_size; /* 0: no message came yet */
    uint64_t session;
    uint64_t sequence; /* of the last call sent */
    struct worker_rig_message message;
};

/* What WELCOME says; zeroed members get defaults. */
struct worker_rig_welcome {
    uint64_t max_body;
    const char *service, *artefact;
    uint64_t generation;
    struct drover_writer *settings; /* borrowed; NULL: an empty map */
};

/* One call; zeroed members are left out of the header. */
struct worker_rig_call {
    uint64_t call;
    const char *service; /* NULL: "unit" */
    const char *method;
    bool has_deadline;
    uint32_t deadline_ms;
    uint64_t sequence; /* 0: the next one */
    bool no_sequence;
    struct drover_writer *request, *metadata; /* borrowed; NULL: none */
    struct drover_text raw_body;              /* instead of `request` */
};

void worker_rig_init(struct worker_rig *rig);
void worker_rig_done(struct worker_rig *rig);

/* Run `program` with at most three arguments (NULL ends them). */
void worker_rig_start(struct worker_rig *rig, const char *program, const char *const *arguments);

/* The same with HELLO, WELCOME (NULL: defaults) and READY gone through. */
void worker_rig_serve(struct worker_rig *rig, const char *program, const struct worker_rig_welcome *welcome);

/* The next message must be this command; the test ends when it is another, or when none comes. */
const struct worker_rig_message *worker_rig_expect(struct worker_rig *rig, enum wire_command command);

/* The same, and it must be about this call. */
const struct worker_rig_message *worker_rig_expect_for(struct worker_rig *rig, enum wire_command command,
                                                       uint64_t call);

/* Everything that was sent before has been received: a PING and its PONG. */
void worker_rig_sync(struct worker_rig *rig);

void worker_rig_welcome(struct worker_rig *rig, const struct worker_rig_welcome *welcome);
void worker_rig_send(struct worker_rig *rig, const struct wire_header *header, const void *body, size_t size);
void worker_rig_command(struct worker_rig *rig, enum wire_command command, uint64_t call);
void worker_rig_call(struct worker_rig *rig, const struct worker_rig_call *call);

/* Call `method` without a request or a deadline. */
void worker_rig_simple_call(struct worker_rig *rig, uint64_t call, const char *method);

/* Send RECONFIGURE with these settings (NULL: an empty body), as the next in the sequence. */
void worker_rig_reconfigure(struct worker_rig *rig, uint64_t call, const struct drover_writer *settings);

/* Send frames as they are: `count` pairs of data and size. */
void worker_rig_send_frames(struct worker_rig *rig, const struct drover_text *frames, size_t count);

/* The start word without and with its CLOSED bit. */
uint64_t worker_rig_started(const struct worker_rig *rig);

/* Wait until the word says that `started` calls were begun. */
void worker_rig_await_started(struct worker_rig *rig, uint64_t started);

/* Wait for the worker's end: its exit status, or 1000 + the signal. */
int worker_rig_exit_status(struct worker_rig *rig);

/* Wait until the worker has printed `text`. */
void worker_rig_await_output(struct worker_rig *rig, const char *text);

/* A writer that holds the map {key: value}; the caller frees it. */
struct drover_writer *worker_rig_map_string(const char *key, const char *value);
struct drover_writer *worker_rig_map_number(const char *key, uint64_t value);

/* Values of the last reply's map. */
struct drover_text worker_rig_reply_text(const struct worker_rig *rig, const char *key);
uint64_t worker_rig_reply_number(const struct worker_rig *rig, const char *key);

/* A FIFO of this name in the rig's folder, for methods that wait at a gate; its path is stored in `path`. */
void worker_rig_make_gate(struct worker_rig *rig, const char *name, char path[128]);

/* Let `count` calls pass the gate. Returns the descriptor, for the caller to close. */
int worker_rig_open_gate(const char *path, unsigned count);

#endif
