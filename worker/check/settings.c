/* settings.c - see settings.h */
#include "worker/check/settings.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/sys/sys.h"

#define FILE_MAX ((size_t)16 << 20)

static bool write_value(struct drover_writer *writer, json_t *value, unsigned depth);

static bool write_object(struct drover_writer *writer, json_t *object, unsigned depth)
{
    const char *key;
    json_t *value;
    bool good = true;

    drover_write_map(writer, json_object_size(object));
    json_object_foreach(object, key, value)
    {
        drover_write_string(writer, key);
        good = good && write_value(writer, value, depth + 1);
    }
    return good;
}

static bool write_array(struct drover_writer *writer, json_t *array, unsigned depth)
{
    const size_t count = json_array_size(array);
    bool good = true;

    drover_write_array(writer, count);
    for (size_t i = 0; i < count && good; i++)
        good = write_value(writer, json_array_get(array, i), depth + 1);
    return good;
}

/* False when it is nested too deeply. */
static bool write_value(struct drover_writer *writer, json_t *value, unsigned depth)
{
    if (depth > DROVER_VALUE_DEPTH_MAX)
        return false;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(writer, value, depth);
    case JSON_ARRAY:
        return write_array(writer, value, depth);
    case JSON_STRING:
        drover_write_text(writer, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        drover_write_int64(writer, json_integer_value(value));
        break;
    case JSON_REAL:
        drover_write_double(writer, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        drover_write_bool(writer, json_is_true(value));
        break;
    case JSON_NULL:
        drover_write_nil(writer);
        break;
    }
    return true;
}

static enum drover_status convert(const char *text, size_t size, struct drover_writer *writer,
                                  struct drover_error *error)
{
    json_error_t mistake;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &mistake);
    enum drover_status status = DROVER_OK;

    if (!json)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "settings: line %d, column %d: %s", mistake.line,
                                mistake.column, mistake.text);
    if (!json_is_object(json))
        status = drover_error_set(error, DROVER_INVALID_ARGUMENT, "settings: must be a JSON object: {\"key\": ...}");
    else if (!write_object(writer, json, 1))
        status = drover_error_set(error, DROVER_INVALID_ARGUMENT, "settings: nested more than %d deep",
                                  DROVER_VALUE_DEPTH_MAX);
    else if (!drover_writer_ok(writer))
        status = drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "settings: no memory");
    json_decref(json);
    return status;
}

enum drover_status settings_read(const char *given, struct drover_writer *writer, struct drover_error *error)
{
    char *text = NULL;
    size_t size = 0;

    if (!given)
        given = "{}";
    if (given[0] != '@')
        return convert(given, strlen(given), writer, error);
    enum drover_status status = sys_read_file(given + 1, FILE_MAX, &text, &size, error);
    if (status == DROVER_OK)
        status = convert(text, size, writer, error);
    free(text);
    return status;
}
