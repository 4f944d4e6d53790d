/* engine_private.h - the state of the engine, for engine.c (calls), session.c (what comes) and frames.c (what goes) */
#ifndef DROVER_CLIENT_ENGINE_PRIVATE_H
#define DROVER_CLIENT_ENGINE_PRIVATE_H

#include "client/lib/engine.h"

#include "common/wire/greeting.h"

enum session_state {
    SESSION_NONE,     /* HELLO is to be sent at hello_at_ms */
    SESSION_WELCOMED, /* WELCOME came, but a later HELLO is unanswered and would end that session again */
    SESSION_OPEN,
};

enum frame_kind {
    FRAME_NONE,
    FRAME_HELLO,
    FRAME_PONG,
    FRAME_CANCEL,
    FRAME_CALL,
    FRAME_REPORT, /* a PONG that nobody asked for: how much was read */
    FRAME_PING,
};

struct engine {
    char *endpoint;
    struct engine_options options;
    struct calls calls;
    struct drover_writer *hello;      /* the body of HELLO, always the same */
    struct drover_document *document; /* of WELCOME */

    enum session_state state;
    uint64_t session;
    uint64_t opened;                      /* sessions so far */
    uint32_t greetings;                   /* HELLOs without a WELCOME */
    uint64_t hello_at_ms;                 /* the next HELLO */
    uint64_t max_body, open_max, ping_ms; /* of WELCOME; 0: not said */

    bool blocked; /* no connection */
    bool pong_due;
    uint64_t pong_call;                      /* the number that the PING bore */
    uint64_t heard_ms;                       /* when something came */
    uint64_t traffic_ms;                     /* when something went or came */
    uint64_t read_count, read_bytes;         /* outcomes that were read in this session */
    uint64_t reported_count, reported_bytes; /* what the broker knows of that */

    enum frame_kind next; /* what engine_next_frame() said */
    uint64_t next_call;
};

/* End a call with an error of the client's own. */
void call_fail(struct engine *engine, struct call *call, enum drover_status status, enum drover_outcome outcome,
               const char *format, ...) DROVER_PRINTF(5, 6);

/* End a call with an error from elsewhere, as far as this sending of it is concerned. */
void call_end(struct engine *engine, struct call *call, const struct drover_error *error);

/* What was sent in a lost session has no verdict and will get none: repeat it if it may be repeated, else end it. */
void call_lost(struct engine *engine, struct call *call);

/* This sending of a call certainly did not start: send it again. */
void call_requeue(struct engine *engine, struct call *call);

/* Use the session that was welcomed last; what was sent in another one is lost. */
void session_open(struct engine *engine, uint64_t now_ms);

/* An outcome of this session was read, or will never be. */
void session_count_read(struct engine *engine, size_t size);

/* Calls that still need the broker. */
bool engine_is_active(const struct engine *engine);

/* True when a body of that size may be sent, as far as is known. */
bool engine_body_fits(const struct engine *engine, size_t size);

#endif
