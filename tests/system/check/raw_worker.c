/* raw_worker.c - a worker without libdrover-worker, written from the protocol; it does one thing wrong on demand
 *
 * RAW_FAULT names the check of worker/check/checks.def that it fails; without it, it is a good worker. It serves
 * interface `raw` with the methods `nothing` and `more`, which are idempotent and answer with an empty map.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <zmq.h>

#include "common/sys/sys.h"
#include "common/wire/startword.h"

#define EXIT_MISFIT 78

static const char *fault = "";
static void *context, *dealer;
static struct startword_page *page;
static uint64_t session, next_sequence = 1;

static bool does_wrong(const char *what)
{
    return strcmp(fault, what) == 0;
}

/* SIGTERM as something to read. */
static int open_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* ---- sending ---- */

static void send_message(const struct wire_header *header, const void *body, size_t size)
{
    char octets[WIRE_HEADER_MAX];

    zmq_send(dealer, octets, wire_header_encode(header, octets, sizeof(octets)), body ? ZMQ_SNDMORE : 0);
    if (body)
        zmq_send(dealer, body, size, 0);
}

static void send_command(enum wire_command command, uint64_t call)
{
    send_message(&(struct wire_header){.command = command, .session = session, .call = call}, NULL, 0);
}

static void send_error(enum wire_command command, uint64_t call, enum drover_status status, enum drover_outcome outcome)
{
    struct wire_header header = {.command = command, .session = session, .call = call};
    struct drover_error error = {.status = status, .outcome = outcome, .origin = DROVER_ORIGIN_HOST, .text = "raw"};

    wire_header_set_error(&header, &error);
    send_message(&header, NULL, 0);
}

/* What was sent leaves while the context is terminated. */
static _Noreturn void leave(int exit_status)
{
    zmq_close(dealer);
    zmq_ctx_term(context);
    exit(exit_status);
}

static void send_hello(void)
{
    static const struct wire_method methods[] = {{"nothing", true}, {"more", true}};
    struct drover_writer *writer = drover_writer_new();
    struct wire_hello hello = {
        .role = WIRE_ROLE_WORKER,
        .version_min = 1,
        .version_max = 1,
        .software = {"raw", 3},
        .name = {"raw_worker", 10},
        .interface = {"raw", 3},
        .interface_version = {"1.0.0", 5},
        .driver = {"raw", does_wrong("hello") ? 0 : 3},
        .driver_version = {"1", 1},
        .concurrency = 1,
        .reconfigures = true,
        .has_token = true,
    };

    memcpy(hello.token, page->token, sizeof(hello.token));
    if (does_wrong("token"))
        hello.token[0] ^= 1;
    wire_hello_encode(&hello, methods, 2, writer);
    send_message(&(struct wire_header){.command = WIRE_HELLO}, drover_writer_data(writer), drover_writer_size(writer));
    drover_writer_free(writer);
}

/* ---- greeting ---- */

/* Settings: none are known. */
static void configure(const struct wire_welcome *welcome)
{
    const size_t count = drover_value_count(welcome->settings);

    session = welcome->session;
    if (count > 0 && does_wrong("settings-wrong"))
        leave(1);
    if (count == 0 && !does_wrong("ready")) {
        send_command(WIRE_READY, 0);
        return;
    }
    send_error(WIRE_CONFIG_ERROR, 0, DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_NOT_STARTED);
    leave(EXIT_MISFIT);
}

static void on_welcome(const void *body, size_t size)
{
    struct drover_document *document = NULL;
    struct wire_welcome welcome;

    if (drover_document_parse(body, size, &document, NULL) == DROVER_OK &&
        wire_welcome_decode(document, &welcome, NULL) == DROVER_OK) {
        configure(&welcome);
        drover_document_free(document);
        return;
    }
    if (does_wrong("settings-no-map"))
        abort();
    drover_document_free(document);
    leave(1);
}

/* ---- calls ---- */

static bool is_map(const void *body, size_t size)
{
    struct drover_document *document = NULL;
    const bool is = drover_document_parse(body, size, &document, NULL) == DROVER_OK &&
                    drover_value_type(drover_document_root(document)) == DROVER_TYPE_MAP;

    drover_document_free(document);
    return is;
}

static bool is_known(const struct wire_header *header)
{
    return drover_text_equals(header->method, "nothing") || drover_text_equals(header->method, "more");
}

static void run(const struct wire_header *header, const void *body, size_t size)
{
    const struct wire_header reply = {.command = WIRE_REPLY, .session = session, .call = header->call};

    if (!is_map(body, size) && !does_wrong("malformed-request"))
        send_error(WIRE_ERROR, header->call, DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED);
    else if (drover_text_equals(header->method, "more") && does_wrong("empty-request"))
        send_message(&reply, "\xc1", 1);
    else
        send_message(&reply, "\x80", 1);
}

/* Settings, which have their place among the calls: none are known, and a map is taken to be empty. */
static void take_settings(const struct wire_header *header, const void *body, size_t size)
{
    if (is_map(body, size) || does_wrong("reconfigure"))
        send_command(WIRE_REPLY, header->call);
    else
        send_error(WIRE_ERROR, header->call, DROVER_INVALID_ARGUMENT, DROVER_OUTCOME_ANSWERED);
}

static void answer(const struct wire_header *header, const void *body, size_t size)
{
    if ((header->flags & FIELD_DEADLINE) && header->deadline_ms == 0 && !does_wrong("deadline"))
        send_error(WIRE_ERROR, header->call, DROVER_DEADLINE_EXCEEDED, DROVER_OUTCOME_NOT_STARTED);
    else if (is_known(header))
        run(header, body, size);
    else if (!drover_text_equals(header->method, WIRE_NO_METHOD) || !does_wrong("no-method"))
        send_error(WIRE_ERROR, header->call, does_wrong("unknown-method") ? DROVER_NOT_FOUND : DROVER_UNIMPLEMENTED,
                   DROVER_OUTCOME_ANSWERED);
}

static void on_call(const struct wire_header *header, const void *body, size_t size)
{
    if (header->sequence != next_sequence && !does_wrong("sequence-gap"))
        leave(1);
    next_sequence = header->sequence + 1;
    const bool counts = !does_wrong("start-word") || header->command == WIRE_RECONFIGURE || is_known(header);
    if (counts && !startword_begin(page) && !does_wrong("closed-word"))
        return;
    if (header->command == WIRE_RECONFIGURE)
        take_settings(header, body, size);
    else
        answer(header, body, size);
}

/* ---- the rest ---- */

/* Calls are run as they come: when a CANCEL is read its call was answered. */
static void act(const struct wire_header *header, const void *body, size_t size)
{
    if (header->command == WIRE_WELCOME)
        on_welcome(body, size);
    else if (header->session != session)
        return;
    else if (header->command == WIRE_CALL || header->command == WIRE_RECONFIGURE)
        on_call(header, body, size);
    else if (header->command == WIRE_PING)
        send_command(WIRE_PONG, does_wrong("ping") ? 0 : header->call);
    else if (header->command == WIRE_CANCEL && does_wrong("cancel"))
        send_error(WIRE_ERROR, header->call, DROVER_CANCELLED, DROVER_OUTCOME_ANSWERED);
    else if (header->command == WIRE_BYE && !does_wrong("bye"))
        leave(0);
    if (header->command != WIRE_DRAIN)
        return;
    if (!does_wrong("drain"))
        send_command(WIRE_DRAINED, 0);
    leave(0);
}

static void receive(void)
{
    zmq_msg_t frames[2];
    struct wire_header header;
    int count = 0;
    bool more = true;

    zmq_msg_init(&frames[0]);
    zmq_msg_init(&frames[1]);
    while (more && zmq_msg_recv(&frames[count > 0], dealer, 0) != -1) {
        more = zmq_msg_more(&frames[count > 0]);
        count++;
    }
    if (count > 2)
        return;
    if (wire_header_decode(zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]), &header) == WIRE_DECODED)
        act(&header, zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1]));
    else if (does_wrong("garbage"))
        leave(1);
    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
}

static void serve(int lifeline)
{
    zmq_pollitem_t items[] = {
        {.socket = dealer, .events = ZMQ_POLLIN},
        {.fd = open_signals(), .events = does_wrong("sigterm") ? 0 : ZMQ_POLLIN},
        {.fd = lifeline, .events = ZMQ_POLLIN},
    };
    const int count = does_wrong("lifeline") ? 2 : 3;

    for (;;) {
        if (zmq_poll(items, count, -1) <= 0)
            continue;
        if (items[1].revents || items[2].revents)
            leave(0);
        if (items[0].revents)
            receive();
    }
}

int main(void)
{
    const char *endpoint = getenv(WORKER_ENV_ENDPOINT), *page_fd = getenv(WORKER_ENV_PAGE);
    const char *lifeline = getenv(WORKER_ENV_LIFELINE), *wanted = getenv("RAW_FAULT");

    fault = wanted ? wanted : "";
    if (!endpoint || !page_fd || !lifeline || does_wrong("start"))
        return 3;
    sys_seed_libzmq();
    page = mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(page_fd), 0);
    context = zmq_ctx_new();
    dealer = zmq_socket(context, ZMQ_DEALER);
    if (page == MAP_FAILED || zmq_connect(dealer, endpoint) != 0)
        return 3;
    if (does_wrong("output") && write(STDOUT_FILENO, "a\0b\n", 4) != 4)
        return 3;
    send_hello();
    serve(atoi(lifeline));
    return 0;
}
