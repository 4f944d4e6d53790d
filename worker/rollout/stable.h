/* stable.h - what a service remembers of its versions, as the text of a file
 *
 *     drover-rollout 1
 *     stable SOURCE ARTEFACT CONFIGURATION         up to ROLLOUT_STABLE_MAX, the newest first; SHA-256 in hex
 *     quarantine ARTEFACT CONFIGURATION WHY        up to ROLLOUT_QUARANTINE_MAX, the newest last
 *     quarantine ARTEFACT * WHY                    whatever the configuration
 *     end
 *
 * The last line tells that the file is whole. Pure: its owner reads and writes the file.
 */
#ifndef DROVER_ROLLOUT_STABLE_H
#define DROVER_ROLLOUT_STABLE_H

#include <stddef.h>

#include <drover/status.h>

#include "worker/rollout/memory.h"

#define STABLE_SIZE_MAX 32768 /* bytes of a file */
#define STABLE_MISTAKES_MAX 16
#define STABLE_MISTAKE_SIZE 256

/* What is wrong with a file: `FILE:LINE:COLUMN: what`, in the order of the lines. */
struct stable_mistakes {
    size_t count;    /* listed */
    size_t unlisted; /* found beyond STABLE_MISTAKES_MAX */
    char lines[STABLE_MISTAKES_MAX][STABLE_MISTAKE_SIZE];
};

/* Parse `size` bytes; `path` names the file in messages. Errors: INVALID_ARGUMENT, then `*ret_mistakes` lists every
 * mistake (it is always set) and `*ret` is unchanged. */
DROVER_MUST_CHECK enum drover_status stable_parse(const char *text, size_t size, const char *path,
                                                  struct rollout_memory *ret, struct stable_mistakes *ret_mistakes);

/* The text of the file, for the caller to free(). NULL when there is no memory. */
char *stable_write(const struct rollout_memory *memory);

#endif
