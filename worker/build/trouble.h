/* trouble.h - errors that the files of the builder have in common */
#ifndef DROVER_BUILD_TROUBLE_H
#define DROVER_BUILD_TROUBLE_H

#include <drover/status.h>

/* Set `error` to the text and what errno `code` means; returns the status that belongs to it. */
enum drover_status trouble_errno(struct drover_error *error, int code, const char *format, ...) DROVER_PRINTF(3, 4);

/* RESOURCE_EXHAUSTED: out of memory. */
static inline enum drover_status trouble_memory(struct drover_error *error)
{
    (void)drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    return DROVER_RESOURCE_EXHAUSTED;
}

#endif
