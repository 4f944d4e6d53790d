/* escape.c - tries one thing that a sandbox must not allow: `sandbox_escape WHAT [ARGUMENT...]`
 *
 * Exit status 0: it was done. 1: it was refused, and the reason is on standard output. 2: it was not understood. It
 * does no harm where it succeeds, and is built without sanitizers: it is to be as small as a driver can be.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 60
#define FORKS_MAX 200
#define IO_URING_PARAMS_SIZE 120

/* An attempt: true when it succeeded, else errno says why not. Arguments as on the command line. */
typedef bool attempt_fn(char **arguments);

static bool close_after(int fd, bool done)
{
    const int code = errno;

    if (fd >= 0)
        close(fd);
    errno = code;
    return done;
}

/* --- files ---------------------------------------------------------------------------------------------------------
 */

static bool try_read(char **arguments)
{
    char octet;
    const int fd = open(arguments[0], O_RDONLY);

    return fd >= 0 && close_after(fd, read(fd, &octet, 1) == 1);
}

static bool try_list(char **arguments)
{
    char entries[1024];
    const int fd = open(arguments[0], O_RDONLY | O_DIRECTORY);

    return fd >= 0 && close_after(fd, syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0);
}

static bool try_write(char **arguments)
{
    const int fd = open(arguments[0], O_WRONLY | O_CREAT | O_APPEND, 0600);

    return fd >= 0 && close_after(fd, write(fd, "x", 1) == 1);
}

static bool try_truncate(char **arguments)
{
    return truncate(arguments[0], 1) == 0;
}

static bool try_empty(char **arguments)
{
    const int fd = open(arguments[0], O_RDONLY | O_TRUNC);

    return fd >= 0 && close_after(fd, true);
}

/* A link in a folder of one's own, to a file outside, which is written to through it. */
static bool try_symlink(char **arguments)
{
    (void)unlink(arguments[1]);
    return symlink(arguments[0], arguments[1]) == 0 && try_write(arguments + 1);
}

static bool try_link(char **arguments)
{
    (void)unlink(arguments[1]);
    return link(arguments[0], arguments[1]) == 0;
}

static bool try_rename(char **arguments)
{
    return rename(arguments[0], arguments[1]) == 0;
}

/* Open a file of a folder by its number instead of its path. */
static bool try_handle(char **arguments)
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } file = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount_id;
    const int folder = open(arguments[0], O_RDONLY | O_DIRECTORY);

    if (name_to_handle_at(AT_FDCWD, arguments[1], &file.handle, &mount_id, 0) != 0)
        return close_after(folder, false);
    const int fd = open_by_handle_at(folder, &file.handle, O_RDONLY);
    return close_after(folder, close_after(fd, fd >= 0));
}

/* --- sockets -------------------------------------------------------------------------------------------------------
 */

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool try_tcp(char **arguments)
{
    const struct sockaddr_in to = loopback(arguments[0]);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd >= 0 && close_after(fd, connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
}

static bool try_udp(char **arguments)
{
    const struct sockaddr_in to = loopback(arguments[0]);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);

    return fd >= 0 && close_after(fd, sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)) == 1);
}

static bool try_listen(char **arguments)
{
    const struct sockaddr_in at = loopback("0");
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)arguments;
    return fd >= 0 && close_after(fd, bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0);
}

/* A family that is asked for with more bits than the kernel looks at. */
static bool try_wide(char **arguments)
{
    const long fd = syscall(SYS_socket, (1UL << 32) | AF_INET, SOCK_STREAM, 0);

    (void)arguments;
    return fd >= 0 && close_after((int)fd, true);
}

/* The address of a path, or of an abstract name (written with '@'). */
static socklen_t unix_address(const char *name, struct sockaddr_un *ret)
{
    const size_t size = strlen(name) < sizeof(ret->sun_path) ? strlen(name) : sizeof(ret->sun_path) - 1;

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, name, size);
    if (name[0] != '@')
        return (socklen_t)sizeof(*ret);
    ret->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static bool try_unix(char **arguments)
{
    struct sockaddr_un to;
    const socklen_t size = unix_address(arguments[0], &to);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return fd >= 0 && close_after(fd, connect(fd, (const struct sockaddr *)&to, size) == 0);
}

/* One end of a pair of sockets sends elsewhere. */
static bool try_pair(char **arguments)
{
    struct sockaddr_un to;
    const socklen_t size = unix_address(arguments[0], &to);
    int ends[2];

    return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0 &&
           close_after(ends[1],
                       close_after(ends[0], sendto(ends[0], "x", 1, 0, (const struct sockaddr *)&to, size) == 1));
}

/* --- other processes -----------------------------------------------------------------------------------------------
 */

static pid_t process_of(char **arguments)
{
    return (pid_t)strtol(arguments[0], NULL, 10);
}

static bool try_ptrace(char **arguments)
{
    const pid_t pid = process_of(arguments);

    return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
}

static bool try_environ(char **arguments)
{
    char path[64], *paths[] = {path, NULL};

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)process_of(arguments));
    return try_read(paths);
}

static bool try_kill(char **arguments)
{
    return kill(process_of(arguments), 0) == 0;
}

/* Take a descriptor of another process: its standard output. */
static bool try_take(char **arguments)
{
    const int process = (int)syscall(SYS_pidfd_open, process_of(arguments), 0);
    const int fd = process >= 0 ? (int)syscall(SYS_pidfd_getfd, process, STDOUT_FILENO, 0) : -1;

    return close_after(process, close_after(fd, fd >= 0));
}

/* --- the kernel ----------------------------------------------------------------------------------------------------
 */

static bool try_unshare(char **arguments)
{
    (void)arguments;
    return unshare(CLONE_NEWUSER) == 0;
}

static bool try_clone(char **arguments)
{
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

    (void)arguments;
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid((pid_t)pid, NULL, 0) == pid;
}

/* In a namespace of its own, so that it ends with the process. */
static bool try_mount(char **arguments)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", arguments[0], "tmpfs", 0, NULL) == 0;
}

static bool try_setns(char **arguments)
{
    const int fd = open("/proc/self/ns/net", O_RDONLY);

    (void)arguments;
    return fd >= 0 && close_after(fd, setns(fd, CLONE_NEWNET) == 0);
}

static bool try_uring(char **arguments)
{
    char parameters[IO_URING_PARAMS_SIZE] = {0};
    const long fd = syscall(SYS_io_uring_setup, 1, parameters);

    (void)arguments;
    return fd >= 0 && close_after((int)fd, true);
}

static bool try_keyring(char **arguments)
{
    (void)arguments;
    return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1) >= 0;
}

/* The way into a kernel of 64 bits that programs of 32 bits take; 20 is getpid() there. */
static bool try_int80(char **arguments)
{
    (void)arguments;
#ifdef __x86_64__
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result == getpid();
#else
    errno = ENOSYS;
    return false;
#endif
}

/* Become root by a program that is setuid. */
static bool try_setuid(char **arguments)
{
    execl(arguments[0], arguments[0], "euid", (char *)NULL);
    return false;
}

static bool try_euid(char **arguments)
{
    (void)arguments;
    errno = EPERM;
    return geteuid() == 0;
}

static bool try_descriptor(char **arguments)
{
    return fcntl((int)strtol(arguments[0], NULL, 10), F_GETFD) >= 0;
}

/* --- resources -----------------------------------------------------------------------------------------------------
 */

/* That many processes at once; they end with this one. */
static bool try_forks(char **arguments)
{
    const long wanted = strtol(arguments[0], NULL, 10);
    long count = 0;
    int ends[2], code = EINVAL;

    if (wanted > FORKS_MAX || pipe(ends) != 0)
        return false;
    for (; count < wanted; count++) {
        const pid_t pid = fork();
        if (pid < 0) {
            code = errno;
            break;
        }
        if (pid == 0) {
            char octet;
            close(ends[1]);
            _exit(read(ends[0], &octet, 1) == 0 ? 0 : 1); /* until the other end is closed */
        }
    }
    close(ends[1]);
    while (wait(NULL) > 0)
        ;
    errno = code;
    return count == wanted;
}

static bool try_memory(char **arguments)
{
    return mmap(NULL, strtoul(arguments[0], NULL, 10) << 20, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

/* A file of that many MiB, most of it a hole. */
static bool try_grow(char **arguments)
{
    const int fd = open(arguments[0], O_RDWR | O_CREAT | O_TRUNC, 0600);

    signal(SIGXFSZ, SIG_IGN);
    return fd >= 0 && close_after(fd, ftruncate(fd, (off_t)(strtoul(arguments[1], NULL, 10) << 20)) == 0);
}

/* So many seconds of processor time, whoever says that they are over. */
static bool try_burn(char **arguments)
{
    const long wanted = strtol(arguments[0], NULL, 10);
    struct rusage used = {0};

    signal(SIGXCPU, SIG_IGN);
    while (used.ru_utime.tv_sec + used.ru_stime.tv_sec < wanted)
        if (getrusage(RUSAGE_SELF, &used) != 0)
            return false;
    return true;
}

static bool try_open_many(char **arguments)
{
    for (long count = strtol(arguments[0], NULL, 10); count > 0; count--)
        if (dup(STDOUT_FILENO) < 0)
            return false;
    return true;
}

/* --- no attempts ---------------------------------------------------------------------------------------------------
 */

static bool do_nothing(char **arguments)
{
    (void)arguments;
    return true;
}

/* Say that it runs, and go on until standard input ends. */
static bool do_wait(char **arguments)
{
    char octet;

    (void)arguments;
    alarm(PATIENCE_S);
    return write(STDOUT_FILENO, "running\n", 8) == 8 && read(STDIN_FILENO, &octet, 1) == 0;
}

static bool print_environment(char **arguments)
{
    (void)arguments;
    for (char **entry = environ; *entry != NULL; entry++)
        puts(*entry);
    return true;
}

static const char *own_name;

static bool print_self(char **arguments)
{
    char path[256] = "", name[64] = "";

    (void)arguments;
    const int fd = open("/proc/self/comm", O_RDONLY);
    const bool is_read = readlink("/proc/self/exe", path, sizeof(path) - 1) > 0 && read(fd, name, sizeof(name) - 1) > 0;
    printf("exe %s\ncomm %sargv[0] %s\n", path, name, own_name);
    return is_read;
}

/* Only the file itself: what it is a copy of may be changed as its permissions say. */
static bool change_self(char **arguments)
{
    (void)arguments;
    const int fd = open("/proc/self/exe", O_WRONLY);
    return fd >= 0 && write(fd, "x", 1) == 1;
}

static bool print_file(char **arguments)
{
    char text[4096];
    const int fd = open(arguments[0], O_RDONLY);
    const ssize_t size = read(fd, text, sizeof(text));

    printf("%s: %.*s\n", arguments[0], size > 0 ? (int)size : 0, text);
    return size > 0;
}

static const struct {
    const char *name;
    int arguments;
    attempt_fn *attempt;
} table[] = {
    {"read", 1, try_read},
    {"list", 1, try_list},
    {"write", 1, try_write},
    {"truncate", 1, try_truncate},
    {"empty", 1, try_empty},
    {"symlink", 2, try_symlink},
    {"link", 2, try_link},
    {"rename", 2, try_rename},
    {"handle", 2, try_handle},
    {"tcp", 1, try_tcp},
    {"udp", 1, try_udp},
    {"listen", 0, try_listen},
    {"wide", 0, try_wide},
    {"unix", 1, try_unix},
    {"pair", 1, try_pair},
    {"ptrace", 1, try_ptrace},
    {"environ", 1, try_environ},
    {"kill", 1, try_kill},
    {"take", 1, try_take},
    {"unshare", 0, try_unshare},
    {"clone", 0, try_clone},
    {"mount", 1, try_mount},
    {"setns", 0, try_setns},
    {"uring", 0, try_uring},
    {"keyring", 0, try_keyring},
    {"int80", 0, try_int80},
    {"setuid", 1, try_setuid},
    {"euid", 0, try_euid},
    {"forks", 1, try_forks},
    {"memory", 1, try_memory},
    {"grow", 2, try_grow},
    {"burn", 1, try_burn},
    {"open-many", 1, try_open_many},
    {"descriptor", 1, try_descriptor},
    {"nothing", 0, do_nothing},
    {"wait", 0, do_wait},
    {"print-environment", 0, print_environment},
    {"print-self", 0, print_self},
    {"change-self", 0, change_self},
    {"print-file", 1, print_file},
};

int main(int argc, char **argv)
{
    own_name = argv[0];
    for (size_t i = 0; argc > 1 && i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, argv[1]) != 0 || table[i].arguments != argc - 2)
            continue;
        errno = 0;
        if (table[i].attempt(argv + 2))
            return 0;
        printf("%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fputs("usage: sandbox_escape WHAT [ARGUMENT...]\n", stderr);
    return 2;
}
