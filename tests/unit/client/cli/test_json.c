/* test_json.c - JSON to msgpack and back */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"

static struct drover_writer *writer;
static struct drover_document *document;

static void setup(void)
{
    writer = drover_writer_new();
}

static void teardown(void)
{
    document = drover_document_free(document);
    writer = drover_writer_free(writer);
}

TestSuite(json, .init = setup, .fini = teardown);

static const struct drover_value *written(void)
{
    struct drover_error error = {0};
    document = drover_document_free(document);
    cr_assert_eq(drover_document_parse(drover_writer_data(writer), drover_writer_size(writer), &document, &error),
                 DROVER_OK, "%s", error.text);
    return drover_document_root(document);
}

static const struct drover_value *read_text(const char *text)
{
    struct drover_error error = {0};
    drover_writer_clear(writer);
    cr_assert_eq(json_read(text, strlen(text), writer, &error), DROVER_OK, "%s: %s", text, error.text);
    return written();
}

static void expect_text(const struct drover_value *value, enum json_style style, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    json_write(out, value, style);
    fclose(out);
    cr_expect_str_eq(text, expected);
    free(text);
}

struct same {
    char text[160];
};

/* What reads and writes as the same text. */
ParameterizedTestParameters(json, keeps)
{
    static struct same texts[] = {
        {"null"},
        {"true"},
        {"false"},
        {"0"},
        {"-1"},
        {"255"},
        {"65536"},
        {"4294967296"},
        {"9223372036854775807"},
        {"-9223372036854775808"},
        {"9223372036854775808"},
        {"18446744073709551615"},
        {"[18446744073709551615, {\"a\": 18446744073709551614}]"},
        {"\"18446744073709551615\""},
        {"\"a\\\"18446744073709551615\\\\\""},
        {"1.5"},
        {"-0.0"},
        {"3.0"},
        {"0.1"},
        {"1e+300"},
        {"1.2345678901234567"},
        {"1.8446744073709552e+19"},
        {"\"\""},
        {"\"a\\\"b\\\\c\\n\\t\\u0001\""},
        {"\"\\u0000x\""},
        {"\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"[]"},
        {"{}"},
        {"[1, [2, []]]"},
        {"{\"z\": 1, \"a\": {\"b\": [null]}}"},
        {"{\"$bytes\":\"AAEC/w==\"}"},
        {"{\"$bytes\":\"\"}"},
        {"{\"$bytes\": 5}"},
        {"{\"$bytes\": \"AA==\", \"x\": 1}"},
        {"{\"$uint64\": 5}"},
    };
    return cr_make_param_array(struct same, texts, sizeof(texts) / sizeof(texts[0]));
}

ParameterizedTest(struct same *same, json, keeps)
{
    expect_text(read_text(same->text), JSON_ONE_LINE, same->text);
}

ParameterizedTestParameters(json, refuses)
{
    static struct same texts[] = {
        {""},
        {" "},
        {"{"},
        {"[1,]"},
        {"{\"a\":1,}"},
        {"{a:1}"},
        {"'a'"},
        {"1 2"},
        {"nul"},
        {"\"a"},
        {"\"\\x\""},
        {"{\"a\":1,\"a\":2}"},
        {"01"},
        {"+1"},
        {"18446744073709551616"},
        {"-18446744073709551615"},
        {"-9223372036854775809"},
        {"1e999"},
        {"\"\xFF\""},
        {"\"\xED\xA0\x80\""},
        {"{\"$bytes\":\"*\"}"},
        {"{\"$bytes\":\"AAEC/w==x\"}"},
        {"{\"$uint64\":\"x\"}"},
        {"{\"$uint64\":\"18446744073709551616\"}"},
        {"[1 18446744073709551615]"},
        {"018446744073709551615"},
    };
    return cr_make_param_array(struct same, texts, sizeof(texts) / sizeof(texts[0]));
}

ParameterizedTest(struct same *same, json, refuses)
{
    struct drover_error error = {0};
    cr_expect_eq(json_read(same->text, strlen(same->text), writer, &error), DROVER_INVALID_ARGUMENT, "'%s'",
                 same->text);
    cr_expect_eq(strncmp(error.text, "JSON", 4), 0, "%s", error.text);
}

Test(json, reads_a_large_number_as_unsigned)
{
    uint64_t number = 0;
    cr_assert(drover_value_uint64(read_text("18446744073709551615"), &number));
    cr_expect_eq(number, UINT64_MAX);
    cr_assert(drover_value_uint64(read_text("{\"$uint64\":\"7\"}"), &number));
    cr_expect_eq(number, 7);
}

Test(json, says_where_the_mistake_is)
{
    struct drover_error error = {0};
    cr_assert_eq(json_read("{\n  \"a\": x}", 11, writer, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "line 2, column 8") != NULL, "%s", error.text);
}

Test(json, refuses_what_is_nested_deeper_than_msgpack_may_be)
{
    struct drover_error error = {0};
    char text[201];
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    cr_expect_eq(json_read(text, 200, writer, &error), DROVER_INVALID_ARGUMENT);
    drover_writer_clear(writer);
    cr_expect_eq(json_read(text + 100 - DROVER_VALUE_DEPTH_MAX, 2 * DROVER_VALUE_DEPTH_MAX, writer, &error), DROVER_OK,
                 "%s", error.text);
    (void)written();
}

Test(json, indents_for_people)
{
    expect_text(read_text("{\"a\":[1,{}],\"b\":null}"), JSON_INDENTED,
                "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": null\n}");
}

Test(json, writes_nothing_as_null)
{
    expect_text(NULL, JSON_ONE_LINE, "null");
}

Test(json, writes_numbers_that_are_not_finite_as_null)
{
    drover_write_array(writer, 2);
    drover_write_double(writer, NAN);
    drover_write_double(writer, INFINITY);
    expect_text(written(), JSON_ONE_LINE, "[null, null]");
}

Test(json, replaces_what_is_no_utf8)
{
    drover_write_text(writer, "a\xFF\xC3(\xE2\x82\xC0\x80\xED\xA0\x80\xF5\x80\x80\x80\xC3", 16);
    expect_text(written(), JSON_ONE_LINE,
                "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
                "\\ufffd\"");
}

Test(json, leaves_no_command_for_a_terminal_in_a_string)
{
    drover_write_string(writer, "\x1b[2J\x7f\xC2\x9B");
    expect_text(written(), JSON_ONE_LINE, "\"\\u001b[2J\\u007f\\u009b\"");
}

Test(json, quotes_keys_that_are_no_strings)
{
    drover_write_map(writer, 3);
    drover_write_int64(writer, -5);
    drover_write_nil(writer);
    drover_write_nil(writer);
    drover_write_nil(writer);
    drover_write_array(writer, 1);
    drover_write_string(writer, "x");
    drover_write_nil(writer);
    expect_text(written(), JSON_ONE_LINE, "{\"-5\": null, \"null\": null, \"[\\\"x\\\"]\": null}");
}

Test(json, writes_an_extension_as_null)
{
    drover_write_raw(writer, "\xD4\x01\x02", 3);
    expect_text(written(), JSON_ONE_LINE, "null");
}
