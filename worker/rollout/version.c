/* version.c - a version of a service's driver */
#include "worker/rollout/version.h"

#include <string.h>

#include "common/base/text.h"

bool rollout_hash_equal(const struct rollout_hash *a, const struct rollout_hash *b)
{
    return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

bool rollout_hash_known(const struct rollout_hash *hash)
{
    static const struct rollout_hash unknown;
    return !rollout_hash_equal(hash, &unknown);
}

const char *rollout_hash_text(const struct rollout_hash *hash, char buffer[ROLLOUT_HASH_TEXT_SIZE])
{
    text_hex(hash->octets, sizeof(hash->octets), buffer);
    return buffer;
}

const char *rollout_hash_short(const struct rollout_hash *hash, char buffer[ROLLOUT_HASH_SHORT_SIZE])
{
    text_hex(hash->octets, (ROLLOUT_HASH_SHORT_SIZE - 1) / 2, buffer);
    return buffer;
}

static int digit(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool rollout_hash_read(const char *text, struct rollout_hash *ret)
{
    struct rollout_hash hash;
    for (size_t i = 0; i < sizeof(hash.octets); i++) {
        const int high = digit(text[2 * i]);
        const int low = high >= 0 ? digit(text[2 * i + 1]) : -1;
        if (low < 0)
            return false;
        hash.octets[i] = (uint8_t)(high << 4 | low);
    }
    *ret = hash;
    return true;
}

bool rollout_version_same(const struct rollout_version *a, const struct rollout_version *b)
{
    return rollout_hash_known(&a->artefact) && rollout_hash_equal(&a->artefact, &b->artefact) &&
           rollout_hash_equal(&a->configuration, &b->configuration);
}

bool rollout_version_alike(const struct rollout_version *a, const struct rollout_version *b)
{
    return rollout_version_same(a, b) ||
           (rollout_hash_known(&a->source) && rollout_hash_equal(&a->source, &b->source) &&
            rollout_hash_equal(&a->configuration, &b->configuration));
}
