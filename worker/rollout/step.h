/* step.h - what the files of the rollout machine have in common: one step of it
 *
 * A handler is called in the state that its row says; it ends in another state, or changes none. Everything new begins
 * in a state of rest: give_up() and switch_over() go there first.
 */
#ifndef DROVER_ROLLOUT_STEP_H
#define DROVER_ROLLOUT_STEP_H

#include <stddef.h>

#include "worker/rollout/rollout.h"

struct rollout_step {
    const struct rollout_input *input;
    struct rollout_output *output;
};

#define ROLLOUT_RULE(STATE, EVENT, handler) void rollout_on_##handler(struct rollout *, struct rollout_step *);
#include "worker/rollout/rollout.def"

/* rollout.c */

/* Change the state, and when its TICK is due. */
void rollout_set_state(struct rollout *rollout, enum rollout_state next, uint64_t due_ms);

/* Go to the state of rest that fits what serves. */
void rollout_rest(struct rollout *rollout);

/* `ms` after now, or never. */
uint64_t rollout_later(const struct rollout_step *step, uint64_t ms);

/* Set the reason: "0123456789ab: " and this; without the artefact where that is not known. */
void rollout_say(struct rollout *rollout, const struct rollout_version *version, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The reason that came with the event, as ": reason", or "". */
const char *rollout_why(const struct rollout_step *step, char buffer[ROLLOUT_REASON_SIZE]);

/* Add a generation to those that are to be retired; it is the leaving one. */
void rollout_retire(struct rollout *rollout, struct rollout_step *step, const struct rollout_generation *generation);

/* Put a version into quarantine for the reason that was said last. `other` is what serves in its place: where that has
 * the same artefact, or the configuration was `refused`, only the two together are bad. */
void rollout_quarantine(struct rollout *rollout, struct rollout_step *step, const struct rollout_version *version,
                        const struct rollout_version *other, bool refused);

/* change.c; in a state of rest */

/* Take up a change: obtain it, unless it serves already or must not be tried. */
void rollout_consider(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change);

/* Begin to obtain a change. */
void rollout_obtain(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change,
                    enum rollout_purpose purpose);

/* True when a change must not be tried: it is in quarantine, or could not be obtained. */
bool rollout_is_refused(const struct rollout *rollout, const struct rollout_change *change);

/* way.c; all but give_up() in a state of rest */

/* Start a version that is in the store, at once or when the leaving one has ended. */
void rollout_launch(struct rollout *rollout, struct rollout_step *step, const struct rollout_version *version,
                    enum rollout_purpose purpose);

/* Start the candidate, which is in the store, at once, or let it wait. */
void rollout_start_in_turn(struct rollout *rollout, struct rollout_step *step);

/* End the candidate, whose reason was said, and go on with what comes next. With `blame` its version, which
 * was started, goes into quarantine. */
void rollout_give_up(struct rollout *rollout, struct rollout_step *step, bool blame);

/* End the candidate, and do nothing else. */
void rollout_drop_candidate(struct rollout *rollout, struct rollout_step *step);

/* Take up what has been waiting for the end of a candidate. */
void rollout_proceed(struct rollout *rollout, struct rollout_step *step);

/* choice.c; in a state of rest */

/* Nothing serves, and rollout->wanted is: begin to try what there is. */
void rollout_begin_first(struct rollout *rollout, struct rollout_step *step);

/* Go on with that, if there is anything left. */
void rollout_next_first(struct rollout *rollout, struct rollout_step *step);

/* Would rollout_next_first() start anything but the candidate? */
bool rollout_has_next_first(const struct rollout *rollout);

/* The first version to go back to: by itself, or by hand. False when there is none. */
bool rollout_find_target(const struct rollout *rollout, bool by_hand, struct rollout_version *ret);

/* Begin to go back. */
void rollout_begin_rollback(struct rollout *rollout, struct rollout_step *step, bool by_hand);

/* Go back to the next version that may do; without any, stay. */
void rollout_next_rollback(struct rollout *rollout, struct rollout_step *step);

/* What serves goes on, since there will be no rollback. */
void rollout_stay(struct rollout *rollout, struct rollout_step *step);

/* trial.c */

/* A probation begins with a switch, unless the version is the stable one. */
void rollout_begin_trial(struct rollout *rollout, const struct rollout_step *step);

/* What serves has answered its self-test. */
void rollout_vouch(struct rollout *rollout);

/* It begins again, since there is nothing better than what serves. */
void rollout_renew_trial(struct rollout *rollout, const struct rollout_step *step);

#endif
