/* event.h - the queue of what the broker must act on: slots that live in their subjects */
#ifndef DROVER_HOST_EVENT_H
#define DROVER_HOST_EVENT_H

#include "worker/host/state.h"

/* Put a slot at the end; one that is queued already stays where it is. */
void event_push(struct event_queue *queue, struct event_slot *slot);

/* The first slot, taken out; NULL when there is none. */
struct event_slot *event_pop(struct event_queue *queue);

/* Take a slot out, wherever it is. */
void event_remove(struct event_queue *queue, struct event_slot *slot);

#endif
