/* test_landlock.c - which rights each version of Landlock knows, and which a grant gives */
#include <criterion/criterion.h>
#include <linux/landlock.h>

#include "worker/launch/landlock.h"

#define RIGHT(bit) (UINT64_C(1) << (bit))
#define NEWEST 7

Test(landlock, knows_more_rights_with_each_version)
{
    cr_expect_eq(landlock_handled(0), 0);
    cr_expect_eq(landlock_handled(1), RIGHT(13) - 1);
    cr_expect_eq(landlock_handled(2), RIGHT(14) - 1);
    cr_expect_eq(landlock_handled(3), RIGHT(15) - 1);
    cr_expect_eq(landlock_handled(4), RIGHT(15) - 1);
    cr_expect_eq(landlock_handled(NEWEST), RIGHT(16) - 1);
}

Test(landlock, never_grants_what_the_kernel_does_not_know)
{
    for (unsigned abi = 0; abi <= NEWEST; abi++)
        for (int grant = GRANT_READ; grant <= GRANT_WRITE; grant++)
            for (int is_folder = 0; is_folder <= 1; is_folder++)
                cr_expect_eq(landlock_granted(abi, (enum grant)grant, is_folder) & ~landlock_handled(abi), 0);
}

Test(landlock, grants_no_devices_and_no_programs_where_one_may_write)
{
    const uint64_t granted = landlock_granted(NEWEST, GRANT_WRITE, true);

    cr_expect(granted & LANDLOCK_ACCESS_FS_WRITE_FILE);
    cr_expect(granted & LANDLOCK_ACCESS_FS_REMOVE_DIR);
    cr_expect_not(granted & LANDLOCK_ACCESS_FS_EXECUTE);
    cr_expect_not(granted & (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK));
}

Test(landlock, grants_nothing_that_changes_where_one_may_read)
{
    cr_expect_eq(landlock_granted(NEWEST, GRANT_READ, true),
                 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
    cr_expect_eq(landlock_granted(NEWEST, GRANT_READ, false), LANDLOCK_ACCESS_FS_READ_FILE);
    cr_expect_eq(landlock_granted(NEWEST, GRANT_EXEC, false),
                 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
}
