/* peer.h - a peer of the broker that says what the test wants, right or wrong
 *
 * START: peer_connect(); peer_hello() where a session is wanted. OPERATION: send anything, then peer_fence(): it asks
 * something harmless and gives back all that came before its answer. Messages of one connection keep their order, so a
 * test knows without waiting what was answered and what was passed over in silence. END: peer_close().
 *
 * What a test cannot do without (memory, a socket, an answer to the harmless question) ends it by abort().
 */
#ifndef DROVER_TESTS_PEER_H
#define DROVER_TESTS_PEER_H

#include <czmq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/command.h"
#include "common/wire/greeting.h"
#include "common/wire/header.h"

#define PEER_PATIENCE_MS 30000
#define PEER_ANSWERS 64

struct peer {
    zsock_t *socket;
    uint64_t session; /* 0 before WELCOME */
    uint64_t fences;
};

/* A message of the broker. */
struct peer_answer {
    zmsg_t *message;
    struct wire_header header; /* points into the message */
    size_t body_size;
    bool has_body;
};

/* What came before the answer to a fence. */
struct peer_answers {
    struct peer_answer items[PEER_ANSWERS];
    size_t count;
};

void peer_connect(struct peer *peer, const char *endpoint);

/* The same with a routing id of the peer's choice. */
void peer_connect_as(struct peer *peer, const char *endpoint, const void *id, size_t size);

/* Leave without a word. */
void peer_close(struct peer *peer);

/* Send a header with the peer's session, and a body (NULL: none). */
void peer_send(struct peer *peer, struct wire_header header, const void *body, size_t size);

/* Send frames as they are. Takes the message. */
void peer_send_frames(struct peer *peer, zmsg_t **message);
void peer_send_octets(struct peer *peer, const void *octets, size_t size);

/* The encoded header as a message of one frame. */
zmsg_t *peer_message(struct peer *peer, const struct wire_header *header);

/* The next message of the broker, PINGs apart; false when none comes in time. Release it with peer_answer_done(). */
bool peer_receive(struct peer *peer, int timeout_ms, struct peer_answer *ret);
void peer_answer_done(struct peer_answer *answer);

/* All that the broker has said up to now. Release it with peer_answers_done(). */
void peer_fence(struct peer *peer, struct peer_answers *ret);
void peer_answers_done(struct peer_answers *answers);

/* peer_fence() where exactly one answer must have come; it is copied to `*ret_error` if it is one, and its command is
 * returned. WIRE_NO_COMMAND: there was none, or more than one. */
enum wire_command peer_only_answer(struct peer *peer, struct drover_error *ret_error, uint64_t *ret_call);

/* Say HELLO in a role and wait for the answer: its command. WELCOME sets the session. `token` and `interface` are for
 * workers, which say that they take new settings; else NULL. */
enum wire_command peer_hello(struct peer *peer, enum wire_role role, const uint8_t *token, const char *interface,
                             struct drover_error *ret_error);

#endif
