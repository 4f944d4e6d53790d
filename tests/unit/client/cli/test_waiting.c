/* test_waiting.c - the verbs that wait for the end of a change, before a broker that answers as each test has it */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "client/cli/json.h"
#include "tests/support/fake_broker.h"

/* What the broker answers, verb by verb, in this order; the last answer to a verb is given again and again. */
struct answer {
    const char *verb, *json;
};

#define STATUS(incarnation, state, active, events)                                      \
    {                                                                                   \
        "status",                                                                       \
            "{\"broker\":{\"incarnation\":\"" incarnation "\",\"events\":" events "},"  \
            "\"services\":[{\"name\":\"s\",\"progress\":null,\"last_error\":null,"      \
            "\"rollout\":{\"state\":\"" state "\",\"active\":" active                   \
            ",\"candidate\":0,\"artefact\":\"0123456789abcdef\",\"quarantine\":[]}}]}", \
    }

static const struct answer *answers;
static size_t answer_count;
static size_t asked[16]; /* how often each was given */
static uint64_t after;   /* of the last request for events */
static char *endpoint, *text;
static struct fake_broker *broker;

/* The next answer to a verb: one that was not given yet, or the last. */
static const char *next_answer(struct drover_text verb)
{
    size_t last = answer_count;
    for (size_t i = 0; i < answer_count; i++) {
        if (!drover_text_equals(verb, answers[i].verb))
            continue;
        last = i;
        if (asked[i] == 0)
            break;
    }
    if (last == answer_count)
        abort();
    asked[last]++;
    return answers[last].json;
}

static void give_answer(struct drover_text verb, const struct drover_value *request, struct drover_writer *writer)
{
    const char *json = next_answer(verb);
    if (drover_text_equals(verb, "events"))
        (void)drover_value_uint64(drover_value_get(request, "after"), &after);
    if (json_read(json, strlen(json), writer, NULL) != DROVER_OK)
        abort();
}

static void setup(void)
{
    endpoint = fake_broker_endpoint();
    setenv("DROVER_BROKER", endpoint, 1);
}

static void teardown(void)
{
    fake_broker_stop(broker);
    fake_broker_forget_endpoint(endpoint);
    free(text);
}

TestSuite(waiting, .init = setup, .fini = teardown);

/* Run `drover` with these arguments of a shell before such a broker; returns its exit status, keeps what it printed. */
static int run(const struct answer *given, size_t count, const char *arguments)
{
    char part[4096], *command = NULL;
    size_t size = 0, got;
    answers = given;
    answer_count = count;
    broker = fake_broker_start(endpoint, &(struct fake_broker_options){.admin = give_answer});
    cr_assert_gt(asprintf(&command, DROVER_BINARY_DIR "/bin/drover %s", arguments), 0);
    FILE *in = popen(command, "r"); /* NOLINT: the command is the test's own */
    free(command);
    FILE *out = open_memstream(&text, &size);
    while ((got = fread(part, 1, sizeof(part), in)) > 0)
        fwrite(part, 1, got, out);
    fclose(out);
    const int status = pclose(in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(table, arguments) run(table, sizeof(table) / sizeof(table[0]), arguments)

Test(waiting, lasts_until_the_service_is_at_rest)
{
    static const struct answer table[] = {
        STATUS("a", "serving", "1", "40"),
        {"reload", "{}"},
        STATUS("a", "obtaining", "1", "41"),
        STATUS("a", "self-test", "1", "42"),
        STATUS("a", "probation", "2", "43"),
        {"events", "{\"events\":[{\"what\":\"asked\"},{\"what\":\"switched\"}],\"next\":43}"},
    };
    cr_expect_eq(RUN(table, "reload s 2>&1"), 0, "%s", text);
    cr_expect_str_eq(text, "service 's': switched, generation 2 serves, artefact 0123456789ab, on probation\n");
    cr_expect_eq(after, 40, "it is judged by what happened since");
    cr_expect_eq(asked[4], 1, "it was asked once more after the end");
}

Test(waiting, ends_with_what_is_under_way_when_the_time_is_over)
{
    static const struct answer table[] = {
        STATUS("a", "serving", "1", "40"),
        {"reload", "{}"},
        STATUS("a", "starting", "1", "41"),
    };
    cr_expect_eq(RUN(table, "--json --timeout 1s reload s"), 75, "%s", text);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    cr_expect_str_eq(json_string_value(json_object_get(json, "outcome")), "under way");
    cr_expect_str_eq(json_string_value(json_object_get(json, "state")), "starting");
    cr_expect_eq(json_integer_value(json_object_get(json, "generation")), 1);
    json_decref(json);
    cr_expect_gt(asked[2], 1);
}

Test(waiting, ends_when_another_broker_answers)
{
    static const struct answer table[] = {
        STATUS("a", "serving", "1", "40"),
        {"reload", "{}"},
        STATUS("a", "starting", "1", "41"),
        STATUS("b", "serving", "1", "2"),
    };
    cr_expect_eq(RUN(table, "reload s 2>&1"), 69, "%s", text);
    cr_expect(strstr(text, "the broker was restarted meanwhile") != NULL, "%s", text);
    cr_expect(strstr(text, "outcome: unknown") != NULL, "%s", text);
}

Test(waiting, says_why_a_service_was_given_up)
{
    static const struct answer table[] = {
        STATUS("a", "serving", "1", "40"),
        {"reload", "{}"},
        STATUS("a", "serving", "1", "43"),
        {"events", "{\"events\":[{\"what\":\"given-up\",\"text\":\"main.c:3:1: no\"}],\"next\":43}"},
    };
    cr_expect_eq(RUN(table, "reload s 2>&1 >/dev/null"), 1, "%s", text);
    cr_expect_str_eq(text, "service 's': given up: main.c:3:1: no; generation 1 serves\n");
}

Test(waiting, for_a_configuration_lasts_until_it_is_in_force)
{
    static const struct answer table[] = {
        {"reload", "{\"change\":7,\"mistakes\":[],\"steps\":[{\"service\":\"s\",\"action\":\"add\",\"why\":\"\"}]}"},
        {"change", "{\"state\":\"under way\",\"service\":\"\",\"reason\":\"\",\"services\":[]}"},
        {"change", "{\"state\":\"under way\",\"service\":\"\",\"reason\":\"\",\"services\":[]}"},
        {"change", "{\"state\":\"done\",\"service\":\"\",\"reason\":\"\",\"services\":[]}"},
    };
    cr_expect_eq(RUN(table, "reload 2>&1"), 0, "%s", text);
    cr_expect_str_eq(text, "add          s\nthe configuration is in force\n");
    cr_expect_eq(asked[3], 1);
}

Test(waiting, for_a_configuration_ends_when_the_time_is_over)
{
    static const struct answer table[] = {
        {"reload", "{\"change\":7,\"mistakes\":[],\"steps\":[]}"},
        {"change", "{\"state\":\"under way\",\"service\":\"\",\"reason\":\"\",\"services\":[]}"},
    };
    cr_expect_eq(RUN(table, "--timeout 1s reload 2>&1 >/dev/null"), 75, "%s", text);
    cr_expect_str_eq(text, "the change is under way\n");
}

Test(waiting, is_not_for_a_configuration_with_mistakes)
{
    static const struct answer table[] = {
        {"reload", "{\"change\":0,\"mistakes\":[\"a:1:1: no\",\"a:2:1: no\"],\"steps\":[]}"},
    };
    cr_expect_eq(RUN(table, "reload 2>&1 >/dev/null"), 78, "%s", text);
    cr_expect_str_eq(text, "a:1:1: no\na:2:1: no\n");
}

/* More than one answer has room for. */
Test(waiting, is_not_needed_for_events_that_there_are)
{
    static const struct answer table[] = {
        {"events", "{\"events\":[{\"what\":\"one\",\"service\":\"s\",\"generation\":2}],\"next\":1}"},
        {"events", "{\"events\":[{\"what\":\"two\",\"service\":null,\"generation\":0,\"text\":\"why\"}],\"next\":2}"},
        {"events", "{\"events\":[],\"next\":2}"},
    };
    cr_expect_eq(RUN(table, "events"), 0, "%s", text);
    cr_expect(strstr(text, " s#2 one\n") != NULL, "%s", text);
    cr_expect(strstr(text, " - two: why\n") != NULL, "%s", text);
    cr_expect_eq(after, 2);
}

Test(waiting, is_not_for_plans)
{
    static const struct answer table[] = {
        {"plan", "{\"mistakes\":[],\"obstacles\":[\"key 'listen': no\"],\"steps\":[{\"service\":\"s\","
                 "\"action\":\"remove\",\"why\":\"\"}]}"},
    };
    cr_expect_eq(RUN(table, "plan 2>&1"), 78, "%s", text);
    cr_expect(strstr(text, "key 'listen': no\n") != NULL && strstr(text, "remove       s\n") != NULL, "%s", text);
}
