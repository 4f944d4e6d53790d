/* test_record.c - what is remembered of a build comes back as it was, or not at all */
#include <criterion/criterion.h>
#include <string.h>

#include "folder.h"
#include "worker/build/record.h"

TestSuite(record, .init = (void (*)(void))folder_make, .fini = folder_remove);

Test(record, comes_back_as_it_was)
{
    struct record record = {.status = DROVER_FAILED_PRECONDITION, .made_ms = 1234567890123, .taken_ms = 42}, back;
    memset(record.key, 'a', 64);
    memset(record.source_key, 'b', 64);
    strcpy(record.message, "a.c:1:1: error: \"quoted\" \\ ünd so");
    strcpy(record.system, "cc");
    record.form = ARTEFACT_MODULE;
    cr_assert_eq(record_write(&record, folder_path("meta.json"), NULL), DROVER_OK);
    cr_assert_eq(record_read(folder_path("meta.json"), &back, NULL), DROVER_OK);
    cr_expect_str_eq(back.key, record.key);
    cr_expect_str_eq(back.source_key, record.source_key);
    cr_expect_str_eq(back.message, record.message);
    cr_expect_str_eq(back.system, "cc");
    cr_expect_str_empty(back.artefact);
    cr_expect_eq(back.status, DROVER_FAILED_PRECONDITION);
    cr_expect_eq(back.form, ARTEFACT_MODULE);
    cr_expect_eq(back.made_ms, 1234567890123);
    cr_expect_eq(back.taken_ms, 42);
}

Test(record, that_is_damaged_is_none)
{
    static const char *const texts[] = {"", "{", "[]", "{\"schema\": 99}", "{\"schema\": 1, \"made_ms\": -1}"};
    struct record record;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *path = folder_write("meta.json", 0644, texts[i]);
        cr_expect_eq(record_read(path, &record, NULL), DROVER_DATA_LOSS, "%s", texts[i]);
    }
    cr_expect_eq(record_read(folder_path("none"), &record, NULL), DROVER_NOT_FOUND);
}

Test(record, of_a_failure_counts_for_a_while)
{
    const struct record failed = {.status = DROVER_FAILED_PRECONDITION, .made_ms = 1000000};
    const struct record good = {.status = DROVER_OK, .made_ms = 1000000};
    cr_expect(record_is_fresh_failure(&failed, 1000000));
    cr_expect(record_is_fresh_failure(&failed, 1000000 + RECORD_FAILURE_MS - 1));
    cr_expect_not(record_is_fresh_failure(&failed, 1000000 + RECORD_FAILURE_MS));
    cr_expect_not(record_is_fresh_failure(&failed, 999999), "the clock was set back");
    cr_expect_not(record_is_fresh_failure(&good, 1000000));
}
