/* rollout.c - the machine of one service's generations: its tables, and what all of its parts use
 *
 * START: rollout_init(), then the first CHANGE. OPERATION: rollout_apply() looks the handler up in the table that
 * rollout.def makes; handlers are in way.c, choice.c and trial.c. END: STOP leads to STOPPED, and nothing leads away.
 *
 * Invariants, checked by set_state(): a candidate has a number exactly while it runs; EMPTY is without an active
 * generation, SERVING and PROBATION have one, and PROBATION has a trial that runs. At most two generations are alive,
 * since one is started only when none is leaving.
 */
#include "worker/rollout/rollout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/rollout/step.h"

typedef void handler_fn(struct rollout *, struct rollout_step *);

const struct rollout_rules rollout_default_rules = {.settle_ms = 2000,
                                                    .probation_ms = 60000,
                                                    .start_limit_ms = 30000,
                                                    .self_test_limit_ms = 10000,
                                                    .probation_deaths = 2,
                                                    .error_points = 5,
                                                    .error_calls = 50,
                                                    .auto_rollback = true};

static const bool moves[ROLLOUT_STATE_END][ROLLOUT_STATE_END] = {
#define ROLLOUT_MOVE(FROM, TO) [ROLLOUT_##FROM][ROLLOUT_##TO] = true,
#include "worker/rollout/rollout.def"
};

static const char *const state_words[ROLLOUT_STATE_END] = {
#define ROLLOUT_STATE(NAME, word) [ROLLOUT_##NAME] = (word),
#include "worker/rollout/rollout.def"
};

static const char *const event_words[ROLLOUT_EVENT_END] = {
#define ROLLOUT_EVENT(NAME, word) [ROLLOUT_ON_##NAME] = (word),
#include "worker/rollout/rollout.def"
};

static handler_fn *const handlers[ROLLOUT_STATE_END][ROLLOUT_EVENT_END] = {
#define ROLLOUT_RULE(STATE, EVENT, handler) [ROLLOUT_##STATE][ROLLOUT_ON_##EVENT] = rollout_on_##handler,
#include "worker/rollout/rollout.def"
};

static void check(const struct rollout *rollout)
{
    const bool runs = rollout->state >= ROLLOUT_STARTING && rollout->state <= ROLLOUT_HELD;
    assert(runs == (rollout->candidate.number != 0));
    assert(rollout->state != ROLLOUT_EMPTY || rollout->active.number == 0);
    assert(rollout->state != ROLLOUT_SERVING || rollout->active.number != 0);
    assert(rollout->state != ROLLOUT_PROBATION || (rollout->active.number != 0 && rollout->trial.running));
    assert(rollout->candidate.number == 0 || rollout->leaving.number == 0);
}

void rollout_set_state(struct rollout *rollout, enum rollout_state next, uint64_t due_ms)
{
    assert(next < ROLLOUT_STATE_END && moves[rollout->state][next]);
    rollout->state = next;
    rollout->due_ms = due_ms;
    check(rollout);
}

void rollout_rest(struct rollout *rollout)
{
    if (rollout->active.number == 0)
        rollout_set_state(rollout, ROLLOUT_EMPTY, ROLLOUT_NEVER);
    else if (rollout->trial.running)
        rollout_set_state(rollout, ROLLOUT_PROBATION, rollout->trial.until_ms);
    else
        rollout_set_state(rollout, ROLLOUT_SERVING, ROLLOUT_NEVER);
}

uint64_t rollout_later(const struct rollout_step *step, uint64_t ms)
{
    const uint64_t now_ms = step->input->now_ms;
    return ms < ROLLOUT_NEVER - now_ms ? now_ms + ms : ROLLOUT_NEVER;
}

void rollout_say(struct rollout *rollout, const struct rollout_version *version, const char *format, ...)
{
    char what[ROLLOUT_REASON_SIZE], hash[ROLLOUT_HASH_SHORT_SIZE];
    const bool built = rollout_hash_known(&version->artefact);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    (void)snprintf(rollout->reason, sizeof(rollout->reason), "%s%s",
                   built ? rollout_hash_short(&version->artefact, hash) : "", built ? ": " : "");
    const size_t used = strlen(rollout->reason);
    (void)text_printable(what, strlen(what), rollout->reason + used, sizeof(rollout->reason) - used);
}

const char *rollout_why(const struct rollout_step *step, char buffer[ROLLOUT_REASON_SIZE])
{
    const char *reason = step->input->reason;
    const bool given = reason != NULL && reason[0] != '\0';
    (void)snprintf(buffer, ROLLOUT_REASON_SIZE, "%s%s", given ? ": " : "", given ? reason : "");
    return buffer;
}

void rollout_retire(struct rollout *rollout, struct rollout_step *step, const struct rollout_generation *generation)
{
    struct rollout_output *output = step->output;
    assert(rollout->leaving.number == 0 && output->retire_count == 0);
    rollout->leaving = *generation;
    output->effects |= ROLLOUT_DO_RETIRE;
    output->retire[output->retire_count++] = generation->number;
}

void rollout_quarantine(struct rollout *rollout, struct rollout_step *step, const struct rollout_version *version,
                        const struct rollout_version *other, bool refused)
{
    const bool shared = other != NULL && rollout_hash_equal(&version->artefact, &other->artefact);
    const char *why = strstr(rollout->reason, ": "); /* behind the name of the version */
    if (shared && rollout_version_same(version, other))
        return; /* the same serves: not the version can be to blame */
    rollout_memory_quarantine(&rollout->memory, version, !shared && !refused, why != NULL ? why + 2 : "");
    step->output->effects |= ROLLOUT_DO_QUARANTINE | ROLLOUT_DO_SAVE;
    step->output->quarantined = *version;
}

/* What can happen in many states */

void rollout_on_release_hash(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_hash *artefact = &step->input->artefact, *configuration = &step->input->configuration;
    struct rollout_memory *memory = &rollout->memory;
    rollout->has_failed = false;
    const unsigned count = rollout_hash_known(configuration)
                               ? rollout_memory_forgive(memory, configuration)
                               : rollout_memory_release(memory, rollout_hash_known(artefact) ? artefact : NULL);
    if (count > 0)
        step->output->effects |= ROLLOUT_DO_SAVE;
}

/* Retire all that runs; what is leaving already has been told. */
void rollout_on_stop(struct rollout *rollout, struct rollout_step *step)
{
    struct rollout_output *output = step->output;
    const uint64_t numbers[] = {rollout->active.number, rollout->candidate.number};
    if (rollout->state == ROLLOUT_OBTAINING)
        output->effects |= ROLLOUT_DO_CANCEL_OBTAIN;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i] != 0)
            output->retire[output->retire_count++] = numbers[i];
    if (output->retire_count > 0)
        output->effects |= ROLLOUT_DO_RETIRE;
    rollout->active = rollout->candidate = (struct rollout_generation){0};
    rollout->has_pending = rollout->has_wanted = false;
    rollout->trial.running = false;
    rollout_set_state(rollout, ROLLOUT_STOPPED, ROLLOUT_NEVER);
}

void rollout_init(struct rollout *rollout, const struct rollout_rules *rules, const struct rollout_memory *memory,
                  uint64_t last_number)
{
    memset(rollout, 0, sizeof(*rollout));
    rollout->rules = *rules;
    if (memory != NULL)
        rollout->memory = *memory;
    rollout->last_number = last_number;
    rollout->state = ROLLOUT_EMPTY;
    rollout->due_ms = ROLLOUT_NEVER;
}

void rollout_apply(struct rollout *rollout, const struct rollout_input *input, struct rollout_output *ret)
{
    assert(input->event < ROLLOUT_EVENT_END);
    *ret = (struct rollout_output){0};
    if (input->event == ROLLOUT_ON_TICK && input->now_ms < rollout->due_ms)
        return;
    struct rollout_step step = {.input = input, .output = ret};
    handler_fn *handler = handlers[rollout->state][input->event];
    if (handler != NULL)
        handler(rollout, &step);
    check(rollout);
}

bool rollout_can_go_back(const struct rollout *rollout)
{
    struct rollout_version target;
    if (rollout->active.number == 0)
        return false;
    return (rollout->state >= ROLLOUT_OBTAINING && rollout->state <= ROLLOUT_HELD) ||
           rollout_find_target(rollout, true, &target);
}

enum rollout_stand rollout_stand(const struct rollout *rollout, uint64_t group)
{
    if (rollout->active.number != 0 && rollout->active.group == group)
        return ROLLOUT_STAND_DONE;
    if (rollout->candidate.group == group && rollout->state >= ROLLOUT_OBTAINING && rollout->state <= ROLLOUT_HELD)
        return rollout->state == ROLLOUT_HELD ? ROLLOUT_STAND_HELD : ROLLOUT_STAND_BUSY;
    if (rollout->has_pending && rollout->pending.group == group)
        return ROLLOUT_STAND_BUSY;
    if (rollout->has_wanted && rollout->wanted.group == group && !rollout_is_refused(rollout, &rollout->wanted))
        return ROLLOUT_STAND_BUSY;
    return ROLLOUT_STAND_LOST;
}

const char *rollout_state_word(enum rollout_state state)
{
    assert(state < ROLLOUT_STATE_END);
    return state_words[state];
}

const char *rollout_event_word(enum rollout_event event)
{
    assert(event < ROLLOUT_EVENT_END);
    return event_words[event];
}
