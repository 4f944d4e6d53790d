/* heap_body.h - bodies of plain memory for the core under test, counted, so that a leak shows
 *
 * A body is a reference to a block of bytes; sharing makes a second reference. heap_bodies_live() counts the
 * references that nobody released.
 *
 * Thread rule: one thread at a time.
 */
#ifndef HEAP_BODY_H
#define HEAP_BODY_H

#include "broker/core/body.h"

/* For struct core_settings. */
extern const struct body_ops heap_bodies;

/* References that exist now, and copies that settle() asked for so far. */
size_t heap_bodies_live(void);
size_t heap_bodies_settled(void);

/* A new body with a copy of `size` bytes; ends the program when there is no memory. */
struct body heap_body_new(const void *data, size_t size);

#endif
