/* versioned_driver.c - a driver that says which version it is, and fails in the way it was told when it was compiled
 *
 * Lines put before this file (`source` of reload_rig.h does so) make a version of it, and a bad one:
 *
 *     #define VERSION 7            what whoami answers; 1 if there is no such line
 *     #define CONCURRENCY 4        calls at once; 1
 *     #define INTERFACE "other"    "versioned"
 *     #define CRASH_AT_START       dies before it has said a word
 *     #define HANG_AT_START        says nothing, for ever
 *     #define CRASH_AFTER 100      dies in the call of whoami after so many
 *     #define PROBE DROVER_DATA_LOSS   what the method probe answers; DROVER_OK
 *
 * Methods: `whoami {}` answers {version, pid, generation, artefact}; `take {ms}` takes so long, then answers like
 * whoami; `probe {}` is for self-tests; `crash {}` dies. The setting `word` (a string) is answered by `word {}`.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <drover/worker.h>

#ifndef VERSION
#define VERSION 1
#endif
#ifndef CONCURRENCY
#define CONCURRENCY 1
#endif
#ifndef INTERFACE
#define INTERFACE "versioned"
#endif
#ifndef PROBE
#define PROBE DROVER_OK
#endif
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* Nothing ever happens to no descriptor. */
static void let_pass(int ms)
{
    struct pollfd none = {.fd = -1};

    (void)poll(&none, 1, ms);
}

#ifdef CRASH_AT_START
__attribute__((constructor)) static void crash_at_start(void)
{
    abort();
}
#endif

#ifdef HANG_AT_START
__attribute__((constructor)) static void hang_at_start(void)
{
    for (;;)
        let_pass(-1);
}
#endif

static enum drover_status tell(struct drover_call *call)
{
    const struct drover_worker_info *worker = drover_call_worker(call);
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 4);
    drover_write_string(reply, "version");
    drover_write_uint64(reply, VERSION);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, getpid());
    drover_write_string(reply, "generation");
    drover_write_uint64(reply, worker->generation);
    drover_write_string(reply, "artefact");
    drover_write_string(reply, worker->artefact);
    return DROVER_OK;
}

static enum drover_status whoami(struct drover_call *call)
{
#ifdef CRASH_AFTER
    static unsigned calls;

    if (++calls > CRASH_AFTER)
        abort();
#endif
    return tell(call);
}

static enum drover_status take(struct drover_call *call)
{
    uint64_t ms = 0;

    (void)drover_value_uint64(drover_value_get(drover_call_request(call), "ms"), &ms);
    let_pass((int)ms);
    return tell(call);
}

static enum drover_status probe(struct drover_call *call)
{
    const enum drover_status status = PROBE;

    return status == DROVER_OK ? DROVER_OK : drover_call_fail(call, status, "version " TEXT(VERSION) " is not well");
}

static enum drover_status crash(struct drover_call *call)
{
    (void)call;
    abort();
}

static enum drover_status word(struct drover_call *call)
{
    const char *text = drover_call_state(call);

    drover_write_map(drover_call_reply(call), 1);
    drover_write_string(drover_call_reply(call), "word");
    drover_write_string(drover_call_reply(call), text != NULL ? text : "");
    return DROVER_OK;
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    (void)error;
    *ret_state = drover_text_dup(drover_value_get_text(settings, "word", ""));
    return DROVER_OK;
}

static const struct drover_method methods[] = {
    {.name = "whoami", .run = whoami}, {.name = "take", .run = take}, {.name = "probe", .run = probe},
    {.name = "crash", .run = crash},   {.name = "word", .run = word},
};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = INTERFACE,
    .interface_version = "1.0.0",
    .name = "versioned",
    .version = TEXT(VERSION) ".0.0",
    .summary = "says which version it is; setting: word",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
    .concurrency = CONCURRENCY,
    .configure = configure,
    .release = free,
};
DROVER_DRIVER(driver)
