/* seeds.c - random events against the machine of generations, with the promises of rollout.h checked after each step
 *
 * `seeds [FIRST [COUNT]]`: each seed is a life of some hundred events, half of them what the effects ask for, half of
 * them anything at any time: reports that are late, twice, or about generations that never were. Then the weather
 * clears: all that is asked for succeeds, and the machine must come to rest. A seed that fails is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/rollout/rollout.h"
#include "worker/rollout/stable.h"

enum { SEEDS = 600, STEPS = 400, CALM_STEPS = 200, GENERATIONS_MAX = 1024, SOURCES = 8, CONFIGURATIONS = 3 };

/* What the world knows of a generation, from the effects alone. */
struct life {
    struct rollout_version version;
    bool started, ready, failed, served, retired, ended;
};

struct world {
    uint64_t seed, random, now_ms;
    unsigned step;
    struct rollout machine;
    struct life lives[GENERATIONS_MAX];
    uint64_t active; /* as switched to */
    bool stopped;
    bool forced[SOURCES + 1][CONFIGURATIONS + 1]; /* by a change: artefact, configuration */
    struct rollout_version obtaining;
    bool is_obtaining;
    unsigned switches, rollbacks, marks, quarantines; /* over all seeds: the test must have seen them */
};

static _Noreturn void fail(const struct world *world, const char *what)
{
    (void)printf("seed %" PRIu64 ", step %u, in state %s: %s\n", world->seed, world->step,
                 rollout_state_word(world->machine.state), what);
    exit(1);
}

static void check(const struct world *world, bool holds, const char *what)
{
    if (!holds)
        fail(world, what);
}

static uint64_t draw(struct world *world, uint64_t below)
{
    world->random ^= world->random << 13; /* xorshift64, Marsaglia 2003 */
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

/* Two sources each give the same bytes. */
static void build(struct rollout_version *version)
{
    version->artefact.octets[0] = (uint8_t)((version->source.octets[0] + 1) / 2);
}

static struct rollout_version draw_version(struct world *world)
{
    struct rollout_version version = {0};
    version.source.octets[0] = (uint8_t)(1 + draw(world, SOURCES));
    version.configuration.octets[0] = (uint8_t)(1 + draw(world, CONFIGURATIONS));
    if (draw(world, 2) == 0)
        build(&version);
    return version;
}

static struct life *life_of(struct world *world, uint64_t number)
{
    check(world, number > 0 && number < GENERATIONS_MAX, "a generation has a number");
    return &world->lives[number];
}

static unsigned count_alive(const struct world *world)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < GENERATIONS_MAX; i++)
        alive += world->lives[i].started && !world->lives[i].ended;
    return alive;
}

/* The effects, in their order */

static void see_switch(struct world *world, const struct rollout_output *output)
{
    struct life *life = life_of(world, output->switch_to);
    check(world, life->started && life->ready && !life->failed && !life->retired,
          "calls go to a generation that is ready and has not failed");
    life->served = true;
    world->active = output->switch_to;
    world->switches++;
}

static void see_retire(struct world *world, const struct rollout_output *output)
{
    check(world, output->retire_count > 0, "a generation is retired");
    for (unsigned i = 0; i < output->retire_count; i++) {
        struct life *life = life_of(world, output->retire[i]);
        check(world, life->started && !life->retired, "what is retired was started, and is retired once");
        check(world, world->stopped || output->retire[i] != world->active, "what serves is not retired");
        life->retired = true;
    }
}

static void see_start(struct world *world, const struct rollout_output *output)
{
    struct life *life = life_of(world, output->start.number);
    check(world, !life->started, "a number is used once");
    life->started = true;
    life->version = output->start.version;
    check(world, rollout_hash_known(&life->version.artefact), "what is started has been obtained");
    const bool forced = world->forced[life->version.artefact.octets[0]][life->version.configuration.octets[0]];
    check(world, forced || rollout_memory_quarantined(&world->machine.memory, &life->version) == NULL,
          "nothing is started from quarantine unless it was forced");
    check(world, count_alive(world) <= 2, "two generations are alive at most");
}

static void see_obtain(struct world *world, const struct rollout_output *output)
{
    check(world, !world->is_obtaining, "one thing is obtained at a time");
    world->is_obtaining = true;
    world->obtaining = output->obtain;
}

static void see_test(struct world *world, const struct rollout_output *output)
{
    const struct life *life = life_of(world, output->test);
    check(world, life->ready && !life->retired, "what is tested is ready");
}

static void see_effects(struct world *world, const struct rollout_output *output)
{
    const unsigned effects = output->effects;
    check(world, !world->stopped || (effects & ~(unsigned)ROLLOUT_DO_RETIRE & ~(unsigned)ROLLOUT_DO_CANCEL_OBTAIN) == 0,
          "after STOP nothing is done but to end what is under way");
    if (effects & ROLLOUT_DO_CANCEL_OBTAIN) {
        check(world, world->is_obtaining, "what is cancelled was being obtained");
        world->is_obtaining = false;
    }
    if (effects & ROLLOUT_DO_SWITCH)
        see_switch(world, output);
    if (effects & ROLLOUT_DO_RETIRE)
        see_retire(world, output);
    if (effects & ROLLOUT_DO_OBTAIN)
        see_obtain(world, output);
    if (effects & ROLLOUT_DO_START)
        see_start(world, output);
    if (effects & ROLLOUT_DO_SELF_TEST)
        see_test(world, output);
    world->marks += (effects & ROLLOUT_DO_MARK_STABLE) != 0;
    world->quarantines += (effects & ROLLOUT_DO_QUARANTINE) != 0;
    world->rollbacks += (effects & ROLLOUT_DO_START) != 0 && world->machine.purpose == ROLLOUT_FOR_ROLLBACK;
}

static void check_memory(const struct world *world)
{
    const struct rollout_memory *memory = &world->machine.memory;
    check(world, memory->stable_count <= ROLLOUT_STABLE_MAX && memory->quarantine_count <= ROLLOUT_QUARANTINE_MAX,
          "memory is bounded");
    for (unsigned i = 0; i < memory->stable_count; i++)
        for (unsigned j = 0; j < i; j++)
            check(world, !rollout_version_same(&memory->stable[i], &memory->stable[j]), "stable versions differ");
}

/* In a state of rest nothing is under way: nobody waits for it, and what is stable is what a restarted broker starts.
 */
static void check_rest(const struct world *world)
{
    const struct rollout *machine = &world->machine;
    const struct rollout_memory *memory = &machine->memory;
    const struct rollout_version *version = &machine->active.version;
    if (machine->state == ROLLOUT_SERVING)
        check(world,
              memory->stable_count > 0 && rollout_version_same(&memory->stable[0], version) &&
                  rollout_memory_quarantined(memory, version) == NULL,
              "what serves is the stable version, and in no quarantine");
    for (uint64_t group = 1; machine->state <= ROLLOUT_PROBATION && group < 4; group++)
        check(world,
              rollout_stand(machine, group) == ROLLOUT_STAND_DONE ||
                  rollout_stand(machine, group) == ROLLOUT_STAND_LOST,
              "a group does not wait for what is at rest");
}

static void apply(struct world *world, struct rollout_input input)
{
    struct rollout_output output;
    struct rollout *machine = &world->machine;
    input.now_ms = world->now_ms;
    if (input.event == ROLLOUT_ON_CHANGE && input.change.forced) {
        struct rollout_version version = input.change.version;
        build(&version);
        world->forced[version.artefact.octets[0]][version.configuration.octets[0]] = true;
    }
    world->stopped = world->stopped || input.event == ROLLOUT_ON_STOP;
    if (world->is_obtaining && machine->state == ROLLOUT_OBTAINING &&
        (input.event == ROLLOUT_ON_OBTAINED || input.event == ROLLOUT_ON_OBTAIN_FAILED) &&
        rollout_version_alike(&input.version, &world->obtaining))
        world->is_obtaining = false;
    if (input.event == ROLLOUT_ON_READY && input.generation < GENERATIONS_MAX)
        world->lives[input.generation].ready = true;
    if (input.event == ROLLOUT_ON_DIED && input.generation < GENERATIONS_MAX && world->lives[input.generation].ready &&
        !world->lives[input.generation].served)
        world->lives[input.generation].failed = true;
    if (input.event == ROLLOUT_ON_DRAINED && input.generation < GENERATIONS_MAX)
        world->lives[input.generation].ended = world->lives[input.generation].retired;
    rollout_apply(machine, &input, &output);
    see_effects(world, &output);
    check(world, world->stopped || machine->active.number == world->active,
          "one generation serves: the last switched to");
    check(world, strlen(machine->reason) < sizeof(machine->reason) && strchr(machine->reason, '\n') == NULL,
          "a reason is one line");
    check_memory(world);
    check_rest(world);
}

/* Events */

/* One that runs now, mostly; or any that ever did. */
static uint64_t draw_generation(struct world *world)
{
    const struct rollout *machine = &world->machine;
    const uint64_t some[] = {machine->candidate.number, machine->candidate.number, machine->active.number,
                             machine->active.number, machine->leaving.number};
    if (draw(world, 10) == 0)
        return draw(world, machine->last_number + 2);
    return some[draw(world, sizeof(some) / sizeof(some[0]))];
}

/* Only what can be: nothing is ready that was not started, or after its end. */
static bool is_possible(struct world *world, const struct rollout_input *input)
{
    const uint64_t number = input->generation;
    const struct life *life = &world->lives[number < GENERATIONS_MAX ? number : 0];
    if (input->event == ROLLOUT_ON_READY || input->event == ROLLOUT_ON_DIED)
        return life->started && !life->ended;
    if (input->event == ROLLOUT_ON_SELF_TEST_OK || input->event == ROLLOUT_ON_SELF_TEST_FAILED)
        return life->ready;
    if (input->event == ROLLOUT_ON_DRAINED)
        return life->retired;
    if (input->event == ROLLOUT_ON_OBTAINED || input->event == ROLLOUT_ON_OBTAIN_FAILED)
        return world->is_obtaining;
    return true;
}

static struct rollout_change draw_change(struct world *world)
{
    return (struct rollout_change){.version = draw_version(world),
                                   .forced = draw(world, 12) == 0,
                                   .group = draw(world, 4) == 0 ? 1 + draw(world, 3) : 0};
}

static struct rollout_input draw_input(struct world *world)
{
    static const enum rollout_event often[] = {ROLLOUT_ON_CHANGE,  ROLLOUT_ON_OBTAINED, ROLLOUT_ON_OBTAINED,
                                               ROLLOUT_ON_READY,   ROLLOUT_ON_READY,    ROLLOUT_ON_SELF_TEST_OK,
                                               ROLLOUT_ON_DRAINED, ROLLOUT_ON_DRAINED,  ROLLOUT_ON_TICK,
                                               ROLLOUT_ON_TICK,    ROLLOUT_ON_DIED,     ROLLOUT_ON_RELEASE};
    const bool any = draw(world, 4) == 0;
    struct rollout_input input = {
        .event = any ? (enum rollout_event)draw(world, ROLLOUT_EVENT_END)
                     : often[draw(world, sizeof(often) / sizeof(often[0]))],
        .change = draw_change(world),
        .version = world->obtaining,
        .generation = draw_generation(world),
        .death = draw(world, 3) == 0 ? (enum rollout_death)draw(world, 3) : ROLLOUT_CRASH,
        .old = {draw(world, 200), draw(world, 10)},
        .fresh = {draw(world, 200), draw(world, 20)},
        .group = draw(world, 4),
        .reason = "it\nfailed",
    };
    build(&input.version);
    if (input.event == ROLLOUT_ON_UNQUARANTINE && draw(world, 2) == 0)
        input.artefact = input.version.artefact;
    if (input.event == ROLLOUT_ON_STOP)
        input.event = ROLLOUT_ON_TICK; /* it comes in the end */
    return input;
}

static void pass_time(struct world *world)
{
    const uint64_t due_ms = world->machine.due_ms;
    world->now_ms += draw(world, 500);
    if (due_ms != ROLLOUT_NEVER && due_ms > world->now_ms && draw(world, 6) == 0)
        world->now_ms = due_ms;
}

/* What is asked for succeeds. */
static struct rollout_input next_good(struct world *world)
{
    const struct rollout *machine = &world->machine;
    struct rollout_input input = {.event = ROLLOUT_ON_TICK, .version = world->obtaining};
    input.generation = machine->candidate.number;
    input.group = machine->candidate.group;
    build(&input.version);
    if (machine->leaving.number != 0) {
        input.event = ROLLOUT_ON_DRAINED;
        input.generation = machine->leaving.number;
    } else if (machine->state == ROLLOUT_OBTAINING) {
        input.event = ROLLOUT_ON_OBTAINED;
    } else if (machine->state == ROLLOUT_STARTING) {
        input.event = ROLLOUT_ON_READY;
    } else if (machine->state == ROLLOUT_TESTING) {
        input.event = ROLLOUT_ON_SELF_TEST_OK;
    } else if (machine->state == ROLLOUT_HELD) {
        input.event = ROLLOUT_ON_RELEASE;
    } else if (machine->due_ms != ROLLOUT_NEVER && machine->due_ms > world->now_ms) {
        world->now_ms = machine->due_ms;
    }
    return input;
}

/* With good weather the last change, forced, serves and becomes stable. */
static void clear_up(struct world *world)
{
    struct rollout_change change = draw_change(world);
    change.forced = true;
    apply(world, (struct rollout_input){.event = ROLLOUT_ON_CHANGE, .change = change});
    for (unsigned i = 0;
         i < CALM_STEPS && (world->machine.state != ROLLOUT_SERVING || world->machine.leaving.number != 0);
         i++, world->step++)
        apply(world, next_good(world));
    check(world, world->machine.state == ROLLOUT_SERVING, "it comes to rest");
    check(world, rollout_version_alike(&world->machine.active.version, &change.version), "what was wanted last serves");
    check(world, rollout_version_same(&world->machine.memory.stable[0], &world->machine.active.version),
          "what serves at rest is stable");
    check(world, rollout_memory_quarantined(&world->machine.memory, &world->machine.active.version) == NULL,
          "what serves at rest is in no quarantine");
}

static void check_written(struct world *world)
{
    struct rollout_memory again;
    struct stable_mistakes mistakes;
    char *text = stable_write(&world->machine.memory);
    check(world, text != NULL && stable_parse(text, strlen(text), "seed", &again, &mistakes) == DROVER_OK,
          "memory is read back");
    char *second = stable_write(&again);
    check(world, second != NULL && strcmp(text, second) == 0, "as it was written");
    free(second);
    free(text);
}

/* What a broker that was restarted may remember. */
static void remember(struct world *world, struct rollout_memory *memory)
{
    for (uint64_t i = draw(world, 10); i-- > 0;) {
        struct rollout_version version = draw_version(world);
        build(&version);
        if (draw(world, 3) == 0)
            rollout_memory_quarantine(memory, &version, draw(world, 2) == 0, "it failed before");
        else
            rollout_memory_mark(memory, &version);
    }
}

static void live(struct world *world, uint64_t seed)
{
    struct rollout_rules rules = rollout_default_rules;
    struct rollout_memory memory = {0};
    memset(world->lives, 0, sizeof(world->lives));
    memset(world->forced, 0, sizeof(world->forced));
    world->seed = seed;
    world->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->now_ms = 1000;
    world->active = 0;
    world->stopped = world->is_obtaining = false;
    rules.auto_rollback = draw(world, 8) != 0;
    remember(world, &memory);
    rollout_init(&world->machine, &rules, &memory, 0);
    for (world->step = 0; world->step < STEPS; world->step++) {
        const bool good = draw(world, 2) == 0;
        const struct rollout_input input = good ? next_good(world) : draw_input(world);
        if (!good)
            pass_time(world);
        if (is_possible(world, &input))
            apply(world, input);
    }
    clear_up(world);
    check_written(world);
    apply(world, (struct rollout_input){.event = ROLLOUT_ON_STOP});
    for (unsigned i = 0; i < 50; i++)
        apply(world, draw_input(world));
    for (unsigned i = 0; i < GENERATIONS_MAX; i++)
        check(world, world->lives[i].started == world->lives[i].retired, "all that was started is retired in the end");
}

int main(int argc, char **argv)
{
    static struct world world;
    const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? 1 : SEEDS;
    for (uint64_t seed = first; seed < first + count; seed++)
        live(&world, seed);
    (void)printf("%" PRIu64 " seeds: %u switches, %u starts of a rollback, %u stable marks, %u quarantines\n", count,
                 world.switches, world.rollbacks, world.marks, world.quarantines);
    check(&world, count < SEEDS || (world.switches > 6000 && world.rollbacks > 1000 && world.marks > 1200),
          "the seeds see everything");
    return 0;
}
