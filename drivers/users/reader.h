/* reader.h - JSON, read piece by piece
 *
 * The caller asks for what it expects next and nothing is built in between: no tree, and no copy of a string without
 * escapes. That is what lets 100 000 users load in a fraction of a second (a library that builds trees took
 * more than one), and what lets every mistake, also one of meaning, be named with its line and column.
 *
 *     while there is something to read: reader_kind() says what comes, then reader_string(), reader_array(), ... or
 * reader_skip()
 *
 * After an error a reader is only good for reader_done(). Errors never show text of the file: there are secrets in it.
 *
 * Source: RFC 8259. Strings must be UTF-8 and must not contain U+0000 or a lone surrogate.
 */
#ifndef DRIVERS_USERS_READER_H
#define DRIVERS_USERS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

/* Deeper nesting than this is refused. */
#define READER_DEPTH_MAX 64

enum reader_kind {
    READER_NOTHING, /* the end, or no value begins here */
    READER_OBJECT,
    READER_ARRAY,
    READER_STRING,
    READER_NUMBER,
    READER_TRUE,
    READER_FALSE,
    READER_NULL
};

struct reader {
    const char *path; /* for messages; borrowed */
    const char *data; /* borrowed; a NUL follows after `size` bytes */
    size_t size;
    size_t at;                  /* the byte to be read next */
    unsigned depth;             /* open objects and arrays */
    char *scratch;              /* the last string that had escapes */
    size_t scratch_size;        /* bytes allocated */
    struct drover_error *error; /* where errors go; borrowed */
};

struct reader_number {
    bool is_integer;
    int64_t integer;
    double real;
};

/* Read one item of an array, or the value under `key` (borrowed until the next string is read): exactly one value. */
typedef enum drover_status reader_item(void *context, struct reader *reader);
typedef enum drover_status reader_member(void *context, struct reader *reader, struct drover_text key);

/* Release what the reader allocated. */
void reader_done(struct reader *reader);

/* Go to the next value and say what it is; nothing of it is read. */
enum reader_kind reader_kind(struct reader *reader);

/* "an object", "null", ... for messages. */
const char *reader_kind_name(enum reader_kind kind);

/* Fail with `PATH:LINE:COLUMN: text` for the byte `at`; lines and columns (of characters) count from 1. Returns
 * INVALID_ARGUMENT. */
enum drover_status reader_refuse(const struct reader *reader, size_t at, const char *format, ...) DROVER_PRINTF(3, 4);

/* Fail for want of memory. Returns RESOURCE_EXHAUSTED. */
enum drover_status reader_no_memory(const struct reader *reader);

/* Read one value of a kind. Errors: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, and what `item` and `member` return. The
 * string is borrowed until the next one is read; it has no NUL in it. */
DROVER_MUST_CHECK enum drover_status reader_array(struct reader *reader, reader_item *item, void *context);
DROVER_MUST_CHECK enum drover_status reader_object(struct reader *reader, reader_member *member, void *context);
DROVER_MUST_CHECK enum drover_status reader_string(struct reader *reader, struct drover_text *ret_text);
DROVER_MUST_CHECK enum drover_status reader_number(struct reader *reader, struct reader_number *ret_number);

/* Read one value of any kind, check it and forget it. */
DROVER_MUST_CHECK enum drover_status reader_skip(struct reader *reader);

/* How many items or members the array or object has that comes next. Nothing is consumed. */
DROVER_MUST_CHECK enum drover_status reader_count(struct reader *reader, size_t *ret_count);

/* See that nothing follows but white space. */
DROVER_MUST_CHECK enum drover_status reader_end(struct reader *reader);

#endif
