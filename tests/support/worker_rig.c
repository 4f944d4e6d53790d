/* worker_rig.c - see worker_rig.h */
#include "tests/support/worker_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sys.h"
#include "common/wire/command.h"

#define PATIENCE_MS 20000

static void remove_directory(const struct worker_rig *rig)
{
    static const char *const names[] = {"broker.sock", "gate"};
    char path[128];

    if (!rig->directory[0])
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", rig->directory, names[i]);
        unlink(path);
    }
    rmdir(rig->directory);
}

/* The test cannot go on. */
static _Noreturn void DROVER_PRINTF(2, 3) give_up(const struct worker_rig *rig, const char *format, ...)
{
    va_list arguments;

    fputs("worker_rig: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nworker's output: %.*s\n", (int)rig->output_size, rig->output);
    if (rig->pid)
        kill(rig->pid, SIGKILL);
    remove_directory(rig);
    abort();
}

/* ---- start and end ---- */

static void make_page(struct worker_rig *rig)
{
    rig->page_fd = memfd_create("rig", MFD_CLOEXEC);
    if (rig->page_fd == -1 || ftruncate(rig->page_fd, STARTWORD_PAGE_SIZE) == -1)
        give_up(rig, "no page: %s", strerror(errno));
    rig->page = mmap(NULL, STARTWORD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, rig->page_fd, 0);
    if (rig->page == MAP_FAILED)
        give_up(rig, "no page: %s", strerror(errno));
    rig->page->magic = STARTWORD_MAGIC;
    memset(rig->page->token, 0x7e, sizeof(rig->page->token));
}

void worker_rig_init(struct worker_rig *rig)
{
    int mandatory = 1, no_linger = 0, no_limit = 0;

    memset(rig, 0, sizeof(*rig));
    rig->lifeline_fd = -1;
    rig->output_fd = -1;
    rig->session = WORKER_RIG_SESSION;
    zmq_msg_init(&rig->message.head);
    zmq_msg_init(&rig->message.body);
    make_page(rig);
    strcpy(rig->directory, "/tmp/drover-rig-XXXXXX");
    if (!mkdtemp(rig->directory))
        give_up(rig, "no folder: %s", strerror(errno));
    snprintf(rig->endpoint, sizeof(rig->endpoint), "ipc://%s/broker.sock", rig->directory);
    sys_seed_libzmq();
    rig->context = zmq_ctx_new();
    rig->router = zmq_socket(rig->context, ZMQ_ROUTER);
    zmq_setsockopt(rig->router, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof(mandatory));
    zmq_setsockopt(rig->router, ZMQ_LINGER, &no_linger, sizeof(no_linger));
    zmq_setsockopt(rig->router, ZMQ_SNDHWM, &no_limit, sizeof(no_limit));
    if (zmq_bind(rig->router, rig->endpoint) != 0)
        give_up(rig, "%s: %s", rig->endpoint, zmq_strerror(errno));
}

static void close_if_open(int *fd)
{
    if (*fd != -1)
        close(*fd);
    *fd = -1;
}

void worker_rig_done(struct worker_rig *rig)
{
    if (rig->pid) {
        kill(rig->pid, SIGKILL);
        waitpid(rig->pid, NULL, 0);
    }
    rig->pid = 0;
    zmq_msg_close(&rig->message.head);
    zmq_msg_close(&rig->message.body);
    drover_document_free(rig->message.document);
    zmq_close(rig->router);
    zmq_ctx_term(rig->context);
    close_if_open(&rig->lifeline_fd);
    close_if_open(&rig->output_fd);
    close_if_open(&rig->page_fd);
    munmap(rig->page, STARTWORD_PAGE_SIZE);
    remove_directory(rig);
}

static void set_number(const char *variable, int number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    setenv(variable, text, 1);
}

/* In the child: only what may be done between fork and exec. */
static void become(const char *program, const char *const *arguments, int output_fd, int keep_1, int keep_2)
{
    char *argv[5] = {(char *)program};

    for (size_t i = 0; arguments && i < 3 && arguments[i]; i++)
        argv[i + 1] = (char *)arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output_fd, STDOUT_FILENO);
    dup2(output_fd, STDERR_FILENO);
    fcntl(keep_1, F_SETFD, 0);
    fcntl(keep_2, F_SETFD, 0);
    execv(program, argv);
    _exit(127);
}

void worker_rig_start(struct worker_rig *rig, const char *program, const char *const *arguments)
{
    int lifeline[2], output[2];

    if (pipe2(lifeline, O_CLOEXEC) == -1 || pipe2(output, O_CLOEXEC) == -1)
        give_up(rig, "no pipe: %s", strerror(errno));
    setenv(WORKER_ENV_ENDPOINT, rig->endpoint, 1);
    set_number(WORKER_ENV_PAGE, rig->page_fd);
    set_number(WORKER_ENV_LIFELINE, lifeline[0]);
    rig->pid = fork();
    if (rig->pid == 0)
        become(program, arguments, output[1], rig->page_fd, lifeline[0]);
    if (rig->pid == -1)
        give_up(rig, "no process: %s", strerror(errno));
    close(lifeline[0]);
    close(output[1]);
    rig->lifeline_fd = lifeline[1];
    rig->output_fd = output[0];
    fcntl(rig->output_fd, F_SETFL, O_NONBLOCK);
}

/* Read what the worker has printed. False at the end of its output. */
static bool collect_output(struct worker_rig *rig)
{
    char *end = rig->output + rig->output_size;
    size_t room = sizeof(rig->output) - 1 - rig->output_size;
    ssize_t size = room > 0 ? read(rig->output_fd, end, room) : -1;

    if (size > 0)
        rig->output_size += (size_t)size;
    rig->output[rig->output_size] = '\0';
    return size != 0;
}

int worker_rig_exit_status(struct worker_rig *rig)
{
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, rig->pid, 0), .events = POLLIN};
    int status = 0;

    if (process.fd == -1 || poll(&process, 1, PATIENCE_MS) != 1)
        give_up(rig, "the worker does not end");
    close(process.fd);
    waitpid(rig->pid, &status, 0);
    rig->pid = 0;
    while (collect_output(rig) && rig->output_size < sizeof(rig->output) - 1 &&
           poll(&(struct pollfd){.fd = rig->output_fd, .events = POLLIN}, 1, 0) == 1)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void worker_rig_await_output(struct worker_rig *rig, const char *text)
{
    struct pollfd output = {.fd = rig->output_fd, .events = POLLIN};
    uint64_t end_ms = sys_now_ms() + PATIENCE_MS;

    collect_output(rig);
    while (!strstr(rig->output, text)) {
        if (sys_now_ms() > end_ms)
            give_up(rig, "the worker never printed '%s'", text);
        poll(&output, 1, 100);
        if (!collect_output(rig) && !strstr(rig->output, text))
            give_up(rig, "the worker ended and never printed '%s'", text);
    }
}

/* ---- receiving ---- */

static void receive_frame(struct worker_rig *rig, zmq_msg_t *frame)
{
    if (zmq_msg_recv(frame, rig->router, 0) == -1)
        give_up(rig, "receive: %s", zmq_strerror(errno));
}

static void receive(struct worker_rig *rig)
{
    struct worker_rig_message *message = &rig->message;
    zmq_pollitem_t item = {.socket = rig->router, .events = ZMQ_POLLIN};
    zmq_msg_t peer;

    message->document = drover_document_free(message->document);
    if (zmq_poll(&item, 1, PATIENCE_MS) != 1) {
        collect_output(rig);
        give_up(rig, "no message came");
    }
    zmq_msg_init(&peer);
    receive_frame(rig, &peer);
    rig->peer_size = zmq_msg_size(&peer);
    memcpy(rig->peer, zmq_msg_data(&peer), rig->peer_size);
    zmq_msg_close(&peer);
    receive_frame(rig, &message->head);
    message->has_body = zmq_msg_more(&message->head);
    if (message->has_body)
        receive_frame(rig, &message->body);
    if (message->has_body && zmq_msg_more(&message->body))
        give_up(rig, "a message of more than two frames");
}

static void parse(struct worker_rig *rig)
{
    struct worker_rig_message *message = &rig->message;
    struct drover_error error = {0};

    if (wire_header_decode(zmq_msg_data(&message->head), zmq_msg_size(&message->head), &message->header) !=
        WIRE_DECODED)
        give_up(rig, "the worker sent a header that is none");
    if (message->has_body && drover_document_parse(zmq_msg_data(&message->body), zmq_msg_size(&message->body),
                                                   &message->document, &error) != DROVER_OK)
        give_up(rig, "the worker sent a body that is none: %s", error.text);
}

const struct worker_rig_message *worker_rig_expect(struct worker_rig *rig, enum wire_command command)
{
    const struct wire_header *header = &rig->message.header;

    receive(rig);
    parse(rig);
    if (header->command != command)
        give_up(rig, "%s was expected, %s for call %llu came: %.*s", wire_command_info(command)->name,
                wire_command_info(header->command)->name, (unsigned long long)header->call, (int)header->text.size,
                header->text.size ? header->text.data : "");
    return &rig->message;
}

const struct worker_rig_message *worker_rig_expect_for(struct worker_rig *rig, enum wire_command command, uint64_t call)
{
    worker_rig_expect(rig, command);
    if (rig->message.header.call != call)
        give_up(rig, "call %llu was expected, %s for call %llu came", (unsigned long long)call,
                wire_command_info(command)->name, (unsigned long long)rig->message.header.call);
    return &rig->message;
}

void worker_rig_sync(struct worker_rig *rig)
{
    worker_rig_command(rig, WIRE_PING, 4711);
    worker_rig_expect_for(rig, WIRE_PONG, 4711);
}

/* ---- sending ---- */

void worker_rig_send_frames(struct worker_rig *rig, const struct drover_text *frames, size_t count)
{
    if (zmq_send(rig->router, rig->peer, rig->peer_size, ZMQ_SNDMORE) == -1)
        give_up(rig, "send: %s", zmq_strerror(errno));
    for (size_t i = 0; i < count; i++) {
        if (zmq_send(rig->router, frames[i].data, frames[i].size, i + 1 < count ? ZMQ_SNDMORE : 0) == -1)
            give_up(rig, "send: %s", zmq_strerror(errno));
    }
}

void worker_rig_send(struct worker_rig *rig, const struct wire_header *header, const void *body, size_t size)
{
    char octets[WIRE_HEADER_MAX];
    struct drover_text frames[2] = {{octets, wire_header_encode(header, octets, sizeof(octets))}, {body, size}};

    if (frames[0].size == 0)
        give_up(rig, "a header that cannot be encoded");
    worker_rig_send_frames(rig, frames, body ? 2 : 1);
}

void worker_rig_command(struct worker_rig *rig, enum wire_command command, uint64_t call)
{
    worker_rig_send(rig, &(struct wire_header){.command = command, .session = rig->session, .call = call}, NULL, 0);
}

static struct drover_text text_of(const char *string)
{
    return (struct drover_text){string, strlen(string)};
}

static struct drover_text text_of_writer(const struct drover_writer *writer)
{
    return (struct drover_text){drover_writer_data(writer), drover_writer_size(writer)};
}

void worker_rig_welcome(struct worker_rig *rig, const struct worker_rig_welcome *wanted)
{
    static const struct worker_rig_welcome none = {0};
    struct drover_writer *writer = drover_writer_new();

    if (!wanted)
        wanted = &none;
    struct wire_welcome welcome = {
        .version = WIRE_VERSION,
        .session = rig->session,
        .software = text_of("rig"),
        .incarnation = 1,
        .max_body = wanted->max_body ? wanted->max_body : 16u << 20,
        .service = text_of(wanted->service ? wanted->service : "unit"),
        .generation = wanted->generation,
        .artefact = text_of(wanted->artefact ? wanted->artefact : ""),
    };
    if (wanted->settings)
        welcome.settings_raw = text_of_writer(wanted->settings);
    wire_welcome_encode(&welcome, writer);
    worker_rig_send(rig, &(struct wire_header){.command = WIRE_WELCOME, .session = rig->session},
                    drover_writer_data(writer), drover_writer_size(writer));
    drover_writer_free(writer);
    rig->sequence = 0;
}

void worker_rig_serve(struct worker_rig *rig, const char *program, const struct worker_rig_welcome *welcome)
{
    worker_rig_start(rig, program, NULL);
    worker_rig_expect(rig, WIRE_HELLO);
    worker_rig_welcome(rig, welcome);
    worker_rig_expect(rig, WIRE_READY);
}

void worker_rig_call(struct worker_rig *rig, const struct worker_rig_call *call)
{
    struct wire_header header = {
        .command = WIRE_CALL,
        .flags = FIELD_TARGET,
        .session = rig->session,
        .call = call->call,
        .deadline_ms = call->deadline_ms,
        .service = text_of(call->service ? call->service : "unit"),
        .method = text_of(call->method),
    };
    struct drover_text body = call->raw_body;

    if (call->request)
        body = text_of_writer(call->request);
    if (call->has_deadline)
        header.flags |= FIELD_DEADLINE;
    if (!call->no_sequence) {
        header.flags |= FIELD_SEQUENCE;
        header.sequence = call->sequence ? call->sequence : rig->sequence + 1;
        rig->sequence = header.sequence;
    }
    if (call->metadata) {
        header.flags |= FIELD_METADATA;
        header.metadata = text_of_writer(call->metadata);
    }
    worker_rig_send(rig, &header, body.data, body.size);
}

void worker_rig_simple_call(struct worker_rig *rig, uint64_t call, const char *method)
{
    worker_rig_call(rig, &(struct worker_rig_call){.call = call, .method = method});
}

void worker_rig_reconfigure(struct worker_rig *rig, uint64_t call, const struct drover_writer *settings)
{
    const struct wire_header header = {
        .command = WIRE_RECONFIGURE,
        .flags = FIELD_SEQUENCE,
        .session = rig->session,
        .call = call,
        .sequence = ++rig->sequence,
    };
    const struct drover_text body = settings ? text_of_writer(settings) : (struct drover_text){"", 0};

    worker_rig_send(rig, &header, body.data, body.size);
}

/* ---- looking ---- */

uint64_t worker_rig_started(const struct worker_rig *rig)
{
    return atomic_load(&rig->page->word) & ~STARTWORD_CLOSED;
}

void worker_rig_await_started(struct worker_rig *rig, uint64_t started)
{
    uint64_t end_ms = sys_now_ms() + PATIENCE_MS;

    while (worker_rig_started(rig) < started) {
        if (sys_now_ms() > end_ms)
            give_up(rig, "only %llu of %llu calls were started", (unsigned long long)worker_rig_started(rig),
                    (unsigned long long)started);
        sched_yield();
    }
}

struct drover_text worker_rig_reply_text(const struct worker_rig *rig, const char *key)
{
    return drover_value_get_text(drover_document_root(rig->message.document), key, "(absent)");
}

uint64_t worker_rig_reply_number(const struct worker_rig *rig, const char *key)
{
    uint64_t number = UINT64_MAX;

    drover_value_uint64(drover_value_get(drover_document_root(rig->message.document), key), &number);
    return number;
}

struct drover_writer *worker_rig_map_string(const char *key, const char *value)
{
    struct drover_writer *writer = drover_writer_new();

    drover_write_map(writer, 1);
    drover_write_string(writer, key);
    drover_write_string(writer, value);
    return writer;
}

struct drover_writer *worker_rig_map_number(const char *key, uint64_t value)
{
    struct drover_writer *writer = drover_writer_new();

    drover_write_map(writer, 1);
    drover_write_string(writer, key);
    drover_write_uint64(writer, value);
    return writer;
}

/* ---- gates ---- */

void worker_rig_make_gate(struct worker_rig *rig, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", rig->directory, name);
    if (mkfifo(path, 0600) == -1)
        give_up(rig, "%s: %s", path, strerror(errno));
}

int worker_rig_open_gate(const char *path, unsigned count)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    for (unsigned i = 0; i < count; i++) {
        if (write(fd, "x", 1) != 1)
            abort();
    }
    return fd;
}
