/* rig.c - one machine of generations in virtual time, driven by words */
#include "rig.h"

#include <string.h>

#include <criterion/criterion.h>

struct rig rig;

struct rollout_version version_of(const char *name)
{
    struct rollout_version version = {0};
    version.source.octets[0] = (uint8_t)name[0];
    version.source.octets[1] = 1;
    version.artefact.octets[0] = (uint8_t)name[0];
    version.configuration.octets[0] = (uint8_t)name[1];
    return version;
}

void rig_set_up(void)
{
    memset(&rig, 0, sizeof(rig));
    rig.rules = rollout_default_rules;
    rig_begin();
}

void rig_begin(void)
{
    rig.now_ms = 1000000;
    rollout_init(&rig.machine, &rig.rules, &rig.memory, 0);
}

static unsigned apply(struct rollout_input input)
{
    input.now_ms = rig.now_ms;
    rollout_apply(&rig.machine, &input, &rig.output);
    return rig.output.effects;
}

static unsigned change(const char *name, bool forced, uint64_t group)
{
    struct rollout_change wanted = {.version = version_of(name), .forced = forced, .group = group};
    memset(&wanted.version.artefact, 0, sizeof(wanted.version.artefact)); /* as of a source */
    return apply((struct rollout_input){.event = ROLLOUT_ON_CHANGE, .change = wanted});
}

unsigned on_change(const char *name)
{
    return change(name, false, 0);
}

unsigned on_forced(const char *name)
{
    return change(name, true, 0);
}

unsigned on_grouped(const char *name, uint64_t group)
{
    return change(name, false, group);
}

unsigned on_obtained(void)
{
    struct rollout_version version = rig.machine.candidate.version;
    version.artefact.octets[0] = version.source.octets[0];
    return apply((struct rollout_input){.event = ROLLOUT_ON_OBTAINED, .version = version});
}

unsigned on_obtain_failed(const char *reason)
{
    return apply((struct rollout_input){
        .event = ROLLOUT_ON_OBTAIN_FAILED, .version = rig.machine.candidate.version, .reason = reason});
}

static uint64_t present(void)
{
    return rig.machine.candidate.number != 0 ? rig.machine.candidate.number : rig.machine.active.number;
}

unsigned on_ready(void)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_READY, .generation = present()});
}

unsigned on_died(uint64_t generation, enum rollout_death death, const char *reason)
{
    return apply(
        (struct rollout_input){.event = ROLLOUT_ON_DIED, .generation = generation, .death = death, .reason = reason});
}

unsigned on_candidate_died(void)
{
    return on_died(rig.machine.candidate.number, ROLLOUT_CRASH, "signal 11");
}

unsigned on_tested(void)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_SELF_TEST_OK, .generation = present()});
}

unsigned on_test_failed(const char *reason)
{
    return apply(
        (struct rollout_input){.event = ROLLOUT_ON_SELF_TEST_FAILED, .generation = present(), .reason = reason});
}

unsigned on_drained(void)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_DRAINED, .generation = rig.machine.leaving.number});
}

unsigned on_transport(struct rollout_transport old, struct rollout_transport fresh)
{
    return apply((struct rollout_input){
        .event = ROLLOUT_ON_TRANSPORT, .generation = rig.machine.active.number, .old = old, .fresh = fresh});
}

unsigned on_release(uint64_t group)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_RELEASE, .group = group});
}

unsigned on_abandon(uint64_t group, const char *reason)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_ABANDON, .group = group, .reason = reason});
}

unsigned on_rollback(void)
{
    return on_event(ROLLOUT_ON_ROLLBACK);
}

unsigned on_unquarantine(const char *name)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_UNQUARANTINE, .artefact = version_of(name).artefact});
}

unsigned on_forgiven(const char *name)
{
    return apply(
        (struct rollout_input){.event = ROLLOUT_ON_UNQUARANTINE, .configuration = version_of(name).configuration});
}

unsigned on_reconfigured(const char *name)
{
    return apply((struct rollout_input){.event = ROLLOUT_ON_RECONFIGURED, .version = version_of(name)});
}

unsigned on_stop(void)
{
    return on_event(ROLLOUT_ON_STOP);
}

unsigned on_due(void)
{
    cr_assert_neq(rig.machine.due_ms, ROLLOUT_NEVER, "nothing is due in state %s",
                  rollout_state_word(rig.machine.state));
    if (rig.now_ms < rig.machine.due_ms)
        rig.now_ms = rig.machine.due_ms;
    return on_event(ROLLOUT_ON_TICK);
}

unsigned on_event(enum rollout_event event)
{
    return apply((struct rollout_input){.event = event});
}

void serve(const char *name)
{
    on_change(name);
    on_obtained();
    cr_assert_neq(on_ready() & DOES(SWITCH), 0U);
    cr_assert_eq(on_tested(), 0U);
    cr_assert_eq(on_due(), DOES_MARK);
    expect(ROLLOUT_SERVING, name, NULL, NULL);
}

void bring(const char *name)
{
    cr_assert_eq(on_change(name), DOES(OBTAIN));
    cr_assert_eq(on_obtained(), DOES(START));
    cr_assert_eq(on_ready(), DOES(SELF_TEST));
    cr_assert_eq(on_tested(), 0U);
    cr_assert_eq(on_due(), DOES(SWITCH) | DOES(RETIRE));
    cr_assert_eq(on_drained(), 0U);
    cr_assert_eq(rig.machine.leaving.number, 0);
}

static void start_candidate(enum rollout_state state)
{
    on_grouped("B1", 7);
    if (state == ROLLOUT_OBTAINING)
        return;
    on_obtained();
    if (state == ROLLOUT_STARTING)
        return;
    on_ready();
    if (state == ROLLOUT_TESTING)
        return;
    on_tested();
    if (state == ROLLOUT_HELD)
        on_due();
}

void go_to(enum rollout_state state)
{
    rig_set_up();
    if (state == ROLLOUT_STOPPED)
        on_stop();
    if (state == ROLLOUT_EMPTY || state == ROLLOUT_STOPPED)
        return;
    serve("A1");
    if (state == ROLLOUT_PROBATION) {
        bring("B1");
    } else if (state == ROLLOUT_WAITING) {
        start_candidate(ROLLOUT_TESTING);
        on_test_failed(NULL);
        on_change("C1");
        on_obtained();
    } else if (state != ROLLOUT_SERVING) {
        start_candidate(state);
    }
    cr_assert_eq(rig.machine.state, state, "%s, not %s", rollout_state_word(rig.machine.state),
                 rollout_state_word(state));
}

static void expect_generation(const char *what, const struct rollout_generation *generation, const char *name,
                              bool runs)
{
    if (name == NULL) {
        cr_expect_eq(generation->number, 0, "there is a generation that is %s", what);
        return;
    }
    const struct rollout_version version = version_of(name);
    cr_expect_eq(generation->number != 0, runs, "%s %s", name, what);
    cr_expect(rollout_version_alike(&generation->version, &version), "%c%c, not %s, is %s",
              generation->version.source.octets[0], generation->version.configuration.octets[0], name, what);
}

void expect(enum rollout_state state, const char *active, const char *candidate, const char *leaving)
{
    const struct rollout *machine = &rig.machine;
    const bool runs = state >= ROLLOUT_STARTING && state <= ROLLOUT_HELD;
    cr_expect_eq(machine->state, state, "%s, not %s", rollout_state_word(machine->state), rollout_state_word(state));
    expect_generation("active", &machine->active, active, true);
    expect_generation("the candidate", &machine->candidate, candidate, runs);
    expect_generation("leaving", &machine->leaving, leaving, true);
}

bool is_quarantined(const char *name)
{
    const struct rollout_version version = version_of(name);
    return rollout_memory_quarantined(&rig.machine.memory, &version) != NULL;
}
