/* rollout.h - how one service gets from one version of its driver to the next, and back
 *
 * Pure: it calls nothing of the system. An event goes in with the time, what is to be done comes out as a set of
 * effects and the generations that they are about, and `due_ms` says when the next TICK is due. The whole machine
 * stands in rollout.def.
 *
 * The rules:
 *   - the order is obtain, start beside what serves, ready, self-test, `settle_ms` of health, switch, drain of the old,
 *     `probation_ms`, stable mark. The old generation is not touched before the switch;
 *   - a candidate that fails on the way is retired, with one line of reason; when it had been started, its version goes
 *     into quarantine and is not started again unless forced. One that could not be obtained is not obtained again
 * before something else was wanted, or by force;
 *   - at most two generations are alive: what serves, and either a candidate or one that drains. A START waits for it;
 *   - one candidate at a time. A change that comes before it was started replaces it, a later one waits; the newest
 * wins. A change back to what serves gives it up;
 *   - probation: `probation_deaths` deaths, a failed self-test, or a share of transport errors that is more than
 *     `error_points` above the old one's over at least `error_calls` calls lead to the quarantine of what serves, and
 * back to what served before, without settling, or to the last stable version. A change supersedes the probation: a
 *     candidate that is already started goes on, one that is not waits for the rollback; when the change fails, the
 *     probation is continued;
 *   - by hand: a rollback while a change is under way withdraws it; else it goes from what serves to the stable version
 *     before it. When none of them starts, what serves stays, and is in no quarantine;
 *   - first start: the stable version, then, beside it, what is wanted. A first generation serves at once when it is
 * ready and is tested in its probation, which does not end before the answer (or `self_test_limit_ms`). Its deaths are
 * the business of supervision, until it is in a crash loop: then the others are tried, one after the other, and when
 * none does any better, it is the first again and stays. Only when another one serves is the blame with the first. A
 *     stable version whose start a change cut short is tried again in the end;
 *   - what is quarantined is the artefact; but only together with its configuration, where the configuration is to
 *     blame: it was refused, or the same artefact serves with another one;
 *   - a candidate of a group does the whole way, but switches only on RELEASE (group.h).
 */
#ifndef DROVER_ROLLOUT_ROLLOUT_H
#define DROVER_ROLLOUT_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/rollout/memory.h"
#include "worker/rollout/version.h"

#define ROLLOUT_NEVER UINT64_MAX
#define ROLLOUT_REASON_SIZE 256

enum rollout_state {
#define ROLLOUT_STATE(NAME, word) ROLLOUT_##NAME,
#include "worker/rollout/rollout.def"
    ROLLOUT_STATE_END
};

enum rollout_event {
#define ROLLOUT_EVENT(NAME, word) ROLLOUT_ON_##NAME,
#include "worker/rollout/rollout.def"
    ROLLOUT_EVENT_END
};

/* What the owner of the machine has to do, in this order; a set. */
enum rollout_effect {
    ROLLOUT_DO_CANCEL_OBTAIN = 1 << 0, /* what is being obtained is not wanted; nothing is reported of it any more */
    ROLLOUT_DO_QUARANTINE = 1 << 1,    /* tell that `quarantined` is */
    ROLLOUT_DO_MARK_STABLE = 1 << 2,   /* tell that `stable` is */
    ROLLOUT_DO_SAVE = 1 << 3,          /* write `memory` to disk: it has changed */
    ROLLOUT_DO_SWITCH = 1 << 4,        /* calls go to generation `switch_to` from now on */
    ROLLOUT_DO_RETIRE = 1 << 5,        /* drain and stop the generations of `retire`; DRAINED for each */
    ROLLOUT_DO_OBTAIN = 1 << 6,        /* get `obtain`; OBTAINED or OBTAIN_FAILED */
    ROLLOUT_DO_START = 1 << 7,         /* start generation `start`; READY, or DIED when it cannot even be started */
    ROLLOUT_DO_SELF_TEST = 1 << 8,     /* test generation `test`; SELF_TEST_OK or SELF_TEST_FAILED */
    ROLLOUT_DO_HOLD = 1 << 9,          /* the candidate could switch: ask its group */
    ROLLOUT_DO_FORGET = 1 << 10,       /* nothing: what is wanted serves, or is under way */
    ROLLOUT_DO_GIVE_UP = 1 << 11,      /* tell that a change, a candidate or a rollback was given up, by `reason` */
};

/* How a replica died. */
enum rollout_death {
    ROLLOUT_MISHAP, /* it could not be started, and not by its own fault: no process, damaged bytes in the store */
    ROLLOUT_CRASH,  /* supervision starts it again */
    ROLLOUT_LOOP,   /* it is in a crash loop, or cannot be started at all */
    ROLLOUT_CONFIGURATION, /* it refused its configuration, and is not started again */
};

struct rollout_rules {
    uint64_t settle_ms, probation_ms;
    uint64_t start_limit_ms;     /* for a candidate to be ready; supervision's own limit is for one worker */
    uint64_t self_test_limit_ms; /* for the self-test to be answered */
    unsigned probation_deaths;
    unsigned error_points; /* of a hundred */
    uint64_t error_calls;
    bool auto_rollback;
};

/* 2 s, 60 s, 30 s, 10 s; 2 deaths, 5 points, 50 calls; with automatic rollback. */
extern const struct rollout_rules rollout_default_rules;

/* Something that is wanted. */
struct rollout_change {
    struct rollout_version version; /* its artefact may be unknown as yet */
    bool forced;                    /* try it though it runs, or is in quarantine */
    uint64_t group;                 /* what it has to switch together with; 0: alone */
};

/* A generation; its number is 0 when there is none, or it has not been started. */
struct rollout_generation {
    uint64_t number;
    struct rollout_version version;
    uint64_t group;
};

struct rollout_transport {
    uint64_t calls, errors;
};

enum rollout_purpose {
    ROLLOUT_FOR_CHANGE,
    ROLLOUT_FOR_FIRST, /* nothing serves yet */
    ROLLOUT_FOR_ROLLBACK,
};

/* The probation of what serves; it goes on while a change is under way. */
struct rollout_trial {
    bool running;
    bool condemned; /* it has failed; the rollback is under way, or waits for the end of a candidate */
    bool doubted;   /* it has failed its self-test, and serves for want of a better one: not stable before it passes */
    uint64_t until_ms;
    uint64_t answer_ms; /* until when the answer to its self-test is waited for before it is stable; 0: not at all */
    unsigned deaths;
};

/* Read it, but write it by the functions below only. */
struct rollout {
    struct rollout_rules rules;
    struct rollout_memory memory;
    enum rollout_state state; /* written by set_state() alone, as is due_ms */
    uint64_t due_ms;          /* of the next TICK; ROLLOUT_NEVER */
    uint64_t last_number;
    struct rollout_generation active;    /* what serves */
    struct rollout_generation leaving;   /* retired, and not ended yet */
    struct rollout_generation candidate; /* its version counts from OBTAINING on */
    bool forced;                         /* the candidate is */
    enum rollout_purpose purpose;        /* of the candidate */
    unsigned deaths;                     /* of the candidate, before it was ready */
    struct rollout_trial trial;
    struct rollout_version previous; /* what served before the last switch */
    bool has_previous;
    struct rollout_change pending; /* waits for the end of the candidate */
    bool has_pending;
    struct rollout_change wanted; /* at the first start: waits for its turn */
    bool has_wanted;
    struct rollout_version failed; /* could not be obtained */
    bool has_failed;
    unsigned step;                    /* how far the choice of choice.c has come */
    struct rollout_version home;      /* at the first start: the first one that was in a crash loop */
    bool has_home, home_refused;      /* refused: its configuration */
    bool cut_short;                   /* at the first start: a change ended that of the stable version */
    char reason[ROLLOUT_REASON_SIZE]; /* why something was given up, one line; "" */
};

/* Only what belongs to the event is looked at. */
struct rollout_input {
    enum rollout_event event;
    uint64_t now_ms;
    struct rollout_change change;        /* CHANGE */
    struct rollout_version version;      /* OBTAINED, OBTAIN_FAILED: `obtain`, now with its artefact; RECONFIGURED: its
                                          * configuration counts */
    uint64_t generation;                 /* READY, DIED, SELF_TEST_*, DRAINED, TRANSPORT (the new one) */
    enum rollout_death death;            /* DIED */
    struct rollout_transport old, fresh; /* TRANSPORT: before the switch, of what served then; since then, of the new */
    uint64_t group;                      /* RELEASE, ABANDON */
    struct rollout_hash artefact;        /* UNQUARANTINE; unknown: all */
    struct rollout_hash configuration;   /* UNQUARANTINE; known: instead, what is there together with it alone */
    const char *reason;                  /* OBTAIN_FAILED, DIED, SELF_TEST_FAILED, ABANDON; borrowed, may be NULL */
};

struct rollout_output {
    unsigned effects; /* of enum rollout_effect */
    struct rollout_version obtain;
    struct rollout_generation start;
    uint64_t switch_to, test;
    uint64_t retire[2];
    unsigned retire_count;
    struct rollout_version stable, quarantined;
};

/* What has become of the part of a group that this service has. */
enum rollout_stand {
    ROLLOUT_STAND_BUSY, /* not known yet */
    ROLLOUT_STAND_HELD, /* it can switch */
    ROLLOUT_STAND_DONE, /* it serves */
    ROLLOUT_STAND_LOST, /* it was given up, or replaced */
};

/* A machine in state EMPTY. What it remembers from before is copied (NULL: nothing); its stable versions must be such
 * as can be started without being obtained. Generations are numbered from `last_number` + 1. */
void rollout_init(struct rollout *rollout, const struct rollout_rules *rules, const struct rollout_memory *memory,
                  uint64_t last_number);

/* Apply one event; `ret` says what is to be done. A TICK before `due_ms` does nothing. */
void rollout_apply(struct rollout *rollout, const struct rollout_input *input, struct rollout_output *ret);

/* Would ROLLBACK do anything? */
bool rollout_can_go_back(const struct rollout *rollout);

enum rollout_stand rollout_stand(const struct rollout *rollout, uint64_t group);

/* The word for `drover status`; the name of an event for messages. Never NULL. */
const char *rollout_state_word(enum rollout_state state);
const char *rollout_event_word(enum rollout_event event);

#endif
