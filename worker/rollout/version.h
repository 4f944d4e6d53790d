/* version.h - a version of a service's driver: what it is made of, its bytes, its configuration, each as a SHA-256 */
#ifndef DROVER_ROLLOUT_VERSION_H
#define DROVER_ROLLOUT_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#define ROLLOUT_HASH_SIZE 32
#define ROLLOUT_HASH_TEXT_SIZE (2 * ROLLOUT_HASH_SIZE + 1)
#define ROLLOUT_HASH_SHORT_SIZE 13 /* what messages show of it */

/* A SHA-256; all zero: not known. */
struct rollout_hash {
    uint8_t octets[ROLLOUT_HASH_SIZE];
};

struct rollout_version {
    struct rollout_hash source;   /* of what the artefact is made of; of the file itself when nothing is compiled */
    struct rollout_hash artefact; /* not known before it is obtained, when something is compiled */
    struct rollout_hash configuration; /* of the service's settings */
};

bool rollout_hash_equal(const struct rollout_hash *a, const struct rollout_hash *b);
bool rollout_hash_known(const struct rollout_hash *hash);

/* Write 64 lower-case hex digits; write the first twelve of them. Both return `buffer`. */
const char *rollout_hash_text(const struct rollout_hash *hash, char buffer[ROLLOUT_HASH_TEXT_SIZE]);
const char *rollout_hash_short(const struct rollout_hash *hash, char buffer[ROLLOUT_HASH_SHORT_SIZE]);

/* Read 64 lower-case hex digits at the start of `text`, which ends in NUL, whatever follows. False when there are less;
 * `*ret` is unchanged then. */
bool rollout_hash_read(const char *text, struct rollout_hash *ret);

/* The same bytes with the same configuration; false when the bytes of either are not known. */
bool rollout_version_same(const struct rollout_version *a, const struct rollout_version *b);

/* The same, or made of the same source with the same configuration. */
bool rollout_version_alike(const struct rollout_version *a, const struct rollout_version *b);

#endif
