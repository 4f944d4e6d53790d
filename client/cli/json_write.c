/* json_write.c - from msgpack to JSON text; see json.h */
#include "client/cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 2

struct json_writer {
    FILE *out;
    enum json_style style;
    int depth;
};

static void write_value(struct json_writer *writer, const struct drover_value *value);

/* The length of the character at `data`, 0 when its octets are no UTF-8 (RFC 3629). */
static size_t character_size(const unsigned char *data, size_t left, uint32_t *ret_code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = data[0] < 0x80 ? 1 : (data[0] & 0xE0) == 0xC0 ? 2 : (data[0] & 0xF0) == 0xE0 ? 3 : 4;
    uint32_t code = size == 1 ? data[0] : data[0] & (0x7Fu >> size);

    if ((size == 4 && (data[0] & 0xF8) != 0xF0) || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (data[i] & 0x3Fu);
    }
    if ((size > 1 && code < smallest[size]) || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return size;
}

/* What a terminal would take for a command is escaped too: 0x7F to 0x9F. */
static void write_character(FILE *out, const unsigned char *data, size_t size, uint32_t code)
{
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    if (code == '"' || code == '\\')
        fprintf(out, "\\%c", (int)code);
    else if (code < sizeof(letters) && letters[code] != 0)
        fprintf(out, "\\%c", letters[code]);
    else if (code < 0x20 || (code >= 0x7F && code < 0xA0))
        fprintf(out, "\\u%04x", (unsigned)code);
    else
        fwrite(data, 1, size, out);
}

void json_write_text(FILE *out, struct drover_text text)
{
    const unsigned char *data = (const unsigned char *)text.data;
    uint32_t code = 0;

    fputc('"', out);
    for (size_t at = 0; at < text.size;) {
        size_t size = character_size(data + at, text.size - at, &code);
        if (size == 0)
            fputs("\\ufffd", out);
        else
            write_character(out, data + at, size, code);
        at += size == 0 ? 1 : size;
    }
    fputc('"', out);
}

void json_write_string(FILE *out, const char *string)
{
    json_write_text(out, (struct drover_text){.data = string, .size = strlen(string)});
}

static void write_integer(FILE *out, const struct drover_value *value)
{
    uint64_t positive;
    int64_t number;

    if (drover_value_int64(value, &number))
        fprintf(out, "%" PRId64, number);
    else if (drover_value_uint64(value, &positive))
        fprintf(out, "%" PRIu64, positive);
}

/* The shortest text that reads back as the same number, and reads as no whole number. */
static void write_double(FILE *out, const struct drover_value *value)
{
    char text[40];
    double number = 0;

    if (!drover_value_double(value, &number) || !isfinite(number)) {
        fputs("null", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (digits == 17 || memcmp(&(double){strtod(text, NULL)}, &number, sizeof(number)) == 0)
            break;
    }
    fprintf(out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void write_bytes(FILE *out, const struct drover_value *value)
{
    struct drover_text bytes = {0};
    size_t size;
    char *text;

    (void)drover_value_bytes(value, &bytes);
    size = sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    text = malloc(size);
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    sodium_bin2base64(text, size, (const unsigned char *)bytes.data, bytes.size, sodium_base64_VARIANT_ORIGINAL);
    fprintf(out, "{\"$bytes\":\"%s\"}", text);
    free(text);
}

static void new_line(struct json_writer *writer)
{
    if (writer->style == JSON_INDENTED)
        fprintf(writer->out, "\n%*s", writer->depth * INDENT, "");
}

/* A key that is no string is written as the string of its JSON. */
static void write_key(struct json_writer *writer, const struct drover_value *key)
{
    struct drover_text text;
    char *json = NULL;
    size_t size = 0;
    FILE *out;

    if (drover_value_text(key, &text)) {
        json_write_text(writer->out, text);
        return;
    }
    out = open_memstream(&json, &size);
    if (out == NULL)
        return;
    json_write(out, key, JSON_ONE_LINE);
    if (fclose(out) == 0)
        json_write_text(writer->out, (struct drover_text){.data = json, .size = size});
    free(json);
}

static void write_entry(struct json_writer *writer, const struct drover_value *value, size_t index)
{
    if (index > 0)
        fputs(writer->style == JSON_INDENTED ? "," : ", ", writer->out);
    new_line(writer);
    if (drover_value_type(value) == DROVER_TYPE_MAP) {
        write_key(writer, drover_value_key(value, index));
        fputs(": ", writer->out);
    }
    write_value(writer, drover_value_at(value, index));
}

static void write_container(struct json_writer *writer, const struct drover_value *value)
{
    bool map = drover_value_type(value) == DROVER_TYPE_MAP;
    size_t count = drover_value_count(value);

    fputc(map ? '{' : '[', writer->out);
    writer->depth++;
    for (size_t i = 0; i < count; i++)
        write_entry(writer, value, i);
    writer->depth--;
    if (count > 0)
        new_line(writer);
    fputc(map ? '}' : ']', writer->out);
}

static void write_value(struct json_writer *writer, const struct drover_value *value)
{
    struct drover_text text = {0};
    bool truth = false;

    switch (drover_value_type(value)) {
    case DROVER_TYPE_BOOL:
        (void)drover_value_bool(value, &truth);
        fputs(truth ? "true" : "false", writer->out);
        break;
    case DROVER_TYPE_INT:
        write_integer(writer->out, value);
        break;
    case DROVER_TYPE_DOUBLE:
        write_double(writer->out, value);
        break;
    case DROVER_TYPE_STRING:
        (void)drover_value_text(value, &text);
        json_write_text(writer->out, text);
        break;
    case DROVER_TYPE_BYTES:
        write_bytes(writer->out, value);
        break;
    case DROVER_TYPE_ARRAY:
    case DROVER_TYPE_MAP:
        write_container(writer, value);
        break;
    case DROVER_TYPE_NIL:
    case DROVER_TYPE_OTHER:
        fputs("null", writer->out);
        break;
    }
}

void json_write(FILE *out, const struct drover_value *value, enum json_style style)
{
    write_value(&(struct json_writer){.out = out, .style = style}, value);
}
