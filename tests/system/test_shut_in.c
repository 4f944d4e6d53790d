/* test_shut_in.c - a hostile driver behind a real broker: what it tries is refused, and its broker does not mind
 *
 * Three services have the same driver: `shut`, with what every service has; `free`, without a sandbox, which shows that
 * an attempt would succeed; `nobody`, as another user where the test is root. What not even `free` can do on this
 * machine shows nothing, and is passed over.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/broker_rig.h"
#include "tests/support/caller.h"
#include "worker/launch/landlock.h"

#define HOSTILE "{driver: " DROVER_BINARY_DIR "/tests/hostile_driver, interface: hostile"
#define SIGNALS_ABI 6 /* the version of Landlock that keeps signals in */

static struct broker_rig rig;
static struct caller caller;
static struct broker_rig_service service;

static const char *const services[] = {"shut", "nobody"};
#define SERVICES (sizeof(services) / sizeof(services[0]))

static bool is_root(void)
{
    return geteuid() == 0;
}

static void make_folder(const char *name)
{
    const char *path = broker_rig_path(&rig, name);

    cr_assert_eq(mkdir(path, 0777), 0);
    cr_assert_eq(chmod(path, 0777), 0);
}

/* Others may pass through the rig's folder, or they would not even come to their broker. */
static void start(const char *grants)
{
    char text[1024];

    if (landlock_abi() == 0)
        cr_skip_test("this kernel has no Landlock");
    snprintf(text, sizeof(text),
             "  shut: " HOSTILE "%s}\n  nobody: " HOSTILE "%s%s}\n  free: " HOSTILE ", sandbox: off}\n"
             "  echo: {driver: echo}",
             grants, grants, is_root() ? ", user: nobody" : "");
    broker_rig_init(&rig, text);
    cr_assert_eq(chmod(rig.folder, 0711), 0);
    make_folder("data");
    make_folder("spool");
    broker_rig_write(&rig, "data/file", 0644, "data\n");
    broker_rig_start_and_await(&rig);
    caller_init(&caller, rig.endpoint);
}

/* Whatever a driver has tried: the others go on. */
static void end(void)
{
    cr_expect_gt(caller_ask_pid(&caller, "echo"), 0);
    caller_done(&caller);
    broker_rig_done(&rig);
}

TestSuite(shut_in, .fini = end);

static int ask(const char *name, struct caller_request request)
{
    request.service = name;
    return (int)caller_ask_number(&caller, &request, "errno");
}

/* Free it is done; shut in it is refused with this error, whoever the worker is. */
static void expect_refused(struct caller_request request, int error)
{
    const int free_error = ask("free", request);

    cr_expect(free_error == 0 || !is_root(), "free.%s: %s", request.method, strerror(free_error));
    if (free_error != 0) {
        printf("passed over, not even possible without a sandbox: %s: %s\n", request.method, strerror(free_error));
        return;
    }
    for (size_t i = 0; i < SERVICES; i++)
        cr_expect_eq(ask(services[i], request), error, "%s.%s: not refused with %s", services[i], request.method,
                     strerror(error));
}

static void expect_refused_path(const char *method, const char *path)
{
    expect_refused((struct caller_request){.method = method, .key = "path", .string = path}, EACCES);
}

static int listen_on_loopback(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 8) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

Test(shut_in, does_not_read_what_is_secret)
{
    start("");
    broker_rig_write(&rig, "key", 0600, "the key of the broker\n");
    expect_refused_path("read", "/etc/shadow");
    expect_refused_path("read", "/etc/passwd");
    expect_refused_path("read", broker_rig_path(&rig, "key"));
    expect_refused_path("read", rig.config);
}

Test(shut_in, does_not_look_into_the_folders_of_the_broker)
{
    start("");
    expect_refused_path("read", broker_rig_path(&rig, "state/lock"));
    expect_refused_path("list", broker_rig_path(&rig, "state"));
    expect_refused_path("list", broker_rig_path(&rig, "state/store"));
    expect_refused_path("list", broker_rig_path(&rig, "state/services"));
}

Test(shut_in, has_a_folder_of_its_own_and_no_other)
{
    const struct caller_request keep = {.method = "keep"};

    start("");
    for (size_t i = 0; i < SERVICES; i++)
        cr_expect_eq(ask(services[i], keep), 0);
    cr_expect_eq(ask("free", keep), 0);
    cr_expect_eq(access(broker_rig_path(&rig, "state/services/shut/note"), F_OK), 0);
    expect_refused_path("read", broker_rig_path(&rig, "state/services/free/note"));
    expect_refused_path("write", broker_rig_path(&rig, "state/services/free/note"));
    expect_refused_path("list", broker_rig_path(&rig, "state/services/free"));
}

Test(shut_in, does_not_write_outside)
{
    start("");
    expect_refused_path("write", broker_rig_path(&rig, "spool/file"));
    expect_refused_path("write", broker_rig_path(&rig, "data/another"));
}

Test(shut_in, does_not_reach_the_network)
{
    int port = 0;
    const int fd = listen_on_loopback(&port);

    start("");
    expect_refused((struct caller_request){.method = "connect", .key = "port", .number = (uint64_t)port}, EAFNOSUPPORT);
    close(fd);
}

Test(shut_in, does_not_trace_its_broker)
{
    start("");
    expect_refused((struct caller_request){.method = "trace", .key = "pid", .number = (uint64_t)rig.pid}, EPERM);
}

Test(shut_in, sends_no_signal_to_its_broker)
{
    if (landlock_abi() < SIGNALS_ABI)
        cr_skip_test("this needs Landlock ABI %d, the kernel has %u", SIGNALS_ABI, landlock_abi());
    start("");
    expect_refused((struct caller_request){.method = "signal", .key = "pid", .number = (uint64_t)rig.pid}, EPERM);
}

/* The kernel does not count the processes of root. */
Test(shut_in, runs_out_of_processes_alone)
{
    const struct caller_request fork = {.method = "fork", .key = "most", .number = 2000};

    start("");
    cr_expect_eq(ask("nobody", fork), EAGAIN);
    cr_expect_eq(ask("nobody", (struct caller_request){.method = "fork", .key = "most", .number = 100}), 0);
}

Test(shut_in, is_shown_with_the_layers_that_hold)
{
    char *text = NULL;

    start("");
    cr_expect_eq(broker_rig_drover(&rig, "status --json", &text), 0);
    cr_expect(strstr(text, "landlock seccomp limits") != NULL, "%s", text);
    cr_expect(strstr(text, "\"sandbox\": \"off\"") != NULL, "%s", text);
    free(text);
}

/* --- what is granted -----------------------------------------------------------------------------------------------
 */

static void expect_allowed(struct caller_request request)
{
    for (size_t i = 0; i < SERVICES; i++)
        cr_expect_eq(ask(services[i], request), 0, "%s.%s is granted", services[i], request.method);
}

Test(shut_in, does_what_is_granted)
{
    start(", grants: {read: [data], write: [spool], cpu: 1}");
    expect_allowed(
        (struct caller_request){.method = "read", .key = "path", .string = broker_rig_path(&rig, "data/file")});
    expect_refused_path("write", broker_rig_path(&rig, "data/another"));
    cr_expect_eq(
        ask("nobody",
            (struct caller_request){.method = "write", .key = "path", .string = broker_rig_path(&rig, "spool/file")}),
        0);
}

Test(shut_in, reaches_the_network_when_that_is_granted)
{
    int port = 0;
    const int fd = listen_on_loopback(&port);

    start(", grants: {network: outbound}");
    expect_allowed((struct caller_request){.method = "connect", .key = "port", .number = (uint64_t)port});
    close(fd);
}

Test(shut_in, has_no_more_memory_than_is_granted)
{
    if (broker_rig_is_sanitized())
        cr_skip_test("a sanitizer reserves terabytes of address space");
    start(", grants: {memory: 64MiB}");
    expect_refused((struct caller_request){.method = "allocate", .key = "mib", .number = 8192}, ENOMEM);
    expect_allowed((struct caller_request){.method = "allocate", .key = "mib", .number = 16});
}

/* --- the policy ----------------------------------------------------------------------------------------------------
 */

Test(shut_in, is_not_run_when_a_layer_is_missing_that_is_required)
{
    struct drover_error error = {0};

    broker_rig_init(&rig,
                    "  strict: " HOSTILE ", sandbox: required, grants: {network: loopback}, restart: {min: 10ms}}\n"
                    "  echo: {driver: echo}");
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
    broker_rig_await_state(&rig, "strict", "crashloop", &service);
    cr_expect(strstr(service.last_error, "loopback") != NULL, "%s", service.last_error);
    const struct caller_request keep = {.service = "strict", .method = "keep"};
    cr_expect_eq(caller_call(&caller, &keep, &error), DROVER_UNAVAILABLE);
    cr_expect(strstr(error.text, "loopback") != NULL, "%s", error.text);
}

Test(shut_in, is_not_run_as_a_user_that_there_is_not)
{
    broker_rig_init(&rig, "  lost: " HOSTILE ", user: nosuchuser, restart: {min: 10ms}}\n  echo: {driver: echo}");
    broker_rig_start(&rig);
    caller_init(&caller, rig.endpoint);
    broker_rig_await_state(&rig, "lost", "crashloop", &service);
    cr_expect(strstr(service.last_error, "no user 'nosuchuser'") != NULL, "%s", service.last_error);
}
