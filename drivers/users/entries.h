/* entries.h - a JSON file that is one array of objects, read one object at a time
 *
 * The grammar is jansson's; here the file is walked from element to element, so that only one object of it is a tree at
 * any moment, and so that every mistake has a place: those of the grammar their own, those of meaning that of the
 * entry.
 *
 * Errors never show text of the file: there are secrets in it.
 */
#ifndef DRIVERS_USERS_ENTRIES_H
#define DRIVERS_USERS_ENTRIES_H

#include <jansson.h>

#include <drover/status.h>

/* Take one object, borrowed until the function returns. On INVALID_ARGUMENT `error` says what is wrong with it; where
 * it stands is added to that. RESOURCE_EXHAUSTED needs no text. */
typedef enum drover_status entries_take(void *context, const json_t *object, struct drover_error *error);

/* Give each object of the array in `path` to `take`, in the order of the file, until one of them fails. Strings are
 * UTF-8 without U+0000; of a key that is there twice the later one counts. Errors: INVALID_ARGUMENT with
 * `PATH:LINE:COLUMN: ` (columns of characters, both from 1) and, for what `take` refused, the number of the entry from
 * 1 and its username; RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status entries_read(const char *path, entries_take *take, void *context,
                                                  struct drover_error *error);

#endif
