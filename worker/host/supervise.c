/* supervise.c - the rules of one replica
 *
 * START: supervise_init(), then RESTART launches the first process. OPERATION: supervise_apply() looks the handler up
 * in the table that supervise.def makes. END: STOP or DRAIN lead to STOPPED.
 *
 * Invariants: set_state() is the only writer of `state` and `due_ms`; a state with a process is left for one without
 * a process only by EXITED; not wanted and no process is STOPPED.
 */
#include "worker/host/supervise.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "worker/host/backoff.h"

#define DOUBLINGS_MAX 31
#define DOUBLINGS_AFTER_READY 3

typedef unsigned handler_fn(struct supervise *, const struct supervise_input *);

static const bool moves[SUPERVISE_STATE_END][SUPERVISE_STATE_END] = {
#define SUPERVISE_MOVE(FROM, TO) [SUPERVISE_##FROM][SUPERVISE_##TO] = true,
#include "worker/host/supervise.def"
};

static const char *const state_words[SUPERVISE_STATE_END] = {
#define SUPERVISE_STATE(NAME, word) [SUPERVISE_##NAME] = (word),
#include "worker/host/supervise.def"
};

static const char *const event_words[SUPERVISE_EVENT_END] = {
#define SUPERVISE_EVENT(NAME, word) [SUPERVISE_ON_##NAME] = (word),
#include "worker/host/supervise.def"
};

static void set_state(struct supervise *supervise, enum supervise_state next, uint64_t due_ms)
{
    assert(next < SUPERVISE_STATE_END && moves[supervise->state][next]);
    supervise->state = next;
    supervise->due_ms = due_ms;
    assert(next != SUPERVISE_STOPPED || !supervise->wanted);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Starting and resting */

static unsigned launch(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    supervise->was_ready = false;
    supervise->healthy = false;
    supervise->cause = SUPERVISE_UNASKED;
    supervise->launches++;
    set_state(supervise, SUPERVISE_LAUNCHING, SUPERVISE_NEVER);
    return SUPERVISE_DO_LAUNCH;
}

static unsigned forgive(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    supervise->wanted = true;
    supervise->config_error = false;
    supervise->looping = false;
    supervise->doublings = 0;
    supervise->deaths_in_a_row = 0;
    return 0;
}

static unsigned start_afresh(struct supervise *supervise, const struct supervise_input *input)
{
    (void)forgive(supervise, input);
    return launch(supervise, input);
}

static unsigned rest(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    supervise->wanted = false;
    supervise->looping = false;
    set_state(supervise, SUPERVISE_STOPPED, SUPERVISE_NEVER);
    return 0;
}

static unsigned cancel(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->cause = SUPERVISE_ASKED;
    return rest(supervise, input) | SUPERVISE_DO_CANCEL;
}

static unsigned await_ready(struct supervise *supervise, const struct supervise_input *input)
{
    set_state(supervise, SUPERVISE_STARTING, backoff_later(input->now_ms, supervise->rules.ready_limit_ms));
    return 0;
}

static unsigned serve(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->was_ready = true;
    supervise->ready_ms = input->now_ms;
    supervise->looping = false;
    supervise->deaths_in_a_row = 0;
    set_state(supervise, SUPERVISE_READY, backoff_later(input->now_ms, SUPERVISE_FORGET_MS));
    return 0;
}

static unsigned forget(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    supervise->healthy = true;
    supervise->doublings = 0;
    supervise->due_ms = SUPERVISE_NEVER;
    return 0;
}

/* Stopping: the steps of the ladder */

static unsigned terminate(struct supervise *supervise, const struct supervise_input *input)
{
    set_state(supervise, SUPERVISE_TERMINATING, backoff_later(input->now_ms, SUPERVISE_GRACE_MS));
    return SUPERVISE_DO_CLOSE | SUPERVISE_DO_TERMINATE;
}

static unsigned kill_group(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    set_state(supervise, SUPERVISE_KILLING, SUPERVISE_NEVER);
    return SUPERVISE_DO_KILL;
}

static unsigned abort_for(struct supervise *supervise, const struct supervise_input *input, enum supervise_cause cause)
{
    supervise->cause = cause;
    set_state(supervise, SUPERVISE_ABORTING, backoff_later(input->now_ms, SUPERVISE_GRACE_MS));
    return SUPERVISE_DO_CLOSE | SUPERVISE_DO_ABORT;
}

static unsigned abort_hung(struct supervise *supervise, const struct supervise_input *input)
{
    return abort_for(supervise, input, SUPERVISE_HUNG);
}

static unsigned abort_late(struct supervise *supervise, const struct supervise_input *input)
{
    return abort_for(supervise, input, SUPERVISE_LATE);
}

/* Its end was asked for already: that it hung on the way does not count against it. */
static unsigned abort_draining(struct supervise *supervise, const struct supervise_input *input)
{
    return abort_for(supervise, input, SUPERVISE_ASKED);
}

/* What is wanted after the present process */

static unsigned want_restart(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->cause = SUPERVISE_ASKED;
    return forgive(supervise, input);
}

static unsigned want_rest(struct supervise *supervise, const struct supervise_input *input)
{
    (void)input;
    supervise->cause = SUPERVISE_ASKED;
    supervise->wanted = false;
    supervise->looping = false;
    return 0;
}

static unsigned hurry(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->due_ms = min_u64(supervise->due_ms, backoff_later(input->now_ms, SUPERVISE_STOP_MS));
    return want_rest(supervise, input);
}

static unsigned give_up(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->config_error = true;
    supervise->wanted = false;
    supervise->looping = false;
    return terminate(supervise, input);
}

static unsigned terminate_to_restart(struct supervise *supervise, const struct supervise_input *input)
{
    (void)want_restart(supervise, input);
    return terminate(supervise, input);
}

static unsigned terminate_to_rest(struct supervise *supervise, const struct supervise_input *input)
{
    (void)want_rest(supervise, input);
    return terminate(supervise, input);
}

static unsigned drain_within(struct supervise *supervise, const struct supervise_input *input, uint64_t limit_ms)
{
    set_state(supervise, SUPERVISE_DRAINING, backoff_later(input->now_ms, limit_ms));
    return SUPERVISE_DO_CLOSE;
}

static unsigned drain_to_restart(struct supervise *supervise, const struct supervise_input *input)
{
    (void)want_restart(supervise, input);
    return drain_within(supervise, input, supervise->rules.drain_limit_ms);
}

static unsigned drain_to_rest(struct supervise *supervise, const struct supervise_input *input)
{
    (void)want_rest(supervise, input);
    return drain_within(supervise, input, supervise->rules.drain_limit_ms);
}

static unsigned drain_to_stop(struct supervise *supervise, const struct supervise_input *input)
{
    (void)want_rest(supervise, input);
    return drain_within(supervise, input, SUPERVISE_STOP_MS);
}

/* Deaths */

/* A death before ready: the last five in 30 s are a loop. */
static void note_failed_start(struct supervise *supervise, uint64_t now_ms)
{
    supervise->death_ms[supervise->deaths_in_a_row % SUPERVISE_LOOP_DEATHS] = now_ms;
    supervise->deaths_in_a_row++;
    if (supervise->deaths_in_a_row < SUPERVISE_LOOP_DEATHS)
        return;
    const uint64_t fifth_last_ms = supervise->death_ms[supervise->deaths_in_a_row % SUPERVISE_LOOP_DEATHS];
    if (now_ms - fifth_last_ms <= SUPERVISE_LOOP_MS)
        supervise->looping = true;
}

static uint64_t next_delay(struct supervise *supervise, uint64_t random)
{
    const struct supervise_rules *rules = &supervise->rules;
    if (supervise->looping)
        return backoff_jitter(rules->restart_max_ms, random);

    if (supervise->was_ready && supervise->doublings > DOUBLINGS_AFTER_READY)
        supervise->doublings = DOUBLINGS_AFTER_READY;
    const uint64_t delay_ms = backoff_wait(rules->restart_min_ms, rules->restart_max_ms, supervise->doublings);
    if (supervise->doublings < DOUBLINGS_MAX)
        supervise->doublings++;
    return backoff_jitter(delay_ms, random);
}

static unsigned mourn(struct supervise *supervise, const struct supervise_input *input)
{
    if (supervise->was_ready && input->now_ms - supervise->ready_ms >= SUPERVISE_STEADY_MS)
        return launch(supervise, input);

    if (!supervise->was_ready)
        note_failed_start(supervise, input->now_ms);
    set_state(supervise, SUPERVISE_BACKOFF, backoff_later(input->now_ms, next_delay(supervise, input->random)));
    return 0;
}

static unsigned bury(struct supervise *supervise, const struct supervise_input *input)
{
    supervise->healthy = false;
    if (supervise->cause == SUPERVISE_ASKED)
        return supervise->wanted ? launch(supervise, input) : rest(supervise, input);
    if (input->config_exit)
        supervise->config_error = true;
    if (supervise->config_error)
        return rest(supervise, input);
    return mourn(supervise, input);
}

static handler_fn *const handlers[SUPERVISE_STATE_END][SUPERVISE_EVENT_END] = {
#define SUPERVISE_RULE(STATE, EVENT, handler) [SUPERVISE_##STATE][SUPERVISE_ON_##EVENT] = (handler),
#include "worker/host/supervise.def"
};

void supervise_init(struct supervise *supervise, const struct supervise_rules *rules)
{
    memset(supervise, 0, sizeof(*supervise));
    supervise->rules = *rules;
    supervise->state = SUPERVISE_STOPPED;
    supervise->due_ms = SUPERVISE_NEVER;
}

unsigned supervise_apply(struct supervise *supervise, const struct supervise_input *input)
{
    assert(input->event < SUPERVISE_EVENT_END);
    if (input->event == SUPERVISE_ON_TICK && input->now_ms < supervise->due_ms)
        return 0;
    handler_fn *handler = handlers[supervise->state][input->event];
    return handler != NULL ? handler(supervise, input) : 0;
}

bool supervise_has_process(const struct supervise *supervise)
{
    return supervise->state >= SUPERVISE_STARTING;
}

const char *supervise_state_word(enum supervise_state state)
{
    assert(state < SUPERVISE_STATE_END);
    return state_words[state];
}

const char *supervise_event_word(enum supervise_event event)
{
    assert(event < SUPERVISE_EVENT_END);
    return event_words[event];
}
