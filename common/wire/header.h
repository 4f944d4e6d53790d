/* header.h - the first frame of every message, decoded and encoded (docs/rfc/1.md)
 *
 *     signature 2 | version 1 | command 1 | flags 4 | session 8 | call 8 | fields as flagged
 *
 * All numbers are in network byte order. Strings and metadata of a decoded header point into the
 * frame. Decoding never reads beyond the frame, never allocates, and accepts no octet too many.
 */
#ifndef DROVER_WIRE_HEADER_H
#define DROVER_WIRE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#define WIRE_SIGNATURE_0 0xAA
#define WIRE_SIGNATURE_1 0xD7
#define WIRE_VERSION 1
#define WIRE_HEADER_FIXED_SIZE 24
#define WIRE_NAME_MAX 255      /* octets of a service's or a method's name */
#define WIRE_NO_METHOD "."     /* what a call names that asks for nothing but an answer */
#define WIRE_METADATA_MAX 8192 /* octets */
#define WIRE_TEXT_MAX (DROVER_ERROR_TEXT_SIZE - 1)
/* No valid header is longer. */
#define WIRE_HEADER_MAX                                                                                \
    (WIRE_HEADER_FIXED_SIZE + 4 + 8 + 16 + (3 + 4 + 2 + WIRE_TEXT_MAX) + 2 * (1 + WIRE_NAME_MAX) + 2 + \
     WIRE_METADATA_MAX)

enum wire_command {
    WIRE_NO_COMMAND = 0,
#define COMMAND(NAME, number, senders, states, required, allowed, body, summary) WIRE_##NAME = number,
#include "common/wire/commands.def"
#undef COMMAND
    WIRE_COMMAND_END
};

enum wire_field {
#define FIELD(NAME, bit, summary) FIELD_##NAME = 1u << bit,
#include "common/wire/header.def"
#undef FIELD
};

/* Flags that are no fields. */
enum wire_flag {
    WIRE_IDEMPOTENT = 1u << 16, /* CALL: may be repeated when its outcome is unknown */
};

/* One header, as plain data. Strings and metadata are borrowed. */
struct wire_header {
    enum wire_command command;
    uint32_t flags;   /* FIELD_... and WIRE_... */
    uint64_t session; /* 0 before WELCOME */
    uint64_t call;    /* slot (24 bits) and serial (40 bits); 0 for none */
    uint32_t deadline_ms;
    uint64_t sequence;
    uint64_t read_count;
    uint64_t read_bytes;
    enum drover_status status;
    enum drover_outcome outcome;
    enum drover_origin origin;
    uint32_t retry_after_ms;
    struct drover_text text;
    struct drover_text service;
    struct drover_text method;
    struct drover_text metadata;
};

/* What decoding a frame can end in. */
enum wire_verdict {
    WIRE_DECODED,
    WIRE_FOREIGN, /* not our signature: to be dropped without a word */
    WIRE_OTHER_VERSION,
    WIRE_UNKNOWN_COMMAND, /* `ret` bears session and call, `command` is WIRE_NO_COMMAND */
    WIRE_MALFORMED
};

/* Decode one frame. On WIRE_DECODED, `*ret` is complete and its fields are those that the command
 * requires and allows; on WIRE_UNKNOWN_COMMAND only session and call are set; else it is untouched. */
enum wire_verdict wire_header_decode(const void *data, size_t size, struct wire_header *ret);

/* Encode into `buffer` of `capacity` octets; returns the length. 0 when it does not fit or a string
 * is too long; error texts are cut to WIRE_TEXT_MAX instead. */
size_t wire_header_encode(const struct wire_header *header, void *buffer, size_t capacity);

/* How many octets wire_header_encode() needs. */
size_t wire_header_size(const struct wire_header *header);

/* Copy status, outcome, origin, retry_after_ms and text between a header and an error. The text is
 * borrowed from `error` by the header, and copied from the header into `ret`. */
void wire_header_set_error(struct wire_header *header, const struct drover_error *error);
void wire_header_get_error(const struct wire_header *header, struct drover_error *ret);

#endif
