/* entries.c - the brackets and commas around the objects, and the places of mistakes
 *
 * jansson counts lines and columns from where it began to read. Only errors ask for them, so what stands before that is
 * counted then, from the start of the file.
 */
#include "drivers/users/entries.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/users/file.h"

/* A longer name would push the rest out of the error. */
#define NAME_MAX_SHOWN 64

struct entries {
    const char *path; /* for messages */
    char *data;       /* a NUL follows after `size` bytes */
    size_t size;
    size_t at;     /* the byte to be read next */
    size_t number; /* of the present entry, from 1 */
    struct drover_error *error;
};

struct place {
    size_t line, column;
};

static struct place place_of(const struct entries *entries, size_t at)
{
    struct place place = {1, 1};

    for (size_t i = 0; i < at; i++) {
        unsigned char byte = (unsigned char)entries->data[i];
        place.column = byte == '\n' ? 1 : place.column + ((byte & 0xc0) != 0x80); /* a character counts once */
        place.line += byte == '\n';
    }
    return place;
}

static enum drover_status refuse(const struct entries *entries, struct place place, const char *what, const char *why)
{
    return drover_error_set(entries->error, DROVER_INVALID_ARGUMENT, "%s:%zu:%zu: %s%s", entries->path, place.line,
                            place.column, what, why);
}

static enum drover_status no_memory(const struct entries *entries)
{
    return drover_error_set(entries->error, DROVER_RESOURCE_EXHAUSTED, "no memory for users file '%s'", entries->path);
}

/* The next byte that is no white space; a NUL at the end of the file. It is not consumed. */
static char look(struct entries *entries)
{
    entries->at += strspn(entries->data + entries->at, " \t\r\n");
    return entries->data[entries->at];
}

static enum drover_status refuse_here(const struct entries *entries, const char *why)
{
    const char *end = entries->at == entries->size ? " (the file ends here)" : "";

    return refuse(entries, place_of(entries, entries->at), why, end);
}

/* jansson's words without the piece of the file that it shows after them, and its place as one in the file. */
static enum drover_status refuse_syntax(const struct entries *entries, const json_error_t *syntax)
{
    struct place place = place_of(entries, entries->at);
    char why[JSON_ERROR_TEXT_LENGTH];
    static const char *const shown[] = {" near '", " '\\"};

    if (syntax->text[0] == '\0') /* what jansson says when an allocation failed */
        return no_memory(entries);
    (void)snprintf(why, sizeof(why), "%s", syntax->text);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char *piece = strstr(why, shown[i]);
        if (piece)
            *piece = '\0';
    }
    place.column = (syntax->line > 1 ? 0 : place.column - 1) + (size_t)(syntax->column > 0 ? syntax->column : 1);
    place.line += (size_t)(syntax->line > 1 ? syntax->line - 1 : 0);
    return refuse(entries, place, why, "");
}

/* `entry 3, username "ada": ` as jansson writes strings, which keeps it on one line. */
static void describe(const struct entries *entries, const json_t *object, char *what, size_t size)
{
    json_t *name = json_object_get(object, "username");
    size_t name_size = json_string_length(name);
    char *quoted = name_size > 0 && name_size <= NAME_MAX_SHOWN ? json_dumps(name, JSON_ENCODE_ANY) : NULL;

    (void)snprintf(what, size, "entry %zu%s%s: ", entries->number, quoted ? ", username " : "", quoted ? quoted : "");
    free(quoted);
}

static enum drover_status refuse_entry(const struct entries *entries, size_t at, const json_t *object, const char *why)
{
    char what[6 * NAME_MAX_SHOWN + 64]; /* jansson writes at most six characters for a byte */

    describe(entries, object, what, sizeof(what));
    return refuse(entries, place_of(entries, at), what, why);
}

static enum drover_status read_entry(struct entries *entries, entries_take *take, void *context)
{
    struct drover_error why = {0};
    json_error_t syntax = {0};

    if (look(entries) != '{')
        return refuse_here(entries, "a user must be an object ('{' expected)");
    size_t start = entries->at;
    json_t *object = json_loadb(entries->data + start, entries->size - start, JSON_DISABLE_EOF_CHECK, &syntax);
    if (!object)
        return refuse_syntax(entries, &syntax);
    entries->at = start + (size_t)syntax.position;
    entries->number++;
    enum drover_status status = take(context, object, &why);
    if (status == DROVER_RESOURCE_EXHAUSTED)
        status = no_memory(entries);
    else if (status != DROVER_OK)
        status = refuse_entry(entries, start, object, why.text);
    json_decref(object);
    return status;
}

static enum drover_status read_array(struct entries *entries, entries_take *take, void *context)
{
    if (look(entries) != '[')
        return refuse_here(entries, "an array of users is expected ('[')");
    entries->at++;
    for (bool more = look(entries) != ']'; more;) {
        enum drover_status status = read_entry(entries, take, context);
        if (status != DROVER_OK)
            return status;
        more = look(entries) == ',';
        if (!more && look(entries) != ']')
            return refuse_here(entries, "',' or ']' expected");
        entries->at += more;
    }
    entries->at++;
    (void)look(entries);
    return entries->at == entries->size ? DROVER_OK : refuse_here(entries, "nothing may follow here");
}

enum drover_status entries_read(const char *path, entries_take *take, void *context, struct drover_error *error)
{
    struct entries entries = {.path = path, .error = error};
    enum drover_status status = file_read(path, &entries.data, &entries.size, error);

    if (status != DROVER_OK)
        return status;
    status = read_array(&entries, take, context);
    free(entries.data);
    return status;
}
