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

/* Is there no group besides `gid`? */
static bool is_alone(gid_t gid)
{
    gid_t groups[2];
    const int count = getgroups(2, groups); /* fails when there are more */

    return count == 0 || (count == 1 && groups[0] == gid);
}

void identity_change_user(const struct settings *settings, struct layers *layers)
{
    if (!settings->changes_user)
        return;
    const bool is_already = is_user(settings->uid, settings->gid) && is_alone(settings->gid);
    if (!is_already && setgroups(0, NULL) != 0)
        layers_note_failure(layers, LAYER_USER, "setgroups");
    else if (!is_already && setresgid(settings->gid, settings->gid, settings->gid) != 0)
        layers_note_failure(layers, LAYER_USER, "setresgid");
    else if (!is_already && setresuid(settings->uid, settings->uid, settings->uid) != 0)
        layers_note_failure(layers, LAYER_USER, "setresuid");
    else
        layers_note(layers, LAYER_USER, LAYER_HELD, "%u:%u", (unsigned)settings->uid, (unsigned)settings->gid);
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
