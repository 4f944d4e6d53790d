/* feed.h - what `logs` and `events` have in common: numbered entries of a list, and with -f those to come
 *
 * The broker keeps the latest entries, each with a number; it is asked for those above the last one seen.
 */
#ifndef DROVER_CLI_FEED_H
#define DROVER_CLI_FEED_H

#include "client/cli/cli.h"

/* The options of both verbs. */
struct feed_options {
    struct cli_globals globals;
    bool follow;
};

extern const struct option feed_options[];

struct feed {
    const char *verb, *list; /* the key of the answer that has the entries */
    void (*print)(const struct drover_value *entry);
};

/* Print the entries of a service (NULL: of all), with --json each as it is, on a line of its own. Returns the exit
 * status; with -f only after an error. */
int feed_run(const struct feed *feed, const struct feed_options *options, const char *service);

/* Print the local time of `time_ms` of an entry. */
void feed_print_time(const struct drover_value *entry);

#endif
