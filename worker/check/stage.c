/* stage.c - see stage.h: the folder, the socket, and a driver's way to READY; messages are in exchange.c */
#include "worker/check/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"

#define SOFTWARE "drover-check-driver " DROVER_VERSION

enum drover_status stage_init(struct stage *stage, const struct subject_plan *plan,
                              const volatile sig_atomic_t *interrupted, struct drover_error *error)
{
    memset(stage, 0, sizeof(*stage));
    stage->interrupted = interrupted;
    stage->patience_ms = STAGE_PATIENCE_MS;
    subject_init(&stage->subject, plan);
    zmq_msg_init(&stage->message.head);
    zmq_msg_init(&stage->message.body);
    (void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/drover-check-XXXXXX");
    if (!mkdtemp(stage->folder))
        return drover_error_set(error, DROVER_PERMISSION_DENIED, "no folder in /tmp: %s", strerror(errno));
    stage->context = zmq_ctx_new();
    if (stage->context)
        return DROVER_OK;
    (void)rmdir(stage->folder);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no ZeroMQ context: %s", zmq_strerror(zmq_errno()));
}

static void close_socket(struct stage *stage)
{
    if (!stage->router)
        return;
    zmq_close(stage->router);
    stage->router = NULL;
    (void)unlink(stage->endpoint + strlen("ipc://")); /* ZeroMQ has done so, unless it was too late */
}

void stage_done(struct stage *stage)
{
    subject_end(&stage->subject);
    close_socket(stage);
    zmq_msg_close(&stage->message.head);
    zmq_msg_close(&stage->message.body);
    while (zmq_ctx_term(stage->context) == -1 && zmq_errno() == EINTR)
        continue;
    (void)rmdir(stage->folder);
}

/* Each process gets a socket of its own, so that nothing which another one left behind is taken for its word. */
static bool open_socket(struct stage *stage, struct finding *finding)
{
    const int mandatory = 1, no_linger = 0, no_limit = 0;

    close_socket(stage);
    (void)snprintf(stage->endpoint, sizeof(stage->endpoint), "ipc://%s/%u", stage->folder, ++stage->starts);
    stage->router = zmq_socket(stage->context, ZMQ_ROUTER);
    if (stage->router && zmq_setsockopt(stage->router, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof(mandatory)) == 0 &&
        zmq_setsockopt(stage->router, ZMQ_LINGER, &no_linger, sizeof(no_linger)) == 0 &&
        zmq_setsockopt(stage->router, ZMQ_SNDHWM, &no_limit, sizeof(no_limit)) == 0 &&
        zmq_bind(stage->router, stage->endpoint) == 0)
        return true;
    return finding_fail(finding, "no socket for it: %s", zmq_strerror(zmq_errno()));
}

/* ---- HELLO ---- */

static void copy_text(struct drover_text text, char to[WIRE_NAME_MAX + 1])
{
    text_printable(text.data, text.size, to, WIRE_NAME_MAX + 1);
}

static struct drover_text method_name(const struct wire_hello *hello, size_t index)
{
    return drover_value_get_text(drover_value_at(hello->methods, index), "name", "");
}

static bool is_idempotent(const struct wire_hello *hello, size_t index)
{
    bool idempotent = false;

    (void)drover_value_bool(drover_value_get(drover_value_at(hello->methods, index), "idempotent"), &idempotent);
    return idempotent;
}

static void copy_methods(struct stage_hello *facts, const struct wire_hello *hello)
{
    const size_t count = drover_value_count(hello->methods);

    for (int wanted = 1; wanted >= 0; wanted--) {
        for (size_t i = 0; i < count && facts->method_count < WIRE_METHODS_MAX; i++) {
            if (is_idempotent(hello, i) != (wanted == 1))
                continue;
            copy_text(method_name(hello, i), facts->methods[facts->method_count++]);
            facts->idempotent_count += wanted == 1;
        }
    }
}

/* What is wrong with a HELLO that could be decoded; NULL when nothing is. */
static const char *hello_mistake(const struct wire_hello *hello, const struct wire_header *header)
{
    if (header->session != 0 || header->call != 0)
        return "its header bears a session or a call";
    if (hello->role != WIRE_ROLE_WORKER)
        return "its role is not 'worker'";
    if (hello->version_min > WIRE_VERSION || hello->version_max < WIRE_VERSION)
        return "its range of protocol versions does not contain 1";
    if (hello->interface.size == 0 || hello->interface_version.size == 0)
        return "it lacks interface or interface_version";
    if (hello->driver.size == 0 || hello->driver_version.size == 0)
        return "it lacks driver or driver_version";
    return NULL;
}

static bool has_method_twice(const struct stage_hello *facts)
{
    for (size_t i = 0; i < facts->method_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(facts->methods[i], facts->methods[j]) == 0)
                return true;
        }
    }
    return false;
}

static void take_hello(struct stage *stage, const struct wire_hello *hello)
{
    struct stage_hello *facts = &stage->hello;
    const char *mistake = hello_mistake(hello, &stage->message.header);

    facts->is_read = true;
    facts->version_min = hello->version_min;
    facts->version_max = hello->version_max;
    facts->concurrency = hello->concurrency;
    facts->reconfigures = hello->reconfigures;
    facts->token_fits = hello->has_token && memcmp(hello->token, stage->token, WIRE_TOKEN_SIZE) == 0;
    copy_text(hello->interface, facts->interface);
    copy_text(hello->interface_version, facts->interface_version);
    copy_text(hello->driver, facts->driver);
    copy_text(hello->driver_version, facts->driver_version);
    copy_methods(facts, hello);
    if (!mistake && has_method_twice(facts))
        mistake = "it names a method twice";
    (void)snprintf(facts->trouble, sizeof(facts->trouble), "%s", mistake ? mistake : "");
}

static void read_hello(struct stage *stage)
{
    struct drover_document *document = NULL;
    struct drover_error error = {0};
    struct wire_hello hello;
    zmq_msg_t *body = &stage->message.body;

    stage->hello = (struct stage_hello){.is_read = false};
    if (drover_document_parse(zmq_msg_data(body), zmq_msg_size(body), &document, &error) == DROVER_OK &&
        wire_hello_decode(document, &hello, &error) == DROVER_OK)
        take_hello(stage, &hello);
    else
        (void)snprintf(stage->hello.trouble, sizeof(stage->hello.trouble), "%.200s", error.text);
    drover_document_free(document);
}

/* ---- the way to READY ---- */

bool stage_start(struct stage *stage, struct finding *finding)
{
    struct drover_error error = {0};

    stage->is_ready = false;
    stage->peer_size = 0;
    stage->session = 0;
    subject_end(&stage->subject);
    sys_random(stage->token, sizeof(stage->token));
    if (!open_socket(stage, finding))
        return false;
    if (subject_start(&stage->subject, stage->endpoint, stage->token, &error) != DROVER_OK)
        return finding_fail(finding, "%s", error.text);
    if (!stage_expect(stage, WIRE_HELLO, finding))
        return false;
    read_hello(stage);
    return true;
}

static struct drover_text text_of(const char *string)
{
    return (struct drover_text){string, strlen(string)};
}

bool stage_welcome(struct stage *stage, struct drover_text settings, struct finding *finding)
{
    struct drover_writer *writer = drover_writer_new();
    char octets[WIRE_HEADER_MAX];

    if (!writer)
        return finding_fail(finding, "no memory");
    stage->session = sys_random64() | 1;
    stage->sequence = 0;
    stage->call_count = 0;
    memset(stage->answers, 0, sizeof(stage->answers));
    const struct wire_header header = {.command = WIRE_WELCOME, .session = stage->session};
    const struct wire_welcome welcome = {
        .version = WIRE_VERSION,
        .session = stage->session,
        .software = text_of(SOFTWARE),
        .incarnation = sys_random64(),
        .max_body = STAGE_MAX_BODY,
        .open_max = STAGE_CALLS_MAX,
        .ping_ms = 250,
        .service = text_of(stage->hello.interface),
        .generation = 1,
        .artefact = text_of(stage->subject.plan->artefact),
        .settings_raw = settings,
    };
    wire_welcome_encode(&welcome, writer);
    const struct drover_text frames[] = {
        {octets, wire_header_encode(&header, octets, sizeof(octets))},
        {drover_writer_data(writer), drover_writer_size(writer)},
    };
    const bool sent = stage_send_frames(stage, frames, 2, finding);
    drover_writer_free(writer);
    return sent;
}

bool stage_ensure_ready(struct stage *stage, struct finding *finding)
{
    if (stage->is_ready && !subject_has_ended(&stage->subject))
        return true;
    stage->is_ready = stage_start(stage, finding) && stage_welcome(stage, stage->settings, finding) &&
                      stage_expect(stage, WIRE_READY, finding);
    return stage->is_ready;
}
