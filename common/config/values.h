/* values.h - single values of the file: one row a kind says how it is called, read and shown */
#ifndef DROVER_CONFIG_VALUES_H
#define DROVER_CONFIG_VALUES_H

#include "common/config/keys.h"

/* Check `node` as a value of `key` and store it in `member`: uint64_t, bool, an enum, or a string that the owner frees
 * (what it held before is freed). What is wrong goes to the report, and `member` stays as it is. */
void value_read(const struct key *key, const struct node *node, const char *directory, struct report *report,
                void *member);

/* Report that `node` is not what key `key` wants: "must be a time such as 200ms, not a list". */
void value_refuse(const char *key, const char *wanted, const struct node *node, struct report *report);

/* Is `text` a name of a service or an interface? */
bool value_is_name(const char *text);

/* What such a name consists of, for messages. */
#define VALUE_NAME_RULE "at most 63 letters, digits, '-' and '_', with a letter or digit first"

#endif
