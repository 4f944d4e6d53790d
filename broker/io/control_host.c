/* control_host.c - what happens to workers and services, told to the core and to whoever looks; see control.h */
#include "broker/io/control_parts.h"
#include "broker/io/log.h"
#include "broker/io/tell.h"
#include "common/sys/sys.h"

static void note_launch(struct control *control, uint64_t worker)
{
    control->launches[worker % CONTROL_LAUNCHES] = (struct launch){.worker = worker, .at_us = sys_now_us()};
}

static void log_state(const struct control *control, const struct host_event *event, bool refused)
{
    const bool ready = event->state == HOST_SERVICE_READY; /* what went wrong before is told already */
    if (control->stopping)
        return;
    log_line(refused ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "service '%s' is %s%s%s", event->service,
             host_service_state_name(event->state), ready || event->reason[0] == '\0' ? "" : ": ",
             ready ? "" : event->reason);
}

/* A service that is being removed has no state that anybody cares for. */
static void take_state(const struct control *control, const struct host_event *event)
{
    const bool refused = event->state == HOST_SERVICE_CRASHLOOP || event->state == HOST_SERVICE_STOPPED ||
                         event->state == HOST_SERVICE_QUARANTINED;
    const char *reason = event->reason[0] != '\0' ? event->reason : "it is stopped";
    if (change_find(control->change, event->service) == NULL)
        return;
    log_state(control, event, refused);
    tell_refusal(control->pair, event->service, refused ? reason : NULL);
}

static void take_obtained(const struct control *control, const struct host_event *event)
{
    struct roster_entry *entry = change_find(control->change, event->service);
    const struct host_obtained *obtained = event->obtained;
    const bool fetched = obtained->commit[0] != '\0';
    if (entry == NULL)
        return;
    log_line(LOG_LEVEL_INFO, "service '%s' has driver %.12s%s%s", event->service, obtained->artefact,
             fetched ? " of commit " : "", obtained->commit);
    lockkeeper_note(control->options->keeper, entry->service, obtained);
    roster_note(entry, obtained);
}

static void take_told(struct control *control, const struct host_event *event)
{
    log_line(LOG_LEVEL_INFO, "service '%s': %s%s%s", event->service, event->what, event->reason[0] != '\0' ? ": " : "",
             event->reason);
    history_add(&control->history, event->service, event->generation, event->what, event->reason);
    change_told(control->change, event);
}

static void take_removed(struct control *control, const struct host_event *event)
{
    log_line(LOG_LEVEL_INFO, "service '%s' is gone", event->service);
    history_add(&control->history, event->service, 0, "removed", "its last worker is gone");
}

/* A table; the strings of an event last until the next call of the host. */
static void take_event(struct control *control, const struct host_event *event)
{
    void *pair = control->pair;
    switch (event->kind) {
    case HOST_EXPECT:
        tell_expected(pair, event);
        note_launch(control, event->worker);
        break;
    case HOST_SWITCH:
        tell_switch(pair, event);
        break;
    case HOST_PROBE:
        tell_probe(pair, event);
        break;
    case HOST_RECONFIGURE:
        tell_settings(pair, event);
        break;
    case HOST_COUNT:
        tell_count(pair, event);
        break;
    case HOST_CLOSED:
        tell_closed(pair, event);
        break;
    case HOST_LOST:
        tell_lost(pair, event);
        break;
    case HOST_SERVICE_STATE:
        take_state(control, event);
        break;
    case HOST_OBTAINED:
        take_obtained(control, event);
        break;
    case HOST_TOLD:
        take_told(control, event);
        break;
    case HOST_GROUP:
        change_group_ended(control->change, event, sys_now_ms());
        break;
    case HOST_REMOVED:
        take_removed(control, event);
        break;
    case HOST_CONFIGURATION:
        reloader_touched(&control->reloader, sys_now_ms());
        break;
    }
}

void control_take_events(struct control *control)
{
    struct host_event event;
    while (host_next_event(control->options->host, &event))
        take_event(control, &event);
}
