/* fuzz_header.c - any bytes as a header: no fault, and what decodes encodes to the same bytes */
#include <string.h>

#include "common/wire/command.h"
#include "common/wire/header.h"
#include "tests/fuzz/fuzz.h"

static bool inside(struct drover_text text, const uint8_t *data, size_t size)
{
    return text.size == 0 || ((const uint8_t *)text.data >= data && text.size <= size &&
                              (const uint8_t *)text.data - data <= (ptrdiff_t)(size - text.size));
}

static void check_decoded(const struct wire_header *header, const uint8_t *data, size_t size)
{
    static uint8_t again[WIRE_HEADER_MAX];
    const struct wire_command_info *info = wire_command_info(header->command);
    FUZZ_CHECK(size <= WIRE_HEADER_MAX);
    FUZZ_CHECK(info->name != NULL);
    FUZZ_CHECK((header->flags & 0xFFFFu & ~info->allowed) == 0);
    FUZZ_CHECK((header->flags & info->required) == info->required);
    FUZZ_CHECK(inside(header->service, data, size) && inside(header->method, data, size));
    FUZZ_CHECK(inside(header->metadata, data, size) && inside(header->text, data, size));
    FUZZ_CHECK(wire_header_size(header) == size);
    FUZZ_CHECK(wire_header_encode(header, again, sizeof(again)) == size);
    FUZZ_CHECK(memcmp(again, data, size) == 0);

    struct drover_error error;
    wire_header_get_error(header, &error);
    FUZZ_CHECK(strlen(error.text) <= header->text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_header header, before;
    memset(&header, 0x5A, sizeof(header));
    memcpy(&before, &header, sizeof(header));
    switch (wire_header_decode(data, size, &header)) {
    case WIRE_DECODED:
        check_decoded(&header, data, size);
        break;
    case WIRE_UNKNOWN_COMMAND:
        FUZZ_CHECK(header.command == WIRE_NO_COMMAND && size >= WIRE_HEADER_FIXED_SIZE);
        break;
    case WIRE_FOREIGN:
    case WIRE_OTHER_VERSION:
    case WIRE_MALFORMED:
        FUZZ_CHECK(memcmp(&header, &before, sizeof(header)) == 0);
        break;
    }
    return 0;
}
