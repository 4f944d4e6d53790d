/* options.h - command lines as a table: one row an option, which yields parsing, errors and help
 *
 * Long options only where a row gives no letter. `--name VALUE`, `--name=VALUE`, `-n VALUE`. Parsing stops at the
 * first word that is no option, or at `--`.
 */
#ifndef DROVER_BASE_OPTIONS_H
#define DROVER_BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <drover/status.h>

enum option_kind {
    OPTION_FLAG,   /* bool: set to true */
    OPTION_TEXT,   /* const char *: borrowed from argv */
    OPTION_TIME,   /* uint64_t: milliseconds, written "200ms", "30s", "5m" */
    OPTION_NUMBER, /* uint64_t */
    OPTION_LIST,   /* struct option_list: may be given several times */
};

#define OPTION_LIST_MAX 64
struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option {
    const char *name; /* without the dashes; NULL ends the table */
    char letter;      /* or 0 */
    enum option_kind kind;
    size_t offset;     /* of the member in the struct that is filled in */
    const char *value; /* what the value is called in the help, NULL for flags */
    const char *help;
};

/* Fill in `target` from argv[first...]; returns in `*ret_rest` the index of the first word that is no option.
 * Errors: INVALID_ARGUMENT, with the option and the nearest known one in `error`. */
DROVER_MUST_CHECK enum drover_status options_parse(const struct option *table, int argc, char **argv, int first,
                                                   void *target, int *ret_rest, struct drover_error *error);

/* The help of a table: one line an option, for the caller to free(). NULL when there is no memory. */
char *options_help(const struct option *table);

#endif
