/* cursor.h - the one bounded cursor that reads and writes frames
 *
 * A read or write beyond the end fails once and for all: `ok` turns false, what is read is 0 or empty, nothing is
 * written. So a codec is a straight list of fields with one check at its end.
 */
#ifndef DROVER_WIRE_CURSOR_H
#define DROVER_WIRE_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <drover/value.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static inline const uint8_t *read_octets(struct reader *reader, size_t size)
{
    if (!reader->ok || (size_t)(reader->end - reader->at) < size) {
        reader->ok = false;
        return NULL;
    }
    const uint8_t *octets = reader->at;
    reader->at += size;
    return octets;
}

static inline uint8_t read_u8(struct reader *reader)
{
    const uint8_t *octets = read_octets(reader, 1);
    return octets != NULL ? *octets : 0;
}

static inline uint16_t read_u16(struct reader *reader)
{
    uint16_t value = 0;
    const uint8_t *octets = read_octets(reader, sizeof(value));
    if (octets != NULL)
        memcpy(&value, octets, sizeof(value));
    return be16toh(value);
}

static inline uint32_t read_u32(struct reader *reader)
{
    uint32_t value = 0;
    const uint8_t *octets = read_octets(reader, sizeof(value));
    if (octets != NULL)
        memcpy(&value, octets, sizeof(value));
    return be32toh(value);
}

static inline uint64_t read_u64(struct reader *reader)
{
    uint64_t value = 0;
    const uint8_t *octets = read_octets(reader, sizeof(value));
    if (octets != NULL)
        memcpy(&value, octets, sizeof(value));
    return be64toh(value);
}

static inline struct drover_text read_text(struct reader *reader, size_t size)
{
    const uint8_t *octets = read_octets(reader, size);
    struct drover_text text = {.data = (const char *)octets, .size = octets != NULL ? size : 0};
    return text;
}

struct pen {
    uint8_t *at;
    uint8_t *end;
    bool ok;
};

static inline void write_octets(struct pen *pen, const void *data, size_t size)
{
    if (!pen->ok || (size_t)(pen->end - pen->at) < size) {
        pen->ok = false;
        return;
    }
    if (size > 0)
        memcpy(pen->at, data, size);
    pen->at += size;
}

static inline void write_u8(struct pen *pen, uint8_t value)
{
    write_octets(pen, &value, sizeof(value));
}

static inline void write_u16(struct pen *pen, uint16_t value)
{
    value = htobe16(value);
    write_octets(pen, &value, sizeof(value));
}

static inline void write_u32(struct pen *pen, uint32_t value)
{
    value = htobe32(value);
    write_octets(pen, &value, sizeof(value));
}

static inline void write_u64(struct pen *pen, uint64_t value)
{
    value = htobe64(value);
    write_octets(pen, &value, sizeof(value));
}

#endif
