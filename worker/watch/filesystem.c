/* filesystem.c - where inotify does not see everything
 *
 * The numbers are those of statfs(2) and linux/magic.h.
 */
#include "worker/watch/filesystem.h"

#include <stddef.h>
#include <sys/vfs.h>

static const struct {
    uint32_t type;
    const char *name;
} blind[] = {
    {0x00006969, "NFS"},  {0x0000517b, "SMB"},  {0xff534d42, "SMB"},        {0xfe534d42, "SMB"},
    {0x65735546, "FUSE"}, {0x01021997, "9P"},   {0x794c7630, "an overlay"}, {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},  {0x6b414653, "AFS"},  {0x73757245, "Coda"},       {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"}, {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"},      {0x786f4256, "a shared folder"},
};

const char *filesystem_blind(uint32_t type)
{
    for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
        if (blind[i].type == type)
            return blind[i].name;
    }
    return NULL;
}

const char *filesystem_blind_at(const char *path)
{
    struct statfs about;
    return statfs(path, &about) == 0 ? filesystem_blind((uint32_t)about.f_type) : NULL;
}
