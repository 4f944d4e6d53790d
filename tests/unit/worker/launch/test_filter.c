/* test_filter.c - seccomp alone: each call is made such that it could do nothing, and must fail of the filter before
 *
 * What the filter refuses is refused by other layers as well for most users; here there are none.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/launch/filter.h"
#include "worker/launch/sanitized.h"

#define NO_PROCESS 0x7ffffff0
#define WIDE (1UL << 32)

static void shut_in(enum sandbox_network network)
{
    struct layers layers = {0};

    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    const struct settings settings = {.network = network};
    filter_enforce(&settings, &layers);
    if (layers.of[LAYER_SECCOMP].state != LAYER_HELD)
        cr_skip_test("no seccomp here: %s", layers.of[LAYER_SECCOMP].text);
}

static int error_of(long number, unsigned long a, unsigned long b, unsigned long c)
{
    errno = 0;
    return syscall(number, a, b, c, 0, 0, 0) < 0 ? errno : 0;
}

#define FAILS(error, number, a, b, c) cr_expect_eq(error_of(number, a, b, c), error, #number ": %d", errno)

/* Free, each fails of its argument or does nothing. */
static const struct {
    const char *name;
    long number;
    unsigned long first, second;
} calls[] = {
    {"process_vm_readv", SYS_process_vm_readv, NO_PROCESS, 0},
    {"kcmp", SYS_kcmp, NO_PROCESS, NO_PROCESS},
    {"pidfd_getfd", SYS_pidfd_getfd, ~0UL, 0},
    {"unshare", SYS_unshare, 0, 0},
    {"setns", SYS_setns, ~0UL, 0},
    {"name_to_handle_at", SYS_name_to_handle_at, ~0UL, 0},
};

Test(filter, refuses_calls_that_nobody_needs)
{
    int before[sizeof(calls) / sizeof(calls[0])];

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        before[i] = error_of(calls[i].number, calls[i].first, calls[i].second, 0);
    shut_in(SANDBOX_NETWORK_NONE);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect_neq(before[i], EPERM, "%s is refused without a filter, too", calls[i].name);
        cr_expect_eq(error_of(calls[i].number, calls[i].first, calls[i].second, 0), EPERM, "%s", calls[i].name);
    }
}

Test(filter, refuses_to_trace_except_to_a_sanitizer)
{
    shut_in(SANDBOX_NETWORK_NONE);
    cr_expect_eq(error_of(SYS_ptrace, 7, NO_PROCESS, 0), IS_SANITIZED ? ESRCH : EPERM);
}

Test(filter, refuses_namespaces_whatever_else_is_asked_for)
{
    shut_in(SANDBOX_NETWORK_NONE);
    FAILS(EPERM, SYS_clone, CLONE_NEWUSER, 0, 0);
    FAILS(EPERM, SYS_clone, CLONE_NEWNET | CLONE_NEWPID | WIDE, 0, 0);
    FAILS(ENOSYS, SYS_clone3, 0, 0, 0);
}

Test(filter, refuses_typing_into_terminals)
{
    cr_expect_eq(error_of(SYS_ioctl, ~0UL, TIOCSTI, 0), EBADF);
    shut_in(SANDBOX_NETWORK_NONE);
    FAILS(EPERM, SYS_ioctl, ~0UL, TIOCSTI, 0);
    FAILS(EPERM, SYS_ioctl, ~0UL, TIOCSTI | WIDE, 0);
    FAILS(EBADF, SYS_ioctl, ~0UL, FIONREAD, 0);
}

/* Is a socket of this family refused because of its family? */
#define REFUSES(family, protocol) FAILS(EAFNOSUPPORT, SYS_socket, family, SOCK_DGRAM, protocol)
#define ALLOWS(family, protocol) FAILS(0, SYS_socket, family, SOCK_DGRAM, protocol)

Test(filter, without_network_refuses_all_sockets_but_connected_pairs)
{
    int ends[2];

    shut_in(SANDBOX_NETWORK_NONE);
    REFUSES(AF_UNIX, 0);
    REFUSES(AF_INET, 0);
    cr_expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_expect_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), -1);
    cr_expect_eq(socketpair(AF_UNIX, SOCK_RAW, 0, ends), -1);
}

Test(filter, with_unix_refuses_every_other_family)
{
    shut_in(SANDBOX_NETWORK_UNIX);
    ALLOWS(AF_UNIX, 0);
    REFUSES(AF_INET, 0);
    REFUSES(AF_INET6, 0);
    REFUSES(AF_NETLINK, 0);
    REFUSES(AF_PACKET, 0);
    REFUSES(AF_VSOCK, 0);
    REFUSES(AF_INET | WIDE, 0);
}

Test(filter, with_outbound_allows_the_internet_and_asking_for_addresses)
{
    shut_in(SANDBOX_NETWORK_OUTBOUND);
    ALLOWS(AF_UNIX, 0);
    ALLOWS(AF_INET, 0);
    ALLOWS(AF_NETLINK, 0);
    REFUSES(AF_NETLINK, 9); /* audit */
    REFUSES(AF_NETLINK, WIDE);
    REFUSES(AF_PACKET, 0);
    REFUSES(AF_ALG, 0);
    REFUSES(AF_VSOCK, 0);
}
