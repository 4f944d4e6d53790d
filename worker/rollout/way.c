/* way.c - the way of a candidate: started, ready, tested, settled, and then it serves, or is given up */
#include "worker/rollout/step.h"

/* Beginnings */

static void start(struct rollout *rollout, struct rollout_step *step)
{
    const bool unhurried = rollout->purpose == ROLLOUT_FOR_FIRST && rollout->candidate.group == 0;
    rollout->candidate.number = ++rollout->last_number;
    rollout->deaths = 0;
    step->output->effects |= ROLLOUT_DO_START;
    step->output->start = rollout->candidate;
    rollout_set_state(rollout, ROLLOUT_STARTING,
                      unhurried ? ROLLOUT_NEVER : rollout_later(step, rollout->rules.start_limit_ms));
}

void rollout_start_in_turn(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->leaving.number == 0)
        start(rollout, step);
    else
        rollout_set_state(rollout, ROLLOUT_WAITING, ROLLOUT_NEVER);
}

void rollout_launch(struct rollout *rollout, struct rollout_step *step, const struct rollout_version *version,
                    enum rollout_purpose purpose)
{
    rollout->candidate = (struct rollout_generation){.version = *version};
    rollout->forced = false;
    rollout->purpose = purpose;
    rollout_start_in_turn(rollout, step);
}

/* Ends */

void rollout_drop_candidate(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_generation candidate = rollout->candidate;
    if (rollout->state == ROLLOUT_OBTAINING && step->input->event != ROLLOUT_ON_OBTAINED &&
        step->input->event != ROLLOUT_ON_OBTAIN_FAILED)
        step->output->effects |= ROLLOUT_DO_CANCEL_OBTAIN;
    rollout->candidate = (struct rollout_generation){0};
    if (candidate.number != 0)
        rollout_retire(rollout, step, &candidate);
    rollout_rest(rollout);
}

void rollout_proceed(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_change change = rollout->has_pending ? rollout->pending : rollout->wanted;
    const bool waits = rollout->has_pending || rollout->has_wanted;
    rollout->has_pending = rollout->has_wanted = false;
    if (waits)
        rollout_consider(rollout, step, &change);
}

/* What serves without the candidate, or could: it must not suffer with it. May be NULL. */
static const struct rollout_version *mainstay(const struct rollout *rollout)
{
    const bool condemned = rollout->trial.running && rollout->trial.condemned;
    if (rollout->active.number != 0 && !condemned)
        return &rollout->active.version;
    return rollout->memory.stable_count > 0 ? &rollout->memory.stable[0] : NULL;
}

void rollout_give_up(struct rollout *rollout, struct rollout_step *step, bool blame)
{
    const struct rollout_generation candidate = rollout->candidate;
    const enum rollout_purpose purpose = rollout->purpose;
    const bool refused = step->input->event == ROLLOUT_ON_DIED && step->input->death == ROLLOUT_CONFIGURATION;
    step->output->effects |= ROLLOUT_DO_GIVE_UP;
    rollout_drop_candidate(rollout, step);
    if (blame && purpose != ROLLOUT_FOR_ROLLBACK)
        rollout_quarantine(rollout, step, &candidate.version, mainstay(rollout), refused);
    if (purpose == ROLLOUT_FOR_ROLLBACK)
        rollout_next_rollback(rollout, step);
    else if (rollout->trial.running && rollout->trial.condemned)
        rollout_begin_rollback(rollout, step, false);
    else if (rollout->active.number == 0 && !rollout->has_pending)
        rollout_next_first(rollout, step);
    else
        rollout_proceed(rollout, step);
}

/* The first start is over: what could not be started is to blame when another one serves. */
static void blame_home(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->has_home && !rollout_version_same(&rollout->home, &rollout->active.version)) {
        rollout_say(rollout, &rollout->home, "could not be started, while another version could");
        rollout_quarantine(rollout, step, &rollout->home, &rollout->active.version, rollout->home_refused);
        rollout->has_wanted = rollout->has_wanted && !rollout_version_alike(&rollout->home, &rollout->wanted.version);
    }
    rollout->has_home = false;
}

/* It serves from now on. */
static void switch_over(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_generation old = rollout->active;
    const enum rollout_purpose purpose = rollout->purpose;
    rollout->active = rollout->candidate;
    rollout->candidate = (struct rollout_generation){0};
    step->output->effects |= ROLLOUT_DO_SWITCH;
    step->output->switch_to = rollout->active.number;
    rollout->has_previous = old.number != 0;
    rollout->previous = old.version;
    if (old.number != 0)
        rollout_retire(rollout, step, &old);
    rollout_begin_trial(rollout, step);

    if (purpose != ROLLOUT_FOR_ROLLBACK)
        rollout->reason[0] = '\0';
    blame_home(rollout, step);
    rollout_rest(rollout);
    rollout_proceed(rollout, step);
}

/* Handlers */

static void test(struct rollout_step *step, const struct rollout_generation *generation)
{
    step->output->effects |= ROLLOUT_DO_SELF_TEST;
    step->output->test = generation->number;
}

/* What nobody can wait for serves at once; a first generation is tested while it does. */
void rollout_on_ready(struct rollout *rollout, struct rollout_step *step)
{
    if (step->input->generation != rollout->candidate.number)
        return;
    const bool first = rollout->purpose == ROLLOUT_FOR_FIRST && rollout->candidate.group == 0;
    if (!first && rollout->purpose != ROLLOUT_FOR_ROLLBACK) {
        rollout_set_state(rollout, ROLLOUT_TESTING, rollout_later(step, rollout->rules.self_test_limit_ms));
        test(step, &rollout->candidate);
        return;
    }
    switch_over(rollout, step);
    if (!first || !rollout->trial.running)
        return;
    rollout->trial.answer_ms = rollout_later(step, rollout->rules.self_test_limit_ms);
    test(step, &rollout->active);
}

/* A candidate, or a first generation that serves. */
void rollout_on_tested(struct rollout *rollout, struct rollout_step *step)
{
    if (step->input->generation == rollout->active.number)
        rollout_vouch(rollout);
    else if (step->input->generation == rollout->candidate.number && rollout->state == ROLLOUT_TESTING)
        rollout_set_state(rollout, ROLLOUT_SETTLING, rollout_later(step, rollout->rules.settle_ms));
}

void rollout_on_settled(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->candidate.group == 0) {
        switch_over(rollout, step);
        return;
    }
    rollout_set_state(rollout, ROLLOUT_HELD, ROLLOUT_NEVER);
    step->output->effects |= ROLLOUT_DO_HOLD;
}

void rollout_on_let_go(struct rollout *rollout, struct rollout_step *step)
{
    if (step->input->group == rollout->candidate.group)
        switch_over(rollout, step);
}

void rollout_on_late(struct rollout *rollout, struct rollout_step *step)
{
    rollout_say(rollout, &rollout->candidate.version,
                rollout->state == ROLLOUT_STARTING ? "was not ready in time" : "did not answer its self-test in time");
    rollout_give_up(rollout, step, true);
}

/* Supervision starts a first generation again and again; only a loop, or something newer, ends it. */
static void first_died(struct rollout *rollout, struct rollout_step *step)
{
    const enum rollout_death death = step->input->death;
    rollout->deaths++;
    if (rollout->has_pending) {
        rollout_give_up(rollout, step, false);
        return;
    }
    if (death == ROLLOUT_MISHAP || death == ROLLOUT_CRASH)
        return;
    if (!rollout_has_next_first(rollout)) {
        rollout->has_wanted = rollout->has_wanted && rollout->wanted.group == 0; /* a group does not wait for it */
        return;
    }
    if (!rollout->has_home) {
        rollout->has_home = true;
        rollout->home = rollout->candidate.version;
        rollout->home_refused = death == ROLLOUT_CONFIGURATION;
    }
    rollout_give_up(rollout, step, false);
}

/* Who reports a death says how; that it was early is told unless it goes without saying. */
static void say_death(struct rollout *rollout, const struct rollout_step *step)
{
    const struct rollout_version *version = &rollout->candidate.version;
    const char *reason = step->input->reason;
    const bool was_ready = rollout->state != ROLLOUT_STARTING;
    if (reason == NULL || reason[0] == '\0')
        rollout_say(rollout, version, "died before it %s", was_ready ? "served" : "was ready");
    else
        rollout_say(rollout, version, "%s%s", was_ready ? "before it served: " : "", reason);
}

void rollout_on_died(struct rollout *rollout, struct rollout_step *step)
{
    if (step->input->generation != rollout->candidate.number) {
        rollout_on_count_death(rollout, step);
        return;
    }
    say_death(rollout, step);
    if (rollout->purpose == ROLLOUT_FOR_FIRST && rollout->candidate.group == 0)
        first_died(rollout, step);
    else
        rollout_give_up(rollout, step, step->input->death != ROLLOUT_MISHAP);
}

/* A retired generation has ended: there is room. */
void rollout_on_bury(struct rollout *rollout, struct rollout_step *step)
{
    if (step->input->generation == 0 || step->input->generation != rollout->leaving.number)
        return;
    rollout->leaving = (struct rollout_generation){0};
    if (rollout->state == ROLLOUT_WAITING)
        start(rollout, step);
}
