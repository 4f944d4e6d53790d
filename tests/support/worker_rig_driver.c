/* worker_rig_driver.c - a driver whose methods show what the worker library does
 *
 * Settings: `refuse` (text: configure and reconfigure fail with it), `odd_status` (number: they fail with it as their
 * status), `value` (number: told by `configured`), `path` (text: reconfigure waits at that gate). With RIG_OLD its
 * table is one of layout 1.
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

struct state {
    uint64_t times, value; /* how often it was configured, and with which value */
};

static uint64_t asked_number(struct drover_call *call, const char *key)
{
    uint64_t number = 0;

    drover_value_uint64(drover_value_get(drover_call_request(call), key), &number);
    return number;
}

/* Wait until the test lets one through the FIFO `path`. */
static bool pass_gate(struct drover_text name)
{
    char *path = drover_text_dup(name);
    char pass;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd == -1 ? -1 : read(fd, &pass, 1);

    free(path);
    if (fd != -1)
        close(fd);
    return size == 1;
}

static enum drover_status gate(struct drover_call *call)
{
    if (!pass_gate(drover_value_get_text(drover_call_request(call), "path", "")))
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
    const struct state *state = drover_call_state(call);

    drover_write_map(drover_call_reply(call), 2);
    drover_write_string(drover_call_reply(call), "times");
    drover_write_uint64(drover_call_reply(call), state->times);
    drover_write_string(drover_call_reply(call), "value");
    drover_write_uint64(drover_call_reply(call), state->value);
    return DROVER_OK;
}

static enum drover_status take(struct state *state, const struct drover_value *settings, struct drover_error *error)
{
    struct drover_text refusal = drover_value_get_text(settings, "refuse", "");
    uint64_t odd_status = 0, value = 0;

    if (refusal.size > 0)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "%.*s", (int)refusal.size, refusal.data);
    if (drover_value_uint64(drover_value_get(settings, "odd_status"), &odd_status))
        return (enum drover_status)odd_status;
    (void)drover_value_uint64(drover_value_get(settings, "value"), &value);
    state->times++;
    state->value = value;
    return DROVER_OK;
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    static struct state state;

    *ret_state = &state;
    return take(&state, settings, error);
}

#if !defined(RIG_OLD)
static enum drover_status reconfigure(void *state, const struct drover_value *settings, struct drover_error *error)
{
    struct drover_text path = drover_value_get_text(settings, "path", "");

    if (path.size > 0 && !pass_gate(path))
        return drover_error_set(error, DROVER_INTERNAL, "the gate is broken");
    return take(state, settings, error);
}
#endif

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

#if defined(RIG_OLD)
/* Layout 1, and what happens to lie behind it. */
static const struct {
    uint32_t abi;
    const char *interface, *interface_version, *name, *version, *summary;
    const struct drover_method *methods;
    size_t method_count;
    unsigned concurrency;
    enum drover_status (*configure)(const struct drover_value *settings, void **ret_state, struct drover_error *error);
    void (*release)(void *state);
    const char *beyond;
} old = {
    .abi = 1,
    .beyond = "nobody may look here",
#else
static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .reconfigure = reconfigure,
#endif
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

#if defined(RIG_OLD)
#define driver (*(const struct drover_driver *)&old)
#endif
DROVER_DRIVER(driver)
