/* record.h - what is remembered of a build: build/<key>/meta.json
 *
 * Failed builds are remembered, too, for a while: a broker that starts a service again and again does not compile the
 * same mistake again and again.
 */
#ifndef DROVER_BUILD_RECORD_H
#define DROVER_BUILD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>

#include "worker/build/artefact.h"
#include "worker/build/digest.h"

#define RECORD_FILE "meta.json"
#define RECORD_LOG "log.txt"
#define RECORD_FAILURE_MS (UINT64_C(10) * 60 * 1000)

struct record {
    char key[DIGEST_SIZE];
    char source_key[DIGEST_SIZE]; /* as the key, without what the machine adds */
    char source[DIGEST_SIZE];     /* the hash of the source */
    enum drover_status status;    /* OK, or why it failed */
    char message[DROVER_ERROR_TEXT_SIZE];
    char artefact[DIGEST_SIZE]; /* "" when it failed */
    enum artefact_form form;
    char system[16], sandbox[256];
    uint64_t made_ms;  /* since 1970 */
    uint64_t taken_ms; /* how long it took */
};

/* Write the new file `path`. Errors: RESOURCE_EXHAUSTED, INTERNAL. */
DROVER_MUST_CHECK enum drover_status record_write(const struct record *record, const char *path,
                                                  struct drover_error *error);

/* Read `path`. Errors: those of sys_read_file(), and DATA_LOSS (it is damaged, or of another version). */
DROVER_MUST_CHECK enum drover_status record_read(const char *path, struct record *ret, struct drover_error *error);

/* Is it a failure that still counts? */
bool record_is_fresh_failure(const struct record *record, uint64_t now_ms);

#endif
