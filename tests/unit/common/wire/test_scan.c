/* test_scan.c - what msgpack_scan() lets pass and what it refuses, byte by byte */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <drover/value.h>

#include "common/wire/scan.h"

#define BYTES(literal) .size = sizeof(literal) - 1, .octets = (literal)

/* A copy that ends where the heap block ends, so that AddressSanitizer sees a read beyond it. */
static const char *scan(const char *octets, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, octets, size);
    const char *fault = msgpack_scan(copy, size);
    free(copy);
    return fault;
}

/* One of each code of the format, with its shortest content. */
static const struct {
    const char *name;
    size_t size;
    const char *octets;
} forms[] = {
    {"fixint", BYTES("\x00")},
    {"fixint, largest", BYTES("\x7f")},
    {"negative fixint", BYTES("\xe0")},
    {"-1", BYTES("\xff")},
    {"fixmap, empty", BYTES("\x80")},
    {"fixmap", BYTES("\x81\x01\x02")},
    {"fixarray, empty", BYTES("\x90")},
    {"fixarray", BYTES("\x92\x01\x02")},
    {"fixstr, empty", BYTES("\xa0")},
    {"fixstr", BYTES("\xa3"
                     "abc")},
    {"nil", BYTES("\xc0")},
    {"false", BYTES("\xc2")},
    {"true", BYTES("\xc3")},
    {"bin 8", BYTES("\xc4\x02"
                    "ab")},
    {"bin 16", BYTES("\xc5\x00\x02"
                     "ab")},
    {"bin 32", BYTES("\xc6\x00\x00\x00\x02"
                     "ab")},
    {"ext 8", BYTES("\xc7\x02\x05"
                    "ab")},
    {"ext 8, empty", BYTES("\xc7\x00\x05")},
    {"ext 16", BYTES("\xc8\x00\x02\x05"
                     "ab")},
    {"ext 32", BYTES("\xc9\x00\x00\x00\x02\x05"
                     "ab")},
    {"float 32", BYTES("\xca\x00\x00\x00\x00")},
    {"float 64", BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x00")},
    {"uint 8", BYTES("\xcc\xff")},
    {"uint 16", BYTES("\xcd\xff\xff")},
    {"uint 32", BYTES("\xce\xff\xff\xff\xff")},
    {"uint 64", BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff")},
    {"int 8", BYTES("\xd0\xff")},
    {"int 16", BYTES("\xd1\xff\xff")},
    {"int 32", BYTES("\xd2\xff\xff\xff\xff")},
    {"int 64", BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xff")},
    {"fixext 1", BYTES("\xd4\x05"
                       "a")},
    {"fixext 2", BYTES("\xd5\x05"
                       "ab")},
    {"fixext 4", BYTES("\xd6\x05"
                       "abcd")},
    {"fixext 8", BYTES("\xd7\x05"
                       "abcdefgh")},
    {"fixext 16", BYTES("\xd8\x05"
                        "abcdefghabcdefgh")},
    {"str 8", BYTES("\xd9\x02"
                    "ab")},
    {"str 16", BYTES("\xda\x00\x02"
                     "ab")},
    {"str 32", BYTES("\xdb\x00\x00\x00\x02"
                     "ab")},
    {"array 16", BYTES("\xdc\x00\x02\x01\x02")},
    {"array 32", BYTES("\xdd\x00\x00\x00\x02\x01\x02")},
    {"map 16", BYTES("\xde\x00\x01\x01\x02")},
    {"map 32", BYTES("\xdf\x00\x00\x00\x01\x01\x02")},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(scan, accepts_every_form)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        const char *fault = scan(forms[i].octets, forms[i].size);
        cr_expect_null(fault, "%s: %s", forms[i].name, fault);
    }
}

Test(scan, refuses_every_form_that_is_cut)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        for (size_t size = 0; size < forms[i].size; size++)
            cr_expect_not_null(scan(forms[i].octets, size), "%s cut to %zu", forms[i].name, size);
    }
}

Test(scan, refuses_every_form_with_an_octet_behind_it)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        char octets[64] = {0};
        memcpy(octets, forms[i].octets, forms[i].size);
        cr_expect_str_eq(scan(octets, forms[i].size + 1), "there are bytes after the value", "%s", forms[i].name);
    }
}

Test(scan, accepts_every_form_inside_a_list)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        char octets[64] = {'\x92'};
        memcpy(octets + 1, forms[i].octets, forms[i].size);
        octets[1 + forms[i].size] = '\xc0';
        const char *fault = scan(octets, forms[i].size + 2);
        cr_expect_null(fault, "%s: %s", forms[i].name, fault);
    }
}

Test(scan, refuses_the_octet_that_is_never_used)
{
    static const char fault[] = "it has an octet that means nothing in msgpack";
    cr_expect_str_eq(scan("\xc1", 1), fault);
    cr_expect_str_eq(scan("\xc1\x00", 2), fault, "nothing belongs to it");
    cr_expect_str_eq(scan("\x92\x01\xc1", 3), fault);
}

Test(scan, refuses_five_octets_that_ask_for_96_gigabytes)
{
    static const char *const traps[] = {"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff",
                                        "\xc6\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff"};
    for (size_t i = 0; i < COUNT(traps); i++)
        cr_expect_not_null(scan(traps[i], 5), "trap %zu", i);
}

Test(scan, refuses_counts_above_the_octets_that_are_left)
{
    cr_expect_not_null(scan("\x93\x01\x02", 3));
    cr_expect_not_null(scan("\x82\x01\x02\x03", 4), "a map needs two values for each entry");
    cr_expect_not_null(scan("\xdd\x0f\xff\xff\xff\x01\x02\x03", 8));
}

Test(scan, refuses_a_list_whose_inner_lists_ate_its_octets)
{
    /* each count alone fits the octets left; together they do not */
    cr_expect_not_null(scan("\x92\x92\x01\x02", 4));
}

/* `depth` lists inside each other; the innermost is empty, or holds nil. */
static const char *scan_nested(size_t depth, bool empty)
{
    char octets[64];
    cr_assert_lt(depth, sizeof(octets));
    memset(octets, '\x91', depth);
    octets[empty ? depth - 1 : depth] = empty ? '\x90' : '\xc0';
    return scan(octets, empty ? depth : depth + 1);
}

Test(scan, allows_32_levels_and_refuses_33)
{
    cr_expect_null(scan_nested(DROVER_VALUE_DEPTH_MAX, false));
    cr_expect_null(scan_nested(DROVER_VALUE_DEPTH_MAX, true));
    cr_expect_str_eq(scan_nested(DROVER_VALUE_DEPTH_MAX + 1, false), "it is nested too deeply");
    cr_expect_str_eq(scan_nested(DROVER_VALUE_DEPTH_MAX + 1, true), "it is nested too deeply");
}

Test(scan, counts_levels_not_lists)
{
    char octets[101];
    octets[0] = '\xdc';
    octets[1] = 0;
    octets[2] = 98;
    memset(octets + 3, '\x90', 98);
    cr_expect_null(scan(octets, sizeof(octets)), "98 lists beside each other are two levels");
}

Test(scan, is_linear_in_the_octets)
{
    /* a million lists in lists: done at once, and refused for its depth, not its size */
    const size_t size = 1000000;
    char *octets = malloc(size);
    memset(octets, '\x91', size);
    cr_expect_str_eq(msgpack_scan(octets, size), "it is nested too deeply");
    free(octets);
}
