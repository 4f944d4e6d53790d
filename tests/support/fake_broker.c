/* fake_broker.c - a broker of a few lines on a thread of its own; see fake_broker.h */
#include "tests/support/fake_broker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "common/sys/sys.h"
#include "common/wire/greeting.h"
#include "common/wire/header.h"

struct fake_broker {
    struct fake_broker_options options;
    struct fake_broker_counts counts;
    uint64_t session;
    void *context, *router;
    void *stop_here, *stop_there; /* a PAIR to end the thread */
    pthread_t thread;
};

struct message {
    zmq_msg_t frames[3]; /* routing id, header, body */
    int count;
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fake broker: %s: %s\n", what, zmq_strerror(zmq_errno()));
    abort();
}

static void send_frames(struct fake_broker *broker, struct message *to, const void *head, size_t head_size,
                        const void *body, size_t body_size)
{
    zmq_send(broker->router, zmq_msg_data(&to->frames[0]), zmq_msg_size(&to->frames[0]), ZMQ_SNDMORE);
    zmq_send(broker->router, head, head_size, body == NULL ? 0 : ZMQ_SNDMORE);
    if (body != NULL)
        zmq_send(broker->router, body, body_size, 0);
}

static void answer(struct fake_broker *broker, struct message *to, const struct wire_header *header, const void *body,
                   size_t body_size)
{
    uint8_t buffer[WIRE_HEADER_MAX];
    size_t size = wire_header_encode(header, buffer, sizeof(buffer));

    check(size > 0, "header");
    send_frames(broker, to, buffer, size, body, body_size);
}

static struct wire_header about(const struct wire_header *header, enum wire_command command)
{
    return (struct wire_header){.command = command, .session = header->session, .call = header->call};
}

static void answer_error(struct fake_broker *broker, struct message *to, const struct wire_header *header,
                         enum wire_command command, const struct drover_error *error)
{
    struct wire_header reply = about(header, command);

    reply.flags |= FIELD_STATUS;
    wire_header_set_error(&reply, error);
    answer(broker, to, &reply, NULL, 0);
}

static void on_hello(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_WELCOME);
    struct wire_welcome welcome = {
        .version = WIRE_VERSION,
        .session = broker->session,
        .incarnation = broker->session,
        .max_body = broker->options.max_body > 0 ? broker->options.max_body : 1u << 20,
        .open_max = broker->options.open_max > 0 ? broker->options.open_max : 1024,
        .ping_ms = 250,
    };
    struct drover_writer *writer = drover_writer_new();

    broker->counts.hellos++;
    if (broker->options.refuse) {
        struct drover_error error = {
            .status = DROVER_PERMISSION_DENIED, .origin = DROVER_ORIGIN_BROKER, .text = "you may not"};
        answer_error(broker, message, header, WIRE_REFUSED, &error);
    } else {
        wire_welcome_encode(&welcome, writer);
        reply.session = broker->session;
        answer(broker, message, &reply, drover_writer_data(writer), drover_writer_size(writer));
    }
    drover_writer_free(writer);
}

static void echo(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_REPLY);
    bool has_body = message->count > 2;

    answer(broker, message, &reply, has_body ? zmq_msg_data(&message->frames[2]) : NULL,
           has_body ? zmq_msg_size(&message->frames[2]) : 0);
}

static void send_garbage(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_REPLY);
    uint8_t good[WIRE_HEADER_MAX], noise[64];
    size_t size = wire_header_encode(&reply, good, sizeof(good));

    send_frames(broker, message, "", 0, NULL, 0);
    send_frames(broker, message, "hello?", 6, "x", 1);
    for (size_t cut = 1; cut < size; cut += 5)
        send_frames(broker, message, good, cut, NULL, 0);
    for (unsigned command = 0; command < 24; command++) { /* all commands, with nothing behind them */
        good[3] = (uint8_t)command;
        if (command != WIRE_REPLY && command != WIRE_HELLO_FIRST && command != WIRE_BYE)
            send_frames(broker, message, good, size, "\xC1", 1);
    }
    sys_random(noise, sizeof(noise));
    send_frames(broker, message, noise, sizeof(noise), noise, sizeof(noise));
    zmq_send(broker->router, zmq_msg_data(&message->frames[0]), zmq_msg_size(&message->frames[0]), ZMQ_SNDMORE);
    for (int i = 0; i < 5; i++)
        zmq_send(broker->router, good, size, i < 4 ? ZMQ_SNDMORE : 0);
}

static void send_late(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_REPLY);

    reply.call ^= UINT64_C(1) << 41;
    answer(broker, message, &reply, "\x01", 1);
    reply.call = header->call + 1;
    answer(broker, message, &reply, "\x01", 1);
    reply = about(header, WIRE_REPLY);
    reply.session++;
    answer(broker, message, &reply, "\x01", 1);
}

static void on_call(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    static const struct drover_error missing = {
        .status = DROVER_NOT_FOUND, .origin = DROVER_ORIGIN_DRIVER, .text = "no such thing"};

    broker->counts.calls++;
    broker->counts.idempotent += (header->flags & WIRE_IDEMPOTENT) != 0;
    broker->counts.metadata += (header->flags & FIELD_METADATA) != 0;
    if (drover_text_equals(header->method, "silent"))
        return;
    if (drover_text_equals(header->method, "error")) {
        answer_error(broker, message, header, WIRE_ERROR, &missing);
        return;
    }
    if (drover_text_equals(header->method, "garbage"))
        send_garbage(broker, message, header);
    if (drover_text_equals(header->method, "late"))
        send_late(broker, message, header);
    echo(broker, message, header);
}

static void on_cancel(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    static const struct drover_error error = {.status = DROVER_CANCELLED,
                                              .outcome = DROVER_OUTCOME_UNKNOWN,
                                              .origin = DROVER_ORIGIN_BROKER,
                                              .text = "cancelled"};

    broker->counts.cancels++;
    answer_error(broker, message, header, WIRE_ERROR, &error);
}

static void on_admin(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_REPLY);
    struct drover_document *request = NULL;
    struct drover_writer *writer = drover_writer_new();
    bool has_body = message->count > 2;

    broker->counts.admins++;
    if (broker->options.admin == NULL) {
        echo(broker, message, header);
    } else {
        check(drover_document_parse(has_body ? zmq_msg_data(&message->frames[2]) : NULL,
                                    has_body ? zmq_msg_size(&message->frames[2]) : 0, &request, NULL) == DROVER_OK,
              "an administrator's request");
        broker->options.admin(header->method, drover_document_root(request), writer);
        answer(broker, message, &reply, drover_writer_data(writer), drover_writer_size(writer));
    }
    drover_document_free(request);
    drover_writer_free(writer);
}

static void on_session_message(struct fake_broker *broker, struct message *message, const struct wire_header *header)
{
    struct wire_header reply = about(header, WIRE_PONG);

    if ((header->flags & FIELD_READ) != 0) {
        broker->counts.read_count = header->read_count;
        broker->counts.read_bytes = header->read_bytes;
    }
    if (header->command == WIRE_CALL) {
        on_call(broker, message, header);
    } else if (header->command == WIRE_ADMIN) {
        on_admin(broker, message, header);
    } else if (header->command == WIRE_CANCEL) {
        on_cancel(broker, message, header);
    } else if (header->command == WIRE_PING) {
        broker->counts.pings++;
        answer(broker, message, &reply, NULL, 0);
    } else if (header->command == WIRE_BYE) {
        broker->counts.byes++;
    }
}

static void on_message(struct fake_broker *broker, struct message *message)
{
    struct wire_header header, reply;

    if (broker->options.mute || message->count < 2 ||
        wire_header_decode(zmq_msg_data(&message->frames[1]), zmq_msg_size(&message->frames[1]), &header) !=
            WIRE_DECODED)
        return;
    if (header.command == WIRE_HELLO) {
        on_hello(broker, message, &header);
    } else if (header.session != broker->session) {
        reply = about(&header, WIRE_HELLO_FIRST);
        if (header.command != WIRE_CALL && header.command != WIRE_ADMIN)
            reply.call = 0;
        answer(broker, message, &reply, NULL, 0);
    } else {
        on_session_message(broker, message, &header);
    }
}

static void receive_one(struct fake_broker *broker)
{
    struct message message = {0};
    bool more = true;
    zmq_msg_t extra;

    for (int i = 0; i < 3; i++)
        zmq_msg_init(&message.frames[i]);
    zmq_msg_init(&extra);
    while (more) {
        zmq_msg_t *frame = message.count < 3 ? &message.frames[message.count] : &extra;
        check(zmq_msg_recv(frame, broker->router, 0) >= 0, "receive");
        more = zmq_msg_more(frame);
        message.count++;
    }
    on_message(broker, &message);
    zmq_msg_close(&extra);
    for (int i = 0; i < 3; i++)
        zmq_msg_close(&message.frames[i]);
}

static void *serve(void *argument)
{
    struct fake_broker *broker = argument;
    zmq_pollitem_t items[] = {{.socket = broker->router, .events = ZMQ_POLLIN},
                              {.socket = broker->stop_there, .events = ZMQ_POLLIN}};

    while (zmq_poll(items, 2, -1) >= 0 && items[1].revents == 0)
        if (items[0].revents != 0)
            receive_one(broker);
    return NULL;
}

struct fake_broker *fake_broker_start(const char *endpoint, const struct fake_broker_options *options)
{
    struct fake_broker *broker = calloc(1, sizeof(*broker));
    int linger = 0;

    check(broker != NULL, "memory");
    if (options != NULL)
        broker->options = *options;
    broker->session = sys_random64();
    sys_seed_libzmq();
    broker->context = zmq_ctx_new();
    broker->router = zmq_socket(broker->context, ZMQ_ROUTER);
    broker->stop_here = zmq_socket(broker->context, ZMQ_PAIR);
    broker->stop_there = zmq_socket(broker->context, ZMQ_PAIR);
    zmq_setsockopt(broker->router, ZMQ_LINGER, &linger, sizeof(linger));
    check(zmq_bind(broker->router, endpoint) == 0, endpoint);
    check(zmq_bind(broker->stop_here, "inproc://stop") == 0, "stop");
    check(zmq_connect(broker->stop_there, "inproc://stop") == 0, "stop");
    check(pthread_create(&broker->thread, NULL, serve, broker) == 0, "thread");
    return broker;
}

void fake_broker_stop(struct fake_broker *broker)
{
    if (broker == NULL)
        return;
    zmq_send(broker->stop_here, "", 0, 0);
    pthread_join(broker->thread, NULL);
    zmq_close(broker->router);
    zmq_close(broker->stop_here);
    zmq_close(broker->stop_there);
    zmq_ctx_term(broker->context);
    free(broker);
}

const struct fake_broker_counts *fake_broker_counts(const struct fake_broker *broker)
{
    return &broker->counts;
}

char *fake_broker_endpoint(void)
{
    char folder[] = "/tmp/drover-test-XXXXXX";
    char *endpoint = NULL;

    check(mkdtemp(folder) != NULL, folder);
    check(asprintf(&endpoint, "ipc://%s/broker.sock", folder) > 0, "memory");
    return endpoint;
}

void fake_broker_forget_endpoint(char *endpoint)
{
    char *path = endpoint + strlen("ipc://");

    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    free(endpoint);
}
