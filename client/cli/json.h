/* json.h - JSON text and msgpack, both ways
 *
 * What JSON cannot say has a form of its own: bytes are {"$bytes": "<base64>"}, in both directions. Whole numbers keep
 * all 64 bits, signed and unsigned; {"$uint64": "<digits>"} is read as well. Written, numbers that are not finite and
 * msgpack extensions become null, octets that are no UTF-8 become U+FFFD, and keys that are no strings are quoted.
 */
#ifndef DROVER_CLI_JSON_H
#define DROVER_CLI_JSON_H

#include <stddef.h>
#include <stdio.h>

#include <drover/status.h>
#include <drover/value.h>

/* Append the one value of `text` to `writer`. Errors: INVALID_ARGUMENT with line and column, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status json_read(const char *text, size_t size, struct drover_writer *writer,
                                               struct drover_error *error);

enum json_style {
    JSON_ONE_LINE,
    JSON_INDENTED,
};

/* Write a value (NULL: null), without a line end. */
void json_write(FILE *out, const struct drover_value *value, enum json_style style);

/* Write a string with its quotes. */
void json_write_text(FILE *out, struct drover_text text);
void json_write_string(FILE *out, const char *string);

#endif
