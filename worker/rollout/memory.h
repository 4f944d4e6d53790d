/* memory.h - what a service remembers of its versions: those that proved stable, and those that must not be tried again
 *
 * Invariants: the stable versions are different from each other, the newest stands first; no version is covered by two
 * entries of the quarantine, the newest stands last. Both are bounded: the oldest leaves.
 */
#ifndef DROVER_ROLLOUT_MEMORY_H
#define DROVER_ROLLOUT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/rollout/version.h"

#define ROLLOUT_STABLE_MAX 6 /* the present one, and five to go back to */
#define ROLLOUT_QUARANTINE_MAX 64
#define ROLLOUT_WHY_SIZE 96

struct rollout_quarantine {
    struct rollout_hash artefact;
    struct rollout_hash configuration; /* of the version that failed; unknown for a whole one */
    bool whole;                        /* the artefact is bad with any configuration, not with this one alone */
    char why[ROLLOUT_WHY_SIZE];        /* one printable line */
};

struct rollout_memory {
    struct rollout_version stable[ROLLOUT_STABLE_MAX];
    unsigned stable_count;
    struct rollout_quarantine quarantine[ROLLOUT_QUARANTINE_MAX];
    unsigned quarantine_count;
};

/* Put a version whose artefact is known at the head of the stable ones. It is in no quarantine any more: it was tried
 * by force and did well. */
void rollout_memory_mark(struct rollout_memory *memory, const struct rollout_version *version);

/* The entry that covers `version`, or NULL: also when its artefact is not known. Borrowed until the memory changes. */
const struct rollout_quarantine *rollout_memory_quarantined(const struct rollout_memory *memory,
                                                            const struct rollout_version *version);

/* Put a version into quarantine, in place of what covers it already: with this configuration, or as a `whole` with any.
 * `why` is copied, cut and made printable. */
void rollout_memory_quarantine(struct rollout_memory *memory, const struct rollout_version *version, bool whole,
                               const char *why);

/* Forget every entry of an artefact, or all of them when it is NULL. Returns how many there were. */
unsigned rollout_memory_release(struct rollout_memory *memory, const struct rollout_hash *artefact);

/* Forget what is in quarantine together with this configuration alone. Returns how many entries there were. */
unsigned rollout_memory_forgive(struct rollout_memory *memory, const struct rollout_hash *configuration);

#endif
