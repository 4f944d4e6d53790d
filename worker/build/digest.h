/* digest.h - SHA-256 over a list of named values, such that no two lists look the same
 *
 * Hashed is, for each item: length of the name, name, length of the value, value; lengths are 64 bits, little endian.
 */
#ifndef DROVER_BUILD_DIGEST_H
#define DROVER_BUILD_DIGEST_H

#include <stddef.h>

#include <sodium.h>

#include "worker/build/words.h"

#define DIGEST_SIZE 65 /* 64 hex digits and NUL */

struct digest {
    crypto_hash_sha256_state state;
};

void digest_init(struct digest *digest);
void digest_add_bytes(struct digest *digest, const char *name, const void *data, size_t size);

/* Add a text; NULL differs from "". */
void digest_add(struct digest *digest, const char *name, const char *text);

/* Add how many there are, and each of them. */
void digest_add_words(struct digest *digest, const char *name, const struct words *words);

/* End it; `digest` must be initialised again before it is used again. */
void digest_end(struct digest *digest, char ret_hex[DIGEST_SIZE]);

#endif
