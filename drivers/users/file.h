/* file.h - the bytes of a file */
#ifndef DRIVERS_USERS_FILE_H
#define DRIVERS_USERS_FILE_H

#include <stddef.h>

#include <drover/status.h>

/* A file larger than this is refused. */
#define FILE_SIZE_MAX ((size_t)1 << 30)

/* Read a whole file. On success stores its bytes and a NUL after them in `*ret_data`, for the caller to free(). Errors:
 * INVALID_ARGUMENT naming the file and why, RESOURCE_EXHAUSTED. */
DROVER_MUST_CHECK enum drover_status file_read(const char *path, char **ret_data, size_t *ret_size,
                                               struct drover_error *error);

#endif
