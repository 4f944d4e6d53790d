/* namespaces.c - see namespaces.h */
#include "worker/launch/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_text(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    const bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    const int code = errno;
    close(fd);
    errno = code;
    return written;
}

/* A user without privileges may enter itself only, and only when it gives up setgroups(). */
static enum drover_status enter_user(uid_t uid, gid_t gid, struct drover_error *error)
{
    char users[64], groups[64];

    (void)snprintf(users, sizeof(users), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
    (void)snprintf(groups, sizeof(groups), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
    if (write_text("/proc/self/uid_map", users) && write_text("/proc/self/setgroups", "deny") &&
        write_text("/proc/self/gid_map", groups))
        return DROVER_OK;
    return drover_error_set(error, DROVER_INTERNAL, "cannot enter user %u in its new namespace: %s", (unsigned)uid,
                            strerror(errno));
}

enum drover_status namespaces_enter(const struct settings *settings, struct layers *layers, struct drover_error *error)
{
    const bool shuts_network = settings->network == SANDBOX_NETWORK_NONE || settings->network == SANDBOX_NETWORK_UNIX;
    const bool is_root = geteuid() == 0;
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    int flags = CLONE_NEWIPC;

    if (!settings->namespaces)
        return DROVER_OK;
    flags |= shuts_network ? CLONE_NEWNET : 0;
    flags |= is_root ? 0 : CLONE_NEWUSER;
    if (unshare(flags) != 0) {
        layers_note_failure(layers, LAYER_NAMESPACES, "unshare");
        return DROVER_OK;
    }
    layers_note(layers, LAYER_NAMESPACES, LAYER_HELD, "%sipc%s", is_root ? "" : "user ",
                shuts_network ? " network" : "");
    return is_root ? DROVER_OK : enter_user(uid, gid, error);
}
