/* test_filesystem.c - where inotify is not relied on */
#include <criterion/criterion.h>

#include "worker/watch/filesystem.h"

Test(filesystem, names_those_that_others_can_change)
{
    cr_expect_str_eq(filesystem_blind(0x6969), "NFS");
    cr_expect_str_eq(filesystem_blind(0x65735546), "FUSE");
    cr_expect_str_eq(filesystem_blind(0x1021997), "9P");
    cr_expect_str_eq(filesystem_blind(0xff534d42), "SMB");
    cr_expect_str_eq(filesystem_blind(0xfe534d42), "SMB");
    cr_expect_str_eq(filesystem_blind(0x794c7630), "an overlay");
}

Test(filesystem, trusts_local_ones)
{
    cr_expect_null(filesystem_blind(0xef53), "ext4");
    cr_expect_null(filesystem_blind(0x58465342), "XFS");
    cr_expect_null(filesystem_blind(0x9123683e), "btrfs");
    cr_expect_null(filesystem_blind(0x01021994), "tmpfs");
    cr_expect_null(filesystem_blind_at("/proc"));
    cr_expect_null(filesystem_blind_at("/nothing/of/that/name"));
}
