/* ask.h - what the host asks of workers: self-tests, and to take new settings
 *
 * Such a question is a call without a client: it has a lease, a place in the worker's order of starts and a deadline
 * like any other, but its outcome is an effect. It goes to the worker that is meant and to no other.
 *
 * Invariant: every question that was sent has exactly one outcome.
 */
#ifndef DROVER_CORE_ASK_H
#define DROVER_CORE_ASK_H

#include "broker/core/state.h"

/* A question ended in what `header` says. It stays with its worker: that is the caller's to end. */
void ask_ended(struct core *core, struct call *call, const struct wire_header *header);

/* The call is about to be taken from its worker without an answer. If it is a question without an outcome yet, that is
 * its outcome. */
void ask_dropped(struct core *core, struct call *call);

#endif
