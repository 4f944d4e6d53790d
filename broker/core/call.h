/* call.h - the record of a call, from its acceptance to the end of its lease */
#ifndef DROVER_CORE_CALL_H
#define DROVER_CORE_CALL_H

#include "broker/core/state.h"

/* A free record, already with a serial. NULL when there is no memory or every slot is taken. */
struct call *call_new(struct core *core);

/* Give a record back; it is in no list any more. Its body and its timer go too. */
void call_free(struct core *core, struct call *call);

/* Keep the strings of a header with the call. False when there is no memory. */
bool call_keep_text(struct call *call, const struct wire_header *header);

/* The number of a call on the worker's leg: slot (24 bits) and serial (40 bits). */
uint64_t call_number(const struct call *call);

/* The call with that number, or NULL when there is none (any more). */
struct call *call_find(const struct core *core, uint64_t number);

/* True when the core never gave a call that number. */
bool call_never_was(const struct core *core, uint64_t number);

/* A new serial, for the next dispatch. */
void call_renumber(struct core *core, struct call *call);

struct drover_text call_method(const struct call *call);
struct drover_text call_metadata(const struct call *call);

/* Tell the client the outcome, unless it was told or is gone, and count it. `header` has command, status and so on;
 * session and call are filled in. `body` (or NULL) is taken. The call is detached from its client then; it stays in
 * its queue or with its worker: that is the caller's to end. */
void call_tell(struct core *core, struct call *call, struct wire_header *header, struct body *body);

/* call_tell() with an ERROR. */
void call_tell_error(struct core *core, struct call *call, const struct drover_error *error);

/* Cut a call off its client without a word; its body goes, and its bytes count no more. */
void call_detach(struct core *core, struct call *call);

/* What is known of a call that ends now without an answer: it was not started, or, with a worker or after it was lost
 * with one, that is unknown. */
enum drover_outcome call_outcome(const struct call *call);

#endif
