/* json_read.c - from JSON text to msgpack; see json.h */
#include "client/cli/json.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WRAPPED_FORMAT "{\"$uint64\":\"%.*s\"}"
#define WRAPPING_SIZE sizeof("{\"$uint64\":\"\"}")

static bool parse_uint64(const char *digits, size_t size, uint64_t *ret)
{
    char copy[21];
    char *end;

    if (size == 0 || size >= sizeof(copy) || strspn(digits, "0123456789") < size)
        return false;
    memcpy(copy, digits, size);
    copy[size] = '\0';
    errno = 0;
    *ret = strtoull(copy, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool is_beyond_jansson(const char *token, size_t size)
{
    uint64_t number;

    return token[0] != '0' && parse_uint64(token, size, &number) && number > INT64_MAX;
}

/* The end of the string that begins at `from` with its quote. */
static size_t skip_string(const char *text, size_t size, size_t from)
{
    size_t at = from + 1;

    while (at < size && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < size ? at + 1 : size;
}

static size_t skip_number(const char *text, size_t size, size_t from)
{
    size_t at = from;

    while (at < size && text[at] != '\0' && strchr("0123456789+-.eE", text[at]) != NULL)
        at++;
    return at;
}

/* jansson has no unsigned 64-bit numbers: write those beyond INT64_MAX as {"$uint64": ...}. The copy is the caller's to
 * free(); NULL when there is no memory. */
static char *wrap_large_numbers(const char *text, size_t size, size_t *ret_size)
{
    char *copy = NULL;
    FILE *out = open_memstream(&copy, ret_size);
    size_t at = 0, end;

    if (out == NULL)
        return NULL;
    while (at < size) {
        if (text[at] == '"')
            end = skip_string(text, size, at);
        else
            end = skip_number(text, size, at);
        if (end == at)
            end = at + 1;
        if (text[at] != '"' && is_beyond_jansson(text + at, end - at))
            fprintf(out, WRAPPED_FORMAT, (int)(end - at), text + at);
        else
            fwrite(text + at, 1, end - at, out);
        at = end;
    }
    if (fclose(out) != 0) {
        free(copy);
        return NULL;
    }
    return copy;
}

static enum drover_status write_json(struct drover_writer *writer, json_t *json, int depth, struct drover_error *error);

static enum drover_status write_base64(struct drover_writer *writer, json_t *string, struct drover_error *error)
{
    size_t size = json_string_length(string), used;
    unsigned char *bytes = malloc(size + 1);
    const char *end;

    if (bytes == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "JSON: out of memory");
    if (sodium_base642bin(bytes, size + 1, json_string_value(string), size, NULL, &used, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != json_string_value(string) + size) {
        free(bytes);
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "JSON: the value of '$bytes' is no base64");
    }
    drover_write_bytes(writer, bytes, used);
    free(bytes);
    return DROVER_OK;
}

static enum drover_status write_uint64(struct drover_writer *writer, json_t *string, struct drover_error *error)
{
    uint64_t number;

    if (!parse_uint64(json_string_value(string), json_string_length(string), &number))
        return drover_error_set(error, DROVER_INVALID_ARGUMENT,
                                "JSON: the value of '$uint64' is no whole number of 64 bits");
    drover_write_uint64(writer, number);
    return DROVER_OK;
}

static enum drover_status write_object(struct drover_writer *writer, json_t *object, int depth,
                                       struct drover_error *error)
{
    json_t *bytes = json_object_get(object, "$bytes"), *number = json_object_get(object, "$uint64"), *value;
    enum drover_status status = DROVER_OK;
    const char *key;

    if (json_object_size(object) == 1 && json_is_string(bytes))
        return write_base64(writer, bytes, error);
    if (json_object_size(object) == 1 && json_is_string(number))
        return write_uint64(writer, number, error);
    drover_write_map(writer, json_object_size(object));
    json_object_foreach(object, key, value)
    {
        drover_write_string(writer, key);
        status = write_json(writer, value, depth + 1, error);
        if (status != DROVER_OK)
            break;
    }
    return status;
}

static enum drover_status write_array(struct drover_writer *writer, json_t *array, int depth,
                                      struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    json_t *value;
    size_t i;

    drover_write_array(writer, json_array_size(array));
    json_array_foreach(array, i, value)
    {
        status = write_json(writer, value, depth + 1, error);
        if (status != DROVER_OK)
            break;
    }
    return status;
}

static enum drover_status write_json(struct drover_writer *writer, json_t *json, int depth, struct drover_error *error)
{
    if (depth > DROVER_VALUE_DEPTH_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "JSON: nested deeper than %d", DROVER_VALUE_DEPTH_MAX);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return write_object(writer, json, depth, error);
    case JSON_ARRAY:
        return write_array(writer, json, depth, error);
    case JSON_STRING:
        drover_write_text(writer, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        drover_write_int64(writer, json_integer_value(json));
        break;
    case JSON_REAL:
        drover_write_double(writer, json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        drover_write_bool(writer, json_is_true(json));
        break;
    case JSON_NULL:
        drover_write_nil(writer);
        break;
    }
    return DROVER_OK;
}

enum drover_status json_read(const char *text, size_t size, struct drover_writer *writer, struct drover_error *error)
{
    size_t wrapped_size = 0;
    char *wrapped = wrap_large_numbers(text, size, &wrapped_size);
    enum drover_status status;
    json_error_t where;
    json_t *json;

    if (wrapped == NULL)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "JSON: out of memory");
    json = json_loadb(wrapped, wrapped_size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    free(wrapped);
    if (json == NULL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "JSON, line %d, column %d: %s", where.line,
                                where.column, where.text);
    status = write_json(writer, json, 1, error);
    json_decref(json);
    if (status == DROVER_OK && !drover_writer_ok(writer))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "JSON: out of memory");
    return status;
}
