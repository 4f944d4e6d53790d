/* lock_entry.h - the members of a lock's entries and artefacts as tables: for the files that read, write and copy them
 */
#ifndef DROVER_CONFIG_LOCK_ENTRY_H
#define DROVER_CONFIG_LOCK_ENTRY_H

#include "common/config/lock.h"

/* A member that is a text. */
struct lock_member {
    const char *name;
    size_t offset;                            /* of a `char *` in struct lock_entry or struct lock_artefact */
    bool required;                            /* else NULL when it is absent */
    bool quoted;                              /* written in quotes: it could look like something else */
    const char *(*mistake)(const char *text); /* "must be ...", or NULL */
};

#define LOCK_ENTRY_MEMBERS 6
#define LOCK_ARTEFACT_MEMBERS 3

/* In the order in which they are written. The first LOCK_IDENTITY of an entry, or an artefact's first two, say which
 * one it is. */
#define LOCK_IDENTITY 3
#define LOCK_ARTEFACT_IDENTITY 2
extern const struct lock_member lock_entry_members[LOCK_ENTRY_MEMBERS];
extern const struct lock_member lock_artefact_members[LOCK_ARTEFACT_MEMBERS];

/* The member of an entry or artefact. */
char *lock_text(const void *owner, const struct lock_member *member);

/* Order of two entries, or artefacts, by their first `count` members; an absent one is the smallest. */
int lock_compare(const void *a, const void *b, const struct lock_member *members, size_t count);

/* Release what an entry holds. */
void lock_entry_done(struct lock_entry *entry);

#endif
