/* scan.c - bounds and nesting of a msgpack value (https://github.com/msgpack/msgpack/blob/master/spec.md) */
#include <stdint.h>

#include "common/wire/cursor.h"
#include "common/wire/scan.h"

/* What follows the first octet of a value: octets to skip, and values inside. */
struct shape {
    uint64_t octets;
    uint64_t values;
    bool holds; /* a list or a map, also an empty one */
    bool known;
};

static struct shape skip(uint64_t octets)
{
    return (struct shape){.octets = octets, .known = true};
}

static struct shape hold(uint64_t values)
{
    return (struct shape){.values = values, .holds = true, .known = true};
}

/* 0xc0 to 0xdf, the octets that are no fix type. */
static struct shape shape_of_code(uint8_t code, struct reader *reader)
{
    switch (code) {
    case 0xc0: /* nil */
    case 0xc2: /* false */
    case 0xc3: /* true */
        return skip(0);
    case 0xc4: /* bin 8 */
    case 0xd9: /* str 8 */
        return skip(read_u8(reader));
    case 0xc5: /* bin 16 */
    case 0xda: /* str 16 */
        return skip(read_u16(reader));
    case 0xc6: /* bin 32 */
    case 0xdb: /* str 32 */
        return skip(read_u32(reader));
    case 0xc7: /* ext 8 */
        return skip((uint64_t)read_u8(reader) + 1);
    case 0xc8: /* ext 16 */
        return skip((uint64_t)read_u16(reader) + 1);
    case 0xc9: /* ext 32 */
        return skip((uint64_t)read_u32(reader) + 1);
    case 0xcc: /* uint 8 */
    case 0xd0: /* int 8 */
        return skip(1);
    case 0xcd: /* uint 16 */
    case 0xd1: /* int 16 */
        return skip(2);
    case 0xca: /* float 32 */
    case 0xce: /* uint 32 */
    case 0xd2: /* int 32 */
        return skip(4);
    case 0xcb: /* float 64 */
    case 0xcf: /* uint 64 */
    case 0xd3: /* int 64 */
        return skip(8);
    case 0xd4: /* fixext 1, 2, 4, 8, 16 */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return skip((UINT64_C(1) << (code - 0xd4)) + 1);
    case 0xdc: /* array 16 */
        return hold(read_u16(reader));
    case 0xdd: /* array 32 */
        return hold(read_u32(reader));
    case 0xde: /* map 16 */
        return hold(2 * (uint64_t)read_u16(reader));
    case 0xdf: /* map 32 */
        return hold(2 * (uint64_t)read_u32(reader));
    default: /* 0xc1 is never used */
        return (struct shape){.known = false};
    }
}

static struct shape shape_of(uint8_t code, struct reader *reader)
{
    if (code <= 0x7f || code >= 0xe0) /* small integers */
        return skip(0);
    if (code <= 0x8f) /* fixmap */
        return hold(2 * (uint64_t)(code & 0x0f));
    if (code <= 0x9f) /* fixarray */
        return hold(code & 0x0f);
    if (code <= 0xbf) /* fixstr */
        return skip(code & 0x1f);
    return shape_of_code(code, reader);
}

const char *msgpack_scan(const void *data, size_t size)
{
    struct reader reader = {.at = data, .end = (const uint8_t *)data + size, .ok = true};
    uint64_t missing[DROVER_VALUE_DEPTH_MAX + 1] = {1}; /* values still to come, level by level */
    size_t level = 0;

    for (;;) {
        while (missing[level] == 0) {
            if (level == 0)
                return reader.at == reader.end ? NULL : "there are bytes after the value";
            level--;
        }
        missing[level]--;
        const uint8_t code = read_u8(&reader);
        const struct shape shape = shape_of(code, &reader);
        if (!reader.ok)
            return "it ends in the middle of a value";
        if (!shape.known)
            return "it has an octet that means nothing in msgpack";
        const uint64_t left = (uint64_t)(reader.end - reader.at);
        if (shape.octets > left || shape.values > left)
            return "it declares more than the bytes that are there";
        (void)read_octets(&reader, (size_t)shape.octets);
        if (shape.holds && level == DROVER_VALUE_DEPTH_MAX)
            return "it is nested too deeply";
        if (shape.values > 0)
            missing[++level] = shape.values;
    }
}
