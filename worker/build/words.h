/* words.h - a list of strings that grows: command lines, environments, the lists of a manifest
 *
 * Invariant: `items` is NULL (nothing was added yet) or ended by NULL. Adding never fails by itself: that there was no
 * memory is remembered in `no_memory`, which the owner looks at once all is added.
 */
#ifndef DROVER_BUILD_WORDS_H
#define DROVER_BUILD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/status.h>

struct words {
    char **items;
    size_t count, capacity;
    bool no_memory;
};

/* Copy `word` to the end. */
void words_add(struct words *words, const char *word);

/* printf a word to the end. */
void words_format(struct words *words, const char *format, ...) DROVER_PRINTF(2, 3);

/* Copy all of `more` to the end. */
void words_append(struct words *words, const struct words *more);

bool words_have(const struct words *words, const char *word);

void words_done(struct words *words);

#endif
