/* change.h - a change of the configuration as a transaction: all of it comes into force, or none of it does
 *
 * START: change_new() with the roster that is in force. OPERATION: change_begin() with a plan; then every event of the
 * host that is named below, and change_turn() once a turn of the loop, until change_is_under_way() is false. END:
 * change_free().
 *
 * What has to start is started beside what serves: added services, and new generations of those that are replaced, as
 * one group of the host, so that all of them switch or none does. Only then the rest follows, which cannot fail: limits
 * and timings, the end of what is removed, the new roster in place of the old one. If one of them cannot be started,
 * the others are set back to what they were, and the old roster has been in force all along.
 *
 * One change at a time. The roster is the one of the options, by address: a change assigns to it.
 */
#ifndef DROVER_IO_CHANGE_H
#define DROVER_IO_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <drover/status.h>

#include "broker/io/history.h"
#include "broker/io/plan.h"
#include "broker/io/roster.h"
#include "worker/host/host.h"

struct change;

/* Borrowed. */
struct change_options {
    struct host *host;
    void *pair; /* data_pair() */
    struct roster *roster;
    struct history *history;
};

/* NULL when there is no memory. */
struct change *change_new(const struct change_options *options);

/* Also while a change is under way: then none of it comes into force. NULL is allowed. Returns NULL. */
struct change *change_free(struct change *change);

/* Begin what the plan says, which has no mistakes; it is taken in any case. Changes are numbered from 1. Errors:
 * FAILED_PRECONDITION (a change is under way, the plan has obstacles, the broker is stopping); then nothing has
 * happened. */
DROVER_MUST_CHECK enum drover_status change_begin(struct change *change, struct plan *plan, uint64_t now_ms,
                                                  uint64_t *ret_number, struct drover_error *error);

/* Go on, where something has come to rest. */
void change_turn(struct change *change, uint64_t now_ms);

/* Nothing is begun or ended any more: the broker stops. */
void change_stop(struct change *change);

/* HOST_GROUP and HOST_TOLD. */
void change_group_ended(struct change *change, const struct host_event *event, uint64_t now_ms);
void change_told(struct change *change, const struct host_event *event);

bool change_is_under_way(const struct change *change);

/* What the host runs for a service, or tries to: the entry that is in force, or that of the change under way. NULL when
 * there is no such service, or it is being removed. */
struct roster_entry *change_find(const struct change *change, const char *service);

/* How a change got on. Strings are borrowed until the next call of another function. */
struct change_report {
    const char *state;       /* "under way", "done", "given up" */
    const char *service;     /* given up: because of which; "" */
    const char *reason;      /* and why, in one line; "" */
    const struct plan *plan; /* its steps; NULL when a later change has begun */
};

/* False when there was no such change, or it is not remembered any more: the latest 16 are. */
bool change_describe(const struct change *change, uint64_t number, struct change_report *ret_report);

#endif
