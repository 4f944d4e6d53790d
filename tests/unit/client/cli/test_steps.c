/* test_steps.c - what is printed of a change of the configuration */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"
#include "client/cli/steps.h"

static struct drover_document *document;
static struct drover_writer *writer;
static char *text;
static size_t size;
static FILE *out;

static void setup(void)
{
    out = open_memstream(&text, &size);
}

static void teardown(void)
{
    fclose(out);
    free(text);
    drover_document_free(document);
    drover_writer_free(writer);
}

TestSuite(steps, .init = setup, .fini = teardown);

static const struct drover_value *value(const char *json)
{
    struct drover_error error = {0};
    drover_document_free(document);
    drover_writer_free(writer);
    writer = drover_writer_new();
    cr_assert_eq(json_read(json, strlen(json), writer, &error), DROVER_OK, "%s", error.text);
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, &error),
                 DROVER_OK, "%s", error.text);
    return drover_document_root(document);
}

static const char *printed(void)
{
    fflush(out);
    return text;
}

Test(steps, are_printed_one_a_line)
{
    steps_print(out, value("{\"steps\":[{\"service\":\"a\",\"action\":\"add\",\"why\":\"\"},"
                           "{\"service\":\"users\",\"action\":\"reconfigure\",\"why\":\"json.users\\u0007\"}]}"));
    cr_expect_str_eq(printed(), "add          a\nreconfigure  users: json.users?\n");
}

Test(steps, may_be_none)
{
    steps_print(out, value("{\"steps\":[]}"));
    cr_expect_str_eq(printed(), "nothing changes\n");
}

Test(steps, come_with_mistakes_a_line_each)
{
    const struct drover_value *answer = value("{\"mistakes\":[\"x:1:1: no\",7,\"x:2:1: no\"],\"steps\":5}");
    cr_expect_eq(steps_count(answer, "mistakes"), 3);
    cr_expect_eq(steps_count(answer, "obstacles"), 0);
    steps_print_lines(out, answer, "mistakes");
    cr_expect_str_eq(printed(), "x:1:1: no\nx:2:1: no\n");
}

Test(steps, say_who_is_to_blame)
{
    steps_print_failure(out, value("{\"state\":\"given up\",\"service\":\"users\",\"reason\":\"exit 78\"}"));
    steps_print_failure(out, value("{\"state\":\"under way\",\"service\":\"\",\"reason\":\"\"}"));
    cr_expect_str_eq(printed(), "the change is given up because of service 'users': exit 78\n"
                                "the change is under way\n");
}

Test(steps, show_what_moves_on_a_terminal_only)
{
    const struct drover_value *change =
        value("{\"services\":[{\"name\":\"a\",\"rollout\":\"serving\",\"progress\":null},"
              "{\"name\":\"b\",\"rollout\":\"obtaining\",\"progress\":\"compiling\"},"
              "{\"name\":\"c\",\"rollout\":\"settling\",\"progress\":null}]}");
    struct progress progress;
    progress_init(&progress, out, false, false);
    steps_show_progress(&progress, change);
    cr_expect_str_eq(printed(), "");
    progress_init(&progress, out, false, true);
    steps_show_progress(&progress, change);
    progress_done(&progress);
    cr_expect_str_eq(printed(), "\r\033[Kb: compiling, c: settling\r\033[K");
}

Test(steps, show_no_more_than_a_line)
{
    char json[8192] = "{\"services\":[";
    struct progress progress;
    for (unsigned i = 0; i < 60; i++)
        (void)snprintf(json + strlen(json), sizeof(json) - strlen(json),
                       "%s{\"name\":\"a-service-with-a-name\",\"rollout\":\"starting\"}", i > 0 ? "," : "");
    (void)snprintf(json + strlen(json), sizeof(json) - strlen(json), "]}");
    progress_init(&progress, out, false, true);
    steps_show_progress(&progress, value(json));
    cr_expect_leq(strlen(printed()), PROGRESS_LINE_SIZE + 4);
}
