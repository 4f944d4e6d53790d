/* test_network.c - which sockets are reached from inside */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/system/sandbox/sandbox_rig.h"

TestSuite(sandbox_network, .init = rig_init, .fini = rig_done, .timeout = 60);

/* A socket of the test on loopback; tells its port. */
static const char *open_port(int type, char ret_port[8])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    cr_assert(type != SOCK_STREAM || listen(fd, 64) == 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(ret_port, 8, "%u", (unsigned)ntohs(at.sin_port));
    return ret_port;
}

/* A socket of the test with a path, to which everybody may connect. */
static const char *open_path(int type, const char *name)
{
    const char *path = rig_path(name);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    cr_assert(type != SOCK_STREAM || listen(fd, 64) == 0);
    cr_assert_eq(chmod(path, 0777), 0);
    return path;
}

static const char *open_abstract(char ret_name[64])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int length = snprintf(ret_name, 64, "@%s", rig.folder);

    memcpy(at.sun_path + 1, ret_name + 1, (size_t)length - 1);
    cr_assert(fd >= 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
    cr_assert_eq(listen(fd, 64), 0);
    return ret_name;
}

/* The attempt with a compile's network, which has no sockets at all. */
static void compile_refuses(const char *const *attempt)
{
    const char *const words[] = {rig_path("escape"), attempt[0], attempt[1], NULL};
    struct sandbox_compile compile = rig_compile();

    compile.common.command = words;
    cr_assert_eq(rig_run(AS_SELF, words).status, 0, "not even without a sandbox");
    const struct outcome outcome = rig_run_compile(AS_SELF, &compile);
    cr_expect_eq(outcome.status, RIG_REFUSED, "%s: %d: %s", attempt[0], outcome.status, outcome.output);
}

Test(sandbox_network, a_worker_reaches_no_port)
{
    const struct sandbox_worker worker = rig_worker();
    char port[8];

    rig_refuses(&worker, ATTEMPT("tcp", open_port(SOCK_STREAM, port)));
    rig_refuses(&worker, ATTEMPT("udp", open_port(SOCK_DGRAM, port)));
    rig_refuses(&worker, ATTEMPT("listen"));
    rig_refuses(&worker, ATTEMPT("wide"));
}

Test(sandbox_network, a_worker_reaches_its_broker)
{
    const char *path = open_path(SOCK_STREAM, "outside/socket");
    struct sandbox_worker worker = rig_worker();

    rig_allows(&worker, ATTEMPT("unix", path));
    worker.common.namespaces = true;
    rig_allows(&worker, ATTEMPT("unix", path));
}

Test(sandbox_network, a_worker_reaches_no_socket_without_a_path)
{
    const struct sandbox_worker worker = rig_worker();
    char name[64];

    rig_needs_landlock(6);
    rig_refuses(&worker, ATTEMPT("unix", open_abstract(name)));
}

Test(sandbox_network, a_worker_with_outbound_connects_but_does_not_listen)
{
    struct sandbox_worker worker = rig_worker();
    char port[8];

    worker.network = SANDBOX_NETWORK_OUTBOUND;
    rig_allows(&worker, ATTEMPT("tcp", open_port(SOCK_STREAM, port)));
    rig_allows(&worker, ATTEMPT("udp", open_port(SOCK_DGRAM, port)));
    rig_needs_landlock(4);
    rig_refuses(&worker, ATTEMPT("listen"));
}

Test(sandbox_network, loopback_is_not_promised_but_given)
{
    const char *const words[] = {rig_path("escape"), "nothing", NULL};
    struct sandbox_worker worker = rig_worker();
    char port[8];

    worker.network = SANDBOX_NETWORK_LOOPBACK;
    worker.common.command = words;
    const struct outcome outcome = rig_run_worker(AS_SELF, &worker);
    cr_expect_eq(outcome.status, 70);
    cr_expect(strstr(outcome.output, "loopback") != NULL, "%s", outcome.output);
    worker.common.policy = SANDBOX_BEST_EFFORT;
    rig_allows(&worker, ATTEMPT("tcp", open_port(SOCK_STREAM, port)));
}

Test(sandbox_network, a_compile_has_no_sockets_at_all)
{
    char port[8];

    compile_refuses(ATTEMPT("tcp", open_port(SOCK_STREAM, port)));
    compile_refuses(ATTEMPT("unix", open_path(SOCK_STREAM, "outside/socket")));
    compile_refuses(ATTEMPT("pair", open_path(SOCK_DGRAM, "outside/datagrams")));
}
