/* test_text.c - times, sizes, the nearest name, safe quoting */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "common/base/text.h"

/* A text and what it is read as; `good` false: it must be refused. */
struct reading {
    char text[40];
    bool good;
    uint64_t value;
};

ParameterizedTestParameters(text, reads_times)
{
    static struct reading rows[] = {
        {"200ms", true, 200},
        {"30s", true, 30000},
        {"5m", true, 300000},
        {"2h", true, 7200000},
        {"0s", true, 0},
        {"18446744073709551615ms", true, UINT64_MAX},
        {"18446744073709551616ms", false, 0},
        {"18446744073709551s", true, UINT64_C(18446744073709551000)},
        {"18446744073709552s", false, 0},
        {"99999999999999999999999h", false, 0},
        {"30", false, 0},
        {"s", false, 0},
        {"", false, 0},
        {"-5s", false, 0},
        {"+5s", false, 0},
        {" 5s", false, 0},
        {"5 s", false, 0},
        {"5s ", false, 0},
        {"5S", false, 0},
        {"1.5s", false, 0},
        {"5sec", false, 0},
        {"0x5s", false, 0},
    };
    return cr_make_param_array(struct reading, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct reading *row, text, reads_times)
{
    uint64_t ms = 77;
    cr_assert_eq(text_parse_time(row->text, &ms), row->good, "'%s'", row->text);
    cr_assert_eq(ms, row->good ? row->value : 77, "'%s'", row->text);
}

ParameterizedTestParameters(text, reads_sizes)
{
    static struct reading rows[] = {
        {"512", true, 512},
        {"64KiB", true, 65536},
        {"10MiB", true, 10485760},
        {"1GiB", true, 1073741824},
        {"0", true, 0},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"17179869183GiB", true, UINT64_C(17179869183) << 30},
        {"17179869184GiB", false, 0},
        {"64kib", false, 0},
        {"64KB", false, 0},
        {"64K", false, 0},
        {"KiB", false, 0},
        {"-1", false, 0},
        {"1.5MiB", false, 0},
        {"", false, 0},
    };
    return cr_make_param_array(struct reading, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct reading *row, text, reads_sizes)
{
    uint64_t bytes = 77;
    cr_assert_eq(text_parse_size(row->text, &bytes), row->good, "'%s'", row->text);
    cr_assert_eq(bytes, row->good ? row->value : 77, "'%s'", row->text);
}

ParameterizedTestParameters(text, reads_numbers)
{
    static struct reading rows[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"28446744073709551615", false, 0},
        {"", false, 0},
        {"12a", false, 0},
        {"-1", false, 0},
        {"1 ", false, 0},
    };
    return cr_make_param_array(struct reading, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct reading *row, text, reads_numbers)
{
    uint64_t number = 77;
    cr_assert_eq(text_parse_number(row->text, &number), row->good, "'%s'", row->text);
    cr_assert_eq(number, row->good ? row->value : 77, "'%s'", row->text);
}

/* A mistyped word and the name that was meant; "" for none. */
struct slip {
    char word[80];
    char meant[40];
};

static const char *const names[] = {"json", "demo", "echo", "userprovider", "authprovider", "a"};

ParameterizedTestParameters(text, finds_the_nearest_name)
{
    static struct slip rows[] = {
        {"jsn", "json"},                 /* a letter is missing */
        {"jsonn", "json"},               /* one too many */
        {"jsno", "json"},                /* two are swapped */
        {"dimo", "demo"},                /* one is another */
        {"JSON", "json"},                /* case */
        {"usreprovidr", "userprovider"}, /* several slips in a long word */
        {"autprovider", "authprovider"}, /* the nearer of two */
        {"json", "json"},                /* none at all */
        {"ldap", ""},                    /* another word */
        {"js", ""},                      /* half of it */
        {"x", ""},                       /* everything is one letter away from "a" */
        {"", ""},
        {"userprovideruserprovideruserprovideruserprovideruserprovideruserprovider", ""},
    };
    return cr_make_param_array(struct slip, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct slip *row, text, finds_the_nearest_name)
{
    const char *nearest = text_nearest(row->word, names, sizeof names / sizeof names[0]);
    cr_assert_str_eq(nearest ? nearest : "", row->meant, "'%s' is near to '%s'", row->word, nearest ? nearest : "");
}

Test(text, finds_nothing_near_in_an_empty_list)
{
    cr_assert_null(text_nearest("json", NULL, 0));
}

Test(text, looks_at_the_start_of_a_word_of_any_length)
{
    size_t size = 100000;
    char *word = malloc(size + 1);
    cr_assert_not_null(word);
    memset(word, 'x', size);
    word[size] = '\0';
    cr_assert_null(text_nearest(word, names, sizeof names / sizeof names[0]));
    free(word);
}

Test(text, formats_into_new_memory)
{
    char *text = text_format("%s-%05d", "a", 42);
    cr_assert_str_eq(text, "a-00042");
    free(text);
}

/* Untrusted octets and how they may be shown. `size` 0: as long as the string. */
struct quoting {
    char data[24];
    size_t size;
    char shown[40];
};

ParameterizedTestParameters(text, shows_untrusted_text_safely)
{
    static struct quoting rows[] = {
        {"plain", 0, "plain"},
        {"a\nb\tc\033[31m", 0, "a?b?c?[31m"},
        {"del\x7f", 0, "del?"},
        {"nul\0in", 6, "nul?in"},
        {"caf\xc3\xa9", 0, "caf\xc3\xa9"},
        {"\xe2\x82\xac", 0, "\xe2\x82\xac"},
        {"\xf0\x9f\x90\x91", 0, "\xf0\x9f\x90\x91"},
        {"c1\xc2\x9b", 0, "c1?"},        /* a control character above ASCII */
        {"\xc3", 0, "?"},                /* cut short */
        {"\xe2\x82\xac", 2, "??"},       /* cut short, though the rest stands behind it */
        {"\xc3(", 0, "?("},              /* no continuation */
        {"\xa9", 0, "?"},                /* a continuation alone */
        {"\xc0\xaf", 0, "??"},           /* overlong '/' */
        {"\xe0\x80\xaf", 0, "???"},      /* overlong */
        {"\xed\xa0\x80", 0, "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", 0, "????"}, /* above U+10FFFF */
        {"\xff\xfe", 0, "??"},
    };
    return cr_make_param_array(struct quoting, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct quoting *row, text, shows_untrusted_text_safely)
{
    char buffer[40];
    size_t size = row->size ? row->size : strlen(row->data);
    cr_assert_eq(text_printable(row->data, size, buffer, sizeof buffer), buffer);
    cr_assert_str_eq(buffer, row->shown);
}

Test(text, cuts_what_is_too_long_between_characters)
{
    char buffer[6];
    cr_assert_str_eq(text_printable("abcdefgh", 8, buffer, sizeof buffer), "abcde");
    cr_assert_str_eq(text_printable("abcd\xc3\xa9", 6, buffer, sizeof buffer), "abcd");
    cr_assert_str_eq(text_printable("abc", 3, buffer, 1), "");
    cr_assert_str_eq(text_printable("", 0, buffer, sizeof buffer), "");
}

Test(text, writes_nothing_into_a_buffer_of_no_size)
{
    char buffer[1] = {'!'};
    text_printable("abc", 3, buffer, 0);
    cr_assert_eq(buffer[0], '!');
}

Test(text, writes_hex)
{
    const unsigned char data[] = {0x00, 0x0f, 0xa5, 0xff};
    char buffer[9];
    text_hex(data, sizeof data, buffer);
    cr_assert_str_eq(buffer, "000fa5ff");
    text_hex(data, 0, buffer);
    cr_assert_str_eq(buffer, "");
}
