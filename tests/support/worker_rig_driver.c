/* worker_rig_driver.c - a driver whose methods show what the worker library does
 *
 * Settings: `refuse` (text: configure fails with it), `odd_status` (number: configure fails with it as its status).
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drover/worker.h>

#ifndef RIG_CONCURRENCY
#define RIG_CONCURRENCY 1
#endif

static void answer_number(struct drover_call *call, const char *key, uint64_t number)
{
    drover_write_map(drover_call_reply(call), 1);
    drover_write_string(drover_call_reply(call), key);
    drover_write_uint64(drover_call_reply(call), number);
}

static uint64_t asked_number(struct drover_call *call, const char *key)
{
    uint64_t number = 0;

    drover_value_uint64(drover_value_get(drover_call_request(call), key), &number);
    return number;
}

/* Wait until the test lets one call through the FIFO `path`. */
static enum drover_status gate(struct drover_call *call)
{
    char *path = drover_text_dup(drover_value_get_text(drover_call_request(call), "path", ""));
    char pass;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd == -1 ? -1 : read(fd, &pass, 1);

    free(path);
    if (fd != -1)
        close(fd);
    if (size != 1)
        return drover_call_fail(call, DROVER_INTERNAL, "the gate is broken");
    return DROVER_OK;
}

/* Do nothing until somebody gives the call up. */
static enum drover_status hold(struct drover_call *call)
{
    drover_log(DROVER_LOG_INFO, "holding");
    while (!drover_call_cancelled(call))
        sched_yield();
    return drover_call_fail(call, DROVER_CANCELLED, "let go, %u ms left", drover_call_time_left_ms(call));
}

static enum drover_status big(struct drover_call *call)
{
    size_t size = asked_number(call, "size");
    char *text = malloc(size + 1);

    if (!text)
        return drover_call_fail(call, DROVER_RESOURCE_EXHAUSTED, "no memory");
    memset(text, 'b', size);
    drover_write_map(drover_call_reply(call), 1);
    drover_write_string(drover_call_reply(call), "text");
    drover_write_text(drover_call_reply(call), text, size);
    free(text);
    return DROVER_OK;
}

static enum drover_status nothing(struct drover_call *call)
{
    (void)call;
    return DROVER_OK;
}

/* Return a number as status, as a faulty driver might. */
static enum drover_status status(struct drover_call *call)
{
    return (enum drover_status)asked_number(call, "status");
}

static enum drover_status fail_and_forget(struct drover_call *call)
{
    drover_write_map(drover_call_reply(call), 17);
    (void)drover_call_fail(call, DROVER_ABORTED, "half way");
    return DROVER_OK;
}

static enum drover_status seen(struct drover_call *call)
{
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 7);
    drover_write_string(reply, "method");
    drover_write_string(reply, drover_call_method(call));
    drover_write_string(reply, "service");
    drover_write_string(reply, drover_call_service(call));
    drover_write_string(reply, "metadata");
    drover_write_value(reply, drover_call_metadata(call));
    drover_write_string(reply, "left_ms");
    drover_write_uint64(reply, drover_call_time_left_ms(call));
    drover_write_string(reply, "own_service");
    drover_write_string(reply, drover_call_worker(call)->service);
    drover_write_string(reply, "inherited");
    drover_write_bool(reply, getenv("DROVER_WORKER_ENDPOINT") != NULL);
    drover_write_string(reply, "request");
    drover_write_value(reply, drover_call_request(call));
    return DROVER_OK;
}

static enum drover_status configured(struct drover_call *call)
{
    answer_number(call, "times", *(const uint64_t *)drover_call_state(call));
    return DROVER_OK;
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    static uint64_t times;
    struct drover_text refusal = drover_value_get_text(settings, "refuse", "");
    uint64_t odd_status = 0;

    if (refusal.size > 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "%.*s", (int)refusal.size, refusal.data);
    if (drover_value_uint64(drover_value_get(settings, "odd_status"), &odd_status))
        return (enum drover_status)odd_status;
    times++;
    *ret_state = &times;
    return DROVER_OK;
}

static void release(void *state)
{
    (void)state;
    drover_log(DROVER_LOG_INFO, "released\nas one line");
}

static const struct drover_method methods[] = {
    {.name = "gate", .run = gate},
    {.name = "hold", .run = hold},
    {.name = "big", .run = big, .idempotent = true},
    {.name = "nothing", .run = nothing},
    {.name = "status", .run = status},
    {.name = "fail_and_forget", .run = fail_and_forget},
    {.name = "seen", .run = seen},
    {.name = "configured", .run = configured},
};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "rig",
    .interface_version = "2.1.0",
    .name = "rig",
    .version = "0.9",
    .summary = "shows what the worker library does",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
    .concurrency = RIG_CONCURRENCY,
    .configure = configure,
    .release = release,
};

DROVER_DRIVER(driver)
