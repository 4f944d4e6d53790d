/* test_value.c - documents, values and writers: each accessor on each type, and both ways */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <drover/value.h>

static struct drover_document *document;
static struct drover_writer *writer;

static void set_up(void)
{
    writer = drover_writer_new();
    cr_assert_not_null(writer);
}

static void tear_down(void)
{
    document = drover_document_free(document);
    writer = drover_writer_free(writer);
}

TestSuite(value, .init = set_up, .fini = tear_down);

static const struct drover_value *parse(const void *data, size_t size)
{
    struct drover_error error = {0};
    document = drover_document_free(document);
    cr_assert_eq(drover_document_parse(data, size, &document, &error), DROVER_OK, "%s", error.text);
    return drover_document_root(document);
}

/* What was written so far, read back. */
static const struct drover_value *read_back(void)
{
    cr_assert(drover_writer_ok(writer));
    return parse(drover_writer_data(writer), drover_writer_size(writer));
}

/* ---- documents ---- */

Test(value, no_bytes_are_an_empty_map)
{
    const struct drover_value *root = parse(NULL, 0);
    cr_expect_eq(drover_value_type(root), DROVER_TYPE_MAP);
    cr_expect_eq(drover_value_count(root), 0);
}

Test(value, a_broken_document_is_refused_with_its_fault)
{
    struct drover_error error = {0};
    cr_expect_eq(drover_document_parse("\xdd\xff\xff\xff\xff", 5, &document, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_null(document, "nothing is stored on failure");
    cr_expect_str_eq(error.text, "not a msgpack value: it declares more than the bytes that are there");
    cr_expect_eq(drover_document_parse("\xc0\xc0", 2, &document, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(drover_document_parse("\xc1", 1, &document, &error), DROVER_INVALID_ARGUMENT);
}

Test(value, a_document_may_be_as_deep_as_the_limit_and_no_deeper)
{
    char bytes[DROVER_VALUE_DEPTH_MAX + 2];
    struct drover_error error = {0};
    memset(bytes, '\x91', sizeof(bytes));
    bytes[DROVER_VALUE_DEPTH_MAX] = '\xc0';
    const struct drover_value *at = parse(bytes, DROVER_VALUE_DEPTH_MAX + 1);
    for (int level = 0; level < DROVER_VALUE_DEPTH_MAX; level++)
        at = drover_value_at(at, 0);
    cr_expect_not_null(at);
    cr_expect_eq(drover_value_type(at), DROVER_TYPE_NIL);

    document = drover_document_free(document);
    bytes[DROVER_VALUE_DEPTH_MAX] = '\x91';
    bytes[DROVER_VALUE_DEPTH_MAX + 1] = '\xc0';
    cr_expect_eq(drover_document_parse(bytes, sizeof(bytes), &document, &error), DROVER_INVALID_ARGUMENT);
}

Test(value, a_document_can_be_filled_again_also_after_a_failure)
{
    struct drover_text text = {0};
    struct drover_error error = {0};
    (void)parse("\xa1"
                "a",
                2);
    cr_expect_eq(drover_document_reparse(document, "\x93", 1, &error), DROVER_INVALID_ARGUMENT);
    cr_expect_eq(drover_value_type(drover_document_root(document)), DROVER_TYPE_NIL, "the old value is gone");
    cr_assert_eq(drover_document_reparse(document,
                                         "\xa1"
                                         "b",
                                         2, &error),
                 DROVER_OK);
    cr_expect(drover_value_text(drover_document_root(document), &text));
    cr_expect(drover_text_equals(text, "b"));
    cr_assert_eq(drover_document_reparse(document, NULL, 0, &error), DROVER_OK);
    cr_expect_eq(drover_value_type(drover_document_root(document)), DROVER_TYPE_MAP);
}

Test(value, nothing_can_be_released)
{
    cr_expect_null(drover_document_free(NULL));
    cr_expect_null(drover_writer_free(NULL));
}

/* ---- accessors ---- */

/* One value of each type, and what each accessor makes of it. */
static const struct row {
    char bytes[12];
    size_t size;
    enum drover_type type;
    bool is_bool, is_int64, is_uint64, is_double, is_text, is_bytes;
} rows[] = {
    {.bytes = "\xc0", .size = 1, .type = DROVER_TYPE_NIL},
    {.bytes = "\xc3", .size = 1, .type = DROVER_TYPE_BOOL, .is_bool = true},
    {.bytes = "\x07", .size = 1, .type = DROVER_TYPE_INT, .is_int64 = true, .is_uint64 = true},
    {.bytes = "\xff", .size = 1, .type = DROVER_TYPE_INT, .is_int64 = true},
    {.bytes = "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", .size = 9, .type = DROVER_TYPE_INT, .is_uint64 = true},
    {.bytes = "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
     .size = 9,
     .type = DROVER_TYPE_INT,
     .is_int64 = true,
     .is_uint64 = true},
    {.bytes = "\xd3\x80\0\0\0\0\0\0\0", .size = 9, .type = DROVER_TYPE_INT, .is_int64 = true},
    {.bytes = "\xd3\0\0\0\0\0\0\0\x05", .size = 9, .type = DROVER_TYPE_INT, .is_int64 = true, .is_uint64 = true},
    {.bytes = "\xca\x3f\x80\0\0", .size = 5, .type = DROVER_TYPE_DOUBLE, .is_double = true},
    {.bytes = "\xcb\x3f\xf0\0\0\0\0\0\0", .size = 9, .type = DROVER_TYPE_DOUBLE, .is_double = true},
    {.bytes = "\xa1s", .size = 2, .type = DROVER_TYPE_STRING, .is_text = true, .is_bytes = true},
    {.bytes = "\xc4\x01s", .size = 3, .type = DROVER_TYPE_BYTES, .is_bytes = true},
    {.bytes = "\x91\x01", .size = 2, .type = DROVER_TYPE_ARRAY},
    {.bytes = "\x81\xa1k\x01", .size = 4, .type = DROVER_TYPE_MAP},
    {.bytes = "\xd4\x05s", .size = 3, .type = DROVER_TYPE_OTHER},
};

Test(value, an_accessor_takes_its_own_types_only_and_stores_nothing_otherwise)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        const struct drover_value *value = parse(row->bytes, row->size);
        bool flag = false;
        int64_t integer = 4711;
        uint64_t natural = 4711;
        double number = 4711.0;
        struct drover_text text = {.size = 4711}, bytes = {.size = 4711};
        cr_expect_eq(drover_value_type(value), row->type, "row %zu", i);
        cr_expect_eq(drover_value_bool(value, &flag), row->is_bool, "row %zu", i);
        cr_expect_eq(drover_value_int64(value, &integer), row->is_int64, "row %zu", i);
        cr_expect_eq(drover_value_uint64(value, &natural), row->is_uint64, "row %zu", i);
        cr_expect_eq(drover_value_double(value, &number), row->is_double, "row %zu", i);
        cr_expect_eq(drover_value_text(value, &text), row->is_text, "row %zu", i);
        cr_expect_eq(drover_value_bytes(value, &bytes), row->is_bytes, "row %zu", i);
        cr_expect_eq(flag, row->is_bool, "row %zu", i);
        cr_expect_eq(integer == 4711, !row->is_int64, "row %zu", i);
        cr_expect_eq(natural == 4711, !row->is_uint64, "row %zu", i);
        cr_expect_eq(number == 4711.0, !row->is_double, "row %zu", i);
        cr_expect_eq(text.size == 4711, !row->is_text, "row %zu", i);
        cr_expect_eq(bytes.size == 4711, !row->is_bytes, "row %zu", i);
    }
}

Test(value, a_scalar_has_no_entries_and_no_keys)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct drover_value *value = parse(rows[i].bytes, rows[i].size);
        const bool map = rows[i].type == DROVER_TYPE_MAP, array = rows[i].type == DROVER_TYPE_ARRAY;
        cr_expect_eq(drover_value_count(value), map || array ? 1 : 0, "row %zu", i);
        cr_expect_eq(drover_value_at(value, 0) != NULL, map || array, "row %zu", i);
        cr_expect_null(drover_value_at(value, 1), "row %zu", i);
        cr_expect_eq(drover_value_key(value, 0) != NULL, map, "row %zu", i);
        cr_expect_null(drover_value_key(value, 1), "row %zu", i);
        cr_expect_eq(drover_value_get(value, "k") != NULL, map, "row %zu", i);
    }
}

Test(value, NULL_is_nil_so_look_ups_can_be_chained)
{
    bool flag;
    int64_t integer;
    uint64_t natural;
    double number;
    struct drover_text text;
    cr_expect_eq(drover_value_type(NULL), DROVER_TYPE_NIL);
    cr_expect_null(drover_value_get(drover_value_get(NULL, "a"), "b"));
    cr_expect_null(drover_value_at(NULL, 0));
    cr_expect_null(drover_value_key(NULL, 0));
    cr_expect_eq(drover_value_count(NULL), 0);
    cr_expect_not(drover_value_bool(NULL, &flag));
    cr_expect_not(drover_value_int64(NULL, &integer));
    cr_expect_not(drover_value_uint64(NULL, &natural));
    cr_expect_not(drover_value_double(NULL, &number));
    cr_expect_not(drover_value_text(NULL, &text));
    cr_expect_not(drover_value_bytes(NULL, &text));
    cr_expect(drover_text_equals(drover_value_get_text(NULL, "a", "fallback"), "fallback"));
}

Test(value, get_finds_the_first_of_equal_keys_and_passes_over_keys_that_are_no_strings)
{
    const char bytes[] = "\x84\x01\xa1x\xc4\x01k\xa1y\xa1k\xa1"
                         "1\xa1k\xa1"
                         "2";
    const struct drover_value *map = parse(bytes, sizeof(bytes) - 1);
    cr_expect_eq(drover_value_count(map), 4);
    cr_expect(drover_text_equals(drover_value_get_text(map, "k", ""), "1"));
    cr_expect_null(drover_value_get(map, "kk"));
    cr_expect_null(drover_value_get(map, ""));
}

Test(value, empty_strings_point_somewhere_and_are_found_as_keys)
{
    const struct drover_value *map = parse("\x82\xa0\xa0\xa1k\xc4\0", 7);
    struct drover_text text = {0}, bytes = {0};
    cr_expect(drover_value_text(drover_value_get(map, ""), &text));
    cr_expect_eq(text.size, 0);
    cr_expect_not_null(text.data);
    cr_expect(drover_value_bytes(drover_value_get(map, "k"), &bytes));
    cr_expect_eq(bytes.size, 0);
    cr_expect_not_null(bytes.data);
}

Test(value, get_text_falls_back_when_the_key_is_absent_or_no_string)
{
    const struct drover_value *map = parse("\x81\xa1k\x07", 4);
    cr_expect(drover_text_equals(drover_value_get_text(map, "k", "none"), "none"));
    cr_expect(drover_text_equals(drover_value_get_text(map, "x", "none"), "none"));
}

Test(value, entries_keep_their_order)
{
    const struct drover_value *map = parse("\x82\xa1z\x01\xa1"
                                           "a\x02",
                                           7);
    struct drover_text key = {0};
    uint64_t number = 0;
    cr_expect(drover_value_text(drover_value_key(map, 0), &key) && drover_text_equals(key, "z"));
    cr_expect(drover_value_uint64(drover_value_at(map, 0), &number) && number == 1);
    cr_expect(drover_value_text(drover_value_key(map, 1), &key) && drover_text_equals(key, "a"));
    cr_expect(drover_value_uint64(drover_value_at(map, 1), &number) && number == 2);
}

Test(value, text_is_compared_and_copied_by_its_length)
{
    const struct drover_text text = {.data = "abcdef", .size = 3}, empty = {0};
    cr_expect(drover_text_equals(text, "abc"));
    cr_expect_not(drover_text_equals(text, "abcdef"));
    cr_expect_not(drover_text_equals(text, "ab"));
    cr_expect(drover_text_equals(empty, ""));
    cr_expect_not(drover_text_equals(empty, "a"));
    char *copy = drover_text_dup(text), *nothing = drover_text_dup(empty);
    cr_expect_str_eq(copy, "abc");
    cr_expect_str_eq(nothing, "");
    free(copy);
    free(nothing);
}

Test(value, types_have_names)
{
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_NIL), "nil");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_BOOL), "boolean");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_INT), "integer");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_DOUBLE), "number");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_STRING), "string");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_BYTES), "bytes");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_ARRAY), "list");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_MAP), "map");
    cr_expect_str_eq(drover_type_name(DROVER_TYPE_OTHER), "extension");
    cr_expect_str_eq(drover_type_name((enum drover_type)255), "extension");
}

/* ---- writers ---- */

Test(value, what_is_written_is_read_back)
{
    drover_write_array(writer, 9);
    drover_write_nil(writer);
    drover_write_bool(writer, true);
    drover_write_bool(writer, false);
    drover_write_int64(writer, INT64_MIN);
    drover_write_uint64(writer, UINT64_MAX);
    drover_write_double(writer, 0.1);
    drover_write_format(writer, "%s-%d", "user", 7);
    drover_write_bytes(writer, "\0\1", 2);
    drover_write_map(writer, 1);
    drover_write_text(writer, "keyhole", 3);
    drover_write_string(writer, "value");

    const struct drover_value *list = read_back();
    bool yes = false, no = true;
    int64_t least = 0;
    uint64_t most = 0;
    double tenth = 0;
    struct drover_text text = {0}, bytes = {0};
    cr_assert_eq(drover_value_count(list), 9);
    cr_expect_eq(drover_value_type(drover_value_at(list, 0)), DROVER_TYPE_NIL);
    cr_expect(drover_value_bool(drover_value_at(list, 1), &yes) && yes);
    cr_expect(drover_value_bool(drover_value_at(list, 2), &no) && !no);
    cr_expect(drover_value_int64(drover_value_at(list, 3), &least) && least == INT64_MIN);
    cr_expect(drover_value_uint64(drover_value_at(list, 4), &most) && most == UINT64_MAX);
    cr_expect(drover_value_double(drover_value_at(list, 5), &tenth) && tenth == 0.1);
    cr_expect(drover_value_text(drover_value_at(list, 6), &text) && drover_text_equals(text, "user-7"));
    cr_expect(drover_value_bytes(drover_value_at(list, 7), &bytes) && bytes.size == 2 && bytes.data[1] == 1);
    cr_expect(drover_text_equals(drover_value_get_text(drover_value_at(list, 8), "key", ""), "value"));
}

Test(value, a_positive_int64_is_an_unsigned_number_too)
{
    uint64_t number = 0;
    drover_write_int64(writer, 7);
    cr_expect(drover_value_uint64(read_back(), &number));
    cr_expect_eq(number, 7);
}

Test(value, strings_may_be_empty_or_long)
{
    static char text[70000];
    static const size_t sizes[] = {0, 31, 32, 255, 256, 65535, 65536};
    memset(text, 't', sizeof(text));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct drover_text got = {.size = SIZE_MAX};
        drover_writer_clear(writer);
        drover_write_text(writer, text, sizes[i]);
        cr_expect(drover_value_text(read_back(), &got));
        cr_expect_eq(got.size, sizes[i]);
        drover_writer_clear(writer);
        drover_write_bytes(writer, text, sizes[i]);
        cr_expect(drover_value_bytes(read_back(), &got));
        cr_expect_eq(got.size, sizes[i]);
    }
}

Test(value, a_value_is_copied_with_all_below_it)
{
    const char bytes[] = "\x82\xa1"
                         "a\x93\x01\xff\xcb\x3f\xf0\0\0\0\0\0\0\xa1"
                         "b\x81\xa1"
                         "c\xc4\x01x";
    const struct drover_value *value = parse(bytes, sizeof(bytes) - 1);
    drover_write_value(writer, value);
    cr_assert_eq(drover_writer_size(writer), sizeof(bytes) - 1);
    cr_expect_eq(memcmp(drover_writer_data(writer), bytes, sizeof(bytes) - 1), 0);
}

Test(value, an_absent_value_is_copied_as_nil)
{
    drover_write_value(writer, NULL);
    cr_expect_eq(drover_value_type(read_back()), DROVER_TYPE_NIL);
}

Test(value, raw_bytes_are_appended_as_they_are)
{
    drover_write_map(writer, 1);
    drover_write_string(writer, "settings");
    drover_write_raw(writer, "\x81\xa1k\x07", 4);
    uint64_t number = 0;
    cr_expect(drover_value_uint64(drover_value_get(drover_value_get(read_back(), "settings"), "k"), &number));
    cr_expect_eq(number, 7);
}

Test(value, a_cleared_writer_begins_again)
{
    drover_write_string(writer, "before");
    drover_writer_clear(writer);
    cr_expect_eq(drover_writer_size(writer), 0);
    cr_expect(drover_writer_ok(writer));
    drover_write_bool(writer, true);
    cr_expect_eq(drover_writer_size(writer), 1);
}

Test(value, a_string_that_no_length_can_say_makes_the_writer_fail)
{
    drover_write_text(writer, "x", (size_t)UINT32_MAX + 1);
    cr_expect_not(drover_writer_ok(writer));
    drover_write_bool(writer, true);
    cr_expect_not(drover_writer_ok(writer), "a later success does not hide it");
    drover_writer_clear(writer);
    cr_expect(drover_writer_ok(writer));
    drover_write_bytes(writer, "x", (size_t)UINT32_MAX + 1);
    cr_expect_not(drover_writer_ok(writer));
}
