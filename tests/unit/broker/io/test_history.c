/* test_history.c - the events that the broker remembers: order, limits, what a follower gets */
#include <criterion/criterion.h>
#include <string.h>

#include "broker/io/history.h"

static struct history history;
static struct drover_writer *writer;
static struct drover_document *document;

static void setup(void)
{
    history_init(&history);
    writer = drover_writer_new();
    cr_assert_not_null(writer);
}

static void teardown(void)
{
    drover_document_free(document);
    drover_writer_free(writer);
    history_done(&history);
}

TestSuite(history, .init = setup, .fini = teardown);

/* The array that a question is answered with. */
static const struct drover_value *ask(const char *service, uint64_t after, uint64_t *ret_next)
{
    struct drover_error error = {0};
    document = drover_document_free(document);
    drover_writer_clear(writer);
    *ret_next = history_write(&history, service, after, writer);
    cr_assert(drover_writer_ok(writer));
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, &error),
                 DROVER_OK, "%s", error.text);
    return drover_document_root(document);
}

static uint64_t number(const struct drover_value *event, const char *key)
{
    uint64_t value = UINT64_MAX;
    cr_expect(drover_value_uint64(drover_value_get(event, key), &value), "no number '%s'", key);
    return value;
}

static void expect_text(const struct drover_value *event, const char *key, const char *expected)
{
    const struct drover_text text = drover_value_get_text(event, key, "(no text)");
    cr_expect(drover_text_equals(text, expected), "%s is %.*s", key, (int)text.size, text.data);
}

Test(history, tells_what_happened_in_order)
{
    uint64_t next = 0;
    history_add(&history, "users", 3, "candidate", "0123456789ab");
    history_add(&history, NULL, 0, "configuration-changed", "drover.yaml");
    const struct drover_value *events = ask(NULL, 0, &next);
    cr_assert_eq(drover_value_count(events), 2);
    const struct drover_value *first = drover_value_at(events, 0), *second = drover_value_at(events, 1);
    cr_expect_eq(number(first, "serial"), 1);
    cr_expect_gt(number(first, "time_ms"), 0);
    cr_expect_eq(number(first, "generation"), 3);
    expect_text(first, "service", "users");
    expect_text(first, "what", "candidate");
    expect_text(first, "text", "0123456789ab");
    cr_expect_eq(number(second, "serial"), 2);
    cr_expect_eq(drover_value_type(drover_value_get(second, "service")), DROVER_TYPE_NIL);
    cr_expect_eq(next, 2);
}

Test(history, answers_a_follower_with_what_is_new)
{
    uint64_t next = 0;
    history_add(&history, "a", 1, "switched", "");
    (void)ask(NULL, 0, &next);
    cr_expect_eq(drover_value_count(ask(NULL, next, &next)), 0);
    cr_expect_eq(next, 1);
    history_add(&history, "a", 2, "switched", "");
    cr_expect_eq(drover_value_count(ask(NULL, next, &next)), 1);
    cr_expect_eq(next, 2);
}

Test(history, answers_for_one_service)
{
    uint64_t next = 0;
    for (unsigned i = 0; i < 10; i++)
        history_add(&history, i % 2 == 0 ? "even" : "odd", i, "switched", "");
    history_add(&history, NULL, 0, "configuration-changed", "");
    const struct drover_value *events = ask("odd", 0, &next);
    cr_assert_eq(drover_value_count(events), 5);
    cr_expect_eq(number(drover_value_at(events, 0), "generation"), 1);
    cr_expect_eq(next, 11, "what was looked at need not be looked at again");
    cr_expect_eq(drover_value_count(ask("unheard", 0, &next)), 0);
}

Test(history, forgets_the_oldest)
{
    uint64_t next = 0, told = 0, serial = 0;
    for (unsigned i = 0; i < HISTORY_EVENTS + 7; i++)
        history_add(&history, "a", i, "switched", "");
    do {
        const struct drover_value *events = ask(NULL, next, &next);
        if (told == 0)
            serial = number(drover_value_at(events, 0), "serial");
        told += drover_value_count(events);
    } while (next < HISTORY_EVENTS + 7);
    cr_expect_eq(told, HISTORY_EVENTS);
    cr_expect_eq(serial, 8);
}

Test(history, bounds_an_answer_and_goes_on_with_the_next)
{
    char text[HISTORY_TEXT_MAX + 1];
    uint64_t next = 0, told = 0;
    unsigned questions = 0;
    memset(text, 'x', HISTORY_TEXT_MAX);
    text[HISTORY_TEXT_MAX] = '\0';
    for (unsigned i = 0; i < 1000; i++)
        history_add(&history, "a", i, "switched", text);
    for (; next < 1000; questions++) {
        const struct drover_value *events = ask(NULL, next, &next);
        cr_expect_leq(drover_writer_size(writer), HISTORY_ANSWER_MAX);
        for (size_t i = 0; i < drover_value_count(events); i++)
            cr_expect_eq(number(drover_value_at(events, i), "serial"), ++told);
    }
    cr_expect_eq(told, 1000);
    cr_expect_geq(questions, 4);
}

Test(history, cuts_long_texts_and_prints_none_that_is_dangerous)
{
    char text[5000];
    uint64_t next = 0;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    history_add(&history, text, 1, text, text);
    history_add(&history, "a", 1, "told", "one\ntwo\033[2J\xff");
    const struct drover_value *events = ask(NULL, 0, &next);
    cr_expect_eq(drover_value_get_text(drover_value_at(events, 0), "text", "").size, HISTORY_TEXT_MAX);
    cr_expect_eq(drover_value_get_text(drover_value_at(events, 0), "what", "").size, HISTORY_WORD_MAX);
    cr_expect_eq(drover_value_get_text(drover_value_at(events, 0), "service", "").size, HISTORY_WORD_MAX);
    expect_text(drover_value_at(events, 1), "text", "one?two?[2J?");
}

/* A follower that had seen 500 events of a broker that was restarted. */
Test(history, begins_again_for_a_follower_from_before)
{
    uint64_t next = 0;
    history_add(&history, "a", 1, "switched", "");
    cr_expect_eq(drover_value_count(ask(NULL, 500, &next)), 1);
    cr_expect_eq(next, 1);
}

Test(history, knows_of_whom_it_has_told)
{
    history_add(&history, "a", 1, "switched", "");
    history_add(&history, NULL, 0, "configuration-changed", "");
    cr_expect(history_knows(&history, "a"));
    cr_expect_not(history_knows(&history, "b"));
}

Test(history, has_nothing_to_tell_at_first)
{
    uint64_t next = 7;
    cr_expect_eq(drover_value_count(ask(NULL, 0, &next)), 0);
    cr_expect_eq(next, 0);
}
