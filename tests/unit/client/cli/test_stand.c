/* test_stand.c - what has become of a change, judged by the broker's answers */
#include <criterion/criterion.h>
#include <string.h>

#include "client/cli/json.h"
#include "client/cli/stand.h"

static struct drover_document *document;
static struct drover_writer *writer;
static char reason[STAND_REASON_SIZE];

static void teardown(void)
{
    drover_document_free(document);
    drover_writer_free(writer);
}

TestSuite(stand, .fini = teardown);

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

static enum verdict judge(enum stand_wish wish, const char *state_before, uint64_t before, uint64_t after,
                          const char *events)
{
    struct stand then = {.active = before}, now = {.active = after, .state = "serving", .last_error = "exit 1"};
    (void)snprintf(then.state, sizeof(then.state), "%s", state_before);
    return stand_judge(wish, &then, &now, value(events), reason);
}

Test(stand, is_read_from_the_status)
{
    struct stand stand;
    stand_read(value("{\"broker\":{\"incarnation\":\"0a\",\"events\":17},\"services\":[{\"progress\":\"compiling\","
                     "\"last_error\":null,"
                     "\"rollout\":{\"state\":\"obtaining\",\"active\":3,\"artefact\":\"abc\\u001b\"}}]}"),
               &stand);
    cr_expect_str_eq(stand.incarnation, "0a");
    cr_expect_str_eq(stand.state, "obtaining");
    cr_expect_str_eq(stand.progress, "compiling");
    cr_expect_str_eq(stand.artefact, "abc?");
    cr_expect_str_empty(stand.last_error);
    cr_expect_eq(stand.active, 3);
    cr_expect_eq(stand.events, 17);
}

Test(stand, is_read_from_anything)
{
    struct stand stand;
    stand_read(value("[]"), &stand);
    stand_read(value("{\"services\":[]}"), &stand);
    stand_read(value("{\"services\":[{\"rollout\":{\"state\":9,\"active\":\"x\"}}],\"broker\":null}"), &stand);
    cr_expect_str_empty(stand.state);
    cr_expect_eq(stand.active, 0);
}

Test(stand, rests_when_nothing_is_under_way)
{
    static const char *const resting[] = {"", "none", "serving", "probation", "stopped"};
    static const char *const moving[] = {"obtaining", "waiting", "starting", "self-test", "settling", "held"};
    for (size_t i = 0; i < sizeof(resting) / sizeof(resting[0]); i++)
        cr_expect(stand_is_resting(resting[i]), "'%s'", resting[i]);
    for (size_t i = 0; i < sizeof(moving) / sizeof(moving[0]); i++)
        cr_expect_not(stand_is_resting(moving[i]), "'%s'", moving[i]);
}

Test(stand, tells_a_switch_from_nothing_to_do)
{
    cr_expect_eq(judge(STAND_RELOAD, "serving", 1, 2, "{\"events\":[{\"what\":\"asked\"},{\"what\":\"switched\"}]}"),
                 VERDICT_SWITCHED);
    cr_expect_eq(judge(STAND_RELOAD, "serving", 1, 1, "{\"events\":[{\"what\":\"asked\"},{\"what\":\"unchanged\"}]}"),
                 VERDICT_UNCHANGED);
    cr_expect_str_empty(reason);
}

Test(stand, says_why_a_change_was_given_up)
{
    cr_expect_eq(judge(STAND_RELOAD, "serving", 1, 1,
                       "{\"events\":[{\"what\":\"asked\"},{\"what\":\"given-up\",\"text\":\"main.c:3: no\\n\"}]}"),
                 VERDICT_GIVEN_UP);
    cr_expect_str_eq(reason, "main.c:3: no?");
}

/* The change that waited for the end of this one has taken over. */
Test(stand, counts_the_last_attempt)
{
    cr_expect_eq(judge(STAND_RELOAD, "serving", 1, 3,
                       "{\"events\":[{\"what\":\"given-up\",\"text\":\"a\"},{\"what\":\"switched\"}]}"),
                 VERDICT_SWITCHED);
    cr_expect_str_empty(reason);
}

Test(stand, takes_no_rollback_for_what_was_wanted)
{
    cr_expect_eq(judge(STAND_RELOAD, "serving", 1, 3,
                       "{\"events\":[{\"what\":\"switched\"},{\"what\":\"quarantined\",\"text\":\"it died twice\"},"
                       "{\"what\":\"switched\"}]}"),
                 VERDICT_GIVEN_UP);
    cr_expect_str_eq(reason, "it died twice");
}

Test(stand, knows_that_a_rollback_quarantines)
{
    cr_expect_eq(judge(STAND_ROLLBACK, "probation", 2, 3,
                       "{\"events\":[{\"what\":\"asked\"},{\"what\":\"quarantined\",\"text\":\"by hand\"},"
                       "{\"what\":\"switched\"}]}"),
                 VERDICT_SWITCHED);
    cr_expect_eq(judge(STAND_ROLLBACK, "serving", 2, 2,
                       "{\"events\":[{\"what\":\"quarantined\"},{\"what\":\"given-up\",\"text\":\"gone\"}]}"),
                 VERDICT_GIVEN_UP);
    cr_expect_str_eq(reason, "gone");
}

Test(stand, knows_that_a_change_was_withdrawn_on_purpose)
{
    cr_expect_eq(judge(STAND_ROLLBACK, "settling", 2, 2,
                       "{\"events\":[{\"what\":\"asked\"},{\"what\":\"given-up\",\"text\":\"rolled back by hand\"}]}"),
                 VERDICT_UNCHANGED);
    cr_expect_str_empty(reason);
}

Test(stand, is_not_content_when_nothing_serves)
{
    cr_expect_eq(judge(STAND_RELOAD, "none", 0, 0, "{\"events\":[]}"), VERDICT_GIVEN_UP);
    cr_expect_str_eq(reason, "exit 1");
}
