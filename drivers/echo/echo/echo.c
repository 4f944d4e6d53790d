/* echo.c - a driver for diagnosis, benchmarks and tests: it answers, waits, fails or dies as it is told
 *
 * Settings: `version`, a string or a number that `whoami` reports.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <drover/worker.h>

/* How long `sleep` sleeps before it asks again whether somebody still waits for it. */
#define SLICE_MS 10

struct echo {
    struct drover_writer *version; /* one value, as the settings have it */
};

/* ---- methods ---- */

static enum drover_status echo(struct drover_call *call)
{
    const struct drover_value *payload = drover_value_get(drover_call_request(call), "payload");
    struct drover_writer *reply = drover_call_reply(call);
    struct drover_text text = {.data = "", .size = 0};

    if (drover_value_type(payload) != DROVER_TYPE_NIL && !drover_value_text(payload, &text))
        return drover_call_fail(call, DROVER_INVALID_ARGUMENT, "payload: a string is expected, this is %s",
                                drover_type_name(drover_value_type(payload)));
    drover_write_map(reply, 1);
    drover_write_string(reply, "payload");
    drover_write_text(reply, text.data, text.size);
    return DROVER_OK;
}

/* A whole number of the request, 0 when absent. */
static enum drover_status read_number(struct drover_call *call, const char *key, uint64_t limit, uint64_t *ret)
{
    const struct drover_value *value = drover_value_get(drover_call_request(call), key);
    uint64_t number = 0;

    if (drover_value_type(value) != DROVER_TYPE_NIL && (!drover_value_uint64(value, &number) || number > limit))
        return drover_call_fail(call, DROVER_INVALID_ARGUMENT, "%s: a whole number from 0 to %llu is expected", key,
                                (unsigned long long)limit);
    *ret = number;
    return DROVER_OK;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum drover_status sleep_ms(struct drover_call *call)
{
    uint64_t ms = 0, start_ms = now_ms();

    if (read_number(call, "ms", UINT32_MAX, &ms) != DROVER_OK)
        return DROVER_INVALID_ARGUMENT;
    for (uint64_t gone_ms = 0; gone_ms < ms; gone_ms = now_ms() - start_ms) {
        if (drover_call_cancelled(call))
            return drover_call_fail(call, DROVER_CANCELLED, "woken after %llu of %llu ms: nobody waits any more",
                                    (unsigned long long)gone_ms, (unsigned long long)ms);
        uint64_t slice_ms = ms - gone_ms < SLICE_MS ? ms - gone_ms : SLICE_MS;
        nanosleep(&(struct timespec){.tv_nsec = (long)slice_ms * 1000000}, NULL);
    }
    return DROVER_OK;
}

static enum drover_status fail(struct drover_call *call)
{
    struct drover_text name = drover_value_get_text(drover_call_request(call), "status", "UNKNOWN");
    struct drover_text message = drover_value_get_text(drover_call_request(call), "message", "");
    enum drover_status status = DROVER_OK;
    char *word = drover_text_dup(name);
    int known = word ? drover_status_parse(word, &status) : -1;

    free(word);
    if (known != 0 || status == DROVER_OK)
        return drover_call_fail(call, DROVER_INVALID_ARGUMENT, "status: '%.*s' is no error's status (as in NOT_FOUND)",
                                (int)(name.size < 64 ? name.size : 64), name.data);
    return drover_call_fail(call, status, "%.*s", (int)(message.size < 4096 ? message.size : 4096), message.data);
}

static enum drover_status exit_now(struct drover_call *call)
{
    uint64_t code = 0;

    if (read_number(call, "code", 255, &code) != DROVER_OK)
        return DROVER_INVALID_ARGUMENT;
    fflush(NULL);
    _exit((int)code);
}

static enum drover_status abort_now(struct drover_call *call)
{
    (void)call;
    abort();
}

static enum drover_status log_line(struct drover_call *call)
{
    struct drover_text line = drover_value_get_text(drover_call_request(call), "line", "");
    struct drover_text stream = drover_value_get_text(drover_call_request(call), "stream", "stderr");
    FILE *out = drover_text_equals(stream, "stdout") ? stdout : stderr;

    if (out == stderr && !drover_text_equals(stream, "stderr"))
        return drover_call_fail(call, DROVER_INVALID_ARGUMENT, "stream: 'stdout' or 'stderr' is expected");
    fwrite(line.data, 1, line.size, out);
    fputc('\n', out);
    fflush(out);
    return DROVER_OK;
}

static enum drover_status whoami(struct drover_call *call)
{
    const struct drover_worker_info *worker = drover_call_worker(call);
    const struct echo *state = drover_call_state(call);
    struct drover_writer *reply = drover_call_reply(call);
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    drover_write_map(reply, 5);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, getpid());
    drover_write_string(reply, "host");
    drover_write_string(reply, host);
    drover_write_string(reply, "generation");
    drover_write_uint64(reply, worker->generation);
    drover_write_string(reply, "artefact");
    drover_write_string(reply, worker->artefact);
    drover_write_string(reply, "version");
    drover_write_raw(reply, drover_writer_data(state->version), drover_writer_size(state->version));
    return DROVER_OK;
}

/* ---- settings ---- */

static void release(void *state)
{
    struct echo *echo_state = state;

    drover_writer_free(echo_state->version);
    free(echo_state);
}

static enum drover_status check(const struct drover_value *settings, struct drover_error *error)
{
    for (size_t i = 0; i < drover_value_count(settings); i++) {
        const struct drover_value *key = drover_value_key(settings, i), *value = drover_value_at(settings, i);
        enum drover_type type = drover_value_type(value);
        struct drover_text name = {.data = "", .size = 0};

        if (!drover_value_text(key, &name) || !drover_text_equals(name, "version"))
            return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                    "setting '%.*s' is not known (there is one: 'version')",
                                    (int)(name.size < 64 ? name.size : 64), name.data);
        if (type != DROVER_TYPE_STRING && type != DROVER_TYPE_INT && type != DROVER_TYPE_DOUBLE)
            return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                    "setting 'version': a string or a number is expected, this is %s",
                                    drover_type_name(type));
    }
    return DROVER_OK;
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    const struct drover_value *version = drover_value_get(settings, "version");
    enum drover_status status = check(settings, error);

    if (status != DROVER_OK)
        return status;
    struct echo *state = calloc(1, sizeof(*state));
    if (state)
        state->version = drover_writer_new();
    if (!state || !state->version)
        goto fail;
    if (version)
        drover_write_value(state->version, version);
    else
        drover_write_string(state->version, "");
    if (!drover_writer_ok(state->version))
        goto fail;
    *ret_state = state;
    return DROVER_OK;

fail:
    if (state)
        release(state);
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory");
}

static const struct drover_method methods[] = {
    {.name = "echo", .run = echo, .idempotent = true},
    {.name = "sleep", .run = sleep_ms},
    {.name = "fail", .run = fail},
    {.name = "exit", .run = exit_now},
    {.name = "abort", .run = abort_now},
    {.name = "log", .run = log_line},
    {.name = "whoami", .run = whoami, .idempotent = true},
};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "echo",
    .interface_version = "1.0.0",
    .name = "echo",
    .version = DROVER_VERSION,
    .summary = "answers, waits, fails or dies as it is told; setting: version (what whoami reports)",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
    .configure = configure,
    .release = release,
};

DROVER_DRIVER(driver)
