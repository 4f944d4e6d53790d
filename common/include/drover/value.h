/* value.h - requests, replies, settings and metadata: reading and writing msgpack
 *
 * Reading: drover_document_parse() checks the bytes (declared counts against the bytes that are
 * there, nesting, one value and nothing after it) and gives a tree of `struct drover_value` that
 * borrows from the document and from the bytes. Writing: a `struct drover_writer` appends to its own
 * buffer; an allocation that fails is remembered, and drover_writer_ok() tells at the end.
 *
 * Thread rule: an object may be used by one thread at a time.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#ifndef DROVER_VALUE_H
#define DROVER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deeper nesting than this is refused. */
#define DROVER_VALUE_DEPTH_MAX 32

struct drover_document;
struct drover_value;
struct drover_writer;

enum drover_type {
    DROVER_TYPE_NIL,
    DROVER_TYPE_BOOL,
    DROVER_TYPE_INT, /* any integer, signed or not */
    DROVER_TYPE_DOUBLE,
    DROVER_TYPE_STRING,
    DROVER_TYPE_BYTES,
    DROVER_TYPE_ARRAY,
    DROVER_TYPE_MAP,
    DROVER_TYPE_OTHER /* a msgpack extension */
};

/* A string that is borrowed and not NUL-terminated. */
struct drover_text {
    const char *data;
    size_t size; /* bytes */
};

/* Parse `size` bytes. Nothing is copied out of `data`: strings point into it, so it must outlive the
 * document. `size` 0 gives an empty map. On success stores the document in `*ret_document`; release it
 * with drover_document_free(). Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED (no memory). */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status
drover_document_parse(const void *data, size_t size, struct drover_document **ret_document, struct drover_error *error);

/* Parse again into an existing document, reusing its memory; values of before are gone. */
DROVER_MUST_CHECK DROVER_EXPORT enum drover_status
drover_document_reparse(struct drover_document *document, const void *data, size_t size, struct drover_error *error);

/* Release a document and all its values. NULL is allowed. Always returns NULL. */
DROVER_EXPORT struct drover_document *drover_document_free(struct drover_document *document);

/* The value of the whole document. Borrowed. */
DROVER_EXPORT const struct drover_value *drover_document_root(const struct drover_document *document);

/* Type of a value; NULL counts as NIL, so look-ups can be chained. */
DROVER_EXPORT enum drover_type drover_value_type(const struct drover_value *value);

/* "nil", "boolean", "integer", ... for messages. */
DROVER_EXPORT const char *drover_type_name(enum drover_type type);

/* The value under `key` of a map (the first, if there are several). NULL when `map` is no map or has
 * no such key. */
DROVER_EXPORT const struct drover_value *drover_value_get(const struct drover_value *map, const char *key);

/* Entries of an array or a map; 0 for anything else. */
DROVER_EXPORT size_t drover_value_count(const struct drover_value *value);

/* Entry `index` of an array, or the value of entry `index` of a map. NULL when out of range. */
DROVER_EXPORT const struct drover_value *drover_value_at(const struct drover_value *value, size_t index);

/* The key of entry `index` of a map. NULL when out of range or no map. */
DROVER_EXPORT const struct drover_value *drover_value_key(const struct drover_value *map, size_t index);

/* Read a scalar. Each returns true and stores the value, or returns false and stores nothing when the
 * value has another type or does not fit. `drover_value_text` takes strings only, `_bytes` both. */
DROVER_EXPORT bool drover_value_bool(const struct drover_value *value, bool *ret);
DROVER_EXPORT bool drover_value_int64(const struct drover_value *value, int64_t *ret);
DROVER_EXPORT bool drover_value_uint64(const struct drover_value *value, uint64_t *ret);
DROVER_EXPORT bool drover_value_double(const struct drover_value *value, double *ret);
DROVER_EXPORT bool drover_value_text(const struct drover_value *value, struct drover_text *ret);
DROVER_EXPORT bool drover_value_bytes(const struct drover_value *value, struct drover_text *ret);

/* The string under `key`, or `fallback` when absent or no string. Borrowed, not NUL-terminated. */
DROVER_EXPORT struct drover_text drover_value_get_text(const struct drover_value *map, const char *key,
                                                       const char *fallback);

/* True when `text` equals the NUL-terminated `string`. */
DROVER_EXPORT bool drover_text_equals(struct drover_text text, const char *string);

/* A NUL-terminated copy, for the caller to free(). NULL when there is no memory. */
DROVER_EXPORT char *drover_text_dup(struct drover_text text);

/* An empty writer, NULL when there is no memory; release it with drover_writer_free(). */
DROVER_EXPORT struct drover_writer *drover_writer_new(void);
DROVER_EXPORT struct drover_writer *drover_writer_free(struct drover_writer *writer);

/* Forget what was written, keep the memory. */
DROVER_EXPORT void drover_writer_clear(struct drover_writer *writer);

/* The bytes written so far; borrowed, valid until the next write. */
DROVER_EXPORT const void *drover_writer_data(const struct drover_writer *writer);
DROVER_EXPORT size_t drover_writer_size(const struct drover_writer *writer);

/* False when a write since the last clear failed for want of memory. */
DROVER_EXPORT bool drover_writer_ok(const struct drover_writer *writer);

/* Append one value. A map of `count` entries is followed by `count` times a key and a value, an array
 * by `count` values; counts that are not kept make a document that nobody can parse. */
DROVER_EXPORT void drover_write_nil(struct drover_writer *writer);
DROVER_EXPORT void drover_write_bool(struct drover_writer *writer, bool value);
DROVER_EXPORT void drover_write_int64(struct drover_writer *writer, int64_t value);
DROVER_EXPORT void drover_write_uint64(struct drover_writer *writer, uint64_t value);
DROVER_EXPORT void drover_write_double(struct drover_writer *writer, double value);
DROVER_EXPORT void drover_write_string(struct drover_writer *writer, const char *string);
DROVER_EXPORT void drover_write_text(struct drover_writer *writer, const char *data, size_t size);
DROVER_EXPORT void drover_write_format(struct drover_writer *writer, const char *format, ...) DROVER_PRINTF(2, 3);
DROVER_EXPORT void drover_write_bytes(struct drover_writer *writer, const void *data, size_t size);
DROVER_EXPORT void drover_write_array(struct drover_writer *writer, size_t count);
DROVER_EXPORT void drover_write_map(struct drover_writer *writer, size_t count);

/* Append a copy of a value and all below it (NULL writes nil). */
DROVER_EXPORT void drover_write_value(struct drover_writer *writer, const struct drover_value *value);

/* Append bytes that already are one msgpack value. */
DROVER_EXPORT void drover_write_raw(struct drover_writer *writer, const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
