/* handle_hello.c - HELLO, READY, CONFIG_ERROR: how peers come in */
#include <stdlib.h>
#include <string.h>

#include "broker/core/handle.h"
#include "broker/core/lease.h"
#include "broker/core/principal.h"
#include "broker/core/session.h"

/* Compare secrets in a time that does not depend on where they differ. */
static bool same_token(const uint8_t *a, const uint8_t *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < WIRE_TOKEN_SIZE; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

static struct worker *find_expected(const struct core *core, const struct wire_hello *hello)
{
    struct worker *found = NULL;
    for (struct worker *worker = core->workers; worker != NULL; worker = worker->hh.next) {
        if (hello->has_token && same_token(worker->token, hello->token))
            found = worker;
    }
    return found;
}

/* May a peer with this address administer the broker? Only local ones of the broker's own user, and root. */
static bool may_administer(const struct core *core, const char *address)
{
    uint64_t uid = 0;
    return principal_uid(address, &uid) && (uid == 0 || uid == core->settings.owner_uid);
}

/* What a client may send at most: what the service that takes most takes. 0 without services: not known yet. */
static uint64_t largest_body(const struct core *core)
{
    uint64_t largest = 0;
    for (const struct service *service = core->services; service != NULL; service = service->hh.next)
        largest = service->max_body > largest ? service->max_body : largest;
    return largest;
}

static void send_welcome(struct core *core, const struct session *session, const struct worker *worker)
{
    struct wire_welcome welcome = {
        .version = WIRE_VERSION,
        .session = session->id,
        .software = {.data = core->settings.software, .size = strlen(core->settings.software)},
        .incarnation = core->settings.incarnation,
        .max_body = worker != NULL ? worker->service->max_body : largest_body(core),
        .open_max = CORE_UNREAD_MAX,
        .ping_ms = CORE_CLIENT_PING_MS,
    };
    if (worker != NULL) {
        welcome.service = (struct drover_text){worker->service->name, strlen(worker->service->name)};
        welcome.generation = worker->generation;
        welcome.artefact = (struct drover_text){worker->artefact, strlen(worker->artefact)};
        welcome.settings_raw = (struct drover_text){worker->settings, worker->settings_size};
    }
    drover_writer_clear(core->writer);
    wire_welcome_encode(&welcome, core->writer);
    struct wire_header header = {.command = WIRE_WELCOME, .session = session->id};
    effects_send_copy(&core->effects, session->peer, &header, drover_writer_data(core->writer),
                      drover_writer_size(core->writer), core->settings.bodies);
}

/* A fresh session on a connection that may have had one before. */
static bool open_session(struct core *core, struct session *session, const struct incoming *incoming,
                         const struct wire_hello *hello)
{
    session_clear(core, session);
    session->principal = principal_get(core, incoming->message->address, session->peer);
    if (session->principal == NULL)
        return false;
    session->principal->sessions++;
    do
        session->id = core->settings.random(core->settings.context);
    while (session->id == 0);
    session->role = hello->role;
    session->state = WIRE_STATE_OPEN;
    const size_t size = hello->name.size < sizeof(session->name) ? hello->name.size : sizeof(session->name) - 1;
    if (size > 0)
        memcpy(session->name, hello->name.data, size);
    session->name[size] = '\0';
    return true;
}

static bool keep_methods(struct worker *worker, const struct wire_hello *hello)
{
    const size_t count = drover_value_count(hello->methods);
    worker->methods = calloc(count > 0 ? count : 1, sizeof(*worker->methods));
    if (worker->methods == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct drover_value *method = drover_value_at(hello->methods, i);
        worker->methods[i].name = drover_text_dup(drover_value_get_text(method, "name", ""));
        (void)drover_value_bool(drover_value_get(method, "idempotent"), &worker->methods[i].idempotent);
        if (worker->methods[i].name == NULL)
            return false;
        worker->method_count++;
    }
    return true;
}

/* Why a worker is not let in, in `error`; DROVER_OK when it is. */
static bool has_greeted(const struct worker *worker)
{
    return worker->session != NULL || worker->methods != NULL;
}

static enum drover_status judge_worker(const struct worker *worker, const struct wire_hello *hello,
                                       struct drover_error *error)
{
    if (worker == NULL)
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "no worker with this token is expected here; workers are started by the broker");
    if (has_greeted(worker))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "worker %llu of service '%s' has said HELLO already",
                                (unsigned long long)worker->number, worker->service->name);
    if (worker->closed)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "worker %llu of service '%s' is not wanted any more",
                                (unsigned long long)worker->number, worker->service->name);
    if (!drover_text_equals(hello->interface, worker->service->interface))
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "service '%s' wants interface '%s', but driver '%.*s' has interface '%.*s'",
                                worker->service->name, worker->service->interface, (int)hello->driver.size,
                                hello->driver.data, (int)hello->interface.size, hello->interface.data);
    return DROVER_OK;
}

/* Greeting twice is a fault, another interface a wrong configuration; one that comes too late has been told to go. */
static void report_refusal(struct core *core, const struct worker *worker, const struct drover_error *error)
{
    if (has_greeted(worker))
        effects_worker(&core->effects, EFFECT_WORKER_HUNG, worker->number, error->text);
    else if (!worker->closed)
        effects_worker(&core->effects, EFFECT_WORKER_CONFIG_ERROR, worker->number, error->text);
}

static void hello_worker(struct core *core, struct session *session, const struct incoming *incoming,
                         const struct wire_hello *hello)
{
    struct worker *worker = find_expected(core, hello);
    struct drover_error error = {0};
    const uint64_t peer = session->peer;
    if (judge_worker(worker, hello, &error) != DROVER_OK) {
        session_refuse(core, peer, 0, &error);
        if (worker != NULL)
            report_refusal(core, worker, &error);
        if (session->worker == NULL) /* a worker's own session ends with its process */
            session_end(core, session);
        return;
    }
    if (!open_session(core, session, incoming, hello) || !keep_methods(worker, hello)) {
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "the broker has no memory for this worker");
        error.retry_after_ms = 1000;
        session_refuse(core, peer, 0, &error);
        session_end(core, session);
        return;
    }
    worker->session = session;
    session->worker = worker;
    worker->concurrency = hello->concurrency;
    worker->window = hello->concurrency;
    worker->reconfigures = hello->reconfigures;
    send_welcome(core, session, worker);
}

static void hello_client(struct core *core, struct session *session, const struct incoming *incoming,
                         const struct wire_hello *hello)
{
    struct drover_error error = {0};
    if (hello->role == WIRE_ROLE_ADMIN && !may_administer(core, incoming->message->address)) {
        (void)drover_error_set(&error, DROVER_PERMISSION_DENIED,
                               "only local users root and the broker's own (uid %llu) may administer this broker",
                               (unsigned long long)core->settings.owner_uid);
        session_refuse(core, session->peer, 0, &error);
        session_end(core, session);
        return;
    }
    if (!open_session(core, session, incoming, hello)) {
        (void)drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "the broker has no memory for this client");
        error.retry_after_ms = 1000;
        session_refuse(core, session->peer, 0, &error);
        session_end(core, session);
        return;
    }
    send_welcome(core, session, NULL);
}

/* Whoever started such a worker is told too: it may end without a word. */
static void refuse_version(struct core *core, struct session *session, const struct wire_hello *hello)
{
    struct drover_error error = {0}, reason = {0};
    const unsigned long long min = hello->version_min, max = hello->version_max;
    const struct worker *worker = hello->role == WIRE_ROLE_WORKER ? find_expected(core, hello) : NULL;
    (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION,
                           "you speak protocol versions %llu to %llu, this broker speaks %d", min, max, WIRE_VERSION);
    (void)drover_error_set(&reason, DROVER_FAILED_PRECONDITION,
                           "driver '%.*s' speaks protocol versions %llu to %llu, this broker speaks %d",
                           (int)hello->driver.size, hello->driver.data, min, max, WIRE_VERSION);
    session_refuse(core, session->peer, 0, &error);
    if (worker != NULL)
        report_refusal(core, worker, &reason);
    if (session->worker == NULL) /* a worker's own session ends with its process */
        session_end(core, session);
}

void handle_hello(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct wire_hello hello = {0};
    struct drover_error error = {0};
    const void *data = core->settings.bodies->data(incoming->body);
    if (drover_document_reparse(core->document, data, incoming->body->size, &error) != DROVER_OK ||
        wire_hello_decode(core->document, &hello, &error) != DROVER_OK) {
        handle_breach(core, session, 0, &error);
        return;
    }
    if (hello.version_min > WIRE_VERSION || hello.version_max < WIRE_VERSION) {
        refuse_version(core, session, &hello);
        return;
    }
    if (session->worker != NULL && hello.role != WIRE_ROLE_WORKER) {
        (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "this connection is that of worker %llu",
                               (unsigned long long)session->worker->number);
        handle_breach(core, session, 0, &error);
        return;
    }
    if (hello.role == WIRE_ROLE_WORKER)
        hello_worker(core, session, incoming, &hello);
    else
        hello_client(core, session, incoming, &hello);
}

void handle_ready(struct core *core, struct session *session, const struct incoming *incoming)
{
    (void)incoming;
    struct worker *worker = session->worker;
    session->state = worker->closed ? WIRE_STATE_DRAINING : WIRE_STATE_READY;
    worker->ready = true;
    effects_worker(&core->effects, EFFECT_WORKER_READY, worker->number, "");
    lease_pump(core, worker->service);
}

void handle_config_error(struct core *core, struct session *session, const struct incoming *incoming)
{
    struct drover_error error = {0};
    wire_header_get_error(incoming->header, &error);
    effects_worker(&core->effects, EFFECT_WORKER_CONFIG_ERROR, session->worker->number, error.text);
}
