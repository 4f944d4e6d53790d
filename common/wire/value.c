/* value.c - values, documents and writers over msgpack-c (drover/value.h)
 *
 * A `struct drover_value` is a msgpack_object under another name, so that the library's type stays out of the public
 * headers and their ABI.
 */
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drover/value.h>

#include "common/wire/scan.h"

struct drover_value {
    msgpack_object object;
};

struct drover_document {
    msgpack_zone zone;
    struct drover_value root;
};

struct drover_writer {
    msgpack_sbuffer buffer;
    bool failed;
};

static const struct drover_value *as_value(const msgpack_object *object)
{
    return (const struct drover_value *)object;
}

/* ---- documents ---- */

enum { ZONE_CHUNK_BYTES = 4096 };

/* The scan is never more lenient than msgpack-c (tests/fuzz/fuzz_value.c), so what fails after it is memory. */
static enum drover_status document_fill(struct drover_document *document, const void *data, size_t size,
                                        struct drover_error *error)
{
    static const unsigned char empty_map[] = {0x80};
    if (size == 0) {
        data = empty_map;
        size = sizeof(empty_map);
    }
    const char *fault = msgpack_scan(data, size);
    if (fault != NULL)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "not a msgpack value: %s", fault);
    size_t offset = 0;
    const msgpack_unpack_return result = msgpack_unpack(data, size, &offset, &document->zone, &document->root.object);
    if (result != MSGPACK_UNPACK_SUCCESS)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a msgpack value of %zu bytes", size);
    return DROVER_OK;
}

enum drover_status drover_document_parse(const void *data, size_t size, struct drover_document **ret_document,
                                         struct drover_error *error)
{
    struct drover_document *document = calloc(1, sizeof(*document));
    if (document == NULL || !msgpack_zone_init(&document->zone, ZONE_CHUNK_BYTES)) {
        free(document);
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a document");
    }
    const enum drover_status status = document_fill(document, data, size, error);
    if (status != DROVER_OK) {
        drover_document_free(document);
        return status;
    }
    *ret_document = document;
    return DROVER_OK;
}

enum drover_status drover_document_reparse(struct drover_document *document, const void *data, size_t size,
                                           struct drover_error *error)
{
    msgpack_zone_clear(&document->zone);
    memset(&document->root, 0, sizeof(document->root));
    return document_fill(document, data, size, error);
}

struct drover_document *drover_document_free(struct drover_document *document)
{
    if (document != NULL) {
        msgpack_zone_destroy(&document->zone);
        free(document);
    }
    return NULL;
}

const struct drover_value *drover_document_root(const struct drover_document *document)
{
    return &document->root;
}

/* ---- reading ---- */

static const struct {
    enum drover_type type;
} types[] = {
    [MSGPACK_OBJECT_NIL] = {DROVER_TYPE_NIL},
    [MSGPACK_OBJECT_BOOLEAN] = {DROVER_TYPE_BOOL},
    [MSGPACK_OBJECT_POSITIVE_INTEGER] = {DROVER_TYPE_INT},
    [MSGPACK_OBJECT_NEGATIVE_INTEGER] = {DROVER_TYPE_INT},
    [MSGPACK_OBJECT_FLOAT32] = {DROVER_TYPE_DOUBLE},
    [MSGPACK_OBJECT_FLOAT64] = {DROVER_TYPE_DOUBLE},
    [MSGPACK_OBJECT_STR] = {DROVER_TYPE_STRING},
    [MSGPACK_OBJECT_ARRAY] = {DROVER_TYPE_ARRAY},
    [MSGPACK_OBJECT_MAP] = {DROVER_TYPE_MAP},
    [MSGPACK_OBJECT_BIN] = {DROVER_TYPE_BYTES},
    [MSGPACK_OBJECT_EXT] = {DROVER_TYPE_OTHER},
};

enum drover_type drover_value_type(const struct drover_value *value)
{
    if (value == NULL)
        return DROVER_TYPE_NIL;
    const unsigned type = (unsigned)value->object.type;
    return type < sizeof(types) / sizeof(types[0]) ? types[type].type : DROVER_TYPE_OTHER;
}

const char *drover_type_name(enum drover_type type)
{
    static const char *const names[] = {
        [DROVER_TYPE_NIL] = "nil",       [DROVER_TYPE_BOOL] = "boolean",  [DROVER_TYPE_INT] = "integer",
        [DROVER_TYPE_DOUBLE] = "number", [DROVER_TYPE_STRING] = "string", [DROVER_TYPE_BYTES] = "bytes",
        [DROVER_TYPE_ARRAY] = "list",    [DROVER_TYPE_MAP] = "map",       [DROVER_TYPE_OTHER] = "extension",
    };
    return (unsigned)type <= DROVER_TYPE_OTHER ? names[type] : names[DROVER_TYPE_OTHER];
}

/* msgpack-c points empty strings nowhere; NULL is no argument for memcpy() and its kin, not even for 0 bytes. */
static struct drover_text borrow(const char *data, uint32_t size)
{
    return (struct drover_text){.data = size > 0 ? data : "", .size = size};
}

static bool key_is(const msgpack_object *key, const char *name, size_t size)
{
    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == size &&
           (size == 0 || memcmp(key->via.str.ptr, name, size) == 0);
}

const struct drover_value *drover_value_get(const struct drover_value *map, const char *key)
{
    if (drover_value_type(map) != DROVER_TYPE_MAP)
        return NULL;
    const size_t size = strlen(key);
    const msgpack_object_map *entries = &map->object.via.map;
    for (uint32_t i = 0; i < entries->size; i++) {
        if (key_is(&entries->ptr[i].key, key, size))
            return as_value(&entries->ptr[i].val);
    }
    return NULL;
}

size_t drover_value_count(const struct drover_value *value)
{
    switch (drover_value_type(value)) {
    case DROVER_TYPE_ARRAY:
        return value->object.via.array.size;
    case DROVER_TYPE_MAP:
        return value->object.via.map.size;
    case DROVER_TYPE_NIL:
    case DROVER_TYPE_BOOL:
    case DROVER_TYPE_INT:
    case DROVER_TYPE_DOUBLE:
    case DROVER_TYPE_STRING:
    case DROVER_TYPE_BYTES:
    case DROVER_TYPE_OTHER:
        return 0;
    }
    return 0;
}

const struct drover_value *drover_value_at(const struct drover_value *value, size_t index)
{
    if (index >= drover_value_count(value))
        return NULL;
    return as_value(value->object.type == MSGPACK_OBJECT_MAP ? &value->object.via.map.ptr[index].val
                                                             : &value->object.via.array.ptr[index]);
}

const struct drover_value *drover_value_key(const struct drover_value *map, size_t index)
{
    if (drover_value_type(map) != DROVER_TYPE_MAP || index >= map->object.via.map.size)
        return NULL;
    return as_value(&map->object.via.map.ptr[index].key);
}

bool drover_value_bool(const struct drover_value *value, bool *ret)
{
    if (drover_value_type(value) != DROVER_TYPE_BOOL)
        return false;
    *ret = value->object.via.boolean;
    return true;
}

bool drover_value_int64(const struct drover_value *value, int64_t *ret)
{
    if (drover_value_type(value) != DROVER_TYPE_INT)
        return false;
    if (value->object.type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->object.via.u64 > INT64_MAX)
        return false;
    *ret = value->object.via.i64;
    return true;
}

bool drover_value_uint64(const struct drover_value *value, uint64_t *ret)
{
    if (value == NULL || value->object.type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return false;
    *ret = value->object.via.u64;
    return true;
}

bool drover_value_double(const struct drover_value *value, double *ret)
{
    if (drover_value_type(value) != DROVER_TYPE_DOUBLE)
        return false;
    *ret = value->object.via.f64;
    return true;
}

bool drover_value_text(const struct drover_value *value, struct drover_text *ret)
{
    if (drover_value_type(value) != DROVER_TYPE_STRING)
        return false;
    *ret = borrow(value->object.via.str.ptr, value->object.via.str.size);
    return true;
}

bool drover_value_bytes(const struct drover_value *value, struct drover_text *ret)
{
    if (drover_value_type(value) != DROVER_TYPE_BYTES)
        return drover_value_text(value, ret);
    *ret = borrow(value->object.via.bin.ptr, value->object.via.bin.size);
    return true;
}

struct drover_text drover_value_get_text(const struct drover_value *map, const char *key, const char *fallback)
{
    struct drover_text text = {.data = fallback, .size = strlen(fallback)};
    (void)drover_value_text(drover_value_get(map, key), &text);
    return text;
}

bool drover_text_equals(struct drover_text text, const char *string)
{
    return text.size == strlen(string) && (text.size == 0 || memcmp(text.data, string, text.size) == 0);
}

char *drover_text_dup(struct drover_text text)
{
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* ---- writing ---- */

static int append(void *context, const char *data, size_t size)
{
    struct drover_writer *writer = context;
    if (size > 0 && msgpack_sbuffer_write(&writer->buffer, data, size) != 0)
        writer->failed = true;
    return writer->failed ? -1 : 0;
}

/* A packer is only a function and its context, so one is made where it is needed. */
static msgpack_packer packer_of(struct drover_writer *writer)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, append);
    return packer;
}

struct drover_writer *drover_writer_new(void)
{
    return calloc(1, sizeof(struct drover_writer));
}

struct drover_writer *drover_writer_free(struct drover_writer *writer)
{
    if (writer != NULL) {
        msgpack_sbuffer_destroy(&writer->buffer);
        free(writer);
    }
    return NULL;
}

void drover_writer_clear(struct drover_writer *writer)
{
    msgpack_sbuffer_clear(&writer->buffer);
    writer->failed = false;
}

const void *drover_writer_data(const struct drover_writer *writer)
{
    return writer->buffer.data;
}

size_t drover_writer_size(const struct drover_writer *writer)
{
    return writer->buffer.size;
}

bool drover_writer_ok(const struct drover_writer *writer)
{
    return !writer->failed;
}

void drover_write_nil(struct drover_writer *writer)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_nil(&packer);
}

void drover_write_bool(struct drover_writer *writer, bool value)
{
    msgpack_packer packer = packer_of(writer);
    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void drover_write_int64(struct drover_writer *writer, int64_t value)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_int64(&packer, value);
}

void drover_write_uint64(struct drover_writer *writer, uint64_t value)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_uint64(&packer, value);
}

void drover_write_double(struct drover_writer *writer, double value)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_double(&packer, value);
}

void drover_write_text(struct drover_writer *writer, const char *data, size_t size)
{
    if (size > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_str(&packer, size);
    msgpack_pack_str_body(&packer, data, size);
}

void drover_write_string(struct drover_writer *writer, const char *string)
{
    drover_write_text(writer, string, strlen(string));
}

void drover_write_format(struct drover_writer *writer, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    const int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0) {
        writer->failed = true;
        return;
    }
    drover_write_text(writer, text, (size_t)size);
    free(text);
}

void drover_write_bytes(struct drover_writer *writer, const void *data, size_t size)
{
    if (size > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_bin(&packer, size);
    msgpack_pack_bin_body(&packer, data, size);
}

void drover_write_array(struct drover_writer *writer, size_t count)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_array(&packer, count);
}

void drover_write_map(struct drover_writer *writer, size_t count)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_map(&packer, count);
}

void drover_write_value(struct drover_writer *writer, const struct drover_value *value)
{
    if (value == NULL) {
        drover_write_nil(writer);
        return;
    }
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_object(&packer, value->object);
}

void drover_write_raw(struct drover_writer *writer, const void *data, size_t size)
{
    (void)append(writer, data, size);
}
