/* unescape.h - the inside of a JSON string */
#ifndef DRIVERS_USERS_UNESCAPE_H
#define DRIVERS_USERS_UNESCAPE_H

#include <stddef.h>

#include <drover/value.h>

/* The bytes of the first character of `size` bytes of UTF-8, at least one; 0 when it is none (RFC 3629). */
size_t utf8_size(const char *data, size_t size);

/* Resolve the escapes of a string into `out`, which has room for `raw.size` bytes: escapes never grow. Returns NULL and
 * stores the size, or returns what is wrong (constant) and stores where in `raw`. `raw` must not end within an escape
 * of one character; everything else may be wrong in it. */
const char *unescape(struct drover_text raw, char *out, size_t *ret_size, size_t *ret_wrong_at);

#endif
