/* peer.c - see peer.h */
#include "tests/support/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "peer: %s: %s\n", what, zmq_strerror(zmq_errno()));
    abort();
}

void peer_connect_as(struct peer *peer, const char *endpoint, const void *id, size_t size)
{
    zsys_handler_set(NULL);
    *peer = (struct peer){.socket = zsock_new(ZMQ_DEALER)};
    need(peer->socket != NULL, "no socket");
    zsock_set_linger(peer->socket, 0);
    zsock_set_sndtimeo(peer->socket, PEER_PATIENCE_MS);
    if (size > 0)
        need(zmq_setsockopt(zsock_resolve(peer->socket), ZMQ_ROUTING_ID, id, size) == 0, "routing id");
    need(zsock_connect(peer->socket, "%s", endpoint) == 0, endpoint);
}

void peer_connect(struct peer *peer, const char *endpoint)
{
    peer_connect_as(peer, endpoint, NULL, 0);
}

void peer_close(struct peer *peer)
{
    zsock_destroy(&peer->socket);
}

/* ---- out ---- */

zmsg_t *peer_message(struct peer *peer, const struct wire_header *header)
{
    uint8_t octets[WIRE_HEADER_MAX];
    struct wire_header complete = *header;

    complete.session = complete.session != 0 ? complete.session : peer->session;
    const size_t size = wire_header_encode(&complete, octets, sizeof(octets));
    zmsg_t *message = zmsg_new();
    need(size > 0 && message != NULL && zmsg_addmem(message, octets, size) == 0, "header");
    return message;
}

void peer_send_frames(struct peer *peer, zmsg_t **message)
{
    need(zmsg_send(message, peer->socket) == 0, "send");
}

void peer_send(struct peer *peer, struct wire_header header, const void *body, size_t size)
{
    zmsg_t *message = peer_message(peer, &header);

    need(body == NULL || zmsg_addmem(message, body, size) == 0, "body");
    peer_send_frames(peer, &message);
}

void peer_send_octets(struct peer *peer, const void *octets, size_t size)
{
    zmsg_t *message = zmsg_new();

    need(message != NULL && zmsg_addmem(message, octets, size) == 0, "octets");
    peer_send_frames(peer, &message);
}

/* ---- in ---- */

static void decode(struct peer_answer *answer)
{
    zframe_t *header = zmsg_first(answer->message), *body = zmsg_next(answer->message);

    if (wire_header_decode(zframe_data(header), zframe_size(header), &answer->header) != WIRE_DECODED ||
        zmsg_size(answer->message) > 2) {
        fprintf(stderr, "peer: the broker has sent what is no message of the protocol\n");
        zmsg_print(answer->message);
        abort();
    }
    answer->has_body = body != NULL;
    answer->body_size = body != NULL ? zframe_size(body) : 0;
}

bool peer_receive(struct peer *peer, int timeout_ms, struct peer_answer *ret)
{
    do {
        *ret = (struct peer_answer){0};
        zsock_set_rcvtimeo(peer->socket, timeout_ms);
        ret->message = zmsg_recv(peer->socket);
        if (ret->message == NULL)
            return false;
        decode(ret);
        if (ret->header.command == WIRE_PING)
            peer_answer_done(ret);
    } while (ret->message == NULL);
    return true;
}

void peer_answer_done(struct peer_answer *answer)
{
    zmsg_destroy(&answer->message);
}

/* With a session it is PING and PONG. Without one it is a PING of a session that nobody has, and HELLO_FIRST for it. */
void peer_fence(struct peer *peer, struct peer_answers *ret)
{
    const uint64_t mark = UINT64_C(0xfe0ce00000000000) + ++peer->fences;
    const bool has_session = peer->session != 0;
    bool lost;
    struct wire_header ping = {.command = WIRE_PING, .call = mark, .session = has_session ? peer->session : mark};
    struct peer_answer answer;

    ret->count = 0;
    peer_send(peer, ping, NULL, 0);
    for (;;) {
        need(peer_receive(peer, PEER_PATIENCE_MS, &answer), "no answer to a PING");
        if (answer.header.command == WIRE_PONG && answer.header.call == mark)
            break;
        lost = answer.header.command == WIRE_HELLO_FIRST && answer.header.session == ping.session &&
               answer.header.call == 0;
        if (lost && !has_session)
            break;
        need(ret->count < PEER_ANSWERS, "more answers than anybody has asked for");
        ret->items[ret->count++] = answer;
        if (lost) /* a session that was thought to be there: that is an answer too, and the last one */
            return;
    }
    peer_answer_done(&answer);
}

void peer_answers_done(struct peer_answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        peer_answer_done(&answers->items[i]);
    answers->count = 0;
}

static enum wire_command explain(const struct peer_answer *answer, struct drover_error *ret_error, uint64_t *ret_call)
{
    const struct wire_header *header = &answer->header;

    *ret_error = (struct drover_error){0};
    if (header->command == WIRE_ERROR || header->command == WIRE_REFUSED)
        wire_header_get_error(header, ret_error);
    if (ret_call != NULL)
        *ret_call = header->call;
    return header->command;
}

enum wire_command peer_only_answer(struct peer *peer, struct drover_error *ret_error, uint64_t *ret_call)
{
    struct peer_answers answers;
    enum wire_command command = WIRE_NO_COMMAND;

    *ret_error = (struct drover_error){0};
    peer_fence(peer, &answers);
    if (answers.count == 1)
        command = explain(&answers.items[0], ret_error, ret_call);
    else
        (void)drover_error_set(ret_error, DROVER_INTERNAL, "%zu answers", answers.count);
    peer_answers_done(&answers);
    return command;
}

/* ---- HELLO ---- */

static void take_session(struct peer *peer, const struct peer_answer *answer)
{
    if (answer->header.command == WIRE_WELCOME)
        peer->session = answer->header.session;
}

enum wire_command peer_hello(struct peer *peer, enum wire_role role, const uint8_t *token, const char *interface,
                             struct drover_error *ret_error)
{
    struct wire_hello hello = {.role = role, .version_min = 1, .version_max = 1, .concurrency = 1};
    struct drover_writer *body = drover_writer_new();
    struct peer_answer answer;

    if (token != NULL) {
        memcpy(hello.token, token, WIRE_TOKEN_SIZE);
        hello.has_token = true;
    }
    hello.reconfigures = interface != NULL;
    if (interface != NULL)
        hello.interface = (struct drover_text){.data = interface, .size = strlen(interface)};
    wire_hello_encode(&hello, NULL, 0, body);
    peer_send(peer, (struct wire_header){.command = WIRE_HELLO}, drover_writer_data(body), drover_writer_size(body));
    drover_writer_free(body);
    need(peer_receive(peer, PEER_PATIENCE_MS, &answer), "no answer to HELLO");
    take_session(peer, &answer);
    const enum wire_command command = explain(&answer, ret_error, NULL);
    peer_answer_done(&answer);
    return command;
}
