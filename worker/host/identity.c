/* identity.c - whom a worker runs as, and its folder */
#include "worker/host/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/launch/profile.h"

/* --- whom it runs as -----------------------------------------------------------------------------------------------
 */

static enum drover_status find_user(const char *name, struct passwd **ret, struct drover_error *error)
{
    errno = 0;
    *ret = getpwnam(name);
    if (*ret != NULL)
        return DROVER_OK;
    if (errno == 0 || errno == ENOENT)
        return drover_error_set(error, DROVER_NOT_FOUND, "there is no user '%.64s' to run it as", name);
    return drover_error_set(error, DROVER_UNAVAILABLE, "user '%.64s' cannot be looked up: %s", name, strerror(errno));
}

static enum drover_status check_user(const char *name, uid_t uid, bool foreign, struct drover_error *error)
{
    if (geteuid() != 0 && uid != geteuid())
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "only root can run it as user '%.64s': start the broker as root, or as that user",
                                name);
    if (foreign && uid == 0)
        return drover_error_set(error, DROVER_PERMISSION_DENIED,
                                "a driver that drover fetched or compiled is not run as root: name another user than "
                                "'%.64s'",
                                name);
    return DROVER_OK;
}

static enum drover_status choose(const struct launch_sandbox *sandbox, struct identity *ret, struct drover_error *error)
{
    struct passwd *user = NULL;

    *ret = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (sandbox->user == NULL) {
        if (sandbox->foreign && geteuid() == 0)
            *ret = (struct identity){.changes = true, .uid = SANDBOX_NOBODY, .gid = SANDBOX_NOBODY};
        return DROVER_OK;
    }
    if (find_user(sandbox->user, &user, error) != DROVER_OK ||
        check_user(sandbox->user, user->pw_uid, sandbox->foreign, error) != DROVER_OK)
        return error->status;
    if (user->pw_uid != geteuid())
        *ret = (struct identity){.changes = true, .uid = user->pw_uid, .gid = user->pw_gid};
    return DROVER_OK;
}

/* A worker that is another user than the broker comes to it through folders that are open to all, or its own. */
static bool may_pass(const struct stat *folder, const struct identity *identity)
{
    if (folder->st_uid == identity->uid)
        return (folder->st_mode & S_IXUSR) != 0;
    if (folder->st_gid == identity->gid || folder->st_gid == LAUNCH_GROUP)
        return (folder->st_mode & S_IXGRP) != 0;
    return (folder->st_mode & S_IXOTH) != 0;
}

/* Cut `path` to the folder on the way to it that keeps the user out; false when there is none. */
static bool find_barrier(const struct identity *identity, char *path)
{
    struct stat found;

    for (char *slash = strrchr(path, '/'); slash != NULL && slash != path; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (stat(path, &found) == 0 && !may_pass(&found, identity))
            return true;
    }
    return false;
}

/* Without this look its worker would try in vain to connect until its time is over. */
static enum drover_status check_way(const struct identity *identity, const char *endpoint, struct drover_error *error)
{
    static const char scheme[] = "ipc://";
    enum drover_status status = DROVER_OK;

    if (!identity->changes || strncmp(endpoint, scheme, sizeof(scheme) - 1) != 0)
        return DROVER_OK;
    char *path = strdup(endpoint + sizeof(scheme) - 1);
    if (path == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a path");
    if (find_barrier(identity, path))
        status = drover_error_set(error, DROVER_PERMISSION_DENIED,
                                  "user %u cannot come to the broker's socket through '%.200s' (chmod o+x it, or move "
                                  "the broker's state_dir)",
                                  (unsigned)identity->uid, path);
    free(path);
    return status;
}

enum drover_status identity_choose(const struct launch_plan *plan, const struct launch_sandbox *sandbox,
                                   struct identity *ret, struct drover_error *error)
{
    struct identity identity;

    if (choose(sandbox, &identity, error) != DROVER_OK || check_way(&identity, plan->endpoint, error) != DROVER_OK)
        return error->status;
    *ret = identity;
    return DROVER_OK;
}

/* --- its folder ----------------------------------------------------------------------------------------------------
 */

/* Others may pass through the folder above, but see nothing in it. */
static bool make_parent(const char *folder)
{
    char *parent = strdup(folder), *slash = parent != NULL ? strrchr(parent, '/') : NULL;
    bool good = parent != NULL;

    if (slash != NULL && slash != parent) {
        *slash = '\0';
        good = mkdir(parent, 0711) == 0 ? chmod(parent, 0711) == 0 : errno == EEXIST;
    }
    const int code = errno;
    free(parent);
    errno = code;
    return good;
}

/* No link is followed: what is below may have been written by a driver. */
static bool give_folder(const char *folder, const struct identity *identity)
{
    struct stat found;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool good = fstat(fd, &found) == 0 &&
                      (found.st_uid == identity->uid || fchown(fd, identity->uid, identity->gid) == 0) &&
                      ((found.st_mode & 07777) == 0700 || fchmod(fd, 0700) == 0);
    const int code = errno;
    close(fd);
    errno = code;
    return good;
}

enum drover_status identity_make_folder(const struct identity *identity, const char *folder, struct drover_error *error)
{
    if (folder == NULL ||
        (make_parent(folder) && (mkdir(folder, 0700) == 0 || errno == EEXIST) && give_folder(folder, identity)))
        return DROVER_OK;
    return drover_error_set(error, DROVER_PERMISSION_DENIED, "its folder '%.300s' cannot be made: %s", folder,
                            strerror(errno));
}
