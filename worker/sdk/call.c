/* call.c - see call.h; the public functions are described in worker.h */
#include "worker/sdk/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/sys/sys.h"

/* Replies from this size on are handed to the socket as they are; below, copying is cheaper. */
#define GIVE_AWAY_FROM 65536
#define EMPTY_MAP "\x80"

struct drover_call {
    struct job *job;
    struct runner *runner;
    const struct drover_method *method;
    const struct drover_value *request, *metadata;
    const char *service;
    bool failed; /* drover_call_fail() has filled in job->error */
    char service_copy[WIRE_NAME_MAX + 1];
};

enum drover_status runner_init(struct runner *runner, const struct served *served, struct drover_error *error)
{
    *runner = (struct runner){.served = served, .reply = drover_writer_new()};
    enum drover_status status = runner->reply ? DROVER_OK : DROVER_RESOURCE_EXHAUSTED;

    if (status == DROVER_OK)
        status = drover_document_parse(NULL, 0, &runner->request, NULL);
    if (status == DROVER_OK)
        status = drover_document_parse(NULL, 0, &runner->metadata, NULL);
    if (status != DROVER_OK) {
        runner_done(runner);
        return drover_error_set(error, status, "worker: no memory");
    }
    return DROVER_OK;
}

void runner_done(struct runner *runner)
{
    runner->reply = drover_writer_free(runner->reply);
    runner->request = drover_document_free(runner->request);
    runner->metadata = drover_document_free(runner->metadata);
}

/* The job ends with an error that an executed (or at least started) call may end in. */
#define refuse(job, status, ...) job_fail(job, status, DROVER_OUTCOME_ANSWERED, __VA_ARGS__)

static bool find_method(struct drover_call *call)
{
    const struct served *served = call->runner->served;
    struct drover_text name = call->job->header.method;
    char word[WIRE_NAME_MAX + 1];

    call->method = served_method(served, name);
    if (call->method)
        return true;
    text_printable(name.data, name.size, word, sizeof(word));
    const char *nearest = served_nearest_method(served, word);
    refuse(call->job, DROVER_UNIMPLEMENTED, "driver '%s' has no method '%s'%s%s%s", served->driver->name, word,
           nearest ? " (nearest: '" : "", nearest ? nearest : "", nearest ? "')" : "");
    return false;
}

/* Parse a map into `document`; an error ends the job. */
static bool read_map(struct job *job, const char *what, const void *data, size_t size, struct drover_document *document)
{
    struct drover_error error; /* used only when parsing has filled it in */

    if (drover_document_reparse(document, data, size, &error) != DROVER_OK) {
        refuse(job, error.status, "%s: %s", what, error.text);
        return false;
    }
    enum drover_type type = drover_value_type(drover_document_root(document));
    if (type != DROVER_TYPE_MAP) {
        refuse(job, DROVER_INVALID_ARGUMENT, "%s: it is %s, not a map", what, drover_type_name(type));
        return false;
    }
    return true;
}

static bool read_request(struct drover_call *call)
{
    struct runner *runner = call->runner;
    struct job *job = call->job;
    struct drover_text metadata = job->header.metadata;

    if (!read_map(job, "request", zmq_msg_data(&job->body), zmq_msg_size(&job->body), runner->request))
        return false;
    call->request = drover_document_root(runner->request);
    if (!(job->header.flags & FIELD_METADATA))
        return true;
    if (!read_map(job, "metadata", metadata.data, metadata.size, runner->metadata))
        return false;
    call->metadata = drover_document_root(runner->metadata);
    return true;
}

/* The caller nearly always says the name that WELCOME said: then nothing is copied. */
static void name_service(struct drover_call *call)
{
    struct drover_text name = call->job->header.service;
    const char *usual = call->runner->served->info.service;

    call->service = usual;
    if (usual && drover_text_equals(name, usual))
        return;
    memcpy(call->service_copy, name.data, name.size);
    call->service_copy[name.size] = '\0';
    call->service = call->service_copy;
}

static void free_given_away(void *data, void *writer)
{
    (void)data;
    drover_writer_free(writer);
}

/* A large reply goes out of the writer's own memory; the runner gets a new writer. */
static bool give_away(struct runner *runner, zmq_msg_t *message)
{
    struct drover_writer *full = runner->reply, *fresh = drover_writer_new();

    if (!fresh)
        return false;
    if (zmq_msg_init_data(message, (void *)(uintptr_t)drover_writer_data(full), drover_writer_size(full),
                          free_given_away, full) != 0) {
        zmq_msg_init(message);
        drover_writer_free(fresh);
        return false;
    }
    runner->reply = fresh;
    return true;
}

static bool copy_out(const void *data, size_t size, zmq_msg_t *message)
{
    if (zmq_msg_init_size(message, size) != 0) {
        zmq_msg_init(message);
        return false;
    }
    memcpy(zmq_msg_data(message), data, size);
    return true;
}

static void reply_with(struct runner *runner, struct job *job)
{
    size_t size = drover_writer_size(runner->reply);
    bool sendable;

    if (!drover_writer_ok(runner->reply)) {
        refuse(job, DROVER_RESOURCE_EXHAUSTED, "reply: no memory for it");
        return;
    }
    if (size > runner->served->max_body) {
        refuse(job, DROVER_RESOURCE_EXHAUSTED,
               "reply: its %zu bytes are more than the %llu that the service may send (raise max_body)", size,
               (unsigned long long)runner->served->max_body);
        return;
    }
    zmq_msg_close(&job->reply);
    if (size == 0)
        sendable = copy_out(EMPTY_MAP, 1, &job->reply);
    else if (size >= GIVE_AWAY_FROM)
        sendable = give_away(runner, &job->reply);
    else
        sendable = copy_out(drover_writer_data(runner->reply), size, &job->reply);
    if (sendable)
        job->end = JOB_REPLY;
    else
        refuse(job, DROVER_RESOURCE_EXHAUSTED, "reply: no memory for it");
}

/* Turn what the method returned into the job's end. */
static void conclude(struct drover_call *call, enum drover_status status)
{
    struct job *job = call->job;

    if (status == DROVER_OK && !call->failed) {
        reply_with(call->runner, job);
        return;
    }
    if (status == DROVER_OK) /* the method failed the call and then forgot to say so */
        status = job->error.status;
    if ((unsigned)status >= DROVER_STATUS_END || status == DROVER_OK) {
        refuse(job, DROVER_INTERNAL, "driver '%s': method '%s' ended with %d, which is no error's status",
               call->runner->served->driver->name, call->method->name, (int)status);
        return;
    }
    if (!call->failed)
        job->error.text[0] = '\0';
    job->error.status = status;
    job->error.outcome = DROVER_OUTCOME_ANSWERED;
    job->error.origin = DROVER_ORIGIN_DRIVER;
    job->error.retry_after_ms = 0;
    job->end = JOB_ERROR;
}

static void run_method(struct runner *runner, struct job *job)
{
    struct drover_call call;

    call.job = job;
    call.runner = runner;
    call.metadata = NULL;
    call.failed = false;
    if (!find_method(&call) || !read_request(&call))
        return;
    name_service(&call);
    drover_writer_clear(runner->reply);
    conclude(&call, call.method->run(&call));
}

static void reply_with_nothing(struct runner *runner, struct job *job)
{
    drover_writer_clear(runner->reply);
    reply_with(runner, job);
}

static void run_reconfigure(struct runner *runner, struct job *job)
{
    if (!read_map(job, "settings", zmq_msg_data(&job->body), zmq_msg_size(&job->body), runner->request))
        return;
    job->error.text[0] = '\0';
    enum drover_status status = served_reconfigure(runner->served, drover_document_root(runner->request), &job->error);
    if (status == DROVER_OK) {
        reply_with_nothing(runner, job);
        return;
    }
    job->error.outcome = DROVER_OUTCOME_ANSWERED;
    job->error.origin = DROVER_ORIGIN_DRIVER;
    job->error.retry_after_ms = 0;
    job->end = JOB_ERROR;
}

/* A self-test that names no method has shown what it should by coming as far as here. */
void runner_run(struct runner *runner, struct job *job)
{
    if (job_is_alone(job))
        run_reconfigure(runner, job);
    else if (drover_text_equals(job->header.method, WIRE_NO_METHOD))
        reply_with_nothing(runner, job);
    else
        run_method(runner, job);
}

const struct drover_value *drover_call_request(const struct drover_call *call)
{
    return call->request;
}

struct drover_writer *drover_call_reply(struct drover_call *call)
{
    return call->runner->reply;
}

void *drover_call_state(const struct drover_call *call)
{
    return call->runner->served->state;
}

const char *drover_call_method(const struct drover_call *call)
{
    return call->method->name;
}

const char *drover_call_service(const struct drover_call *call)
{
    return call->service;
}

const struct drover_value *drover_call_metadata(const struct drover_call *call)
{
    return call->metadata;
}

uint32_t drover_call_time_left_ms(const struct drover_call *call)
{
    return job_time_left_ms(call->job, sys_now_ms());
}

/* At the deadline the broker tells the caller and sends CANCEL. A driver that gives up by its own clock must not be
 * faster, or its error would be the answer. */
#define DEADLINE_GRACE_MS 100

bool drover_call_cancelled(struct drover_call *call)
{
    const uint64_t now_ms = sys_now_ms();
    if (call->runner->look)
        call->runner->look(call->runner->context);
    return atomic_load_explicit(&call->job->cancelled, memory_order_relaxed) ||
           job_time_left_ms(call->job, now_ms > DEADLINE_GRACE_MS ? now_ms - DEADLINE_GRACE_MS : 0) == 0;
}

enum drover_status drover_call_fail(struct drover_call *call, enum drover_status status, const char *format, ...)
{
    struct drover_error *error = &call->job->error;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    error->status = status;
    call->failed = true;
    drover_writer_clear(call->runner->reply);
    return status;
}

const struct drover_worker_info *drover_call_worker(const struct drover_call *call)
{
    return &call->runner->served->info;
}
