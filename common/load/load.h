/* load.h - a configuration file read from disk, with the secrets and the files that it names
 *
 * The parser (common/config) is pure; this is what the broker and the command line put around it.
 */
#ifndef DROVER_LOAD_H
#define DROVER_LOAD_H

#include "common/config/config.h"

/* Read and parse a configuration. On failure every mistake is a line of `*ret_messages` (one, when the file cannot be
 * read); release it with config_messages_done() in any case. Errors: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
 * RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status load_config(const char *path, struct config **ret_config,
                                                 struct config_messages *ret_messages);

/* The same, with lenient sources: what was passed over is listed in `*ret_messages` though the file was taken. */
DROVER_MUST_CHECK enum drover_status load_config_leniently(const char *path, struct config **ret_config,
                                                           struct config_messages *ret_messages);

/* As load_config(), but as if what is in `path` stood in the file `place`, which need not exist: that is where its
 * relative paths begin. Messages name `path`. */
DROVER_MUST_CHECK enum drover_status load_config_as(const char *path, const char *place, struct config **ret_config,
                                                    struct config_messages *ret_messages);

/* What is on disk, for reference_resolve(). */
extern const struct reference_disk load_disk;

#endif
