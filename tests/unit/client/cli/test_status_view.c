/* test_status_view.c - the status in its documented order, as a table, and whether all is ready */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"
#include "client/cli/status_view.h"

static struct drover_document *document;
static struct drover_writer *writer;

static void teardown(void)
{
    drover_document_free(document);
    drover_writer_free(writer);
}

TestSuite(status_view, .fini = teardown);

static const struct drover_value *status(const char *json)
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

static void expect_order(const char *given, const char *expected)
{
    struct drover_writer *ordered = drover_writer_new();
    struct drover_document *parsed = NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    status_put_in_order(ordered, status(given));
    cr_assert_eq(drover_document_parse(drover_writer_data(ordered), drover_writer_size(ordered), &parsed, NULL),
                 DROVER_OK);
    json_write(out, drover_document_root(parsed), JSON_ONE_LINE);
    fclose(out);
    cr_expect_str_eq(text, expected);
    free(text);
    drover_document_free(parsed);
    drover_writer_free(ordered);
}

static char *table(const char *given)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    status_print_table(out, status(given));
    fclose(out);
    return text;
}

Test(status_view, puts_known_keys_first_and_keeps_the_others)
{
    expect_order("{\"new\":1,\"services\":[{\"x\":{\"name\":0,\"a\":1},\"last_error\":null,\"name\":\"s\","
                 "\"workers\":[{\"state\":\"ready\",\"pid\":7}]}],\"broker\":{\"pid\":1,\"version\":\"0\"}}",
                 "{\"broker\": {\"version\": \"0\", \"pid\": 1}, \"services\": [{\"name\": \"s\", \"workers\": "
                 "[{\"pid\": 7, \"state\": \"ready\"}], \"last_error\": null, \"x\": {\"name\": 0, \"a\": 1}}], "
                 "\"new\": 1}");
}

Test(status_view, keeps_an_answer_that_is_no_status)
{
    expect_order("[1, {\"services\": 5}]", "[1, {\"services\": 5}]");
    expect_order("{\"services\": \"none\"}", "{\"services\": \"none\"}");
}

Test(status_view, prints_services_workers_and_the_last_error)
{
    char *text = table("{\"broker\":{\"version\":\"1.2\",\"pid\":5,\"uptime_s\":60},\"services\":[{\"name\":\"users\","
                       "\"driver\":\"json\",\"kind\":\"builtin\",\"state\":\"degraded\",\"generation\":3,\"calls\":17,"
                       "\"last_error\":\"worker died\\u001b[2J\",\"workers\":[{\"pid\":99,\"state\":\"backoff\"}]}]}");
    static const char *const expected[] = {
        "broker 1.2, pid 5",          "SERVICE", "users", "json", "builtin", "degraded", "17", "worker 99: backoff",
        "last error: worker died?[2J"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect(strstr(text, expected[i]) != NULL, "'%s' is not in:\n%s", expected[i], text);
    free(text);
}

static void expect_lines(const char *rollout, const char *progress, const char *lines)
{
    char given[4096];
    (void)snprintf(given, sizeof(given), "{\"services\":[{\"progress\":%s,\"rollout\":%s}]}", progress, rollout);
    char *text = table(given);
    const char *below = strstr(text, "FAILED\n"); /* the title, then the service, then what is under it */
    cr_assert_not_null(below);
    cr_expect_str_eq(strchr(strchr(below, '\n') + 1, '\n') + 1, lines);
    free(text);
}

Test(status_view, says_what_is_under_way)
{
    expect_lines("{\"state\":\"serving\",\"active\":3,\"candidate\":0,\"quarantine\":[]}", "null", "");
    expect_lines("{\"state\":\"none\",\"active\":0,\"candidate\":0}", "\"compiling\"", "  compiling\n");
    expect_lines("{\"state\":\"obtaining\",\"active\":3,\"candidate\":0}", "\"compiling\"",
                 "  change: obtaining, compiling\n");
    expect_lines("{\"state\":\"self-test\",\"active\":3,\"candidate\":4}", "null",
                 "  change: self-test, generation 4\n");
    expect_lines("{\"state\":\"probation\",\"active\":4,\"stable\":\"0123456789abcdef\"}", "null",
                 "  on probation: generation 4, stable is artefact 0123456789ab\n");
}

Test(status_view, shows_the_newest_of_the_quarantine)
{
    expect_lines("{\"state\":\"serving\",\"quarantine\":[{\"artefact\":\"0123456789abcdef\",\"why\":\"exit 1\"}]}",
                 "null", "  quarantine: 0123456789ab: exit 1\n");
    expect_lines("{\"state\":\"serving\",\"quarantine\":[{\"why\":\"a\"},{\"why\":\"b\"},{\"why\":\"c\"},"
                 "{\"why\":\"d\"}]}",
                 "null",
                 "  quarantine: 4 artefacts, the last 3:\n  quarantine: : b\n  quarantine: : c\n  quarantine: : d\n");
}

Test(status_view, tells_the_generation_of_a_worker_that_does_not_serve)
{
    char *text = table("{\"services\":[{\"generation\":3,\"workers\":[{\"pid\":5,\"generation\":3,\"state\":\"ready\"},"
                       "{\"pid\":6,\"generation\":4,\"state\":\"starting\"}]}]}");
    cr_expect(strstr(text, "  worker 5: ready"), "%s", text);
    cr_expect(strstr(text, "  worker 6 of generation 4: starting"), "%s", text);
    free(text);
}

Test(status_view, says_that_the_configuration_has_changed)
{
    char *text = table("{\"broker\":{\"configuration\":{\"path\":\"/x\",\"changed\":true}},\"services\":[]}");
    cr_expect(strstr(text, "drover plan"), "%s", text);
    free(text);
    text = table("{\"broker\":{\"configuration\":{\"path\":\"/x\",\"changed\":false}},\"services\":[]}");
    cr_expect_not(strstr(text, "drover plan"), "%s", text);
    free(text);
}

Test(status_view, is_not_wider_than_a_screen)
{
    char why[400], rollout[1024];
    memset(why, 'x', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    (void)snprintf(rollout, sizeof(rollout),
                   "{\"services\":[{\"rollout\":{\"state\":\"serving\",\"quarantine\":[{\"why\":\"\u00e4%s\"}]}}]}",
                   why);
    char *text = table(rollout);
    const char *line = strstr(text, "  quarantine");
    cr_assert_not_null(line);
    cr_expect_eq(strcspn(line, "\n"), 121, "120 columns, one of them of two octets");
    free(text);
}

Test(status_view, keeps_new_keys_behind_the_others)
{
    expect_order("{\"services\":[{\"rollout\":{\"state\":\"none\"},\"last_error\":null,\"name\":\"s\"}],"
                 "\"broker\":{\"configuration\":{\"changed\":false},\"pid\":1}}",
                 "{\"broker\": {\"pid\": 1, \"configuration\": {\"changed\": false}}, \"services\": [{\"name\": \"s\", "
                 "\"last_error\": null, \"rollout\": {\"state\": \"none\"}}]}");
}

Test(status_view, prints_a_table_of_anything)
{
    free(table("null"));
    free(table("{\"broker\":7,\"services\":{\"a\":1}}"));
    free(table("{\"services\":[null,[],{\"name\":{},\"workers\":5}]}"));
}

Test(status_view, is_ready_when_every_service_is)
{
    cr_expect(status_is_ready(status("{\"services\":[]}")));
    cr_expect(status_is_ready(status("{\"services\":[{\"state\":\"ready\"},{\"state\":\"ready\"}]}")));
    cr_expect_not(status_is_ready(status("{\"services\":[{\"state\":\"ready\"},{\"state\":\"degraded\"}]}")));
    cr_expect_not(status_is_ready(status("{\"services\":[{}]}")));
    cr_expect_not(status_is_ready(status("{}")));
}

Test(status_view, names_the_services_that_are_waited_for)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    status_print_waiting(out, status("{\"services\":[{\"name\":\"a\",\"state\":\"ready\"},"
                                     "{\"name\":\"b\",\"state\":\"crashloop\",\"last_error\":\"exit 1\"}]}"));
    fclose(out);
    cr_expect_str_eq(text, "service 'b' is crashloop: exit 1\n");
    free(text);
}
