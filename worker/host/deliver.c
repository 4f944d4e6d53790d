/* deliver.c - what the broker is told: the events of a host, one after the other */
#include <string.h>

#include "worker/host/child.h"
#include "worker/host/event.h"
#include "worker/host/note.h"
#include "worker/host/obtaining.h"
#include "worker/host/testing.h"
#include "worker/host/wanted.h"

static void describe_child(const struct event_slot *slot, struct host_event *event)
{
    const struct child *child = slot->child;
    event->worker = child->number;
    event->generation = child->generation;
    event->started = child->started;
    event->artefact = child->artefact;
    if (slot->kind == HOST_EXPECT)
        memcpy(event->token, child->token, sizeof(event->token));
}

/* A worker that is to come is given what its generation has; one that runs, what is tried, or that again. */
static void describe_settings(const struct event_slot *slot, struct host_event *event)
{
    const struct child *child = slot->child;
    const struct tuning *tuning = &slot->service->tuning;
    const bool is_new = slot->kind == HOST_RECONFIGURE && tuning->wanted != NULL && !tuning->back;
    if (child->replica == NULL)
        return;
    const struct host_service *service =
        is_new ? &tuning->wanted->service : &child->replica->generation->wanted->service;
    event->settings = service->settings;
    event->settings_size = service->settings_size;
    event->self_test = testing_question(child->replica->generation);
    event->limit_ms = TESTING_LIMIT_MS;
}

static void describe_note(const struct note *note, struct host_event *event)
{
    event->service = note->service[0] != '\0' ? note->service : NULL;
    event->generation = note->generation;
    event->group = note->group;
    event->given_up = note->given_up;
    event->what = note->what;
    event->reason = note->text;
}

/* It may have been the last that a service which was taken away had. */
static void bury(struct host *host, struct child *child)
{
    host->stale = host->stale || child->service->removed;
    (void)child_free(host, child);
}

static void describe_service(const struct event_slot *slot, struct host_event *event)
{
    const struct service *service = slot->service;
    event->state = service->state;
    event->reason = service->told_reason;
    event->generation = service->rollout.active.number;
    event->previous = service->previous;
    if (slot->kind == HOST_OBTAINED)
        event->obtained = &service->obtaining->finding.obtained;
}

bool host_next_event(struct host *host, struct host_event *ret_event)
{
    host->note = note_free(host->note);
    struct event_slot *slot = event_pop(&host->events);
    if (slot == NULL)
        return false;
    *ret_event = (struct host_event){.kind = slot->kind, .reason = "", .what = ""};
    host->note = note_of(slot);
    if (host->note != NULL) {
        describe_note(host->note, ret_event);
        return true;
    }
    ret_event->service = slot->service->name;
    if (slot->child == NULL) {
        describe_service(slot, ret_event);
        return true;
    }
    describe_child(slot, ret_event);
    describe_settings(slot, ret_event);
    if (slot->kind == HOST_LOST)
        bury(host, slot->child);
    return true;
}
