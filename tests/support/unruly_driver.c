/* unruly_driver.c - a driver for tests that behaves badly on purpose
 *
 * Settings: `stubborn: true` ignores SIGTERM. Methods: `hold {begun}` writes an octet to the FIFO `begun` and never
 * returns; `breed {}` starts a child that ignores SIGTERM, and tells its pid; `orphan {}` starts a child whose parent
 * ends at once, and tells its pid; the orphan ends when it reads the end of the FIFO named `until`; `flood {size}`
 * answers with so many octets.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drover/worker.h>

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        pause();
}

static char *text_of(struct drover_call *call, const char *key)
{
    return drover_text_dup(drover_value_get_text(drover_call_request(call), key, ""));
}

static enum drover_status hold(struct drover_call *call)
{
    char *path = text_of(call, "begun");
    const int fd = path != NULL ? open(path, O_WRONLY | O_CLOEXEC) : -1;

    free(path);
    if (fd < 0 || write(fd, "b", 1) != 1)
        return drover_call_fail(call, DROVER_INTERNAL, "begun: no FIFO");
    wait_for_ever();
}

static enum drover_status tell_pid(struct drover_call *call, pid_t pid)
{
    struct drover_writer *reply = drover_call_reply(call);

    if (pid <= 0)
        return drover_call_fail(call, DROVER_INTERNAL, "no process");
    drover_write_map(reply, 1);
    drover_write_string(reply, "pid");
    drover_write_int64(reply, pid);
    return DROVER_OK;
}

static enum drover_status breed(struct drover_call *call)
{
    const pid_t pid = fork();

    if (pid == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        wait_for_ever();
    }
    return tell_pid(call, pid);
}

/* The orphan's life: until the other side of the FIFO is closed. */
static _Noreturn void live_until(const char *path)
{
    char octet;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && read(fd, &octet, 1) > 0)
        ;
    _exit(0);
}

static enum drover_status orphan(struct drover_call *call)
{
    char *path = text_of(call, "until");
    int ends[2];
    pid_t orphan_pid = 0;

    if (path == NULL || pipe2(ends, O_CLOEXEC) != 0)
        return drover_call_fail(call, DROVER_INTERNAL, "no pipe");
    const pid_t parent = fork();
    if (parent == 0) {
        orphan_pid = fork();
        if (orphan_pid == 0)
            live_until(path);
        _exit(write(ends[1], &orphan_pid, sizeof(orphan_pid)) != (ssize_t)sizeof(orphan_pid));
    }
    close(ends[1]);
    if (read(ends[0], &orphan_pid, sizeof(orphan_pid)) != (ssize_t)sizeof(orphan_pid))
        orphan_pid = 0;
    close(ends[0]);
    free(path);
    while (waitpid(parent, NULL, 0) < 0 && errno == EINTR)
        ;
    return tell_pid(call, orphan_pid);
}

static enum drover_status flood(struct drover_call *call)
{
    uint64_t size = 0;

    (void)drover_value_uint64(drover_value_get(drover_call_request(call), "size"), &size);
    char *octets = calloc(size + 1, 1);
    if (octets == NULL)
        return drover_call_fail(call, DROVER_RESOURCE_EXHAUSTED, "no memory");
    drover_write_bytes(drover_call_reply(call), octets, size);
    free(octets);
    return DROVER_OK;
}

static enum drover_status configure(const struct drover_value *settings, void **ret_state, struct drover_error *error)
{
    bool stubborn = false;

    (void)ret_state;
    (void)error;
    if (drover_value_bool(drover_value_get(settings, "stubborn"), &stubborn) && stubborn)
        (void)signal(SIGTERM, SIG_IGN);
    return DROVER_OK;
}

static const struct drover_method methods[] = {
    {.name = "hold", .run = hold},
    {.name = "breed", .run = breed},
    {.name = "orphan", .run = orphan},
    {.name = "flood", .run = flood},
};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "unruly",
    .interface_version = "1.0.0",
    .name = "unruly",
    .version = "1.0.0",
    .summary = "behaves badly on purpose; setting: stubborn",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
    .configure = configure,
};
DROVER_DRIVER(driver)
