/* text.c - small things done with strings: times, sizes, the nearest name, safe quoting */
#include "common/base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A unit and how much of the base it is. */
struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit time_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static const struct unit size_units[] = {
    {"", 1}, {"KiB", UINT64_C(1) << 10}, {"MiB", UINT64_C(1) << 20}, {"GiB", UINT64_C(1) << 30}, {NULL, 0}};

/* Read the digits at the start of `text`; `*ret_end` is what follows them. False when there are none, or too many. */
static bool parse_digits(const char *text, uint64_t *ret, const char **ret_end)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text)
        return false;
    *ret = value;
    *ret_end = at;
    return true;
}

static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
    uint64_t value;
    const char *end;
    if (!parse_digits(text, &value, &end))
        return false;
    const struct unit *unit = units;
    while (unit->name && strcmp(unit->name, end) != 0)
        unit++;
    if (!unit->name || value > UINT64_MAX / unit->factor)
        return false;
    *ret = value * unit->factor;
    return true;
}

bool text_parse_time(const char *text, uint64_t *ret_ms)
{
    return parse_with_unit(text, time_units, ret_ms);
}

bool text_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse_with_unit(text, size_units, ret_bytes);
}

bool text_parse_number(const char *text, uint64_t *ret)
{
    uint64_t value;
    const char *end;
    if (!parse_digits(text, &value, &end) || *end)
        return false;
    *ret = value;
    return true;
}

#define NEAREST_OCTETS 64

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The "optimal string alignment" distance: insert, remove, replace a letter, or swap two neighbours. Upper and lower
 * case are the same letter. Both lengths are at most NEAREST_OCTETS. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][NEAREST_OCTETS + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b_size];
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
    size_t word_size = strnlen(word, NEAREST_OCTETS);
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t name_size = strnlen(names[i], NEAREST_OCTETS);
        size_t distance = edit_distance(word, word_size, names[i], name_size);
        /* One slip in three letters may be a slip; more is another word. */
        size_t longer = word_size > name_size ? word_size : name_size;
        size_t allowed = longer < 6 ? 1 : longer / 3;
        if (distance <= allowed && distance < word_size && distance < nearest_distance) {
            nearest = names[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

static bool is_continuation(unsigned char octet)
{
    return (octet & 0xC0) == 0x80;
}

/* The octets of the UTF-8 character at `at` and its code point; 0 when there is none (RFC 3629, section 4: no
 * overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_character(const unsigned char *at, size_t left, uint32_t *ret_point)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    size_t size = 1;
    while (size <= 4 && (at[0] & forms[size - 1].mask) != forms[size - 1].lead)
        size++;
    if (size > 4 || size > left)
        return 0;
    uint32_t point = (uint32_t)at[0] & (unsigned char)~forms[size - 1].mask;
    for (size_t i = 1; i < size; i++) {
        if (!is_continuation(at[i]))
            return 0;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    if (point < forms[size - 1].least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret_point = point;
    return size;
}

static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

char *text_printable(const char *data, size_t size, char *buffer, size_t capacity)
{
    const unsigned char *at = (const unsigned char *)data;
    size_t used = 0;
    if (capacity == 0)
        return buffer;
    while (size > 0) {
        uint32_t point = 0;
        size_t octets = utf8_character(at, size, &point);
        bool good = octets > 0 && !is_control(point);
        size_t taken = octets > 0 ? octets : 1, written = good ? octets : 1;
        if (written >= capacity - used)
            break;
        if (good)
            memcpy(buffer + used, at, octets);
        else
            buffer[used] = '?';
        used += written;
        at += taken;
        size -= taken;
    }
    buffer[used] = '\0';
    return buffer;
}

void text_hex(const void *data, size_t size, char *buffer)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = data;
    for (size_t i = 0; i < size; i++) {
        buffer[2 * i] = digits[at[i] >> 4];
        buffer[2 * i + 1] = digits[at[i] & 0x0F];
    }
    buffer[2 * size] = '\0';
}
