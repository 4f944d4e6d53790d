/* unescape.c - UTF-8 and the escapes of JSON
 *
 * Source: RFC 3629 section 4, RFC 8259 section 7.
 */
#include "drivers/users/unescape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Which first bytes begin how long a character, and which second bytes they allow. */
static const struct {
    unsigned char first, last;
    unsigned char size;
    unsigned char second_first, second_last;
} characters[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf8_size(const char *data, size_t size)
{
    const unsigned char *byte = (const unsigned char *)data;

    if (byte[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        if (byte[0] < characters[i].first || byte[0] > characters[i].last)
            continue;
        if (size < characters[i].size || byte[1] < characters[i].second_first || byte[1] > characters[i].second_last)
            return 0;
        for (size_t k = 2; k < characters[i].size; k++)
            if ((byte[k] & 0xc0) != 0x80)
                return 0;
        return characters[i].size;
    }
    return 0;
}

static size_t write_utf8(uint32_t code, char *out)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = (size_t)1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);

    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(marks[size] | code);
    return size;
}

/* The four hex digits of \uXXXX at `at`. */
static bool read_hex(struct drover_text raw, size_t at, uint32_t *ret_code)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t code = 0;

    if (raw.size < at + 6 || raw.data[at] != '\\' || raw.data[at + 1] != 'u')
        return false;
    for (size_t i = at + 2; i < at + 6; i++) {
        const char *digit = raw.data[i] ? strchr(digits, raw.data[i] >= 'A' ? raw.data[i] | 0x20 : raw.data[i]) : NULL;
        if (!digit)
            return false;
        code = code << 4 | (uint32_t)(digit - digits);
    }
    *ret_code = code;
    return true;
}

/* \uXXXX at `*at`, or two of them that are one character. Moves `*at` behind them. */
static const char *read_code(struct drover_text raw, size_t *at, uint32_t *ret_code)
{
    uint32_t code, low;

    if (!read_hex(raw, *at, &code))
        return "four hex digits must follow \\u";
    if (code == 0)
        return "U+0000 in a string";
    *at += 6;
    if (code >= 0xd800 && code <= 0xdfff) {
        if (code >= 0xdc00 || !read_hex(raw, *at, &low) || low < 0xdc00 || low > 0xdfff)
            return "half of a surrogate pair";
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *ret_code = code;
    return NULL;
}

const char *unescape(struct drover_text raw, char *out, size_t *ret_size, size_t *ret_wrong_at)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t size = 0;

    for (size_t at = 0; at < raw.size;) {
        if (raw.data[at] != '\\') {
            out[size++] = raw.data[at++];
            continue;
        }
        const char *letter = raw.data[at + 1] ? strchr(letters, raw.data[at + 1]) : NULL;
        *ret_wrong_at = at;
        if (letter) {
            out[size++] = meant[letter - letters];
            at += 2;
        } else if (raw.data[at + 1] == 'u') {
            uint32_t code;
            const char *wrong = read_code(raw, &at, &code);
            if (wrong)
                return wrong;
            size += write_utf8(code, out + size);
        } else {
            return "there is no such escape";
        }
    }
    *ret_size = size;
    return NULL;
}
