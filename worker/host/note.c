/* note.c - what is told to the broker once */
#include "worker/host/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/host/event.h"

struct note *note_new(enum host_event_kind kind, const char *service)
{
    struct note *note = calloc(1, sizeof(*note));
    if (note == NULL)
        return NULL;
    note->slot.kind = kind;
    note->what = "";
    (void)snprintf(note->service, sizeof(note->service), "%s", service != NULL ? service : "");
    return note;
}

void note_push(struct host *host, struct note *note)
{
    event_push(&host->events, &note->slot);
}

struct note *note_free(struct note *note)
{
    free(note);
    return NULL;
}

void notes_free(struct host *host)
{
    struct event_slot *slot = host->events.first;
    host->note = note_free(host->note);
    while (slot != NULL) {
        struct event_slot *next = slot->next;
        struct note *note = note_of(slot);
        if (note != NULL) {
            event_remove(&host->events, slot);
            (void)note_free(note);
        }
        slot = next;
    }
}

void note_tell(struct service *service, uint64_t generation, const char *what, const char *format, ...)
{
    struct note *note = note_new(HOST_TOLD, service->name);
    va_list arguments;
    if (note == NULL)
        return;
    note->generation = generation;
    note->what = what;
    va_start(arguments, format);
    (void)vsnprintf(note->text, sizeof(note->text), format, arguments);
    va_end(arguments);
    note_push(service->host, note);
}

struct note *note_of(struct event_slot *slot)
{
    const enum host_event_kind kind = slot->kind;
    const bool is_note = kind == HOST_TOLD || kind == HOST_GROUP || kind == HOST_REMOVED || kind == HOST_CONFIGURATION;
    return is_note ? (struct note *)(void *)slot : NULL; /* its slot stands first */
}
