/* change.c - what is wanted: taken up, obtained, replaced by something newer, or taken back */
#include <assert.h>

#include "worker/rollout/step.h"

/* What a change can come to */

bool rollout_is_refused(const struct rollout *rollout, const struct rollout_change *change)
{
    if (change->forced)
        return false;
    return rollout_memory_quarantined(&rollout->memory, &change->version) != NULL ||
           (rollout->has_failed && rollout_version_alike(&rollout->failed, &change->version));
}

static void refuse(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change)
{
    const struct rollout_quarantine *entry = rollout_memory_quarantined(&rollout->memory, &change->version);
    if (entry != NULL)
        rollout_say(rollout, &change->version, "is in quarantine (%s); only a forced reload tries it again",
                    entry->why);
    else
        rollout_say(rollout, &change->version, "could not be had, and has not changed; a forced reload tries it again");
    step->output->effects |= ROLLOUT_DO_GIVE_UP;
}

/* What is wanted serves, or is on its way, as this generation. */
static void forget(struct rollout_generation *generation, struct rollout_step *step, uint64_t group)
{
    if (group != 0)
        generation->group = group;
    step->output->effects |= ROLLOUT_DO_FORGET;
}

/* Likewise the candidate. One that switches by itself goes on so: its group learns of it when it serves. */
static void forget_beside(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change)
{
    const bool first = rollout->purpose == ROLLOUT_FOR_FIRST && rollout->candidate.group == 0;
    const bool back = rollout->purpose == ROLLOUT_FOR_ROLLBACK;
    if (first) {
        rollout->wanted = *change;
        rollout->has_wanted = true;
    } else if (back) {
        rollout->pending = *change;
        rollout->has_pending = change->group != 0;
    }
    forget(&rollout->candidate, step, first || back ? 0 : change->group);
}

void rollout_obtain(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change,
                    enum rollout_purpose purpose)
{
    rollout->candidate = (struct rollout_generation){.version = change->version, .group = change->group};
    rollout->forced = change->forced;
    rollout->purpose = purpose;
    rollout->has_failed = false;
    step->output->effects |= ROLLOUT_DO_OBTAIN;
    step->output->obtain = change->version;
    rollout_set_state(rollout, ROLLOUT_OBTAINING, ROLLOUT_NEVER);
}

void rollout_consider(struct rollout *rollout, struct rollout_step *step, const struct rollout_change *change)
{
    if (rollout->active.number == 0) {
        rollout->wanted = *change;
        rollout->has_wanted = true;
        if (rollout_is_refused(rollout, change))
            refuse(rollout, step, change);
        rollout_begin_first(rollout, step);
    } else if (!change->forced && rollout_version_alike(&rollout->active.version, &change->version)) {
        rollout->reason[0] = '\0';
        rollout->has_failed = false; /* something else is wanted now */
        forget(&rollout->active, step, change->group);
    } else if (rollout_is_refused(rollout, change)) {
        refuse(rollout, step, change);
    } else {
        rollout_obtain(rollout, step, change, ROLLOUT_FOR_CHANGE);
    }
}

/* Handlers */

void rollout_on_take_up(struct rollout *rollout, struct rollout_step *step)
{
    rollout_consider(rollout, step, &step->input->change);
}

/* A change, while one is under way that runs: it waits, and the newest wins. */
void rollout_on_line_up(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_change *change = &step->input->change;
    rollout->has_pending = rollout->has_wanted = false;
    if (!change->forced && rollout_version_alike(&rollout->candidate.version, &change->version)) {
        forget_beside(rollout, step, change);
        return;
    }
    const bool back = rollout->purpose == ROLLOUT_FOR_CHANGE && rollout->active.number != 0 && !change->forced &&
                      rollout_version_alike(&rollout->active.version, &change->version);
    const bool hopeless = rollout->purpose == ROLLOUT_FOR_FIRST && rollout->deaths > 0;
    if (rollout_is_refused(rollout, change) && !back) {
        refuse(rollout, step, change);
        return;
    }
    rollout->pending = *change;
    rollout->has_pending = true;
    if (back || hopeless) {
        rollout_say(rollout, &rollout->candidate.version, "is not wanted any more");
        rollout_give_up(rollout, step, false);
    }
}

/* A change, while one is under way that does not run yet. */
void rollout_on_replace(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_change *change = &step->input->change;
    if (rollout->purpose == ROLLOUT_FOR_ROLLBACK) {
        rollout_on_line_up(rollout, step);
    } else if (!change->forced && rollout_version_alike(&rollout->candidate.version, &change->version)) {
        forget_beside(rollout, step, change);
    } else {
        rollout_drop_candidate(rollout, step);
        rollout_consider(rollout, step, change);
    }
}

/* It was no fault of what runs that it could not be had: only not again the same. */
static void fail_to_obtain(struct rollout *rollout, struct rollout_step *step)
{
    rollout->failed = rollout->candidate.version;
    rollout->has_failed = true;
    rollout_give_up(rollout, step, false);
}

void rollout_on_not_obtained(struct rollout *rollout, struct rollout_step *step)
{
    char why[ROLLOUT_REASON_SIZE];
    if (!rollout_version_alike(&rollout->candidate.version, &step->input->version))
        return;
    rollout_say(rollout, &rollout->candidate.version, "could not be had%s", rollout_why(step, why));
    fail_to_obtain(rollout, step);
}

void rollout_on_obtained(struct rollout *rollout, struct rollout_step *step)
{
    struct rollout_version *version = &rollout->candidate.version;
    if (!rollout_version_alike(version, &step->input->version))
        return; /* of one that has been replaced */
    assert(rollout_hash_known(&step->input->version.artefact));
    *version = step->input->version;
    const struct rollout_quarantine *entry = rollout_memory_quarantined(&rollout->memory, version);
    if (!rollout->forced && rollout->active.number != 0 && rollout_version_same(version, &rollout->active.version)) {
        rollout->active.version.source = version->source; /* another source, the same bytes */
        rollout->reason[0] = '\0';
        forget(&rollout->active, step, rollout->candidate.group);
        rollout_drop_candidate(rollout, step);
    } else if (!rollout->forced && entry != NULL) {
        rollout_say(rollout, version, "is in quarantine (%s); only a forced reload tries it again", entry->why);
        fail_to_obtain(rollout, step);
    } else {
        rollout_start_in_turn(rollout, step);
    }
}

/* By hand, before the switch: the change is taken back, what serves stays. */
void rollout_on_withdraw(struct rollout *rollout, struct rollout_step *step)
{
    rollout->has_pending = false;
    if (rollout->active.number == 0 || rollout->purpose == ROLLOUT_FOR_ROLLBACK)
        return;
    rollout_say(rollout, &rollout->candidate.version, "rolled back by hand");
    if (rollout->candidate.number == 0)
        fail_to_obtain(rollout, step);
    else
        rollout_give_up(rollout, step, true);
}

/* By hand, since what serves is being stopped: nothing is to blame. */
void rollout_on_call_off(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->active.number == 0)
        return;
    rollout->has_pending = rollout->has_wanted = false;
    rollout_say(rollout, &rollout->candidate.version, "is not wanted now, since the service is being stopped");
    step->output->effects |= ROLLOUT_DO_GIVE_UP;
    rollout_drop_candidate(rollout, step);
    rollout_stay(rollout, step);
}

/* What it was before is what to go back to. That a rollback is on its way is not changed by other settings. */
void rollout_on_reconfigured(struct rollout *rollout, struct rollout_step *step)
{
    const bool beside = rollout->state != ROLLOUT_SERVING && rollout->state != ROLLOUT_PROBATION;
    const struct rollout_version before = rollout->active.version;
    if (rollout->active.number == 0)
        return;
    rollout->active.version.configuration = step->input->version.configuration;
    if (rollout->trial.condemned)
        return;
    rollout->previous = before;
    rollout->has_previous = true;
    rollout_begin_trial(rollout, step);
    if (beside)
        return; /* the candidate goes on, as in any probation */
    rollout->reason[0] = '\0';
    if (rollout->trial.running || rollout->state == ROLLOUT_PROBATION)
        rollout_rest(rollout);
}

/* Another one of its group has failed. */
void rollout_on_abandon(struct rollout *rollout, struct rollout_step *step)
{
    const uint64_t group = step->input->group;
    char why[ROLLOUT_REASON_SIZE];
    if (group == 0)
        return;
    rollout->has_pending = rollout->has_pending && rollout->pending.group != group;
    rollout->has_wanted = rollout->has_wanted && rollout->wanted.group != group;
    if (rollout->candidate.group != group)
        return;
    rollout_say(rollout, &rollout->candidate.version, "given up with its group%s", rollout_why(step, why));
    rollout_give_up(rollout, step, false);
}
