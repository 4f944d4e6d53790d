/* trial.c - the probation of what serves: from the switch to the stable mark, or back */
#include <inttypes.h>
#include <stdio.h>

#include "worker/rollout/step.h"

#define MILLION UINT64_C(1000000)

void rollout_begin_trial(struct rollout *rollout, const struct rollout_step *step)
{
    const struct rollout_memory *memory = &rollout->memory;
    const struct rollout_version *version = &rollout->active.version;
    const bool stable = memory->stable_count > 0 && rollout_version_same(&memory->stable[0], version) &&
                        rollout_memory_quarantined(memory, version) == NULL;
    rollout->trial =
        (struct rollout_trial){.running = !stable, .until_ms = rollout_later(step, rollout->rules.probation_ms)};
}

void rollout_renew_trial(struct rollout *rollout, const struct rollout_step *step)
{
    rollout->trial.condemned = false;
    rollout->trial.deaths = 0;
    rollout->trial.until_ms = rollout_later(step, rollout->rules.probation_ms);
    if (rollout->state == ROLLOUT_PROBATION)
        rollout_rest(rollout);
}

void rollout_vouch(struct rollout *rollout)
{
    rollout->trial.answer_ms = 0;
    rollout->trial.doubted = false;
    if (rollout->state == ROLLOUT_PROBATION)
        rollout_rest(rollout);
}

/* What has not begun to run makes room for the rollback, and is taken up after it. */
static void set_aside(struct rollout *rollout, struct rollout_step *step)
{
    rollout->pending = (struct rollout_change){
        .version = rollout->candidate.version, .forced = rollout->forced, .group = rollout->candidate.group};
    rollout->has_pending = true;
    rollout_drop_candidate(rollout, step);
}

static void stay(struct rollout *rollout, struct rollout_step *step, const char *what, const char *obstacle)
{
    rollout_say(rollout, &rollout->active.version, "%s; %s", what, obstacle);
    rollout->trial.doubted |= step->input->event == ROLLOUT_ON_SELF_TEST_FAILED;
    rollout_renew_trial(rollout, step);
    step->output->effects |= ROLLOUT_DO_GIVE_UP;
}

/* What serves has failed, as `what` says. */
static void condemn(struct rollout *rollout, struct rollout_step *step, const char *what)
{
    const struct rollout_version version = rollout->active.version;
    const bool beside = rollout->candidate.number != 0;
    const bool refused = step->input->event == ROLLOUT_ON_DIED && step->input->death == ROLLOUT_CONFIGURATION;
    struct rollout_version other = rollout->candidate.version;
    if (!rollout->rules.auto_rollback) {
        stay(rollout, step, what, "automatic rollback is turned off");
        return;
    }
    if (!beside && !rollout_find_target(rollout, false, &other)) {
        stay(rollout, step, what, "there is no version to go back to");
        return;
    }
    rollout_say(rollout, &version, "%s", what);
    rollout_quarantine(rollout, step, &version, &other, refused);
    rollout->trial.condemned = true;
    if (beside)
        return;
    if (rollout->state != ROLLOUT_PROBATION)
        set_aside(rollout, step);
    rollout_begin_rollback(rollout, step, false);
}

/* Is an event about what serves, and does it count? While a rollback is on its way it does not. */
static bool concerns_trial(const struct rollout *rollout, const struct rollout_step *step)
{
    return rollout->trial.running && !rollout->trial.condemned && step->input->generation == rollout->active.number;
}

void rollout_on_count_death(struct rollout *rollout, struct rollout_step *step)
{
    char why[ROLLOUT_REASON_SIZE], what[ROLLOUT_REASON_SIZE + 64];
    if (!concerns_trial(rollout, step) || step->input->death == ROLLOUT_MISHAP)
        return;
    rollout->trial.deaths++;
    if (rollout->trial.deaths < rollout->rules.probation_deaths && step->input->death == ROLLOUT_CRASH)
        return;
    (void)snprintf(what, sizeof(what), "died in its probation (%u)%s", rollout->trial.deaths, rollout_why(step, why));
    condemn(rollout, step, what);
}

/* Errors in a million calls. */
static uint64_t share(const struct rollout_transport *transport)
{
    const uint64_t calls = transport->calls;
    const uint64_t errors = transport->errors < calls ? transport->errors : calls;
    if (calls == 0)
        return 0;
    return calls < UINT64_MAX / MILLION ? errors * MILLION / calls : errors / (calls / MILLION);
}

void rollout_on_compare(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_input *input = step->input;
    const uint64_t fresh = share(&input->fresh),
                   limit = share(&input->old) + rollout->rules.error_points * MILLION / 100;
    char what[ROLLOUT_REASON_SIZE];
    if (!concerns_trial(rollout, step) || input->fresh.calls < rollout->rules.error_calls || fresh <= limit)
        return;
    (void)snprintf(what, sizeof(what), "%" PRIu64 " of %" PRIu64 " calls failed in its probation", input->fresh.errors,
                   input->fresh.calls);
    condemn(rollout, step, what);
}

/* The self-test: of a candidate, or of a first generation that serves. */
void rollout_on_doubt(struct rollout *rollout, struct rollout_step *step)
{
    const uint64_t generation = step->input->generation;
    char why[ROLLOUT_REASON_SIZE], what[ROLLOUT_REASON_SIZE + 64];
    (void)snprintf(what, sizeof(what), "failed its self-test%s", rollout_why(step, why));
    if (concerns_trial(rollout, step)) {
        condemn(rollout, step, what);
    } else if (generation != 0 && generation == rollout->candidate.number && rollout->state != ROLLOUT_STARTING) {
        rollout_say(rollout, &rollout->candidate.version, "%s", what);
        rollout_give_up(rollout, step, true);
    }
}

/* Its owner says in time when it does not answer its self-test. */
/* What is stopped by hand proves nothing: its probation waits, and then begins again. */
void rollout_on_suspend(struct rollout *rollout, struct rollout_step *step)
{
    (void)step;
    rollout->trial.until_ms = ROLLOUT_NEVER;
    rollout_rest(rollout);
}

void rollout_on_resume(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->trial.until_ms == ROLLOUT_NEVER)
        rollout_renew_trial(rollout, step);
}

/* It has failed its self-test, and serves for want of a better one: it is asked again, not oftener than it may answer.
 */
static void ask_again(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_rules *rules = &rollout->rules;
    const bool often = rules->probation_ms < rules->self_test_limit_ms;
    step->output->effects |= ROLLOUT_DO_SELF_TEST;
    step->output->test = rollout->active.number;
    rollout->trial.until_ms = rollout_later(step, often ? rules->self_test_limit_ms : rules->probation_ms);
    rollout_rest(rollout);
}

void rollout_on_acquit(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->trial.doubted) {
        ask_again(rollout, step);
        return;
    }
    if (rollout->trial.answer_ms > step->input->now_ms) {
        rollout_set_state(rollout, ROLLOUT_PROBATION, rollout->trial.answer_ms);
        return;
    }
    rollout_memory_mark(&rollout->memory, &rollout->active.version);
    step->output->effects |= ROLLOUT_DO_MARK_STABLE | ROLLOUT_DO_SAVE;
    step->output->stable = rollout->active.version;
    rollout->trial.running = false;
    rollout_rest(rollout);
}
