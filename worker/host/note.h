/* note.h - what is told to the broker once: what happened to a service, a group, a file
 *
 * A note that there is no memory for is lost; none of them is needed for calls to be right, but that of a group, which
 * is made when the group is.
 */
#ifndef DROVER_HOST_NOTE_H
#define DROVER_HOST_NOTE_H

#include "worker/host/state.h"

/* Tell (HOST_TOLD) that something happened: `what` is one word, a literal. */
void note_tell(struct service *service, uint64_t generation, const char *what, const char *format, ...)
    DROVER_PRINTF(4, 5);

/* A note of another kind, about `service` (a name; NULL: none). NULL when there is no memory. */
struct note *note_new(enum host_event_kind kind, const char *service);
void note_push(struct host *host, struct note *note);

/* NULL is allowed. Returns NULL. */
struct note *note_free(struct note *note);

/* Release all that nobody has taken. */
void notes_free(struct host *host);

/* The note of a slot of one of these kinds; NULL for any other slot. */
struct note *note_of(struct event_slot *slot);

#endif
