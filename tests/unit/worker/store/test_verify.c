/* test_verify.c - damage is found, named and put aside */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static char src[STORE_NAME_SIZE], artefact[STORE_NAME_SIZE];

static void set_up(void)
{
    fixture_set_up();
    publish_sample(fixture.store, src);
    publish_artefact(fixture.store, "the bytes of a driver", artefact);
}

TestSuite(verify, .init = set_up, .fini = fixture_tear_down);

Test(verify, accepts_what_was_published)
{
    ASSERT_OK(store_verify(fixture.store, STORE_SRC, src, &fixture.error));
    ASSERT_OK(store_verify(fixture.store, STORE_ARTEFACT, artefact, &fixture.error));
    ASSERT_OK(store_check(fixture.store, STORE_ARTEFACT, artefact, &fixture.error));
    cr_expect_eq(count_names(at("quarantine")), 0);
}

Test(verify, finds_one_changed_byte)
{
    write_file(at("artefact/%s", artefact), "the bytes of a Driver", 0555);
    ASSERT_STATUS(store_verify(fixture.store, STORE_ARTEFACT, artefact, &fixture.error), DROVER_DATA_LOSS);
    ASSERT_SAYS(artefact);
    ASSERT_SAYS("is damaged");
}

Test(verify, finds_a_file_that_was_added_or_made_a_link)
{
    write_file(at("src/%s/src/evil.c", src), "", 0644);
    ASSERT_STATUS(store_verify(fixture.store, STORE_SRC, src, &fixture.error), DROVER_DATA_LOSS);
    cr_assert_eq(unlink(at("src/%s/src/evil.c", src)), 0);
    ASSERT_OK(store_verify(fixture.store, STORE_SRC, src, &fixture.error));
    cr_assert_eq(symlink("/etc/passwd", at("src/%s/src/evil.c", src)), 0);
    ASSERT_STATUS(store_verify(fixture.store, STORE_SRC, src, &fixture.error), DROVER_DATA_LOSS);
    ASSERT_SAYS("symlink");
}

Test(verify, finds_an_entry_of_another_type)
{
    cr_assert_eq(unlink(at("artefact/%s", artefact)), 0);
    cr_assert_eq(symlink("/bin/true", at("artefact/%s", artefact)), 0);
    ASSERT_STATUS(store_verify(fixture.store, STORE_ARTEFACT, artefact, &fixture.error), DROVER_DATA_LOSS);
}

Test(verify, finds_a_build_without_its_record)
{
    make_folder(at("build/" NAME_A));
    write_file(at("build/" NAME_A "/log.txt"), "", 0644);
    ASSERT_STATUS(store_verify(fixture.store, STORE_BUILD, NAME_A, &fixture.error), DROVER_DATA_LOSS);
    ASSERT_SAYS("meta.json");
}

Test(verify, tells_what_is_not_there)
{
    ASSERT_STATUS(store_verify(fixture.store, STORE_SRC, NAME_A, &fixture.error), DROVER_NOT_FOUND);
    ASSERT_STATUS(store_verify(fixture.store, STORE_SRC, "../tmp", &fixture.error), DROVER_NOT_FOUND);
    ASSERT_STATUS(store_check(fixture.store, STORE_ARTEFACT, NAME_A, &fixture.error), DROVER_NOT_FOUND);
}

Test(verify, puts_damaged_entries_aside_and_keeps_each)
{
    for (int i = 1; i <= 2; i++) {
        write_file(at("artefact/%s", artefact), "damaged", 0555);
        ASSERT_STATUS(store_check(fixture.store, STORE_ARTEFACT, artefact, &fixture.error), DROVER_DATA_LOSS);
        ASSERT_SAYS("quarantine/artefact-");
        cr_expect_not(store_has(fixture.store, STORE_ARTEFACT, artefact));
        cr_expect(exists(at("quarantine/artefact-%s.%d", artefact, i)));
        publish_artefact(fixture.store, "the bytes of a driver", artefact);
        ASSERT_OK(store_check(fixture.store, STORE_ARTEFACT, artefact, &fixture.error));
    }
}

Test(verify, lets_a_user_put_an_entry_aside)
{
    char *path = NULL;
    ASSERT_OK(store_quarantine(fixture.store, STORE_SRC, src, &path, &fixture.error));
    cr_expect(exists(path));
    free(path);
    ASSERT_STATUS(store_quarantine(fixture.store, STORE_SRC, src, NULL, &fixture.error), DROVER_NOT_FOUND);
}
