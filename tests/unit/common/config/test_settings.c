/* test_settings.c - a driver's settings arrive as msgpack with the types of YAML 1.2 */
#include <math.h>

#include <drover/value.h>

#include "tests/unit/common/config/fixture.h"

/* The settings of a file whose driver's section holds `text` on line 6 and below, 6 columns in. */
struct settings {
    struct parsed parsed;
    struct drover_document *document;
    const struct drover_value *root;
};

static struct settings read_settings(const char *text)
{
    char file[2048];
    struct settings settings;
    snprintf(file, sizeof file, SERVICE("    json:\n%s"), text);
    settings.parsed = parse_good(file);
    const struct config_service *service = &settings.parsed.config->services[0];
    cr_assert_eq(drover_document_parse(service->settings, service->settings_size, &settings.document, NULL), DROVER_OK);
    settings.root = drover_document_root(settings.document);
    return settings;
}

static void settings_done(struct settings *settings)
{
    drover_document_free(settings->document);
    parsed_done(&settings->parsed);
}

static enum drover_type type_of(const char *scalar)
{
    char text[256];
    snprintf(text, sizeof text, "      x: %s\n", scalar);
    struct settings settings = read_settings(text);
    enum drover_type type = drover_value_type(drover_value_get(settings.root, "x"));
    settings_done(&settings);
    return type;
}

static const struct {
    const char *scalar;
    enum drover_type type;
} scalars[] = {
    {"", DROVER_TYPE_NIL},
    {"~", DROVER_TYPE_NIL},
    {"null", DROVER_TYPE_NIL},
    {"Null", DROVER_TYPE_NIL},
    {"NULL", DROVER_TYPE_NIL},
    {"nULL", DROVER_TYPE_STRING},
    {"\"\"", DROVER_TYPE_STRING},
    {"'null'", DROVER_TYPE_STRING},
    {"true", DROVER_TYPE_BOOL},
    {"False", DROVER_TYPE_BOOL},
    {"TRUE", DROVER_TYPE_BOOL},
    {"tRUE", DROVER_TYPE_STRING},
    {"yes", DROVER_TYPE_STRING},
    {"no", DROVER_TYPE_STRING},
    {"on", DROVER_TYPE_STRING},
    {"\"true\"", DROVER_TYPE_STRING},
    {"0", DROVER_TYPE_INT},
    {"-7", DROVER_TYPE_INT},
    {"+7", DROVER_TYPE_INT},
    {"0777", DROVER_TYPE_INT},
    {"0o17", DROVER_TYPE_INT},
    {"0x1F", DROVER_TYPE_INT},
    {"-0x1F", DROVER_TYPE_STRING},
    {"0o8", DROVER_TYPE_STRING},
    {"0b1", DROVER_TYPE_STRING},
    {"1_000", DROVER_TYPE_STRING},
    {"0x", DROVER_TYPE_STRING},
    {"-", DROVER_TYPE_STRING},
    {"'12'", DROVER_TYPE_STRING},
    {"1.5", DROVER_TYPE_DOUBLE},
    {"1.", DROVER_TYPE_DOUBLE},
    {".5", DROVER_TYPE_DOUBLE},
    {"-1e3", DROVER_TYPE_DOUBLE},
    {"1E+3", DROVER_TYPE_DOUBLE},
    {".", DROVER_TYPE_STRING},
    {"1e", DROVER_TYPE_STRING},
    {"1.2.3", DROVER_TYPE_STRING},
    {"e3", DROVER_TYPE_STRING},
    {".inf", DROVER_TYPE_DOUBLE},
    {"-.INF", DROVER_TYPE_DOUBLE},
    {".nan", DROVER_TYPE_DOUBLE},
    {"-.nan", DROVER_TYPE_STRING},
    {"inf", DROVER_TYPE_STRING},
    {"nan", DROVER_TYPE_STRING},
    {"2026-01-01", DROVER_TYPE_STRING},
    {"12:30", DROVER_TYPE_STRING},
    {"<<", DROVER_TYPE_STRING},
    {"text", DROVER_TYPE_STRING},
};

Test(settings, scalars_have_the_types_of_the_core_schema)
{
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        /* A lone "-" would begin a list. */
        if (strcmp(scalars[i].scalar, "-") == 0)
            continue;
        cr_expect_str_eq(drover_type_name(type_of(scalars[i].scalar)), drover_type_name(scalars[i].type), "%s",
                         scalars[i].scalar);
    }
}

static void expect_int(const struct drover_value *map, const char *key, int64_t expected)
{
    int64_t value = 0;
    cr_expect(drover_value_int64(drover_value_get(map, key), &value), "%s", key);
    cr_expect_eq(value, expected, "%s", key);
}

Test(settings, whole_numbers_keep_their_values)
{
    struct settings settings =
        read_settings("      a: 0777\n      b: 0o777\n      c: 0xfF\n      d: -9223372036854775808\n"
                      "      e: 18446744073709551615\n      f: +12\n");
    uint64_t largest = 0;
    expect_int(settings.root, "a", 777);
    expect_int(settings.root, "b", 511);
    expect_int(settings.root, "c", 255);
    expect_int(settings.root, "d", INT64_MIN);
    expect_int(settings.root, "f", 12);
    cr_expect(drover_value_uint64(drover_value_get(settings.root, "e"), &largest));
    cr_expect_eq(largest, UINT64_MAX);
    settings_done(&settings);
}

Test(settings, other_numbers_keep_their_values)
{
    struct settings settings = read_settings("      a: 1.25\n      b: -.inf\n      c: .NaN\n      d: 12e-1\n");
    double value = 0;
    cr_expect(drover_value_double(drover_value_get(settings.root, "a"), &value) && value == 1.25);
    cr_expect(drover_value_double(drover_value_get(settings.root, "b"), &value) && isinf(value) && value < 0);
    cr_expect(drover_value_double(drover_value_get(settings.root, "c"), &value) && isnan(value));
    cr_expect(drover_value_double(drover_value_get(settings.root, "d"), &value) && value == 1.2);
    settings_done(&settings);
}

Test(settings, lists_and_maps_keep_their_order_and_nesting)
{
    struct settings settings =
        read_settings("      list: [1, [two], {three: 3}]\n      map:\n        b: 1\n        a: 2\n");
    const struct drover_value *list = drover_value_get(settings.root, "list");
    const struct drover_value *map = drover_value_get(settings.root, "map");
    struct drover_text key;
    cr_assert_eq(drover_value_count(list), 3);
    cr_expect_eq(drover_value_type(drover_value_at(list, 1)), DROVER_TYPE_ARRAY);
    expect_int(drover_value_at(list, 2), "three", 3);
    cr_assert_eq(drover_value_count(map), 2);
    cr_expect(drover_value_text(drover_value_key(map, 0), &key) && drover_text_equals(key, "b"));
    settings_done(&settings);
}

Test(settings, keys_are_strings_whatever_they_look_like)
{
    struct settings settings = read_settings("      1: a\n      true: b\n      null: c\n");
    cr_expect_not_null(drover_value_get(settings.root, "1"));
    cr_expect_not_null(drover_value_get(settings.root, "true"));
    cr_expect_not_null(drover_value_get(settings.root, "null"));
    settings_done(&settings);
}

Test(settings, strings_keep_every_octet)
{
    struct settings settings =
        read_settings("      a: \"x\\0y\"\n      b: |\n        one\n        two\n      c: gr\u00fc\u00df\n");
    struct drover_text text = drover_value_get_text(settings.root, "a", "");
    cr_assert_eq(text.size, 3);
    cr_expect_eq(memcmp(text.data, "x\0y", 3), 0);
    cr_expect(drover_text_equals(drover_value_get_text(settings.root, "b", ""), "one\ntwo\n"));
    cr_expect(drover_text_equals(drover_value_get_text(settings.root, "c", ""), "gr\u00fc\u00df"));
    settings_done(&settings);
}

Test(settings, may_be_nested_as_deep_as_a_file_can_be)
{
    char text[512] = "      x: ";
    for (int i = 0; i < 24; i++)
        strcat(text, "[");
    for (int i = 0; i < 24; i++)
        strcat(text, "]");
    strcat(text, "\n");
    struct settings settings = read_settings(text);
    cr_expect_eq(drover_value_type(drover_value_get(settings.root, "x")), DROVER_TYPE_ARRAY);
    settings_done(&settings);
}

Test(settings, numbers_that_do_not_fit_are_mistakes)
{
    expect_mistakes(SERVICE("    json:\n      a: 18446744073709551616\n      b: -9223372036854775809\n      c: 1e999\n"
                            "      d: 0x10000000000000000\n"),
                    "6:10: the number 18446744073709551616 does not fit into 64 bits (quote it to make it a string)",
                    "7:10: the number -9223372036854775809 does not fit into 64 bits (quote it to make it a string)",
                    "8:10: the number 1e999 does not fit into 64 bits (quote it to make it a string)",
                    "9:10: the number 0x10000000000000000 does not fit into 64 bits (quote it to make it a string)");
}
