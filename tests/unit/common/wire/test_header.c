/* test_header.c - the header codec: every field, every command, every limit */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/command.h"
#include "common/wire/header.h"

#define TEXT(string)                                 \
    {                                                \
        .data = (string), .size = sizeof(string) - 1 \
    }

enum { FIELDS = 6, TARGET_OFFSET = WIRE_HEADER_FIXED_SIZE };

/* A header with something in every field; `flags` says which of them count. */
static struct wire_header sample(enum wire_command command, uint32_t flags)
{
    return (struct wire_header){
        .command = command,
        .flags = flags,
        .session = UINT64_C(0x0123456789ABCDEF),
        .call = UINT64_C(0xFEDCBA9876543210),
        .deadline_ms = 0xA1B2C3D4,
        .sequence = UINT64_C(0x1112131415161718),
        .read_count = UINT64_C(0x2122232425262728),
        .read_bytes = UINT64_C(0x3132333435363738),
        .status = DROVER_RESOURCE_EXHAUSTED,
        .outcome = DROVER_OUTCOME_UNKNOWN,
        .origin = DROVER_ORIGIN_HOST,
        .retry_after_ms = 0x41424344,
        .text = TEXT("queue full"),
        .service = TEXT("userprovider"),
        .method = TEXT("get_user"),
        .metadata = TEXT("\x81\xa1k\xa1v"),
    };
}

static bool same_text(struct drover_text a, struct drover_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void expect_fields(const struct wire_header *got, const struct wire_header *sent)
{
    const uint32_t flags = sent->flags;
    cr_expect_eq(got->deadline_ms, flags & FIELD_DEADLINE ? sent->deadline_ms : 0);
    cr_expect_eq(got->sequence, flags & FIELD_SEQUENCE ? sent->sequence : 0);
    cr_expect_eq(got->read_count, flags & FIELD_READ ? sent->read_count : 0);
    cr_expect_eq(got->read_bytes, flags & FIELD_READ ? sent->read_bytes : 0);
    cr_expect_eq(got->status, flags & FIELD_STATUS ? sent->status : DROVER_OK);
    cr_expect_eq(got->outcome, flags & FIELD_STATUS ? sent->outcome : DROVER_OUTCOME_ANSWERED);
    cr_expect_eq(got->origin, flags & FIELD_STATUS ? sent->origin : DROVER_ORIGIN_CLIENT);
    cr_expect_eq(got->retry_after_ms, flags & FIELD_STATUS ? sent->retry_after_ms : 0);
    const struct drover_text none = {0};
    cr_expect(same_text(got->text, flags & FIELD_STATUS ? sent->text : none));
    cr_expect(same_text(got->service, flags & FIELD_TARGET ? sent->service : none));
    cr_expect(same_text(got->method, flags & FIELD_TARGET ? sent->method : none));
    cr_expect(same_text(got->metadata, flags & FIELD_METADATA ? sent->metadata : none));
}

static size_t encode(const struct wire_header *header, uint8_t frame[WIRE_HEADER_MAX])
{
    const size_t size = wire_header_encode(header, frame, WIRE_HEADER_MAX);
    cr_assert_gt(size, 0);
    cr_assert_eq(size, wire_header_size(header));
    return size;
}

static enum wire_verdict verdict_of(const void *frame, size_t size)
{
    struct wire_header header;
    return wire_header_decode(frame, size, &header);
}

static void expect_round_trip(enum wire_command command, uint32_t flags)
{
    static uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header sent = sample(command, flags);
    struct wire_header got;
    const size_t size = encode(&sent, frame);
    cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_DECODED, "command %d, flags %x", (int)command, flags);
    cr_expect_eq(got.command, command);
    cr_expect_eq(got.flags, flags);
    cr_expect_eq(got.session, sent.session);
    cr_expect_eq(got.call, sent.call);
    expect_fields(&got, &sent);
    for (size_t cut = 0; cut < size; cut++)
        cr_assert_neq(verdict_of(frame, cut), WIRE_DECODED, "command %d, flags %x, cut to %zu", (int)command, flags,
                      cut);
    frame[size] = 0;
    cr_assert_eq(verdict_of(frame, size + 1), WIRE_MALFORMED);
}

Test(header, every_allowed_combination_of_fields_round_trips_and_every_other_is_refused)
{
    static uint8_t frame[WIRE_HEADER_MAX];
    unsigned decoded = 0;
    for (unsigned command = 1; command < WIRE_COMMAND_END; command++) {
        const struct wire_command_info *info = wire_command_info(command);
        for (uint32_t flags = 0; flags < 1u << FIELDS; flags++) {
            if ((flags & ~info->allowed) == 0 && (flags & info->required) == info->required) {
                expect_round_trip((enum wire_command)command, flags);
                decoded++;
                continue;
            }
            const struct wire_header header = sample((enum wire_command)command, flags);
            cr_assert_eq(verdict_of(frame, encode(&header, frame)), WIRE_MALFORMED, "%s, flags %x", info->name, flags);
        }
    }
    cr_expect_geq(decoded, 16 + 15, "CALL alone has sixteen");
}

Test(header, numbers_are_in_network_byte_order)
{
    uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header header = sample(WIRE_CALL, FIELD_DEADLINE | FIELD_TARGET);
    encode(&header, frame);
    cr_expect_eq(memcmp(frame,
                        "\xAA\xD7\x01\x06"
                        "\x00\x00\x00\x11"
                        "\x01\x23\x45\x67\x89\xAB\xCD\xEF"
                        "\xFE\xDC\xBA\x98\x76\x54\x32\x10"
                        "\xA1\xB2\xC3\xD4"
                        "\x0Cuserprovider",
                        28 + 13),
                 0);
}

Test(header, an_unknown_field_flag_is_refused)
{
    uint8_t frame[WIRE_HEADER_MAX];
    for (unsigned bit = FIELDS; bit < 16; bit++) {
        const struct wire_header header = sample(WIRE_PING, 1u << bit);
        cr_expect_eq(verdict_of(frame, encode(&header, frame)), WIRE_MALFORMED, "bit %u", bit);
    }
}

Test(header, an_unknown_hint_is_ignored_and_kept)
{
    uint8_t frame[WIRE_HEADER_MAX];
    for (unsigned bit = 16; bit < 32; bit++) {
        const struct wire_header header = sample(WIRE_CALL, FIELD_TARGET | 1u << bit);
        struct wire_header got;
        const size_t size = encode(&header, frame);
        cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_DECODED, "bit %u", bit);
        cr_expect_eq(got.flags, header.flags);
    }
}

Test(header, another_signature_is_foreign)
{
    uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header header = sample(WIRE_PING, 0);
    const size_t size = encode(&header, frame);
    cr_expect_eq(verdict_of(frame, 0), WIRE_FOREIGN);
    cr_expect_eq(verdict_of(frame, 1), WIRE_FOREIGN);
    frame[0] ^= 1;
    cr_expect_eq(verdict_of(frame, size), WIRE_FOREIGN);
    frame[0] ^= 1;
    frame[1] ^= 1;
    cr_expect_eq(verdict_of(frame, size), WIRE_FOREIGN);
    cr_expect_eq(verdict_of("MDPC01", 6), WIRE_FOREIGN);
}

Test(header, another_version_is_told_from_nonsense_however_long_the_frame_is)
{
    uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header header = sample(WIRE_HELLO, 0);
    const size_t size = encode(&header, frame);
    for (unsigned version = 0; version < 256; version++) {
        frame[2] = (uint8_t)version;
        cr_expect_eq(verdict_of(frame, size), version == WIRE_VERSION ? WIRE_DECODED : WIRE_OTHER_VERSION);
        cr_expect_eq(verdict_of(frame, 3), version == WIRE_VERSION ? WIRE_MALFORMED : WIRE_OTHER_VERSION);
    }
    cr_expect_eq(verdict_of(frame, 2), WIRE_MALFORMED);
}

Test(header, an_unknown_command_still_tells_session_and_call)
{
    uint8_t frame[WIRE_HEADER_MAX];
    struct wire_header header = sample(WIRE_PING, 0x8000);
    const size_t size = encode(&header, frame);
    for (unsigned command = 0; command < 256; command++) {
        struct wire_header got = {.command = WIRE_HELLO};
        if (wire_command_info(command)->name != NULL)
            continue;
        frame[3] = (uint8_t)command;
        cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_UNKNOWN_COMMAND, "command %u", command);
        cr_expect_eq(got.command, WIRE_NO_COMMAND);
        cr_expect_eq(got.session, header.session);
        cr_expect_eq(got.call, header.call);
    }
}

Test(header, a_refused_frame_leaves_the_result_alone)
{
    uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header header = sample(WIRE_CALL, FIELD_TARGET);
    const size_t size = encode(&header, frame);
    struct wire_header got, before;
    memset(&got, 0x5A, sizeof(got));
    memcpy(&before, &got, sizeof(got));
    cr_assert_eq(wire_header_decode(frame, size - 1, &got), WIRE_MALFORMED);
    cr_expect_eq(memcmp(&got, &before, sizeof(got)), 0);
}

Test(header, codes_beyond_their_tables_are_refused)
{
    static const struct {
        size_t offset;
        uint8_t end;
    } codes[] = {{0, DROVER_STATUS_END}, {1, DROVER_OUTCOME_END}, {2, DROVER_ORIGIN_END}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        uint8_t frame[WIRE_HEADER_MAX];
        const struct wire_header header = sample(WIRE_ERROR, FIELD_STATUS);
        const size_t size = encode(&header, frame);
        uint8_t *code = frame + WIRE_HEADER_FIXED_SIZE + codes[i].offset;
        *code = (uint8_t)(codes[i].end - 1);
        cr_expect_eq(verdict_of(frame, size), WIRE_DECODED, "code %zu", i);
        *code = codes[i].end;
        cr_expect_eq(verdict_of(frame, size), WIRE_MALFORMED, "code %zu", i);
        *code = 255;
        cr_expect_eq(verdict_of(frame, size), WIRE_MALFORMED, "code %zu", i);
    }
}

Test(header, an_empty_service_or_method_is_refused)
{
    uint8_t frame[WIRE_HEADER_MAX];
    struct wire_header header = sample(WIRE_CALL, FIELD_TARGET);
    header.service.size = 0;
    cr_expect_eq(verdict_of(frame, encode(&header, frame)), WIRE_MALFORMED);
    header = sample(WIRE_CALL, FIELD_TARGET);
    header.method.size = 0;
    cr_expect_eq(verdict_of(frame, encode(&header, frame)), WIRE_MALFORMED);
}

Test(header, names_have_at_most_255_octets)
{
    static char name[WIRE_NAME_MAX + 1];
    uint8_t frame[WIRE_HEADER_MAX];
    struct wire_header header = sample(WIRE_CALL, FIELD_TARGET), got;
    memset(name, 'n', sizeof(name));
    header.service = header.method = (struct drover_text){.data = name, .size = WIRE_NAME_MAX};
    cr_assert_eq(wire_header_decode(frame, encode(&header, frame), &got), WIRE_DECODED);
    cr_expect(same_text(got.service, header.service));
    cr_expect(same_text(got.method, header.method));
    header.method.size++;
    cr_expect_eq(wire_header_encode(&header, frame, sizeof(frame)), 0);
    header = sample(WIRE_CALL, FIELD_TARGET);
    header.service = (struct drover_text){.data = name, .size = sizeof(name)};
    cr_expect_eq(wire_header_encode(&header, frame, sizeof(frame)), 0);
}

Test(header, metadata_has_at_most_8192_octets)
{
    static char octets[WIRE_METADATA_MAX + 1];
    static uint8_t frame[WIRE_HEADER_MAX + 1];
    struct wire_header header = sample(WIRE_CALL, FIELD_TARGET | FIELD_METADATA), got;
    header.metadata = (struct drover_text){.data = octets, .size = WIRE_METADATA_MAX};
    const size_t size = encode(&header, frame);
    cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_DECODED);
    cr_expect_eq(got.metadata.size, WIRE_METADATA_MAX);
    header.metadata.size++;
    cr_expect_eq(wire_header_encode(&header, frame, sizeof(frame)), 0);

    /* the same from a peer that does not care: one octet more, and a length that says so */
    frame[size - WIRE_METADATA_MAX - 1]++;
    cr_expect_eq(verdict_of(frame, size + 1), WIRE_MALFORMED);
}

Test(header, error_text_is_cut_by_the_sender_and_refused_when_too_long)
{
    static char text[2 * WIRE_TEXT_MAX];
    uint8_t frame[WIRE_HEADER_MAX];
    struct wire_header header = sample(WIRE_ERROR, FIELD_STATUS), got;
    memset(text, 't', sizeof(text));
    header.text = (struct drover_text){.data = text, .size = sizeof(text)};
    const size_t size = encode(&header, frame);
    cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_DECODED);
    cr_expect_eq(got.text.size, WIRE_TEXT_MAX);

    uint8_t *length = frame + size - WIRE_TEXT_MAX - 2;
    cr_assert_eq(length[0] << 8 | length[1], WIRE_TEXT_MAX);
    length[1]++;
    frame[size] = 't';
    cr_expect_eq(verdict_of(frame, size + 1), WIRE_MALFORMED);
}

Test(header, no_header_is_longer_than_the_maximum)
{
    static char octets[WIRE_METADATA_MAX];
    const uint32_t all = (1u << FIELDS) - 1;
    struct wire_header header = sample(WIRE_CALL, all);
    header.text = (struct drover_text){.data = octets, .size = WIRE_TEXT_MAX};
    header.service = header.method = (struct drover_text){.data = octets, .size = WIRE_NAME_MAX};
    header.metadata = (struct drover_text){.data = octets, .size = WIRE_METADATA_MAX};
    cr_expect_eq(wire_header_size(&header), WIRE_HEADER_MAX);
}

Test(header, a_buffer_that_is_too_small_gives_0_and_is_not_overrun)
{
    const struct wire_header header = sample(WIRE_CALL, FIELD_DEADLINE | FIELD_READ | FIELD_TARGET | FIELD_METADATA);
    const size_t size = wire_header_size(&header);
    for (size_t capacity = 0; capacity < size; capacity++) {
        uint8_t *buffer = malloc(capacity + 1); /* so that AddressSanitizer watches its end */
        buffer[capacity] = 0x5A;
        cr_assert_eq(wire_header_encode(&header, buffer, capacity), 0, "capacity %zu", capacity);
        cr_assert_eq(buffer[capacity], 0x5A);
        free(buffer);
    }
}

Test(header, strings_point_into_the_frame)
{
    uint8_t frame[WIRE_HEADER_MAX];
    const struct wire_header header = sample(WIRE_CALL, FIELD_TARGET);
    struct wire_header got;
    const size_t size = encode(&header, frame);
    cr_assert_eq(wire_header_decode(frame, size, &got), WIRE_DECODED);
    cr_expect_eq((const void *)got.service.data, (const void *)(frame + TARGET_OFFSET + 1));
}

Test(header, an_error_goes_through_a_header_unchanged)
{
    struct drover_error sent = {
        .outcome = DROVER_OUTCOME_NOT_STARTED, .origin = DROVER_ORIGIN_BROKER, .retry_after_ms = 7};
    (void)drover_error_set(&sent, DROVER_UNAVAILABLE, "service '%s': nobody is there", "echo");
    struct wire_header header = {.command = WIRE_ERROR}, got;
    uint8_t frame[WIRE_HEADER_MAX];
    wire_header_set_error(&header, &sent);
    cr_expect_eq(header.flags, FIELD_STATUS);
    cr_assert_eq(wire_header_decode(frame, encode(&header, frame), &got), WIRE_DECODED);

    struct drover_error received;
    memset(&received, 0x5A, sizeof(received));
    wire_header_get_error(&got, &received);
    cr_expect_eq(received.status, sent.status);
    cr_expect_eq(received.outcome, sent.outcome);
    cr_expect_eq(received.origin, sent.origin);
    cr_expect_eq(received.retry_after_ms, 7);
    cr_expect_str_eq(received.text, "service 'echo': nobody is there");
}

Test(header, a_header_without_status_gives_an_empty_error)
{
    const struct wire_header header = {.command = WIRE_REPLY};
    struct drover_error error;
    memset(&error, 0x5A, sizeof(error));
    wire_header_get_error(&header, &error);
    cr_expect_eq(error.status, DROVER_OK);
    cr_expect_str_eq(error.text, "");
}
