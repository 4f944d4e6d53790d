/* identity.c - see identity.h
 *
 * The order is the caller's: the bounding set can be emptied only by a privileged user, so before the change of user;
 * that change must come before the parent-death signal is set, since it clears it.
 */
#include "worker/launch/identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64

void identity_bound_capabilities(void)
{
    /* EINVAL: beyond the last one. EPERM: not privileged, and the set does not matter then. */
    for (unsigned long i = 0; i < CAPABILITIES_MAX && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++)
        ;
}

static bool is_user(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (uids[i] != uid || gids[i] != gid)
            return false;
    return true;
}

/* Is there no group besides `gid` and the one that is given? */
static bool is_alone(const struct settings *settings)
{
    gid_t groups[3];
    const int count = getgroups(3, groups); /* fails when there are more */
    bool has_group = !settings->has_group;

    for (int i = 0; i < count; i++) {
        if (groups[i] != settings->gid && !(settings->has_group && groups[i] == settings->group))
            return false;
        has_group |= groups[i] == settings->group;
    }
    return count >= 0 && has_group;
}

/* NULL, or what failed with errno. */
static const char *become(const struct settings *settings)
{
    if (is_user(settings->uid, settings->gid) && is_alone(settings))
        return NULL;
    if (setgroups(settings->has_group ? 1 : 0, &settings->group) != 0)
        return "setgroups";
    if (setresgid(settings->gid, settings->gid, settings->gid) != 0)
        return "setresgid";
    return setresuid(settings->uid, settings->uid, settings->uid) == 0 ? NULL : "setresuid";
}

enum drover_status identity_change_user(const struct settings *settings, struct layers *layers,
                                        struct drover_error *error)
{
    const unsigned uid = (unsigned)settings->uid, gid = (unsigned)settings->gid;

    if (!settings->changes_user)
        return DROVER_OK;
    const char *failed = become(settings);
    if (failed != NULL)
        return drover_error_set(error, DROVER_PERMISSION_DENIED, "cannot become user %u:%u (%s: %s): only root can",
                                uid, gid, failed, strerror(errno));
    layers_note(layers, LAYER_USER, LAYER_HELD, "%u:%u", uid, gid);
    return DROVER_OK;
}

void identity_drop_capabilities(struct layers *layers)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* they go with the others, if it is not known */
    if (syscall(SYS_capset, &header, none) == 0)
        layers_note(layers, LAYER_CAPABILITIES, LAYER_HELD, "none");
    else
        layers_note_failure(layers, LAYER_CAPABILITIES, "capset");
}

void identity_give_up_privileges(struct layers *layers)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        layers_note(layers, LAYER_NO_NEW_PRIVS, LAYER_HELD, "set");
    else
        layers_note_failure(layers, LAYER_NO_NEW_PRIVS, "prctl");
}
