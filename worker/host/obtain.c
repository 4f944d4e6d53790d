/* obtain.c - the rules by which the driver of one service is got
 *
 * Invariants: set_state() is the only writer of `state` and `due_ms`; a helper runs in STORING, FETCHING and BUILDING,
 * and in no other state.
 */
#include "worker/host/obtain.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "worker/host/backoff.h"

#define DOUBLINGS_MAX 31

typedef unsigned handler_fn(struct obtain *, const struct obtain_input *);

static const bool moves[OBTAIN_STATE_END][OBTAIN_STATE_END] = {
#define OBTAIN_MOVE(FROM, TO) [OBTAIN_##FROM][OBTAIN_##TO] = true,
#include "worker/host/obtain.def"
};

static const char *const state_words[OBTAIN_STATE_END] = {
#define OBTAIN_STATE(NAME, word) [OBTAIN_##NAME] = (word),
#include "worker/host/obtain.def"
};

static const char *const event_words[OBTAIN_EVENT_END] = {
#define OBTAIN_EVENT(NAME, word) [OBTAIN_ON_##NAME] = (word),
#include "worker/host/obtain.def"
};

static void set_state(struct obtain *obtain, enum obtain_state next, uint64_t due_ms)
{
    assert(next < OBTAIN_STATE_END && moves[obtain->state][next]);
    obtain->state = next;
    obtain->due_ms = due_ms;
}

static unsigned enter(struct obtain *obtain, enum obtain_state stage)
{
    static const unsigned effects[OBTAIN_STATE_END] = {
        [OBTAIN_STORING] = OBTAIN_DO_STORE, [OBTAIN_FETCHING] = OBTAIN_DO_FETCH, [OBTAIN_BUILDING] = OBTAIN_DO_BUILD};
    assert(effects[stage] != 0);
    set_state(obtain, stage, OBTAIN_NEVER);
    return effects[stage];
}

static unsigned try_again(struct obtain *obtain, const struct obtain_input *input)
{
    (void)input;
    return enter(obtain, obtain->rules.first);
}

static unsigned begin(struct obtain *obtain, const struct obtain_input *input)
{
    obtain->doublings = 0;
    obtain->anew = obtain->build_failed;
    obtain->build_failed = false;
    return try_again(obtain, input);
}

static unsigned build(struct obtain *obtain, const struct obtain_input *input)
{
    (void)input;
    return enter(obtain, OBTAIN_BUILDING);
}

static unsigned announce(struct obtain *obtain, const struct obtain_input *input)
{
    (void)input;
    obtain->doublings = 0;
    obtain->anew = false;
    set_state(obtain, OBTAIN_OBTAINED, OBTAIN_NEVER);
    return OBTAIN_DO_ANNOUNCE;
}

static unsigned wait(struct obtain *obtain, const struct obtain_input *input)
{
    const uint64_t wait_ms = backoff_wait(obtain->rules.retry_min_ms, obtain->rules.retry_max_ms, obtain->doublings);
    if (obtain->doublings < DOUBLINGS_MAX)
        obtain->doublings++;
    set_state(obtain, OBTAIN_WAITING, backoff_later(input->now_ms, backoff_jitter(wait_ms, input->random)));
    return 0;
}

static unsigned give_up(struct obtain *obtain, const struct obtain_input *input)
{
    (void)input;
    obtain->build_failed = obtain->state == OBTAIN_BUILDING;
    obtain->anew = false;
    set_state(obtain, OBTAIN_FAILED, OBTAIN_NEVER);
    return OBTAIN_DO_GIVE_UP;
}

static unsigned rest(struct obtain *obtain, const struct obtain_input *input)
{
    (void)input;
    set_state(obtain, OBTAIN_IDLE, OBTAIN_NEVER);
    return 0;
}

static unsigned cancel(struct obtain *obtain, const struct obtain_input *input)
{
    return rest(obtain, input) | OBTAIN_DO_CANCEL;
}

static handler_fn *const handlers[OBTAIN_STATE_END][OBTAIN_EVENT_END] = {
#define OBTAIN_RULE(STATE, EVENT, handler) [OBTAIN_##STATE][OBTAIN_ON_##EVENT] = (handler),
#include "worker/host/obtain.def"
};

void obtain_init(struct obtain *obtain, const struct obtain_rules *rules)
{
    memset(obtain, 0, sizeof(*obtain));
    obtain->rules = *rules;
    obtain->state = OBTAIN_IDLE;
    obtain->due_ms = OBTAIN_NEVER;
}

unsigned obtain_apply(struct obtain *obtain, const struct obtain_input *input)
{
    assert(input->event < OBTAIN_EVENT_END);
    if (input->event == OBTAIN_ON_TICK && input->now_ms < obtain->due_ms)
        return 0;
    handler_fn *handler = handlers[obtain->state][input->event];
    return handler != NULL ? handler(obtain, input) : 0;
}

bool obtain_is_busy(const struct obtain *obtain)
{
    return obtain->state >= OBTAIN_STORING && obtain->state <= OBTAIN_WAITING;
}

const char *obtain_state_word(enum obtain_state state)
{
    assert(state < OBTAIN_STATE_END);
    return state_words[state];
}

const char *obtain_event_word(enum obtain_event event)
{
    assert(event < OBTAIN_EVENT_END);
    return event_words[event];
}
