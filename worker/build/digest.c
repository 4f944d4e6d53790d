/* digest.c - SHA-256 over a list of named values (digest.h) */
#include "worker/build/digest.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static void add_counted(struct digest *digest, const void *data, size_t size)
{
    const uint64_t length = htole64(size);
    crypto_hash_sha256_update(&digest->state, (const unsigned char *)&length, sizeof(length));
    if (size > 0)
        crypto_hash_sha256_update(&digest->state, data, size);
}

void digest_init(struct digest *digest)
{
    crypto_hash_sha256_init(&digest->state);
}

void digest_add_bytes(struct digest *digest, const char *name, const void *data, size_t size)
{
    add_counted(digest, name, strlen(name));
    add_counted(digest, data, size);
}

void digest_add(struct digest *digest, const char *name, const char *text)
{
    if (text)
        digest_add_bytes(digest, name, text, strlen(text));
    else
        add_counted(digest, name, strlen(name) + 1); /* with its NUL, which no name has; and no value */
}

void digest_add_words(struct digest *digest, const char *name, const struct words *words)
{
    char count[32];
    (void)snprintf(count, sizeof(count), "%zu", words->count);
    digest_add(digest, name, count);
    for (size_t i = 0; i < words->count; i++)
        digest_add(digest, name, words->items[i]);
}

void digest_end(struct digest *digest, char ret_hex[DIGEST_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&digest->state, hash);
    text_hex(hash, sizeof(hash), ret_hex);
}
