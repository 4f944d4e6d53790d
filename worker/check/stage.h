/* stage.h - a broker of its own for the driver under check
 *
 * START: stage_init() makes a private folder; stage_start() binds a socket in it and starts the driver up to its HELLO;
 * stage_welcome() leads it to READY. OPERATION: calls and commands are sent, and everything that comes is held against
 * the protocol: whatever breaks it fails the check that sees it. END: stage_done() removes the folder.
 *
 * Functions that return bool say true when all went as it must; else they have filled in the finding.
 */
#ifndef DROVER_CHECK_STAGE_H
#define DROVER_CHECK_STAGE_H

#include <signal.h>

#include <zmq.h>

#include "worker/check/finding.h"
#include "worker/check/subject.h"

#define STAGE_CALLS_MAX 1024    /* in one session */
#define STAGE_PATIENCE_MS 10000 /* for anything that a driver has to do, unless it is said otherwise */
#define STAGE_MAX_BODY (1u << 20)

/* What HELLO said. */
struct stage_hello {
    bool is_read; /* HELLO could be decoded; else the rest is empty */
    bool token_fits;
    uint64_t version_min, version_max, concurrency;
    char interface[WIRE_NAME_MAX + 1], interface_version[WIRE_NAME_MAX + 1];
    char driver[WIRE_NAME_MAX + 1], driver_version[WIRE_NAME_MAX + 1];
    bool reconfigures;
    size_t method_count, idempotent_count;
    char methods[WIRE_METHODS_MAX][WIRE_NAME_MAX + 1]; /* the idempotent ones first */
    char trouble[256];                                 /* what is wrong with it, or "" */
};

/* A message as it came; strings of the header are borrowed from `head`. */
struct stage_message {
    zmq_msg_t head, body;
    bool has_body;
    struct wire_header header;
};

struct stage {
    const volatile sig_atomic_t *interrupted; /* borrowed: nothing is waited for any more */
    struct drover_text settings;              /* borrowed: msgpack */
    uint64_t patience_ms;
    struct subject subject;
    struct stage_hello hello; /* of the last process that said it */
    struct stage_message message;
    bool is_ready;
    char folder[64], endpoint[96];
    unsigned starts;
    void *context, *router;
    uint8_t token[WIRE_TOKEN_SIZE];
    uint8_t peer[256];
    size_t peer_size;
    uint64_t session, sequence; /* `sequence` of the last call sent */
    size_t call_count;
    uint8_t answers[STAGE_CALLS_MAX]; /* how many each call got */
};

/* Make it. Errors: RESOURCE_EXHAUSTED, PERMISSION_DENIED (the folder). On failure nothing needs to be released. */
DROVER_MUST_CHECK enum drover_status stage_init(struct stage *stage, const struct subject_plan *plan,
                                                const volatile sig_atomic_t *interrupted, struct drover_error *error);
void stage_done(struct stage *stage);

/* Start a new process, and wait for its HELLO, which is kept in `hello`. */
bool stage_start(struct stage *stage, struct finding *finding);

/* Send WELCOME with `settings`. */
bool stage_welcome(struct stage *stage, struct drover_text settings, struct finding *finding);

/* Have a process that is READY: the present one, or a new one. */
bool stage_ensure_ready(struct stage *stage, struct finding *finding);

/* ---- sending ---- */

bool stage_send_frames(struct stage *stage, const struct drover_text *frames, size_t count, struct finding *finding);
bool stage_command(struct stage *stage, enum wire_command command, uint64_t call, struct finding *finding);

/* Call `method`; `deadline_ms` UINT32_MAX: none. The number of the call is stage_number() of its place, which counts
 * from 0 in each session. */
bool stage_call(struct stage *stage, const char *method, struct drover_text request, uint32_t deadline_ms,
                struct finding *finding);
uint64_t stage_number(size_t place);

/* Send RECONFIGURE, which is numbered as a call and answered as one. */
bool stage_reconfigure(struct stage *stage, struct drover_text settings, struct finding *finding);

/* A method that may be called: an idempotent one, or one that there is not. */
const char *stage_harmless_method(const struct stage *stage);
#define STAGE_NO_METHOD "drover_check_no_such_method"

/* ---- receiving ---- */

enum stage_event {
    STAGE_MESSAGE, /* a valid one, in `message`; an answer is already counted */
    STAGE_ENDED,   /* the process has ended, and nothing of it is left to read */
    STAGE_SILENCE, /* nothing came in time */
    STAGE_BREACH,  /* what came breaks the protocol: the finding says how */
};

/* Wait for the next message. PING is answered on the way. */
enum stage_event stage_receive(struct stage *stage, struct finding *finding);

/* The next message must be `command`. */
bool stage_expect(struct stage *stage, enum wire_command command, struct finding *finding);

/* The next message must be the answer to the call at `place`: REPLY or ERROR. */
bool stage_expect_answer(struct stage *stage, size_t place, struct finding *finding);

/* PING, and read up to the PONG: all that was sent before has been acted upon. */
bool stage_sync(struct stage *stage, struct finding *finding);

/* The process must end. On the way there may be a BYE, and nothing else. */
bool stage_expect_end(struct stage *stage, struct finding *finding);

/* Was the call at `place` answered by ERROR of this kind in the last message? */
bool stage_is_error(const struct stage *stage, enum drover_status status, enum drover_outcome outcome);

/* What came, for the text of a finding: "REPLY", "ERROR NOT_FOUND (answered): ...". */
const char *stage_seen(const struct stage *stage, char *text, size_t capacity);

/* The start word without its CLOSED bit. */
uint64_t stage_word(const struct stage *stage);

#endif
