/* secret.h - is this the secret?
 *
 * A stored secret is plain text, or a crypt(3) hash when it begins like one ("$6$", "$y$", ...). How long a
 * verification takes must not tell whether the user exists, or how the secret is stored. Therefore every verification
 * does the same work, whoever is asked for: one comparison of plain text, and one crypt(3) for each *kind* of hash in
 * the directory (method and cost), with the user's own hash where it is of that kind and with a sample otherwise.
 *
 * Source: crypt(5), crypt(3).
 */
#ifndef DRIVERS_USERS_SECRET_H
#define DRIVERS_USERS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <drover/value.h>

/* More kinds than these would make every login pay for all of them. */
#define SECRET_KINDS_MAX 8

struct secret_kind {
    const char *sample; /* the first hash of this kind; borrowed */
    size_t size;        /* bytes at its start that say method and cost */
};

/* The kinds of hash in a directory. `{0}` has none. */
struct secret_kinds {
    struct secret_kind kinds[SECRET_KINDS_MAX];
    size_t count;
};

/* Take note of a stored secret, which must outlive `kinds`. Returns NULL, or why the secret cannot be used: a constant
 * text without the secret in it. */
DROVER_MUST_CHECK const char *secret_kinds_add(struct secret_kinds *kinds, const char *stored);

/* Compare the secret that a caller gave with the stored one; `stored` NULL is an unknown user, "" a user who cannot log
 * in. Errors: UNAUTHENTICATED (always the same text), RESOURCE_EXHAUSTED (no memory for crypt(3)). */
DROVER_MUST_CHECK enum drover_status secret_verify(const struct secret_kinds *kinds, const char *stored,
                                                   struct drover_text given, struct drover_error *error);

#endif
