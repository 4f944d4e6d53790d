/* hostile_driver.c - a driver for tests that tries what a driver must not be able to do
 *
 * Each method answers {errno}: 0 when it could be done. `read {path}`, `list {path}`, `write {path}`, `connect {port}`
 * (TCP on 127.0.0.1), `signal {pid}` (the one that does nothing), `trace {pid}`, `allocate {mib}`; `keep {text}` writes
 * into the service's own folder; `fork {most}` starts so many processes at once, or as many as it can.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drover/worker.h>

#define PROCESSES_MAX 20000

static char *text_of(struct drover_call *call, const char *key)
{
    return drover_text_dup(drover_value_get_text(drover_call_request(call), key, ""));
}

static uint64_t number_of(struct drover_call *call, const char *key)
{
    uint64_t number = 0;

    (void)drover_value_uint64(drover_value_get(drover_call_request(call), key), &number);
    return number;
}

/* How it ended: errno, unless it was done. */
static enum drover_status tell(struct drover_call *call, bool done)
{
    const int code = errno;
    struct drover_writer *reply = drover_call_reply(call);

    drover_write_map(reply, 1);
    drover_write_string(reply, "errno");
    drover_write_uint64(reply, done ? 0 : (uint64_t)code);
    return DROVER_OK;
}

static enum drover_status read_file(struct drover_call *call)
{
    char *path = text_of(call, "path"), octet;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && read(fd, &octet, 1) >= 0;

    if (fd >= 0)
        close(fd);
    free(path);
    return tell(call, done);
}

static enum drover_status list_folder(struct drover_call *call)
{
    char *path = text_of(call, "path");
    DIR *folder = opendir(path);
    const bool done = folder != NULL;

    if (done)
        closedir(folder);
    free(path);
    return tell(call, done);
}

static bool write_file(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool done = fd >= 0 && write(fd, "x", 1) == 1;

    if (fd >= 0)
        close(fd);
    return done;
}

static enum drover_status write_outside(struct drover_call *call)
{
    char *path = text_of(call, "path");
    const bool done = write_file(path);

    free(path);
    return tell(call, done);
}

static enum drover_status keep(struct drover_call *call)
{
    const char *folder = getenv("DROVER_STATE_DIR");
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/note", folder != NULL ? folder : "/nowhere");
    return tell(call, write_file(path));
}

static enum drover_status connect_tcp(struct drover_call *call)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)number_of(call, "port")),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool done = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    return tell(call, done);
}

static enum drover_status send_signal(struct drover_call *call)
{
    return tell(call, kill((pid_t)number_of(call, "pid"), 0) == 0);
}

static enum drover_status trace(struct drover_call *call)
{
    const pid_t pid = (pid_t)number_of(call, "pid");
    const bool done = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;

    if (done && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, NULL, __WALL) == pid)
        (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return tell(call, done);
}

static enum drover_status allocate(struct drover_call *call)
{
    void *memory = malloc((size_t)number_of(call, "mib") << 20);
    const bool done = memory != NULL;

    free(memory);
    return tell(call, done);
}

static enum drover_status fork_many(struct drover_call *call)
{
    static pid_t children[PROCESSES_MAX];
    const uint64_t most = number_of(call, "most");
    size_t count = 0;
    int code = 0;

    while (count < most && count < PROCESSES_MAX && (children[count] = fork()) > 0)
        count++;
    if (count < most && children[count] == 0)
        for (;;)
            pause();
    code = errno;
    for (size_t i = 0; i < count; i++)
        (void)kill(children[i], SIGKILL);
    for (size_t i = 0; i < count; i++)
        (void)waitpid(children[i], NULL, 0);
    errno = code;
    return tell(call, count == most);
}

static const struct drover_method methods[] = {
    {.name = "read", .run = read_file},      {.name = "list", .run = list_folder},
    {.name = "write", .run = write_outside}, {.name = "keep", .run = keep},
    {.name = "connect", .run = connect_tcp}, {.name = "signal", .run = send_signal},
    {.name = "trace", .run = trace},         {.name = "allocate", .run = allocate},
    {.name = "fork", .run = fork_many},
};

static const struct drover_driver driver = {
    .abi = DROVER_DRIVER_ABI,
    .interface = "hostile",
    .interface_version = "1.0.0",
    .name = "hostile",
    .version = "1.0.0",
    .summary = "tries what a driver must not be able to do",
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
};
DROVER_DRIVER(driver)
