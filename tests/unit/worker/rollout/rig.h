/* rig.h - one machine of generations in virtual time, driven by words
 *
 * A version is written as two letters, artefact and configuration: "B1". Each function that applies an event returns
 * the effects; the whole output is in rig.output.
 */
#ifndef DROVER_TESTS_ROLLOUT_RIG_H
#define DROVER_TESTS_ROLLOUT_RIG_H

#include "worker/rollout/rollout.h"

#define DOES(effect) ROLLOUT_DO_##effect
#define DOES_QUARANTINE (ROLLOUT_DO_QUARANTINE | ROLLOUT_DO_SAVE)
#define DOES_MARK (ROLLOUT_DO_MARK_STABLE | ROLLOUT_DO_SAVE)

struct rig {
    struct rollout machine;
    struct rollout_memory memory; /* what the next rig_begin() starts with */
    struct rollout_rules rules;
    struct rollout_output output;
    uint64_t now_ms;
};

extern struct rig rig;

struct rollout_version version_of(const char *name);

/* A machine in state EMPTY, with default rules, that remembers nothing. */
void rig_set_up(void);

/* The same with rig.rules and rig.memory. */
void rig_begin(void);

/* The events, about the candidate, or, where there is none, about what serves. */
unsigned on_change(const char *name);
unsigned on_forced(const char *name);
unsigned on_grouped(const char *name, uint64_t group);
unsigned on_obtained(void);
unsigned on_obtain_failed(const char *reason);
unsigned on_ready(void);
unsigned on_died(uint64_t generation, enum rollout_death death, const char *reason);
unsigned on_candidate_died(void);
unsigned on_tested(void);
unsigned on_test_failed(const char *reason);
unsigned on_drained(void); /* the leaving one */
unsigned on_transport(struct rollout_transport old, struct rollout_transport fresh);
unsigned on_release(uint64_t group);
unsigned on_abandon(uint64_t group, const char *reason);
unsigned on_rollback(void);
unsigned on_unquarantine(const char *name);
unsigned on_forgiven(const char *name);     /* its configuration */
unsigned on_reconfigured(const char *name); /* likewise */
unsigned on_stop(void);
unsigned on_due(void);                       /* TICK at its time */
unsigned on_event(enum rollout_event event); /* any, with nothing in it but the time */

/* Ways of several steps; each asserts that it gets there. */
void serve(const char *name);         /* a first generation that is stable */
void bring(const char *name);         /* a change, up to its switch; what is leaving ends */
void go_to(enum rollout_state state); /* by the shortest way, with A1 serving where something does, B1 the candidate */

/* Does the machine stand like this? NULL: no such generation. */
void expect(enum rollout_state state, const char *active, const char *candidate, const char *leaving);

bool is_quarantined(const char *name);

#endif
