/* test_error.c - status codes, outcomes, origins and error texts */
#include <criterion/criterion.h>
#include <string.h>

#include <drover/status.h>

Test(error, set_gives_back_the_status_and_writes_code_and_text)
{
    struct drover_error error = {0};
    cr_expect_eq(drover_error_set(&error, DROVER_NOT_FOUND, "user '%s': %d", "einstein", 7), DROVER_NOT_FOUND);
    cr_expect_eq(error.status, DROVER_NOT_FOUND);
    cr_expect_str_eq(error.text, "user 'einstein': 7");
}

Test(error, set_leaves_outcome_origin_and_retry_after_alone)
{
    struct drover_error error = {
        .outcome = DROVER_OUTCOME_UNKNOWN, .origin = DROVER_ORIGIN_HOST, .retry_after_ms = 250};
    (void)drover_error_set(&error, DROVER_INTERNAL, "x");
    cr_expect_eq(error.outcome, DROVER_OUTCOME_UNKNOWN);
    cr_expect_eq(error.origin, DROVER_ORIGIN_HOST);
    cr_expect_eq(error.retry_after_ms, 250);
}

Test(error, set_works_without_an_error_to_set)
{
    cr_expect_eq(drover_error_set(NULL, DROVER_ABORTED, "%s", "nobody reads this"), DROVER_ABORTED);
}

Test(error, a_text_that_is_too_long_is_cut)
{
    struct drover_error error = {0};
    char text[2 * DROVER_ERROR_TEXT_SIZE];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)drover_error_set(&error, DROVER_INTERNAL, "%s", text);
    cr_expect_eq(strlen(error.text), DROVER_ERROR_TEXT_SIZE - 1);
}

Test(error, an_error_can_be_set_again)
{
    struct drover_error error = {0};
    (void)drover_error_set(&error, DROVER_NOT_FOUND, "a long text about what was not found");
    (void)drover_error_set(&error, DROVER_INTERNAL, "short");
    cr_expect_eq(error.status, DROVER_INTERNAL);
    cr_expect_str_eq(error.text, "short");
}

Test(error, every_status_has_a_name_that_parses_to_itself)
{
    for (unsigned number = 0; number < DROVER_STATUS_END; number++) {
        enum drover_status status = DROVER_STATUS_END;
        const char *name = drover_status_name((enum drover_status)number);
        cr_assert_not_null(name, "status %u", number);
        cr_expect_eq(drover_status_parse(name, &status), 0, "%s", name);
        cr_expect_eq(status, number, "%s", name);
    }
}

Test(error, the_numbers_are_grpcs)
{
    cr_expect_eq(DROVER_OK, 0);
    cr_expect_eq(DROVER_NOT_FOUND, 5);
    cr_expect_eq(DROVER_RESOURCE_EXHAUSTED, 8);
    cr_expect_eq(DROVER_UNAVAILABLE, 14);
    cr_expect_eq(DROVER_UNAUTHENTICATED, 16);
    cr_expect_eq(DROVER_STATUS_END, 17);
}

Test(error, a_name_that_is_no_status_is_refused)
{
    enum drover_status status = DROVER_ABORTED;
    cr_expect_eq(drover_status_parse("not_found", &status), -1, "names are upper case");
    cr_expect_eq(drover_status_parse("", &status), -1);
    cr_expect_eq(drover_status_parse("NOT_FOUNDER", &status), -1);
    cr_expect_eq(status, DROVER_ABORTED);
}

Test(error, numbers_outside_the_tables_have_names_too)
{
    cr_expect_str_eq(drover_status_name(DROVER_STATUS_END), "UNKNOWN");
    cr_expect_str_eq(drover_status_name((enum drover_status)255), "UNKNOWN");
    cr_expect_str_eq(drover_outcome_name(DROVER_OUTCOME_END), "unknown");
    cr_expect_str_eq(drover_origin_name(DROVER_ORIGIN_END), "unknown");
}

Test(error, outcomes_and_origins_have_the_names_of_the_contract)
{
    cr_expect_str_eq(drover_outcome_name(DROVER_OUTCOME_ANSWERED), "answered");
    cr_expect_str_eq(drover_outcome_name(DROVER_OUTCOME_NOT_STARTED), "not started");
    cr_expect_str_eq(drover_outcome_name(DROVER_OUTCOME_UNKNOWN), "unknown");
    cr_expect_str_eq(drover_origin_name(DROVER_ORIGIN_CLIENT), "client");
    cr_expect_str_eq(drover_origin_name(DROVER_ORIGIN_BROKER), "broker");
    cr_expect_str_eq(drover_origin_name(DROVER_ORIGIN_HOST), "host");
    cr_expect_str_eq(drover_origin_name(DROVER_ORIGIN_DRIVER), "driver");
}
