/* error.h - errors on the way of a call that goes well: their text is long, so only what is used of it is touched */
#ifndef DROVER_BASE_ERROR_H
#define DROVER_BASE_ERROR_H

#include <stddef.h>
#include <string.h>

#include <drover/status.h>

/* Make `error` no error, as `{0}` does, without writing all of its text. */
static inline void drover_error_clear(struct drover_error *error)
{
    error->status = DROVER_OK;
    error->outcome = (enum drover_outcome)0;
    error->origin = (enum drover_origin)0;
    error->retry_after_ms = 0;
    error->text[0] = '\0';
}

/* Copy status, outcome, origin, retry_after_ms and the text up to its NUL. */
static inline void drover_error_copy(struct drover_error *to, const struct drover_error *from)
{
    memcpy(to, from, offsetof(struct drover_error, text));
    memcpy(to->text, from->text, strlen(from->text) + 1);
}

#endif
