/* exchange.c - see stage.h: messages to the driver and from it, each held against the protocol
 *
 * Source: docs/rfc/1.md, "Commands" and "Errors"
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/check/stage.h"

#define LAST_WORDS_MS 500 /* for what a process sent just before it ended */
#define LAST_LOOK_MS 5
#define FRAMES_MAX 3

/* ---- sending ---- */

bool stage_send_frames(struct stage *stage, const struct drover_text *frames, size_t count, struct finding *finding)
{
    bool sent = zmq_send(stage->router, stage->peer, stage->peer_size, ZMQ_SNDMORE) != -1;

    for (size_t i = 0; i < count && sent; i++)
        sent = zmq_send(stage->router, frames[i].data, frames[i].size, i + 1 < count ? ZMQ_SNDMORE : 0) != -1;
    if (sent)
        return true;
    char text[512];
    stage->is_ready = false; /* whoever closes his connection is as good as dead, though his end may take a moment */
    if (subject_has_ended(&stage->subject))
        return finding_fail(finding, "%s", subject_end_text(&stage->subject, text, sizeof(text)));
    return finding_fail(finding, "has closed its connection: %s", zmq_strerror(zmq_errno()));
}

bool stage_command(struct stage *stage, enum wire_command command, uint64_t call, struct finding *finding)
{
    const struct wire_header header = {.command = command, .session = stage->session, .call = call};
    char octets[WIRE_HEADER_MAX];
    const struct drover_text frame = {octets, wire_header_encode(&header, octets, sizeof(octets))};

    return stage_send_frames(stage, &frame, 1, finding);
}

/* Slot and serial, so that a worker which takes the number apart is found out. */
uint64_t stage_number(size_t place)
{
    return ((uint64_t)(place + 1) << 40) | (UINT64_C(0x80c0000000) + place);
}

/* Send what has a place in the sequence. */
static bool send_in_sequence(struct stage *stage, struct wire_header *header, struct drover_text body,
                             struct finding *finding)
{
    char octets[WIRE_HEADER_MAX];

    if (stage->call_count >= STAGE_CALLS_MAX)
        return finding_fail(finding, "too many calls for one session");
    header->flags |= FIELD_SEQUENCE;
    header->session = stage->session;
    header->call = stage_number(stage->call_count++);
    header->sequence = ++stage->sequence;
    const struct drover_text frames[] = {{octets, wire_header_encode(header, octets, sizeof(octets))}, body};
    return stage_send_frames(stage, frames, body.size ? 2 : 1, finding);
}

bool stage_call(struct stage *stage, const char *method, struct drover_text request, uint32_t deadline_ms,
                struct finding *finding)
{
    struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET | (deadline_ms == UINT32_MAX ? 0 : FIELD_DEADLINE),
        .deadline_ms = deadline_ms,
        .service = {stage->hello.interface, strlen(stage->hello.interface)},
        .method = {method, strlen(method)},
    };

    return send_in_sequence(stage, &header, request, finding);
}

bool stage_reconfigure(struct stage *stage, struct drover_text settings, struct finding *finding)
{
    struct wire_header header = {.command = WIRE_RECONFIGURE};

    return send_in_sequence(stage, &header, settings, finding);
}

const char *stage_harmless_method(const struct stage *stage)
{
    return stage->hello.idempotent_count > 0 ? stage->hello.methods[0] : STAGE_NO_METHOD;
}

/* ---- receiving ---- */

static bool receive_frame(struct stage *stage, zmq_msg_t *frame)
{
    int size;

    do {
        size = zmq_msg_recv(frame, stage->router, ZMQ_DONTWAIT);
    } while (size == -1 && zmq_errno() == EINTR);
    return size != -1;
}

/* Read the frames of a message that is there: false when there is none. `*ret_count` is how many came behind the
 * peer's address. */
static bool receive_frames(struct stage *stage, size_t *ret_count)
{
    struct stage_message *message = &stage->message;
    zmq_msg_t *const places[FRAMES_MAX] = {&message->head, &message->body, &message->body};
    zmq_msg_t peer;
    size_t count = 0;

    zmq_msg_init(&peer);
    if (!receive_frame(stage, &peer))
        return false;
    stage->peer_size = zmq_msg_size(&peer) < sizeof(stage->peer) ? zmq_msg_size(&peer) : sizeof(stage->peer);
    memcpy(stage->peer, zmq_msg_data(&peer), stage->peer_size);
    bool more = zmq_msg_more(&peer);
    zmq_msg_close(&peer);
    while (more && receive_frame(stage, places[count < FRAMES_MAX ? count : FRAMES_MAX - 1])) {
        more = zmq_msg_more(places[count < FRAMES_MAX ? count : FRAMES_MAX - 1]);
        count++;
    }
    message->has_body = count > 1;
    *ret_count = count;
    return true;
}

static const char *verdict_text(enum wire_verdict verdict)
{
    switch (verdict) {
    case WIRE_FOREIGN:
        return "a message without drover's signature";
    case WIRE_OTHER_VERSION:
        return "a message of another protocol version";
    case WIRE_UNKNOWN_COMMAND:
        return "a command that does not exist";
    case WIRE_MALFORMED:
    case WIRE_DECODED:
        break;
    }
    return "a malformed header";
}

/* Which of our calls a number names; STAGE_CALLS_MAX: none. */
static size_t place_of(const struct stage *stage, uint64_t number)
{
    for (size_t i = 0; i < stage->call_count; i++) {
        if (stage_number(i) == number)
            return i;
    }
    return STAGE_CALLS_MAX;
}

/* Count an answer, and look at its body. */
static bool take_answer(struct stage *stage, struct finding *finding)
{
    const struct stage_message *message = &stage->message;
    const size_t place = place_of(stage, message->header.call);
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    const size_t size = message->has_body ? zmq_msg_size(&stage->message.body) : 0;
    char text[768];

    if (place == STAGE_CALLS_MAX)
        return finding_fail(finding, "sent %s for a call that it was not given", stage_seen(stage, text, sizeof(text)));
    if (stage->answers[place]++ > 0)
        return finding_fail(finding, "answered one call twice, the second time by %s",
                            stage_seen(stage, text, sizeof(text)));
    if (message->header.command == WIRE_ERROR && message->header.status == DROVER_OK)
        return finding_fail(finding, "sent an ERROR with the status OK");
    if (size > STAGE_MAX_BODY)
        return finding_fail(finding, "sent a body of %zu octets, where WELCOME allows %u", size, STAGE_MAX_BODY);
    if (drover_document_parse(zmq_msg_data(&stage->message.body), size, &document, &error) != DROVER_OK)
        return finding_fail(finding, "sent a body that is not msgpack: %s", error.text);
    drover_document_free(document);
    return true;
}

/* Does what came keep to the protocol? */
static bool judge(struct stage *stage, size_t frame_count, struct finding *finding)
{
    struct stage_message *message = &stage->message;
    struct wire_header *header = &message->header;

    if (frame_count == 0 || frame_count > 2)
        return finding_fail(finding, "sent a message of %zu frames", frame_count);
    const enum wire_verdict verdict =
        wire_header_decode(zmq_msg_data(&message->head), zmq_msg_size(&message->head), header);
    if (verdict != WIRE_DECODED)
        return finding_fail(finding, "sent %s", verdict_text(verdict));
    const struct wire_command_info *info = wire_command_info(header->command);
    if (!(info->senders & WIRE_ROLE_WORKER))
        return finding_fail(finding, "sent %s, which is not for a worker to send", info->name);
    if (info->body == WIRE_NO_BODY ? message->has_body : info->body == WIRE_BODY && !message->has_body)
        return finding_fail(finding, "sent %s %s a body", info->name, message->has_body ? "with" : "without");
    if (header->command != WIRE_HELLO && header->session != stage->session)
        return finding_fail(finding, "sent %s in another session than its own", info->name);
    return (header->command != WIRE_REPLY && header->command != WIRE_ERROR) || take_answer(stage, finding);
}

/* Sleep until a message is there, the process ends, or `limit_ms` are over. Its output is taken meanwhile. */
static void rest(struct stage *stage, uint64_t limit_ms)
{
    const struct process *process = &stage->subject.process;
    zmq_pollitem_t items[] = {
        {.socket = stage->router, .events = ZMQ_POLLIN},
        {.fd = process->pidfd, .events = ZMQ_POLLIN},
        {.fd = process->output[CAPTURE_STDOUT], .events = ZMQ_POLLIN},
        {.fd = process->output[CAPTURE_STDERR], .events = ZMQ_POLLIN},
    };
    int count = 1;

    for (int i = 1; i < 4; i++) { /* those that are open, one behind the other */
        const bool is_death = i == 1;
        if (items[i].fd >= 0 && !(is_death && stage->subject.ended))
            items[count++] = items[i];
    }
    (void)zmq_poll(items, count, (long)limit_ms);
    subject_read(&stage->subject);
}

/* ZeroMQ knows of no connection to the driver any more: then it has handed out all that came through it. An empty
 * message to a process that is dead tells. */
static bool is_cut_off(struct stage *stage)
{
    if (stage->peer_size == 0)
        return false;
    if (zmq_send(stage->router, stage->peer, stage->peer_size, ZMQ_SNDMORE) == -1)
        return zmq_errno() == EHOSTUNREACH;
    (void)zmq_send(stage->router, "", 0, 0);
    return false;
}

/* The process has ended: what it sent before may still be on its way. */
static enum stage_event await_last_frames(struct stage *stage, size_t *ret_count)
{
    const uint64_t until_ms = sys_now_ms() + LAST_WORDS_MS;

    while (!is_cut_off(stage) && sys_now_ms() < until_ms) {
        if (receive_frames(stage, ret_count))
            return STAGE_MESSAGE;
        rest(stage, LAST_LOOK_MS);
    }
    return receive_frames(stage, ret_count) ? STAGE_MESSAGE : STAGE_ENDED;
}

/* Wait for the frames of one message. */
static enum stage_event await_frames(struct stage *stage, size_t *ret_count)
{
    const uint64_t until_ms = sys_now_ms() + stage->patience_ms;

    while (!receive_frames(stage, ret_count)) {
        const uint64_t now_ms = sys_now_ms();
        if (subject_has_ended(&stage->subject))
            return await_last_frames(stage, ret_count);
        if (now_ms >= until_ms || *stage->interrupted)
            return STAGE_SILENCE;
        rest(stage, until_ms - now_ms);
    }
    return STAGE_MESSAGE;
}

enum stage_event stage_receive(struct stage *stage, struct finding *finding)
{
    for (;;) {
        size_t count = 0;
        const enum stage_event event = await_frames(stage, &count);
        if (event != STAGE_MESSAGE)
            return event;
        if (!judge(stage, count, finding))
            return STAGE_BREACH;
        if (stage->message.header.command != WIRE_PING)
            return STAGE_MESSAGE;
        if (!stage_command(stage, WIRE_PONG, stage->message.header.call, finding))
            return STAGE_BREACH;
    }
}

/* ---- expecting ---- */

const char *stage_seen(const struct stage *stage, char *text, size_t capacity)
{
    const struct wire_header *header = &stage->message.header;
    const char *name = wire_command_info(header->command)->name;
    char words[256];

    if (header->command == WIRE_ERROR || header->command == WIRE_CONFIG_ERROR)
        (void)snprintf(text, capacity, "%s %s (%s): %s", name, drover_status_name(header->status),
                       drover_outcome_name(header->outcome),
                       text_printable(header->text.data, header->text.size, words, sizeof(words)));
    else
        (void)snprintf(text, capacity, "%s", name);
    return text;
}

/* Say why the message that was expected did not come. */
static bool miss(struct stage *stage, enum stage_event event, const char *expected, struct finding *finding)
{
    char text[512];

    switch (event) {
    case STAGE_MESSAGE:
        return finding_fail(finding, "sent %s where %s was due", stage_seen(stage, text, sizeof(text)), expected);
    case STAGE_ENDED:
        return finding_fail(finding, "%s where %s was due", subject_end_text(&stage->subject, text, sizeof(text)),
                            expected);
    case STAGE_SILENCE:
        return finding_fail(finding, "no %s within %llu ms", expected, (unsigned long long)stage->patience_ms);
    case STAGE_BREACH:
        break;
    }
    return false;
}

/* An unasked PONG is but a sign of life. */
static enum stage_event receive_for(struct stage *stage, enum wire_command command, struct finding *finding)
{
    enum stage_event event;

    do {
        event = stage_receive(stage, finding);
    } while (event == STAGE_MESSAGE && stage->message.header.command == WIRE_PONG && command != WIRE_PONG);
    return event;
}

bool stage_expect(struct stage *stage, enum wire_command command, struct finding *finding)
{
    const enum stage_event event = receive_for(stage, command, finding);

    if (event == STAGE_MESSAGE && stage->message.header.command == command)
        return true;
    return miss(stage, event, wire_command_info(command)->name, finding);
}

bool stage_expect_answer(struct stage *stage, size_t place, struct finding *finding)
{
    const enum stage_event event = receive_for(stage, WIRE_REPLY, finding);
    const struct wire_header *header = &stage->message.header;

    if (event == STAGE_MESSAGE && (header->command == WIRE_REPLY || header->command == WIRE_ERROR) &&
        header->call == stage_number(place))
        return true;
    return miss(stage, event, "answer", finding);
}

bool stage_sync(struct stage *stage, struct finding *finding)
{
    if (!stage_command(stage, WIRE_PING, 4711, finding))
        return false;
    for (;;) {
        const enum stage_event event = stage_receive(stage, finding);
        const enum wire_command command = stage->message.header.command;
        if (event == STAGE_MESSAGE && command == WIRE_PONG)
            return true;
        if (event != STAGE_MESSAGE || (command != WIRE_REPLY && command != WIRE_ERROR))
            return miss(stage, event, "PONG", finding);
    }
}

bool stage_expect_end(struct stage *stage, struct finding *finding)
{
    for (;;) {
        const enum stage_event event = receive_for(stage, WIRE_BYE, finding);
        const enum wire_command command = stage->message.header.command;
        if (event == STAGE_ENDED)
            return true;
        if (event == STAGE_SILENCE)
            return finding_fail(finding, "has not ended after %llu ms", (unsigned long long)stage->patience_ms);
        if (event != STAGE_MESSAGE || command != WIRE_BYE)
            return miss(stage, event, "its end", finding);
    }
}

bool stage_is_error(const struct stage *stage, enum drover_status status, enum drover_outcome outcome)
{
    const struct wire_header *header = &stage->message.header;

    return header->command == WIRE_ERROR && header->status == status && header->outcome == outcome;
}

uint64_t stage_word(const struct stage *stage)
{
    return atomic_load(&stage->subject.process.page->word) & ~STARTWORD_CLOSED;
}
