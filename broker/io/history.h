/* history.h - what happened to services, and why: the latest events, for `drover events`
 *
 * A ring: the oldest event makes room for a new one. Serials start with 1 and increase with every event, so that a
 * follower asks for what is after the last one it has. One thread.
 */
#ifndef DROVER_IO_HISTORY_H
#define DROVER_IO_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>
#include <drover/value.h>

#define HISTORY_EVENTS 2000
#define HISTORY_TEXT_MAX 1023                    /* octets of a text, which is cut */
#define HISTORY_WORD_MAX 255                     /* the same, of a service and of what happened */
#define HISTORY_ANSWER_MAX (UINT32_C(256) << 10) /* octets that one history_write() appends */

struct history_event;

struct history {
    struct history_event *events[HISTORY_EVENTS]; /* by serial; NULL: none, or there was no memory for it */
    uint64_t last;                                /* serial of the newest; 0: none */
};

void history_init(struct history *history);
void history_done(struct history *history);

/* Remember that `what` (one word, "switched") happened to a service (NULL: to none in particular) and its generation
 * (0: to none). Everything is copied; what cannot be printed becomes '?'. Where there is no memory the event is lost,
 * and a gap in the serials tells. */
void history_add(struct history *history, const char *service, uint64_t generation, const char *what, const char *text);

/* Is any event of this service remembered? */
bool history_knows(const struct history *history, const char *service);

/* Write the events after serial `after` (0: all), the oldest first, as an array of maps {serial, time_ms (wall clock),
 * service (nil: none), generation, what, text}; `service` NULL: of all. Returns what `after` has to be in the next
 * question: events beyond HISTORY_ANSWER_MAX are left to that. An `after` that was not reached yet is one of a broker
 * before this one: everything is written. */
uint64_t history_write(const struct history *history, const char *service, uint64_t after,
                       struct drover_writer *writer);

#endif
