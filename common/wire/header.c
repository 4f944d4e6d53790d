/* header.c - the header codec (docs/rfc/1.md, "Header") */
#include <string.h>

#include "common/wire/command.h"
#include "common/wire/cursor.h"
#include "common/wire/header.h"

enum { FLAGS_KNOWN_MASK = FIELD_DEADLINE | FIELD_SEQUENCE | FIELD_READ | FIELD_STATUS | FIELD_TARGET | FIELD_METADATA };

/* ---- decoding ---- */

static void read_status(struct reader *reader, struct wire_header *header)
{
    const uint8_t status = read_u8(reader);
    const uint8_t outcome = read_u8(reader);
    const uint8_t origin = read_u8(reader);
    header->retry_after_ms = read_u32(reader);
    header->text = read_text(reader, read_u16(reader));
    if (status >= DROVER_STATUS_END || outcome >= DROVER_OUTCOME_END || origin >= DROVER_ORIGIN_END ||
        header->text.size > WIRE_TEXT_MAX) {
        reader->ok = false;
        return;
    }
    header->status = (enum drover_status)status;
    header->outcome = (enum drover_outcome)outcome;
    header->origin = (enum drover_origin)origin;
}

static void read_target(struct reader *reader, struct wire_header *header)
{
    header->service = read_text(reader, read_u8(reader));
    header->method = read_text(reader, read_u8(reader));
    if (header->service.size == 0 || header->method.size == 0)
        reader->ok = false;
}

static void read_metadata(struct reader *reader, struct wire_header *header)
{
    const uint16_t size = read_u16(reader);
    header->metadata = read_text(reader, size);
    if (size > WIRE_METADATA_MAX)
        reader->ok = false;
}

static void read_fields(struct reader *reader, struct wire_header *header)
{
    if (header->flags & FIELD_DEADLINE)
        header->deadline_ms = read_u32(reader);
    if (header->flags & FIELD_SEQUENCE)
        header->sequence = read_u64(reader);
    if (header->flags & FIELD_READ) {
        header->read_count = read_u64(reader);
        header->read_bytes = read_u64(reader);
    }
    if (header->flags & FIELD_STATUS)
        read_status(reader, header);
    if (header->flags & FIELD_TARGET)
        read_target(reader, header);
    if (header->flags & FIELD_METADATA)
        read_metadata(reader, header);
}

/* Unknown flags in the lower half are fields whose length nobody here knows; those in the upper half are ignored. */
static bool fields_fit(const struct wire_command_info *info, uint32_t flags)
{
    const uint32_t fields = flags & 0xFFFFu;
    return (fields & ~info->allowed) == 0 && (fields & info->required) == info->required;
}

enum wire_verdict wire_header_decode(const void *data, size_t size, struct wire_header *ret)
{
    struct reader reader = {.at = data, .end = (const uint8_t *)data + size, .ok = true};
    struct wire_header header = {.command = WIRE_NO_COMMAND};

    const uint8_t *signature = read_octets(&reader, 2);
    if (signature == NULL || signature[0] != WIRE_SIGNATURE_0 || signature[1] != WIRE_SIGNATURE_1)
        return WIRE_FOREIGN;
    const uint8_t version = read_u8(&reader);
    if (reader.ok && version != WIRE_VERSION)
        return WIRE_OTHER_VERSION;
    const uint8_t command = read_u8(&reader);
    header.flags = read_u32(&reader);
    header.session = read_u64(&reader);
    header.call = read_u64(&reader);
    if (!reader.ok)
        return WIRE_MALFORMED;

    const struct wire_command_info *info = wire_command_info(command);
    if (info->name == NULL) {
        *ret = header;
        return WIRE_UNKNOWN_COMMAND;
    }
    header.command = (enum wire_command)command;
    if (!fields_fit(info, header.flags))
        return WIRE_MALFORMED;
    read_fields(&reader, &header);
    if (!reader.ok || reader.at != reader.end)
        return WIRE_MALFORMED;
    *ret = header;
    return WIRE_DECODED;
}

/* ---- encoding ---- */

static void write_short_text(struct pen *pen, struct drover_text text)
{
    if (text.size > WIRE_NAME_MAX)
        pen->ok = false;
    write_u8(pen, (uint8_t)text.size);
    write_octets(pen, text.data, text.size);
}

static void write_status(struct pen *pen, const struct wire_header *header)
{
    const size_t size = header->text.size < WIRE_TEXT_MAX ? header->text.size : WIRE_TEXT_MAX;
    write_u8(pen, (uint8_t)header->status);
    write_u8(pen, (uint8_t)header->outcome);
    write_u8(pen, (uint8_t)header->origin);
    write_u32(pen, header->retry_after_ms);
    write_u16(pen, (uint16_t)size);
    write_octets(pen, header->text.data, size);
}

static void write_metadata(struct pen *pen, struct drover_text metadata)
{
    if (metadata.size > WIRE_METADATA_MAX)
        pen->ok = false;
    write_u16(pen, (uint16_t)metadata.size);
    write_octets(pen, metadata.data, metadata.size);
}

static void write_fields(struct pen *pen, const struct wire_header *header)
{
    if (header->flags & FIELD_DEADLINE)
        write_u32(pen, header->deadline_ms);
    if (header->flags & FIELD_SEQUENCE)
        write_u64(pen, header->sequence);
    if (header->flags & FIELD_READ) {
        write_u64(pen, header->read_count);
        write_u64(pen, header->read_bytes);
    }
    if (header->flags & FIELD_STATUS)
        write_status(pen, header);
    if (header->flags & FIELD_TARGET) {
        write_short_text(pen, header->service);
        write_short_text(pen, header->method);
    }
    if (header->flags & FIELD_METADATA)
        write_metadata(pen, header->metadata);
}

size_t wire_header_encode(const struct wire_header *header, void *buffer, size_t capacity)
{
    struct pen pen = {.at = buffer, .end = (uint8_t *)buffer + capacity, .ok = true};
    write_u8(&pen, WIRE_SIGNATURE_0);
    write_u8(&pen, WIRE_SIGNATURE_1);
    write_u8(&pen, WIRE_VERSION);
    write_u8(&pen, (uint8_t)header->command);
    write_u32(&pen, header->flags);
    write_u64(&pen, header->session);
    write_u64(&pen, header->call);
    write_fields(&pen, header);
    return pen.ok ? (size_t)(pen.at - (uint8_t *)buffer) : 0;
}

size_t wire_header_size(const struct wire_header *header)
{
    const uint32_t flags = header->flags;
    size_t size = WIRE_HEADER_FIXED_SIZE;
    size += flags & FIELD_DEADLINE ? 4 : 0;
    size += flags & FIELD_SEQUENCE ? 8 : 0;
    size += flags & FIELD_READ ? 16 : 0;
    if (flags & FIELD_STATUS)
        size += 3 + 4 + 2 + (header->text.size < WIRE_TEXT_MAX ? header->text.size : WIRE_TEXT_MAX);
    size += flags & FIELD_TARGET ? 2 + header->service.size + header->method.size : 0;
    size += flags & FIELD_METADATA ? 2 + header->metadata.size : 0;
    return size;
}

/* ---- errors ---- */

void wire_header_set_error(struct wire_header *header, const struct drover_error *error)
{
    header->flags |= FIELD_STATUS;
    header->status = error->status;
    header->outcome = error->outcome;
    header->origin = error->origin;
    header->retry_after_ms = error->retry_after_ms;
    header->text = (struct drover_text){.data = error->text, .size = strlen(error->text)};
}

void wire_header_get_error(const struct wire_header *header, struct drover_error *ret)
{
    const size_t size = header->text.size < sizeof(ret->text) ? header->text.size : sizeof(ret->text) - 1;
    ret->status = header->status;
    ret->outcome = header->outcome;
    ret->origin = header->origin;
    ret->retry_after_ms = header->retry_after_ms;
    if (size > 0)
        memcpy(ret->text, header->text.data, size);
    ret->text[size] = '\0';
}

_Static_assert(FLAGS_KNOWN_MASK < 0x10000, "fields live in the lower half of the flags");
