/* request.h - reading the fields of a request
 *
 * A field that is nil is the same as one that is absent. Errors name the field as the interface file does:
 * 'id.opaque_id'.
 */
#ifndef DRIVERS_USERS_REQUEST_H
#define DRIVERS_USERS_REQUEST_H

#include <drover/status.h>
#include <drover/value.h>

/* The string `field` of `request`; a dot leads into a map of the request (one level). Borrows from `request`. Errors:
 * INVALID_ARGUMENT when something on the way is missing or of a wrong type. */
DROVER_MUST_CHECK enum drover_status request_text(const struct drover_value *request, const char *field,
                                                  struct drover_text *ret_text, struct drover_error *error);

/* The same, but a field that is missing is the empty string. */
DROVER_MUST_CHECK enum drover_status request_optional_text(const struct drover_value *request, const char *field,
                                                           struct drover_text *ret_text, struct drover_error *error);

#endif
