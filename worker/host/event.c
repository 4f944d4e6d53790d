/* event.c - the queue of what the broker must act on */
#include "worker/host/event.h"

#include <stddef.h>

void event_push(struct event_queue *queue, struct event_slot *slot)
{
    if (slot->queued)
        return;
    slot->queued = true;
    slot->next = NULL;
    if (queue->last != NULL)
        queue->last->next = slot;
    else
        queue->first = slot;
    queue->last = slot;
}

struct event_slot *event_pop(struct event_queue *queue)
{
    struct event_slot *slot = queue->first;
    if (slot != NULL)
        event_remove(queue, slot);
    return slot;
}

void event_remove(struct event_queue *queue, struct event_slot *slot)
{
    struct event_slot **link = &queue->first, *before = NULL;
    if (!slot->queued)
        return;
    for (; *link != slot; link = &(*link)->next)
        before = *link;
    *link = slot->next;
    if (queue->last == slot)
        queue->last = before;
    slot->queued = false;
    slot->next = NULL;
}
