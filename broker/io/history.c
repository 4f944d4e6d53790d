/* history.c - see history.h */
#include <stdlib.h>
#include <string.h>

#include "broker/io/history.h"
#include "common/base/text.h"
#include "common/sys/sys.h"

#define EVENT_OVERHEAD 96 /* of an event in an answer, its texts apart: keys and numbers */

/* Three texts, one after the other, each ended by NUL. */
struct history_event {
    uint64_t serial, time_ms, generation;
    const char *service; /* NULL: none */
    const char *what, *text;
    size_t size; /* of the texts */
    char texts[];
};

void history_init(struct history *history)
{
    *history = (struct history){0};
}

void history_done(struct history *history)
{
    for (size_t i = 0; i < HISTORY_EVENTS; i++)
        free(history->events[i]);
    *history = (struct history){0};
}

/* The end of what was put there. */
static char *put(char *at, const char *text, size_t size)
{
    (void)text_printable(text, size, at, size + 1);
    return at + size + 1;
}

static struct history_event *event_new(const char *service, const char *what, const char *text)
{
    const char *named = service != NULL ? service : "";
    const size_t service_size = strnlen(named, HISTORY_WORD_MAX), what_size = strnlen(what, HISTORY_WORD_MAX),
                 text_size = strnlen(text, HISTORY_TEXT_MAX);
    const size_t size = service_size + what_size + text_size + 3;
    struct history_event *event = malloc(sizeof(*event) + size);
    if (event == NULL)
        return NULL;
    char *const what_at = put(event->texts, named, service_size), *const text_at = put(what_at, what, what_size);
    (void)put(text_at, text, text_size);
    event->service = service != NULL ? event->texts : NULL;
    event->what = what_at;
    event->text = text_at;
    event->size = size;
    return event;
}

void history_add(struct history *history, const char *service, uint64_t generation, const char *what, const char *text)
{
    struct history_event **const place = &history->events[++history->last % HISTORY_EVENTS];
    free(*place);
    *place = event_new(service, what, text);
    if (*place == NULL)
        return;
    (*place)->serial = history->last;
    (*place)->time_ms = sys_wall_ms();
    (*place)->generation = generation;
}

static bool is_of(const struct history_event *event, const char *service)
{
    return event->service != NULL && strcmp(event->service, service) == 0;
}

/* `serial` is one of the last HISTORY_EVENTS. */
static const struct history_event *find(const struct history *history, uint64_t serial, const char *service)
{
    const struct history_event *event = history->events[serial % HISTORY_EVENTS];
    const bool is_wanted = event != NULL && (service == NULL || is_of(event, service));
    return is_wanted ? event : NULL;
}

bool history_knows(const struct history *history, const char *service)
{
    for (size_t i = 0; i < HISTORY_EVENTS; i++) {
        const struct history_event *event = history->events[i];
        if (event != NULL && is_of(event, service))
            return true;
    }
    return false;
}

static void write_event(const struct history_event *event, struct drover_writer *writer)
{
    drover_write_map(writer, 6);
    drover_write_string(writer, "serial");
    drover_write_uint64(writer, event->serial);
    drover_write_string(writer, "time_ms");
    drover_write_uint64(writer, event->time_ms);
    drover_write_string(writer, "service");
    if (event->service != NULL)
        drover_write_string(writer, event->service);
    else
        drover_write_nil(writer);
    drover_write_string(writer, "generation");
    drover_write_uint64(writer, event->generation);
    drover_write_string(writer, "what");
    drover_write_string(writer, event->what);
    drover_write_string(writer, "text");
    drover_write_string(writer, event->text);
}

uint64_t history_write(const struct history *history, const char *service, uint64_t after, struct drover_writer *writer)
{
    const uint64_t oldest = history->last > HISTORY_EVENTS ? history->last - HISTORY_EVENTS + 1 : 1;
    const uint64_t first = after >= oldest && after <= history->last ? after + 1 : oldest;
    size_t size = 0, count = 0;
    uint64_t end = first; /* after the last that has room */
    for (; end <= history->last; end++) {
        const struct history_event *event = find(history, end, service);
        if (event == NULL)
            continue;
        size += EVENT_OVERHEAD + event->size;
        if (size > HISTORY_ANSWER_MAX)
            break;
        count++;
    }
    drover_write_array(writer, count);
    for (uint64_t serial = first; serial < end; serial++) {
        const struct history_event *event = find(history, serial, service);
        if (event != NULL)
            write_event(event, writer);
    }
    return end - 1;
}
