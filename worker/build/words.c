/* words.c - a list of strings that grows (words.h) */
#include "worker/build/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more word and the NULL behind it. */
static bool make_room(struct words *words)
{
    if (words->count + 1 < words->capacity)
        return true;
    const size_t capacity = words->capacity ? 2 * words->capacity : 16;
    char **items = realloc(words->items, capacity * sizeof(*items));
    if (!items)
        return false;
    words->items = items;
    words->capacity = capacity;
    return true;
}

/* Takes `word`, which may be NULL for want of memory. */
static void take(struct words *words, char *word)
{
    if (!word || !make_room(words)) {
        free(word);
        words->no_memory = true;
        return;
    }
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

void words_add(struct words *words, const char *word)
{
    take(words, strdup(word));
}

void words_format(struct words *words, const char *format, ...)
{
    char *word = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&word, format, arguments) < 0)
        word = NULL;
    va_end(arguments);
    take(words, word);
}

void words_append(struct words *words, const struct words *more)
{
    for (size_t i = 0; i < more->count; i++)
        words_add(words, more->items[i]);
    words->no_memory |= more->no_memory;
}

bool words_have(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i], word) == 0)
            return true;
    }
    return false;
}

void words_done(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}
