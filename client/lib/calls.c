/* calls.c - the calls that a client has under way; see calls.h */
#include "client/lib/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

#define NOWHERE UINT32_MAX
#define SERIAL_BITS 40
#define SERIAL_MASK ((UINT64_C(1) << SERIAL_BITS) - 1)
#define FIRST_SIZE 8
#define MEMORY_KEPT 4096 /* bytes that a slot keeps for its next request */

void calls_init(struct calls *calls)
{
    *calls = (struct calls){0};
    for (size_t i = 0; i < CALL_STATE_END; i++)
        calls->lists[i] = (struct call_list){.first = NOWHERE, .last = NOWHERE};
}

void calls_done(struct calls *calls)
{
    for (uint32_t i = 0; i < calls->size; i++)
        free(calls->slab[i].memory);
    free(calls->slab);
    free(calls->heap);
    calls_init(calls);
}

static uint32_t slot_of(const struct calls *calls, const struct call *call)
{
    return (uint32_t)(call - calls->slab);
}

static struct call *at(const struct calls *calls, uint32_t slot)
{
    return slot == NOWHERE ? NULL : &calls->slab[slot];
}

static void list_append(struct calls *calls, struct call *call, enum call_state state)
{
    struct call_list *list = &calls->lists[state];
    uint32_t slot = slot_of(calls, call);

    call->state = state;
    call->previous = list->last;
    call->next = NOWHERE;
    if (list->last == NOWHERE)
        list->first = slot;
    else
        calls->slab[list->last].next = slot;
    list->last = slot;
    list->count++;
}

static void list_prepend(struct calls *calls, struct call *call, enum call_state state)
{
    struct call_list *list = &calls->lists[state];
    uint32_t slot = slot_of(calls, call);

    call->state = state;
    call->previous = NOWHERE;
    call->next = list->first;
    if (list->first == NOWHERE)
        list->last = slot;
    else
        calls->slab[list->first].previous = slot;
    list->first = slot;
    list->count++;
}

static void list_remove(struct calls *calls, struct call *call)
{
    struct call_list *list = &calls->lists[call->state];

    if (call->previous == NOWHERE)
        list->first = call->next;
    else
        calls->slab[call->previous].next = call->next;
    if (call->next == NOWHERE)
        list->last = call->previous;
    else
        calls->slab[call->next].previous = call->previous;
    list->count--;
}

static void heap_put(struct calls *calls, uint32_t position, struct call_timer timer)
{
    calls->heap[position] = timer;
    calls->slab[timer.slot].heap_at = position;
}

static uint64_t heap_key(const struct calls *calls, uint32_t position)
{
    return calls->heap[position].wake_ms;
}

/* Move the entry at `position` up or down to where it belongs. */
static void heap_settle(struct calls *calls, uint32_t position)
{
    struct call_timer timer = calls->heap[position];
    uint64_t key = timer.wake_ms;

    while (position > 0 && heap_key(calls, (position - 1) / 2) > key) {
        heap_put(calls, position, calls->heap[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * position + 1;
        if (child + 1 < calls->heap_count && heap_key(calls, child + 1) < heap_key(calls, child))
            child++;
        if (child >= calls->heap_count || heap_key(calls, child) >= key)
            break;
        heap_put(calls, position, calls->heap[child]);
        position = child;
    }
    heap_put(calls, position, timer);
}

static void heap_remove(struct calls *calls, struct call *call)
{
    uint32_t position = call->heap_at;

    if (position == NOWHERE)
        return;
    call->heap_at = NOWHERE;
    if (position == --calls->heap_count)
        return;
    heap_put(calls, position, calls->heap[calls->heap_count]);
    heap_settle(calls, position);
}

static bool grow(struct calls *calls)
{
    uint32_t size = calls->size == 0 ? FIRST_SIZE : calls->size * 2;
    struct call *slab;
    struct call_timer *heap;

    if (size > CALLS_MAX)
        return false;
    heap = realloc(calls->heap, size * sizeof(*heap));
    if (heap == NULL)
        return false;
    calls->heap = heap;
    slab = realloc(calls->slab, size * sizeof(*slab));
    if (slab == NULL)
        return false;
    calls->slab = slab;
    memset(&slab[calls->size], 0, (size - calls->size) * sizeof(*slab));
    for (uint32_t i = calls->size; i < size; i++)
        list_append(calls, &slab[i], CALL_FREE);
    calls->size = size;
    return true;
}

struct call *calls_add(struct calls *calls)
{
    if (calls->lists[CALL_FREE].count == 0 && !grow(calls))
        return NULL;

    struct call *call = at(calls, calls->lists[CALL_FREE].first);
    char *memory = call->memory;
    size_t memory_size = call->memory_size;

    list_remove(calls, call);
    memset(call, 0, offsetof(struct call, error));
    drover_error_clear(&call->error);
    call->memory = memory;
    call->memory_size = memory_size;
    call->heap_at = NOWHERE;
    calls->serial = (calls->serial % SERIAL_MASK) + 1;
    call->id = (uint64_t)slot_of(calls, call) << SERIAL_BITS | calls->serial;
    list_append(calls, call, CALL_QUEUED);
    return call;
}

void calls_remove(struct calls *calls, struct call *call)
{
    assert(call->state != CALL_FREE && call->reply.owner == NULL);
    heap_remove(calls, call);
    list_remove(calls, call);
    call->id = 0;
    if (call->memory_size > MEMORY_KEPT) {
        free(call->memory);
        call->memory = NULL;
        call->memory_size = 0;
    }
    list_prepend(calls, call, CALL_FREE); /* the slot used last is the next: it is still in the cache */
}

struct call *calls_find(const struct calls *calls, uint64_t id)
{
    uint32_t slot = calls_slot(id);

    if (id == 0 || slot >= calls->size || calls->slab[slot].id != id)
        return NULL;
    return &calls->slab[slot];
}

void calls_move(struct calls *calls, struct call *call, enum call_state state)
{
    assert(call->state != CALL_FREE && state != CALL_FREE);
    list_remove(calls, call);
    list_append(calls, call, state);
    if (state == CALL_DONE)
        heap_remove(calls, call);
}

void calls_wake_at(struct calls *calls, struct call *call, uint64_t wake_ms)
{
    call->wake_ms = wake_ms;
    heap_put(calls, call->heap_at == NOWHERE ? calls->heap_count++ : call->heap_at,
             (struct call_timer){.wake_ms = wake_ms, .slot = slot_of(calls, call)});
    heap_settle(calls, call->heap_at);
}

struct call *calls_soonest(const struct calls *calls)
{
    return calls->heap_count == 0 ? NULL : at(calls, calls->heap[0].slot);
}

struct call *calls_first(const struct calls *calls, enum call_state state)
{
    return at(calls, calls->lists[state].first);
}

struct call *calls_next(const struct calls *calls, const struct call *call)
{
    return at(calls, call->next);
}

size_t calls_count(const struct calls *calls, enum call_state state)
{
    return calls->lists[state].count;
}

static struct drover_text copy_text(char **end, struct drover_text text)
{
    struct drover_text copy = {.data = *end, .size = text.size};

    if (text.size > 0)
        memcpy(*end, text.data, text.size);
    *end += text.size;
    return copy;
}

bool calls_copy_request(struct call *call)
{
    size_t size = call->service.size + call->method.size + call->metadata.size + call->body.size;

    if (size > call->memory_size) {
        char *memory = malloc(size);
        if (memory == NULL)
            return false;
        free(call->memory);
        call->memory = memory;
        call->memory_size = size;
    }
    char *end = call->memory;
    call->service = copy_text(&end, call->service);
    call->method = copy_text(&end, call->method);
    call->metadata = copy_text(&end, call->metadata);
    call->body = copy_text(&end, call->body);
    return true;
}
