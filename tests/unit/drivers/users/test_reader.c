/* test_reader.c - the grammar of JSON: what is taken, what is refused and where */
#include "users_fixture.h"

#include "drivers/users/reader.h"
#include "drivers/users/unescape.h"

/* Read one value and nothing after it. */
static enum drover_status check(const char *json, size_t size, struct drover_error *error)
{
    struct reader reader = {.path = "f", .data = json, .size = size, .error = error};
    enum drover_status status = reader_skip(&reader);

    if (status == DROVER_OK)
        status = reader_end(&reader);
    reader_done(&reader);
    return status;
}

struct sample {
    char json[48];
};

Test(reader, takes_json)
{
    static const struct sample good[] = {
        {"null"},
        {" true "},
        {"false"},
        {"0"},
        {"-0"},
        {"-12"},
        {"1.5e+10"},
        {"0.0E-3"},
        {"9223372036854775807"},
        {"-9223372036854775808"},
        {"\"\""},
        {"\"\\u00e4\\ud83d\\ude00\\n\\\\\\\"\\/\""},
        {"[]"},
        {"{}"},
        {"[ 1 , [ ] ]"},
        {"{\"a\":{\"b\":[1,2,{}]},\"a\":1}"},
        {"\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct drover_error error = {0};
        cr_expect_eq(check(good[i].json, strlen(good[i].json), &error), DROVER_OK, "%s: %s", good[i].json, error.text);
    }
}

Test(reader, refuses_what_is_no_json)
{
    static const struct sample bad[] = {
        {""},
        {"nul"},
        {"truex"},
        {"True"},
        {"01"},
        {"-"},
        {"1."},
        {".5"},
        {"1e"},
        {"1e+"},
        {"+1"},
        {"0x10"},
        {"1e999"},
        {"9223372036854775808"},
        {"-9223372036854775809"},
        {"Infinity"},
        {"NaN"},
        {"'a'"},
        {"\"a"},
        {"\"a\\\""},
        {"\"\\x\""},
        {"\"\\u12\""},
        {"\"\\u12g4\""},
        {"\"\\u0000\""},
        {"\"\\ud800\""},
        {"\"\\udc00\""},
        {"\"\\ud800\\u0041\""},
        {"\"\\ud800x\""},
        {"\"a\nb\""},
        {"[1,]"},
        {"[,1]"},
        {"[1 2]"},
        {"[1"},
        {"[1}"},
        {"{1:2}"},
        {"{\"a\"}"},
        {"{\"a\":}"},
        {"{\"a\":1,}"},
        {"{\"a\":1"},
        {"1 2"},
        {"// c"},
        {"\"\x80\""},
        {"\"\xc0\xaf\""},
        {"\"\xe0\x80\x80\""},
        {"\"\xed\xa0\x80\""},
        {"\"\xf4\x90\x80\x80\""},
        {"\"\xf5\x80\x80\x80\""},
        {"\"\xc3\""},
        {"\"\xe2\x82\""},
        {"\"\xe2\x82"},
        {"\xef\xbb\xbf"
         "1"},
        {"\"\\"},
        {"\"\\u"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct drover_error error = {0};
        cr_expect_eq(check(bad[i].json, strlen(bad[i].json), &error), DROVER_INVALID_ARGUMENT, "%s", bad[i].json);
        cr_expect(strncmp(error.text, "f:", 2) == 0, "%s: %s", bad[i].json, error.text);
    }
    struct drover_error error = {0};
    cr_expect_eq(check("1\0", 2, &error), DROVER_INVALID_ARGUMENT, "a NUL is no end");
    cr_expect_eq(check("\"a\0b\"", 5, &error), DROVER_INVALID_ARGUMENT, "a NUL is a control character");
}

/* Whatever is cut off or changed in a good file, the reader neither reads beyond its end nor takes what is not whole.
 */
Test(reader, survives_every_cut_and_every_changed_byte)
{
    static const char good[] = "[{\"id\":{\"type\":-1.5e3},\"a\":[true,null,\"\\ud83d\\ude00\xc3\xa4\"],\"b\":\"\"}]";
    struct drover_error error = {0};

    for (size_t size = 0; size < sizeof(good) - 1; size++) {
        char *cut = calloc(1, size + 1);
        memcpy(cut, good, size);
        cr_expect_eq(check(cut, size, &error), DROVER_INVALID_ARGUMENT, "%s", cut);
        free(cut);
    }
    for (size_t at = 0; at < sizeof(good) - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            char *changed = malloc(sizeof(good));
            memcpy(changed, good, sizeof(good));
            changed[at] = (char)byte;
            enum drover_status status = check(changed, sizeof(good) - 1, &error);
            cr_expect(status == DROVER_OK || status == DROVER_INVALID_ARGUMENT);
            free(changed);
        }
}

Test(reader, resolves_escapes)
{
    static const char json[] = "\"\\u00e4\\u20AC\\ud83d\\ude00\\t\\/\\\"x\"";
    struct drover_error error = {0};
    struct reader reader = {.path = "f", .data = json, .size = sizeof(json) - 1, .error = &error};
    struct drover_text text;

    cr_assert_eq(reader_string(&reader, &text), DROVER_OK, "%s", error.text);
    cr_expect(drover_text_equals(text, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\t/\"x"));
    reader_done(&reader);
}

Test(reader, names_the_place_of_a_wrong_escape)
{
    struct drover_error error = {0};

    cr_expect_eq(check("[1,\n \"\xc3\xa4 \\q\"]", 12, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, "f:2:5: there is no such escape");
}

Test(reader, limits_nesting)
{
    char json[2 * READER_DEPTH_MAX + 3];
    struct drover_error error = {0};

    memset(json, '[', READER_DEPTH_MAX);
    memset(json + READER_DEPTH_MAX, ']', READER_DEPTH_MAX);
    cr_expect_eq(check((json[2 * READER_DEPTH_MAX] = '\0', json), 2 * READER_DEPTH_MAX, &error), DROVER_OK);
    memset(json, '[', READER_DEPTH_MAX + 1);
    memset(json + READER_DEPTH_MAX + 1, ']', READER_DEPTH_MAX + 1);
    json[2 * READER_DEPTH_MAX + 2] = '\0';
    cr_expect_eq(check(json, 2 * READER_DEPTH_MAX + 2, &error), DROVER_INVALID_ARGUMENT);
    cr_expect(strstr(error.text, "nested too deep"), "%s", error.text);
}
