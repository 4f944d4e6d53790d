/* settings.c - the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)
 *
 * One reader a type, tried in order; what none of them takes is a string. So `yes` and `0777x` are strings, `0777` is
 * 777 and `0o777` is 511.
 */
#include "common/config/settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

/* What a reader made of a scalar. */
enum reading {
    READING_NOT,     /* another type */
    READING_DONE,    /* written */
    READING_TOO_BIG, /* a number that 64 bits cannot hold */
};

/* Reads the text of a plain scalar (it holds no NUL). */
typedef enum reading (*scalar_reader)(const char *text, struct drover_writer *writer);

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static enum reading read_null(const char *text, struct drover_writer *writer)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    if (!is_one_of(text, words))
        return READING_NOT;
    drover_write_nil(writer);
    return READING_DONE;
}

static enum reading read_bool(const char *text, struct drover_writer *writer)
{
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    bool value = is_one_of(text, yes);
    if (!value && !is_one_of(text, no))
        return READING_NOT;
    drover_write_bool(writer, value);
    return READING_DONE;
}

static enum reading write_magnitude(const char *digits, int base, bool negative, struct drover_writer *writer)
{
    errno = 0;
    unsigned long long magnitude = strtoull(digits, NULL, base);
    if (errno == ERANGE || (negative && magnitude > (unsigned long long)INT64_MAX + 1))
        return READING_TOO_BIG;
    if (!negative)
        drover_write_uint64(writer, magnitude);
    else if (magnitude == (unsigned long long)INT64_MAX + 1)
        drover_write_int64(writer, INT64_MIN);
    else
        drover_write_int64(writer, -(int64_t)magnitude);
    return READING_DONE;
}

static bool consists_of(const char *text, const char *characters)
{
    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

static enum reading read_int(const char *text, struct drover_writer *writer)
{
    if (strncmp(text, "0o", 2) == 0 && consists_of(text + 2, "01234567"))
        return write_magnitude(text + 2, 8, false, writer);
    if (strncmp(text, "0x", 2) == 0 && consists_of(text + 2, "0123456789abcdefABCDEF"))
        return write_magnitude(text + 2, 16, false, writer);
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    if (!consists_of(digits, "0123456789"))
        return READING_NOT;
    return write_magnitude(digits, 10, *text == '-', writer);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool looks_like_float(const char *text)
{
    static const char digit[] = "0123456789";
    if (*text == '-' || *text == '+')
        text++;
    size_t whole = strspn(text, digit), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = strspn(text + 1, digit);
        text += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '-' || *text == '+')
            text++;
        return consists_of(text, digit);
    }
    return *text == '\0';
}

static enum reading read_float(const char *text, struct drover_writer *writer)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    const char *unsigned_text = *text == '-' || *text == '+' ? text + 1 : text;
    double value;
    if (is_one_of(unsigned_text, infinities))
        value = *text == '-' ? -(double)INFINITY : (double)INFINITY;
    else if (is_one_of(text, nans))
        value = (double)NAN;
    else if (!looks_like_float(text))
        return READING_NOT;
    else if (value = strtod(text, NULL), isinf(value))
        return READING_TOO_BIG;
    drover_write_double(writer, value);
    return READING_DONE;
}

static void write_scalar(const struct node *node, struct report *report, struct drover_writer *writer)
{
    static const scalar_reader readers[] = {read_null, read_bool, read_int, read_float};
    bool is_string = node->quoted || node->secret || strlen(node->text) != node->size;
    for (size_t i = 0; !is_string && i < sizeof readers / sizeof *readers; i++) {
        enum reading reading = readers[i](node->text, writer);
        if (reading == READING_DONE)
            return;
        if (reading == READING_TOO_BIG) {
            char quote[REPORT_QUOTE_SIZE];
            report_mistake(report, node->place,
                           "the number %s does not fit into 64 bits (quote it to make it a string)",
                           report_quote(node->text, node->size, quote));
            return;
        }
    }
    drover_write_text(writer, node->text, node->size);
}

void settings_write(const struct node *node, struct report *report, struct drover_writer *writer)
{
    if (node->kind == NODE_SCALAR)
        write_scalar(node, report, writer);
    else if (node->kind == NODE_MAP)
        drover_write_map(writer, node->count);
    else if (node->kind == NODE_LIST)
        drover_write_array(writer, node->count);
    for (const struct node *child = node->child; child; child = child->next) {
        if (child->key)
            drover_write_text(writer, child->key->text, child->key->size);
        settings_write(child, report, writer);
    }
}

void settings_pack(const struct node *node, struct report *report, void **ret_data, size_t *ret_size)
{
    struct drover_writer *writer = drover_writer_new();
    if (writer)
        settings_write(node, report, writer);
    if (writer && drover_writer_ok(writer) && (*ret_data = malloc(drover_writer_size(writer)))) {
        *ret_size = drover_writer_size(writer);
        memcpy(*ret_data, drover_writer_data(writer), *ret_size);
    } else {
        report->no_memory = true;
    }
    drover_writer_free(writer);
}
