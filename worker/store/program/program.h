/* program.h - the verbs of drover-store, and how they tell what they did */
#ifndef DROVER_STORE_PROGRAM_H
#define DROVER_STORE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "worker/store/store.h"

/* The command line. Borrowed from argv. */
struct program_options {
    const char *store, *lock, *versions, *max_size;
    uint64_t max_age_ms, min_age_ms;
    bool json, help, version;
};

/* A verb: works on the open store and tells what it did. `word` is what follows the verb, or NULL. Returns DROVER_OK
 * with the exit status in `*ret_exit`, or an error that is not told yet. */
typedef enum drover_status (*program_verb)(const struct store *store, const struct program_options *options,
                                           const char *word, int *ret_exit, struct drover_error *error);

/* Make the file at `word` an artefact: for the broker, which is told where it is. */
enum drover_status program_add(const struct store *store, const struct program_options *options, const char *word,
                               int *ret_exit, struct drover_error *error);
enum drover_status program_list(const struct store *store, const struct program_options *options, const char *word,
                                int *ret_exit, struct drover_error *error);
enum drover_status program_gc(const struct store *store, const struct program_options *options, const char *word,
                              int *ret_exit, struct drover_error *error);
enum drover_status program_verify(const struct store *store, const struct program_options *options, const char *word,
                                  int *ret_exit, struct drover_error *error);

/* Print `object`, which is taken, on a line of its own. Errors: RESOURCE_EXHAUSTED (also when it is NULL). */
DROVER_MUST_CHECK enum drover_status program_print(json_t *object, struct drover_error *error);

/* "12.3 MiB" into `buffer` of PROGRAM_SIZE_TEXT; returns it. */
#define PROGRAM_SIZE_TEXT 24
const char *program_size(uint64_t bytes, char *buffer);

/* A system call on `path` set errno to `code`. Returns the status that belongs to it. */
enum drover_status program_trouble(struct drover_error *error, int code, const char *path);

#endif
