/* options.c - command lines as a table: one row an option, which yields parsing, errors and help
 *
 * START: options_parse() walks the words. OPERATION: each word is split into an option and perhaps a value, the row of
 * the table is looked up, and the value is stored where the row says. END: the first word that is no option.
 */
#include "common/base/options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define ROWS_MAX 64 /* rows that a nearest name is looked for in */
#define QUOTED_SIZE 96

/* An option as it stands on the command line: `shown` is what messages call it. */
struct word {
    const struct option *row;
    const char *value; /* NULL for none */
    char shown[QUOTED_SIZE];
};

static const struct option *find_letter(const struct option *table, char letter)
{
    for (const struct option *row = table; row->name; row++) {
        if (row->letter == letter)
            return row;
    }
    return NULL;
}

static const struct option *find_name(const struct option *table, const char *name, size_t size)
{
    for (const struct option *row = table; row->name; row++) {
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0)
            return row;
    }
    return NULL;
}

static enum drover_status refuse_unknown(const struct option *table, const struct word *word,
                                         struct drover_error *error)
{
    const char *names[ROWS_MAX];
    size_t count = 0;
    for (const struct option *row = table; row->name && count < ROWS_MAX; row++)
        names[count++] = row->name;
    /* The dashes of "--word" are no part of the name; "-w" is near to nothing. */
    const char *nearest = text_nearest(word->shown[1] == '-' ? word->shown + 2 : "", names, count);
    if (nearest)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s' is not known (nearest: '--%s')",
                                word->shown, nearest);
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s' is not known (try '--help')", word->shown);
}

/* Find out which option `text` is: "--name", "--name=VALUE" or "-n". */
static enum drover_status read_word(const struct option *table, const char *text, struct word *word,
                                    struct drover_error *error)
{
    size_t size = strlen(text);
    word->value = NULL;
    if (text[1] == '-') {
        const char *equals = strchr(text, '=');
        if (equals) {
            size = (size_t)(equals - text);
            word->value = equals + 1;
        }
        word->row = find_name(table, text + 2, size - 2);
    } else {
        word->row = size == 2 ? find_letter(table, text[1]) : NULL;
    }
    text_printable(text, size, word->shown, sizeof word->shown);
    return word->row ? DROVER_OK : refuse_unknown(table, word, error);
}

static enum drover_status refuse_value(const struct word *word, const char *wanted, struct drover_error *error)
{
    char quoted[QUOTED_SIZE];
    text_printable(word->value, strlen(word->value), quoted, sizeof quoted);
    return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s': '%s' is no %s", word->shown, quoted, wanted);
}

static enum drover_status add_to_list(const struct word *word, struct option_list *list, struct drover_error *error)
{
    if (list->count == OPTION_LIST_MAX)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s' may be given at most %d times",
                                word->shown, OPTION_LIST_MAX);
    list->items[list->count++] = word->value;
    return DROVER_OK;
}

/* Store the value of `word` in the member of `target` that its row names. */
static enum drover_status store(const struct word *word, void *target, struct drover_error *error)
{
    void *member = (char *)target + word->row->offset;
    switch (word->row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return DROVER_OK;
    case OPTION_TEXT:
        *(const char **)member = word->value;
        return DROVER_OK;
    case OPTION_TIME:
        if (!text_parse_time(word->value, member))
            return refuse_value(word, "time (write it as '200ms', '30s' or '5m')", error);
        return DROVER_OK;
    case OPTION_NUMBER:
        if (!text_parse_number(word->value, member))
            return refuse_value(word, "whole number", error);
        return DROVER_OK;
    case OPTION_LIST:
        return add_to_list(word, member, error);
    }
    assert(false && "a kind of option that is none");
    return drover_error_set(error, DROVER_INTERNAL, "option '%s' has no kind", word->shown);
}

/* Give `word` its value: the one after '=', or the next word. Moves `*at` over what was used. */
static enum drover_status take_value(struct word *word, int argc, char **argv, int *at, struct drover_error *error)
{
    bool wants = word->row->kind != OPTION_FLAG;
    if (!wants && word->value)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s' takes no value", word->shown);
    if (wants && !word->value && *at == argc)
        return drover_error_set(error, DROVER_INVALID_ARGUMENT, "option '%s' needs a value (%s)", word->shown,
                                word->row->value ? word->row->value : "VALUE");
    if (wants && !word->value)
        word->value = argv[(*at)++];
    return DROVER_OK;
}

/* NOLINTNEXTLINE(readability-function-size): table and words in, three results out; a struct would only rename them */
enum drover_status options_parse(const struct option *table, int argc, char **argv, int first, void *target,
                                 int *ret_rest, struct drover_error *error)
{
    int at = first;
    while (at < argc) {
        const char *text = argv[at];
        /* "-" alone is a word: it often stands for standard input. */
        if (text[0] != '-' || text[1] == '\0')
            break;
        at++;
        if (strcmp(text, "--") == 0)
            break;
        struct word word;
        enum drover_status status = read_word(table, text, &word, error);
        if (status == DROVER_OK)
            status = take_value(&word, argc, argv, &at, error);
        if (status == DROVER_OK)
            status = store(&word, target, error);
        if (status != DROVER_OK)
            return status;
    }
    *ret_rest = at;
    return DROVER_OK;
}

/* How wide "--name VALUE" is. */
static int row_width(const struct option *row)
{
    return (int)(2 + strlen(row->name) + (row->value ? 1 + strlen(row->value) : 0));
}

/* One line of help into `buffer`; returns its length as snprintf() does. */
static size_t print_row(const struct option *row, int width, char *buffer, size_t capacity)
{
    char letter[] = {'-', row->letter, ',', '\0'};
    int length = snprintf(buffer, capacity, "  %3s --%s%s%s%*s  %s\n", row->letter ? letter : "", row->name,
                          row->value ? " " : "", row->value ? row->value : "", width - row_width(row), "", row->help);
    return length > 0 ? (size_t)length : 0;
}

char *options_help(const struct option *table)
{
    int width = 0;
    for (const struct option *row = table; row->name; row++)
        width = row_width(row) > width ? row_width(row) : width;
    size_t size = 1;
    for (const struct option *row = table; row->name; row++)
        size += print_row(row, width, NULL, 0);
    char *help = malloc(size);
    if (!help)
        return NULL;
    size_t used = 0;
    help[0] = '\0';
    for (const struct option *row = table; row->name; row++)
        used += print_row(row, width, help + used, size - used);
    return help;
}
