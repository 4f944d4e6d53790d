/* filter.c - see filter.h
 *
 * A list of what is refused, not of what is allowed: drivers are programs of other people, and what their C library
 * will call next year is not known. Whatever is of another architecture (32-bit calls) ends the process.
 *
 * Numbers are compared with 64 bits but many are used with 32; so what is refused is written such that set upper bits
 * do not get around it.
 */
#include "worker/launch/filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "worker/launch/sanitized.h"

#define EPERM_ACTION SCMP_ACT_ERRNO(EPERM)
#define FAMILY_ACTION SCMP_ACT_ERRNO(EAFNOSUPPORT)
#define SOCKET_TYPES 0xf
#define LOW_HALF 0xffffffffU
#define UNUSED 0 /* what a comparison with one number has as its second */

/* By name, since a library knows only the calls of its time: what it does not know is passed over. */
static const char *const refused[] = {
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    /* mounts and namespaces */
    "mount", "umount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr",
    /* around the checks of paths */
    "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    /* large or fragile parts of the kernel */
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key",
    "request_key", "keyctl", "lookup_dcookie", "modify_ldt",
    /* the machine itself */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff",
    "acct", "quotactl", "syslog", "vhangup", "iopl", "ioperm", "settimeofday", "clock_settime", "sethostname",
    "setdomainname"};

static const unsigned long namespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,   CLONE_NEWPID,
                                           CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

/* The search for leaks traces its own process; Landlock keeps it from others. */
static bool is_needed(const char *call)
{
    return IS_SANITIZED && strcmp(call, "ptrace") == 0;
}

static int refuse_calls(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const int number = seccomp_syscall_resolve_name(refused[i]);
        if (number == __NR_SCMP_ERROR || is_needed(refused[i]))
            continue;
        const int code = seccomp_rule_add(filter, EPERM_ACTION, number, 0);
        if (code < 0)
            return code;
    }
    return 0;
}

/* clone3() keeps its flags in memory, where no filter sees them. C libraries fall back to clone(). */
static int refuse_namespaces(scmp_filter_ctx filter)
{
    int code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; code == 0 && i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
        code = seccomp_rule_add(filter, EPERM_ACTION, SCMP_SYS(clone), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
    return code;
}

/* Typing into the terminal that it was started from. */
static int refuse_typing(scmp_filter_ctx filter)
{
    const int code =
        seccomp_rule_add(filter, EPERM_ACTION, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, TIOCSTI));

    return code < 0 ? code
                    : seccomp_rule_add(filter, EPERM_ACTION, SCMP_SYS(ioctl), 1,
                                       SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, TIOCLINUX));
}

static bool is_allowed(enum sandbox_network network, int family)
{
    const bool beyond = network == SANDBOX_NETWORK_LOOPBACK || network == SANDBOX_NETWORK_OUTBOUND;

    return family == AF_UNIX || (beyond && (family == AF_INET || family == AF_INET6 || family == AF_NETLINK));
}

/* No socket at all. A pair of datagram sockets would be one, too: each can send to any name. */
static int refuse_sockets(scmp_filter_ctx filter)
{
    static const int types[] = {SOCK_DGRAM, SOCK_RAW};
    int code = seccomp_rule_add(filter, FAMILY_ACTION, SCMP_SYS(socket), 0);

    for (size_t i = 0; code == 0 && i < sizeof(types) / sizeof(types[0]); i++)
        code = seccomp_rule_add(filter, FAMILY_ACTION, SCMP_SYS(socketpair), 1,
                                SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPES, (scmp_datum_t)types[i]));
    return code;
}

/* Of netlink only routing, which the resolver of the C library asks for the machine's addresses. */
static int refuse_families(scmp_filter_ctx filter, enum sandbox_network network)
{
    int last = 0, code = 0;

    if (network == SANDBOX_NETWORK_NONE)
        return refuse_sockets(filter);
    for (int family = 0; family <= AF_NETLINK; family++)
        last = is_allowed(network, family) ? family : last;
    for (int family = 0; code == 0 && family < last; family++)
        if (!is_allowed(network, family))
            code = seccomp_rule_add(filter, FAMILY_ACTION, SCMP_SYS(socket), 1,
                                    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family, UNUSED));
    if (code == 0)
        code = seccomp_rule_add(filter, FAMILY_ACTION, SCMP_SYS(socket), 1,
                                SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)last, UNUSED));
    if (code == 0 && is_allowed(network, AF_NETLINK))
        code = seccomp_rule_add(filter, FAMILY_ACTION, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, UNUSED),
                                SCMP_A2(SCMP_CMP_NE, 0, UNUSED));
    return code;
}

static int load(scmp_filter_ctx filter, const struct settings *settings)
{
    int code;

    if ((code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) < 0 ||
        (code = refuse_calls(filter)) < 0 || (code = refuse_namespaces(filter)) < 0 ||
        (code = refuse_typing(filter)) < 0 || (code = refuse_families(filter, settings->network)) < 0)
        return code;
    if (settings->processors > 0 && (code = seccomp_rule_add(filter, EPERM_ACTION, SCMP_SYS(sched_setaffinity), 0)) < 0)
        return code;
    return seccomp_load(filter);
}

void filter_enforce(const struct settings *settings, struct layers *layers)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const int code = filter != NULL ? load(filter, settings) : -ENOMEM;

    seccomp_release(filter);
    if (code < 0) {
        errno = -code;
        layers_note_failure(layers, LAYER_SECCOMP, "no filter of system calls");
        return;
    }
    layers_note(layers, LAYER_SECCOMP, LAYER_HELD, "network %s", sandbox_network_name(settings->network));
    /* A filter sees no addresses, Landlock sees ports only: who may have TCP here may have it anywhere. */
    if (settings->network == SANDBOX_NETWORK_LOOPBACK)
        layers_note(layers, LAYER_LOOPBACK, LAYER_MISSING, "nothing here keeps TCP on this machine; grant 'outbound'");
}
