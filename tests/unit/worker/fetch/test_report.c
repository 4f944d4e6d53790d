/* test_report.c - what drover-fetch tells, and what it keeps to itself */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "worker/fetch/report.h"

static struct report report;
static FILE *capture;
static int standard_output;

static void set_up(void)
{
    report_init(&report);
    capture = tmpfile();
    cr_assert_not_null(capture);
    standard_output = dup(STDOUT_FILENO);
    cr_assert_geq(dup2(fileno(capture), STDOUT_FILENO), 0);
}

static void tear_down(void)
{
    dup2(standard_output, STDOUT_FILENO);
    close(standard_output);
    fclose(capture);
    report_finish(&report);
}

TestSuite(report, .init = set_up, .fini = tear_down);

/* Line `number` (from 0) of what was told, as JSON; NULL when there is none. */
static json_t *line(unsigned number)
{
    char text[2048];
    FILE *file = fdopen(dup(fileno(capture)), "r");
    cr_assert_not_null(file);
    rewind(file);
    bool found = true;
    for (unsigned i = 0; i <= number && found; i++)
        found = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return found ? json_loads(text, 0, NULL) : NULL;
}

static void tell(const char *text)
{
    struct drover_error error = {0};
    (void)drover_error_set(&error, DROVER_UNAVAILABLE, "%s", text);
    report_error(&report, &error);
}

static void expect_message(unsigned number, const char *wanted)
{
    json_t *object = line(number);
    cr_assert_not_null(object);
    cr_expect_str_eq(json_string_value(json_object_get(object, "message")), wanted);
    cr_expect_str_eq(json_string_value(json_object_get(object, "status")), "UNAVAILABLE");
    json_decref(object);
}

Test(report, hides_secrets_whoever_says_them)
{
    cr_assert(report_hide(&report, "secret-token"));
    cr_assert(report_hide(&report, NULL));
    cr_assert(report_hide(&report, "a"));
    tell("the server says: secret-token secret-token is a bad token");
    tell("remote: https://user:other-secret@host/x and ssh://git@host/y");
    expect_message(0, "the server says: ************ ************ is a bad token");
    expect_message(1, "remote: https://*****************@host/x and ssh://git@host/y");
}

Test(report, makes_any_message_one_sound_line)
{
    tell("two\nlines, \"quotes\", \xff and \033[31m");
    expect_message(0, "two?lines, \"quotes\", ? and ?[31m");
    cr_expect_null(line(1));
}

Test(report, tells_the_end_of_progress_and_not_every_step)
{
    for (unsigned i = 0; i <= 100; i++)
        report_progress(&report, i, 100, 10 * i, i);
    report_progress(&report, 100, 100, 1000, 100);
    json_t *first = line(0), *second = line(1);
    cr_assert_not_null(first);
    cr_assert_not_null(second);
    cr_expect_eq(json_integer_value(json_object_get(first, "percent")), 0);
    /* How many come between depends on the clock; the last one comes, once. */
    unsigned count = 0;
    json_t *last = NULL;
    for (json_t *next; (next = line(count)) != NULL; count++) {
        json_decref(last);
        last = next;
    }
    cr_expect_lt(count, 50);
    cr_expect_eq(json_integer_value(json_object_get(last, "percent")), 100);
    cr_expect_eq(json_integer_value(json_object_get(last, "objects")), 100);
    json_decref(first);
    json_decref(second);
    json_decref(last);
}

Test(report, has_the_exit_statuses_of_every_program)
{
    cr_expect_eq(report_exit_status(DROVER_OK), 0);
    cr_expect_eq(report_exit_status(DROVER_DEADLINE_EXCEEDED), 75);
    cr_expect_eq(report_exit_status(DROVER_UNAVAILABLE), 75);
    cr_expect_eq(report_exit_status(DROVER_UNAUTHENTICATED), 77);
    cr_expect_eq(report_exit_status(DROVER_PERMISSION_DENIED), 77);
    cr_expect_eq(report_exit_status(DROVER_NOT_FOUND), 78);
    cr_expect_eq(report_exit_status(DROVER_INVALID_ARGUMENT), 78);
    cr_expect_eq(report_exit_status(DROVER_FAILED_PRECONDITION), 78);
    cr_expect_eq(report_exit_status(DROVER_RESOURCE_EXHAUSTED), 1);
    cr_expect_eq(report_exit_status(DROVER_INTERNAL), 1);
}
