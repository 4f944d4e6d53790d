/* landlock.c - see landlock.h
 *
 * Source: the kernel's userspace-api/landlock. The headers of the system may be older than its kernel, so what came
 * after version 1 is defined here where it is missing; a kernel is told of no more than its version knows.
 */
#include "worker/launch/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_RIGHTS ((UINT64_C(1) << 13) - 1) /* of version 1 */
#define RIGHT_REFER (UINT64_C(1) << 13)        /* 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)     /* 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)    /* 5 */
#define TCP_BIND UINT64_C(1)                   /* 4 */
#define TCP_CONNECT UINT64_C(2)                /* 4 */
#define SCOPE_ABSTRACT UINT64_C(1)             /* 6 */
#define SCOPE_SIGNAL UINT64_C(2)               /* 6 */

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_DEVICES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | RIGHT_IOCTL_DEV)
#define RIGHTS_OF_A_FILE                                                                                          \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | \
     RIGHT_IOCTL_DEV)

/* struct landlock_ruleset_attr as of version 6. */
struct ruleset {
    uint64_t files, tcp, scope;
};

unsigned landlock_abi(void)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version > 0 ? (unsigned)version : 0;
}

uint64_t landlock_handled(unsigned abi)
{
    uint64_t rights = abi >= 1 ? FIRST_RIGHTS : 0;

    rights |= abi >= 2 ? RIGHT_REFER : 0;
    rights |= abi >= 3 ? RIGHT_TRUNCATE : 0;
    rights |= abi >= 5 ? RIGHT_IOCTL_DEV : 0;
    return rights;
}

uint64_t landlock_granted(unsigned abi, enum grant grant, bool is_folder)
{
    uint64_t rights = RIGHTS_READ;

    if (grant == GRANT_EXEC)
        rights |= LANDLOCK_ACCESS_FS_EXECUTE;
    else if (grant == GRANT_WRITE)
        rights = landlock_handled(abi) & ~(LANDLOCK_ACCESS_FS_EXECUTE | RIGHTS_DEVICES);
    if (!is_folder)
        rights &= RIGHTS_OF_A_FILE;
    return rights & landlock_handled(abi);
}

/* Who may connect may still not listen. */
static uint64_t refused_tcp(enum sandbox_network network)
{
    switch (network) {
    case SANDBOX_NETWORK_NONE:
    case SANDBOX_NETWORK_UNIX:
        return TCP_BIND | TCP_CONNECT;
    case SANDBOX_NETWORK_LOOPBACK:
    case SANDBOX_NETWORK_OUTBOUND:
        return TCP_BIND;
    }
    return TCP_BIND | TCP_CONNECT;
}

static int create_rules(unsigned abi, enum sandbox_network network)
{
    const struct ruleset ruleset = {
        .files = landlock_handled(abi), .tcp = refused_tcp(network), .scope = SCOPE_ABSTRACT | SCOPE_SIGNAL};
    const size_t size = abi >= 6   ? sizeof(ruleset)
                        : abi >= 4 ? offsetof(struct ruleset, scope)
                                   : offsetof(struct ruleset, tcp);

    return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
}

/* A rule for an open file or folder. Returns 0, or the errno of what failed. */
static int add_rule(int rules_fd, unsigned abi, enum grant grant, int fd)
{
    struct stat found;

    if (fstat(fd, &found) != 0)
        return errno;
    if (S_ISLNK(found.st_mode)) /* what O_PATH with O_NOFOLLOW opens */
        return ELOOP;
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = landlock_granted(abi, grant, S_ISDIR(found.st_mode)), .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, rules_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : errno;
}

static enum drover_status refuse(struct drover_error *error, const char *path, int code)
{
    if (code == ELOOP)
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "cannot grant '%s': a symbolic link is not granted for writing, name what it means",
                                path);
    const enum drover_status status = code == ENOENT   ? DROVER_NOT_FOUND
                                      : code == EACCES ? DROVER_PERMISSION_DENIED
                                                       : DROVER_INTERNAL;
    return drover_error_set(error, status, "cannot grant '%s': %s", path, strerror(code));
}

/* A link in the place of a folder that is to be written to may be somebody's trick; below the system's folders links
 * are normal. */
static enum drover_status grant_path(int rules_fd, struct layers *layers, enum grant grant, const char *path,
                                     struct drover_error *error)
{
    const int flags = O_PATH | O_CLOEXEC | (grant == GRANT_WRITE ? O_NOFOLLOW : 0);
    const int fd = open(path, flags);

    if (fd < 0 && grant != GRANT_WRITE && (errno == ENOENT || errno == ENOTDIR)) {
        layers_note_absent(layers, path);
        return DROVER_OK;
    }
    if (fd < 0)
        return refuse(error, path, errno);
    const int code = add_rule(rules_fd, layers->landlock_abi, grant, fd);
    close(fd);
    return code == 0 ? DROVER_OK : refuse(error, path, code);
}

static enum drover_status grant_paths(int rules_fd, struct layers *layers, enum grant grant,
                                      const struct option_list *paths, struct drover_error *error)
{
    enum drover_status status = DROVER_OK;

    for (size_t i = 0; status == DROVER_OK && i < paths->count; i++)
        status = grant_path(rules_fd, layers, grant, paths->items[i], error);
    return status;
}

/* Who is told to run a program may read and execute its file. One in memory needs no rule, and can have none (EBADFD).
 */
static enum drover_status grant_program(int rules_fd, const struct settings *settings, const struct sealed *sealed,
                                        struct layers *layers, struct drover_error *error)
{
    if (sealed->fd < 0 || sealed->is_module)
        return grant_path(rules_fd, layers, GRANT_EXEC, settings->command[0], error);
    const int code = add_rule(rules_fd, layers->landlock_abi, GRANT_EXEC, sealed->fd);
    return code == 0 || code == EBADFD ? DROVER_OK : refuse(error, settings->command[0], code);
}

enum drover_status landlock_prepare(const struct settings *settings, const struct sealed *sealed, struct layers *layers,
                                    int *ret_fd, struct drover_error *error)
{
    enum drover_status status;

    *ret_fd = -1;
    layers->landlock_abi = landlock_abi();
    if (layers->landlock_abi == 0) {
        layers_note(layers, LAYER_LANDLOCK, LAYER_MISSING, "this kernel has no Landlock");
        return DROVER_OK;
    }
    const int fd = create_rules(layers->landlock_abi, settings->network);
    if (fd < 0)
        return drover_error_set(error, DROVER_INTERNAL, "no Landlock rules: %s", strerror(errno));
    if ((status = grant_paths(fd, layers, GRANT_READ, &settings->read, error)) != DROVER_OK ||
        (status = grant_paths(fd, layers, GRANT_EXEC, &settings->exec, error)) != DROVER_OK ||
        (status = grant_paths(fd, layers, GRANT_WRITE, &settings->write, error)) != DROVER_OK ||
        (status = grant_program(fd, settings, sealed, layers, error)) != DROVER_OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return DROVER_OK;
}

static void note_part(struct layers *layers, enum layer layer, unsigned since, const char *what)
{
    if (layers->landlock_abi >= since)
        layers_note(layers, layer, LAYER_HELD, "%s", what);
    else
        layers_note(layers, layer, LAYER_MISSING, "needs Landlock ABI %u, this kernel has %u", since,
                    layers->landlock_abi);
}

void landlock_enforce(int rules_fd, struct layers *layers)
{
    if (rules_fd < 0)
        return; /* noted */
    if (syscall(SYS_landlock_restrict_self, rules_fd, 0) != 0) {
        layers_note_failure(layers, LAYER_LANDLOCK, "landlock_restrict_self");
        return;
    }
    layers_note(layers, LAYER_LANDLOCK, LAYER_HELD, "ABI %u", layers->landlock_abi);
    note_part(layers, LAYER_LANDLOCK_TRUNCATE, 3, "truncate(2)");
    note_part(layers, LAYER_LANDLOCK_TCP, 4, "TCP ports");
    note_part(layers, LAYER_LANDLOCK_SCOPE, 6, "signals, abstract sockets");
}
