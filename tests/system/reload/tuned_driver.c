/* tuned_driver.c - a driver with settings that can be told apart, made in two forms: with TUNABLE it takes new ones as
 * it runs, without it a new process has to
 *
 * Settings: `word` (a string); `gate` (a FIFO: they are taken when an octet was read from it); `refuse` (true: they are
 * refused). Methods: `whoami {}` answers {version, pid, generation} as steady.h wants it, `word {}` {word, pid}; `hold
 * {}` answers when it has read an octet from the FIFO `gate` of its folder.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <drover/worker.h>

struct state {
    char *word;
};

static bool wait_at(struct drover_text path)
{
    char name[256], octet;

    snprintf(name, sizeof(name), "%.*s", (int)path.size, path.data);
    const int gate = open(name, O_RDONLY | O_CLOEXEC);
    const bool good = gate >= 0 && read(gate, &octet, 1) == 1;
    if (gate >= 0)
        close(gate);
    return good;
}

static enum drover_status take_settings(struct state *state, const struct drover_value *settings,
                                        struct drover_error *error)
{
    struct drover_text gate;
    bool refuse = false;

    (void)drover_value_bool(drover_value_get(settings, "refuse"), &refuse);
    if (drover_value_text(drover_value_get(settings, "gate"), &gate) && !wait_at(gate))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "setting 'gate': it cannot be read");
    if (refuse)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "setting 'refuse': as you wish");
    char *word = drover_text_dup(drover_value_get_text(settings, "word", ""));
    if (word == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory");
    free(state->word);
    state->word = word;
    return DROVER_OK;
}

static void release(void *pointer)
{
    struct state *state = pointer;

    if (state != NULL)
        free(state->word);
    free(state);
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    struct state *state = calloc(1, sizeof(*state));

    if (state == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory");
    if (take_settings(state, settings, error) != DROVER_OK) {
        release(state);
        return error->status;
    }
    *ret_state = state;
    return DROVER_OK;
}

#ifdef TUNABLE
static enum drover_status reconfigure(void *state, const struct drover_value *settings, struct drover_error *error)
{
    return take_settings(state, settings, error);
}
#endif

static enum drover_status whoami(struct drover_call *call)
{
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 3);
    drover_write_string(reply, "version");
    drover_write_uint64(reply, 1);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, getpid());
    drover_write_string(reply, "generation");
    drover_write_uint64(reply, drover_call_worker(call)->generation);
    return DROVER_OK;
}

static enum drover_status word(struct drover_call *call)
{
    const struct state *state = drover_call_state(call);
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 2);
    drover_write_string(reply, "word");
    drover_write_string(reply, state->word);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, getpid());
    return DROVER_OK;
}

static enum drover_status hold(struct drover_call *call)
{
    if (!wait_at((struct drover_text){.data = "gate", .size = 4}))
        return drover_call_fail(call, DROVER_INTERNAL, "the gate cannot be read");
    return word(call);
}

static const struct drover_method methods[] = {
    {.name = "whoami", .run = whoami}, {.name = "word", .run = word}, {.name = "hold", .run = hold}};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "versioned",
    .interface_version = "1.0.0",
    .name = "tuned",
    .version = "1.0.0",
    .summary = "answers its settings; settings: word, gate, refuse",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
    .configure = configure,
    .release = release,
#ifdef TUNABLE
    .reconfigure = reconfigure,
#endif
};
DROVER_DRIVER(driver)
