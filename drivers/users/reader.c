/* reader.c - the grammar of JSON, one function a rule
 *
 * Only errors ask for lines and columns, so they are counted then, from the start of the file.
 */
#include "drivers/users/reader.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/users/unescape.h"

void reader_done(struct reader *reader)
{
    free(reader->scratch);
    reader->scratch = NULL;
}

enum drover_status reader_refuse(const struct reader *reader, size_t at, const char *format, ...)
{
    char why[DROVER_ERROR_TEXT_SIZE];
    size_t line = 1, column = 1;
    va_list arguments;

    for (size_t i = 0; i < at; i++) {
        unsigned char byte = (unsigned char)reader->data[i];
        column = byte == '\n' ? 1 : column + ((byte & 0xc0) != 0x80); /* later bytes of a character do not count */
        line += byte == '\n';
    }
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    return drover_error_set(reader->error, DROVER_INVALID_ARGUMENT, "%s:%zu:%zu: %s%s", reader->path, line, column, why,
                            at >= reader->size ? " (the file ends here)" : "");
}

enum drover_status reader_no_memory(const struct reader *reader)
{
    return drover_error_set(reader->error, DROVER_RESOURCE_EXHAUSTED, "no memory for users file '%s'", reader->path);
}

/* The next byte that is no white space; a NUL at the end of the file. It is not consumed. */
static char look(struct reader *reader)
{
    for (;; reader->at++) {
        char byte = reader->data[reader->at];
        if (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r')
            return byte;
    }
}

enum reader_kind reader_kind(struct reader *reader)
{
    char byte = look(reader);

    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return READER_NUMBER;
    switch (byte) {
    case '{':
        return READER_OBJECT;
    case '[':
        return READER_ARRAY;
    case '"':
        return READER_STRING;
    case 't':
        return READER_TRUE;
    case 'f':
        return READER_FALSE;
    case 'n':
        return READER_NULL;
    default:
        return READER_NOTHING;
    }
}

const char *reader_kind_name(enum reader_kind kind)
{
    static const char *const names[] = {
        [READER_NOTHING] = "nothing", [READER_OBJECT] = "an object", [READER_ARRAY] = "an array",
        [READER_STRING] = "a string", [READER_NUMBER] = "a number",  [READER_TRUE] = "a boolean",
        [READER_FALSE] = "a boolean", [READER_NULL] = "null",
    };

    return names[kind];
}

enum drover_status reader_end(struct reader *reader)
{
    (void)look(reader);
    return reader->at == reader->size ? DROVER_OK : reader_refuse(reader, reader->at, "nothing may follow here");
}

/* Open an array or object. `*ret_more` says whether it has something in it; if not it is closed again. */
static enum drover_status begin(struct reader *reader, const char brackets[2], bool *ret_more)
{
    *ret_more = false;
    if (look(reader) != brackets[0])
        return reader_refuse(reader, reader->at, "'%c' expected", brackets[0]);
    if (reader->depth == READER_DEPTH_MAX)
        return reader_refuse(reader, reader->at, "nested too deep");
    reader->at++;
    *ret_more = look(reader) != brackets[1];
    if (*ret_more)
        reader->depth++;
    else
        reader->at++;
    return DROVER_OK;
}

/* After an item: a comma and `*ret_more`, or the end of the array or object. */
static enum drover_status next(struct reader *reader, const char brackets[2], bool *ret_more)
{
    char byte = look(reader);

    *ret_more = byte == ',';
    if (byte != ',' && byte != brackets[1])
        return reader_refuse(reader, reader->at, "',' or '%c' expected", brackets[1]);
    reader->at++;
    reader->depth -= !*ret_more;
    return DROVER_OK;
}

enum drover_status reader_array(struct reader *reader, reader_item *item, void *context)
{
    bool more;
    enum drover_status status = begin(reader, "[]", &more);

    while (status == DROVER_OK && more) {
        status = item(context, reader);
        if (status == DROVER_OK)
            status = next(reader, "[]", &more);
    }
    return status;
}

static enum drover_status read_member(struct reader *reader, reader_member *member, void *context)
{
    struct drover_text key = {0};
    enum drover_status status = reader_string(reader, &key);

    if (status != DROVER_OK)
        return status;
    if (look(reader) != ':')
        return reader_refuse(reader, reader->at, "':' expected");
    reader->at++;
    return member(context, reader, key);
}

enum drover_status reader_object(struct reader *reader, reader_member *member, void *context)
{
    bool more;
    enum drover_status status = begin(reader, "{}", &more);

    while (status == DROVER_OK && more) {
        status = read_member(reader, member, context);
        if (status == DROVER_OK)
            status = next(reader, "{}", &more);
    }
    return status;
}

/* A string without its quotes, as it stands in the file; `*ret_escaped` when it has escapes. */
static enum drover_status raw_string(struct reader *reader, struct drover_text *ret_raw, bool *ret_escaped)
{
    if (look(reader) != '"')
        return reader_refuse(reader, reader->at, "a string is expected");

    size_t start = reader->at + 1, at = start;
    *ret_escaped = false;
    while (at < reader->size && reader->data[at] != '"') {
        unsigned char byte = (unsigned char)reader->data[at];
        size_t size = byte < 0x80 ? 1 : utf8_size(reader->data + at, reader->size - at);

        if (size == 0)
            return reader_refuse(reader, at, "this byte is not UTF-8");
        if (byte < 0x20)
            return reader_refuse(reader, at, "control character in a string (write it as an escape)");
        if (byte == '\\') {
            *ret_escaped = true;
            size = 2; /* also skips the quote of \" ; unescape() looks at the rest */
        }
        at += size;
    }
    if (at >= reader->size)
        return reader_refuse(reader, start - 1, "this string has no end");
    *ret_raw = (struct drover_text){.data = reader->data + start, .size = at - start};
    reader->at = at + 1;
    return DROVER_OK;
}

enum drover_status reader_string(struct reader *reader, struct drover_text *ret_text)
{
    struct drover_text raw = {0};
    bool escaped = false;
    enum drover_status status = raw_string(reader, &raw, &escaped);

    if (status != DROVER_OK)
        return status;
    if (!escaped) {
        *ret_text = raw;
        return DROVER_OK;
    }
    if (raw.size > reader->scratch_size) {
        char *scratch = realloc(reader->scratch, raw.size);
        if (!scratch)
            return reader_no_memory(reader);
        reader->scratch = scratch;
        reader->scratch_size = raw.size;
    }
    size_t wrong_at = 0;
    const char *wrong = unescape(raw, reader->scratch, &ret_text->size, &wrong_at);
    if (wrong)
        return reader_refuse(reader, (size_t)(raw.data - reader->data) + wrong_at, "%s", wrong);
    ret_text->data = reader->scratch;
    return DROVER_OK;
}

/* Skip digits. False when there is none. */
static bool digits(const char **at)
{
    const char *start = *at;

    while (**at >= '0' && **at <= '9')
        ++*at;
    return *at > start;
}

/* Skip a number of RFC 8259, section 6. Sets `*integer` false when it has a fraction or an exponent. */
static bool number(const char **at, bool *integer)
{
    *at += **at == '-';
    const char *start = *at;
    bool good = digits(at) && (*start != '0' || *at == start + 1);

    *integer = **at != '.' && **at != 'e' && **at != 'E';
    if (good && **at == '.') {
        ++*at;
        good = digits(at);
    }
    if (good && (**at == 'e' || **at == 'E')) {
        ++*at;
        *at += **at == '+' || **at == '-';
        good = digits(at);
    }
    return good;
}

/* The text is checked before strtoll() and strtod() see it; the decimal point is theirs too, as no worker calls
 * setlocale(). */
enum drover_status reader_number(struct reader *reader, struct reader_number *ret_number)
{
    struct reader_number got = {0};

    if (reader_kind(reader) != READER_NUMBER)
        return reader_refuse(reader, reader->at, "a number is expected");

    const char *start = reader->data + reader->at, *end = start;
    if (!number(&end, &got.is_integer))
        return reader_refuse(reader, (size_t)(end - reader->data), "this is not how a number is written");
    errno = 0;
    if (got.is_integer)
        got.integer = strtoll(start, NULL, 10);
    else
        got.real = strtod(start, NULL);
    if ((got.is_integer && errno == ERANGE) || isinf(got.real))
        return reader_refuse(reader, reader->at, "this number is too large");
    reader->at = (size_t)(end - reader->data);
    *ret_number = got;
    return DROVER_OK;
}

static enum drover_status skip_word(struct reader *reader, const char *word)
{
    size_t size = strlen(word);

    if (strncmp(reader->data + reader->at, word, size) != 0)
        return reader_refuse(reader, reader->at, "'%s' expected", word);
    reader->at += size;
    return DROVER_OK;
}

static enum drover_status skip_item(void *context, struct reader *reader)
{
    (void)context;
    return reader_skip(reader);
}

static enum drover_status skip_member(void *context, struct reader *reader, struct drover_text key)
{
    (void)context, (void)key;
    return reader_skip(reader);
}

enum drover_status reader_skip(struct reader *reader)
{
    struct drover_text text;
    struct reader_number ignored;

    switch (reader_kind(reader)) {
    case READER_OBJECT:
        return reader_object(reader, skip_member, NULL);
    case READER_ARRAY:
        return reader_array(reader, skip_item, NULL);
    case READER_STRING:
        return reader_string(reader, &text);
    case READER_NUMBER:
        return reader_number(reader, &ignored);
    case READER_TRUE:
        return skip_word(reader, "true");
    case READER_FALSE:
        return skip_word(reader, "false");
    case READER_NULL:
        return skip_word(reader, "null");
    case READER_NOTHING:
        break;
    }
    return reader_refuse(reader, reader->at, "a value is expected");
}

static enum drover_status count_item(void *context, struct reader *reader)
{
    ++*(size_t *)context;
    return reader_skip(reader);
}

static enum drover_status count_member(void *context, struct reader *reader, struct drover_text key)
{
    (void)key;
    return count_item(context, reader);
}

enum drover_status reader_count(struct reader *reader, size_t *ret_count)
{
    size_t count = 0, at = reader->at;
    enum drover_status status = reader_kind(reader) == READER_ARRAY ? reader_array(reader, count_item, &count)
                                                                    : reader_object(reader, count_member, &count);

    if (status != DROVER_OK)
        return status;
    reader->at = at;
    *ret_count = count;
    return DROVER_OK;
}
