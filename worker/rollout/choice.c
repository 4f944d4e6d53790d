/* choice.c - which version is started when nothing serves, and which one is gone back to
 *
 * Both are a walk over what is remembered that ends with the first version that serves; rollout->step is the next step:
 *
 *     step 0     first start: the stable version     rollback: what served before the switch
 *     step 1     first start: what is wanted         rollback: the stable version
 *     step k     the stable versions before that, newest first
 *     last       first start: the stable version again, where a change cut its start short
 */
#include "worker/rollout/step.h"

/* Going back */

/* The version of one step, or NULL. */
static const struct rollout_version *target_at(const struct rollout *rollout, unsigned step)
{
    const struct rollout_memory *memory = &rollout->memory;
    const struct rollout_version *target = NULL;
    if (step > 0)
        target = &memory->stable[step - 1];
    else if (rollout->has_previous)
        target = &rollout->previous;
    if (target == NULL || rollout_version_same(target, &rollout->active.version))
        return NULL;
    return rollout_memory_quarantined(memory, target) == NULL ? target : NULL;
}

static const struct rollout_version *find_target(const struct rollout *rollout, unsigned *step)
{
    const struct rollout_version *target = NULL;
    while (target == NULL && *step <= rollout->memory.stable_count)
        target = target_at(rollout, (*step)++);
    return target;
}

/* By hand the walk begins behind what serves. */
static unsigned first_step(const struct rollout *rollout, bool by_hand)
{
    const struct rollout_memory *memory = &rollout->memory;
    const bool twice = rollout->has_previous && memory->stable_count > 0 &&
                       rollout_version_same(&memory->stable[0], &rollout->previous);
    for (unsigned i = 0; by_hand && i < memory->stable_count; i++)
        if (rollout_version_same(&memory->stable[i], &rollout->active.version))
            return i + 2;
    return by_hand || twice ? 1 : 0;
}

bool rollout_find_target(const struct rollout *rollout, bool by_hand, struct rollout_version *ret)
{
    unsigned step = first_step(rollout, by_hand);
    const struct rollout_version *target = find_target(rollout, &step);
    if (target != NULL)
        *ret = *target;
    return target != NULL;
}

/* What was stable, and was to be left by hand, is so again: a restarted broker must start it. */
static void rehabilitate(struct rollout *rollout, struct rollout_step *step)
{
    struct rollout_memory *memory = &rollout->memory;
    const struct rollout_version version = rollout->active.version;
    if (memory->stable_count == 0 || !rollout_version_same(&memory->stable[0], &version) ||
        rollout_memory_quarantined(memory, &version) == NULL)
        return;
    rollout_memory_mark(memory, &version);
    step->output->effects |= ROLLOUT_DO_SAVE;
}

void rollout_stay(struct rollout *rollout, struct rollout_step *step)
{
    if (rollout->trial.running) {
        if (rollout->trial.condemned)
            rollout_renew_trial(rollout, step);
        return;
    }
    rehabilitate(rollout, step);
    rollout_begin_trial(rollout, step); /* it may have taken other settings meanwhile */
    if (rollout->trial.running)
        rollout_rest(rollout);
}

void rollout_next_rollback(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_version *target = find_target(rollout, &rollout->step);
    if (target != NULL) {
        const struct rollout_version version = *target;
        rollout_launch(rollout, step, &version, ROLLOUT_FOR_ROLLBACK);
        return;
    }
    rollout_stay(rollout, step);
    rollout_proceed(rollout, step);
}

void rollout_begin_rollback(struct rollout *rollout, struct rollout_step *step, bool by_hand)
{
    rollout->trial.condemned = true;
    rollout->step = first_step(rollout, by_hand);
    rollout_next_rollback(rollout, step);
}

void rollout_on_go_back(struct rollout *rollout, struct rollout_step *step)
{
    struct rollout_version target;
    const struct rollout_version version = rollout->active.version;
    if (!rollout_find_target(rollout, true, &target)) {
        rollout_say(rollout, &version, "there is no earlier stable version to go back to");
        step->output->effects |= ROLLOUT_DO_GIVE_UP;
    } else {
        rollout_say(rollout, &version, "rolled back by hand");
        rollout_quarantine(rollout, step, &version, &target, false);
        rollout_begin_rollback(rollout, step, true);
    }
}

/* The first start */

/* Is what is wanted the stable version, so that step 0 starts it? */
static bool is_wanted_at_once(const struct rollout *rollout)
{
    const struct rollout_memory *memory = &rollout->memory;
    return memory->stable_count > 0 && rollout_version_alike(&memory->stable[0], &rollout->wanted.version) &&
           rollout_memory_quarantined(memory, &memory->stable[0]) == NULL;
}

/* The stable version of one step, or NULL. What is wanted has a step of its own. */
static const struct rollout_version *stable_at(const struct rollout *rollout, unsigned step)
{
    const struct rollout_memory *memory = &rollout->memory;
    const unsigned index = step == 0 ? 0 : step - 1;
    if (index >= memory->stable_count || rollout_memory_quarantined(memory, &memory->stable[index]) != NULL)
        return NULL;
    return step > 0 && rollout_version_alike(&memory->stable[index], &rollout->wanted.version) ? NULL
                                                                                               : &memory->stable[index];
}

static bool is_wanted_next(const struct rollout *rollout)
{
    return rollout->has_wanted && !is_wanted_at_once(rollout) && !rollout_is_refused(rollout, &rollout->wanted);
}

/* The next step at which there is something to start; beyond the last one there is nothing. `*ret` is NULL when it is
 * what is wanted. */
static bool find_first(const struct rollout *rollout, unsigned *step, const struct rollout_version **ret)
{
    const unsigned last = 1 + (rollout->memory.stable_count > 1 ? rollout->memory.stable_count : 1);
    for (; *step < last; (*step)++) {
        *ret = *step == 1 ? NULL : stable_at(rollout, *step);
        if (*step == 1 ? is_wanted_next(rollout) : *ret != NULL)
            return true;
    }
    *ret = *step == last && rollout->cut_short ? stable_at(rollout, 0) : NULL;
    return *ret != NULL;
}

bool rollout_has_next_first(const struct rollout *rollout)
{
    unsigned step = rollout->step;
    const struct rollout_version *version;
    if (find_first(rollout, &step, &version))
        return true;
    return rollout->has_home && !rollout_version_same(&rollout->home, &rollout->candidate.version);
}

void rollout_next_first(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_version *found;
    struct rollout_version version = rollout->home;
    if (!find_first(rollout, &rollout->step, &found)) {
        if (!rollout->has_home) {
            rollout->has_wanted = false;
            return; /* nothing can be started, as the reason says */
        }
        rollout_launch(rollout, step, &version, ROLLOUT_FOR_FIRST);
    } else if (rollout->step++ == 1) {
        rollout->has_wanted = false;
        rollout_obtain(rollout, step, &rollout->wanted, ROLLOUT_FOR_FIRST);
    } else {
        version = *found;
        rollout_launch(rollout, step, &version, ROLLOUT_FOR_FIRST);
    }
}

void rollout_begin_first(struct rollout *rollout, struct rollout_step *step)
{
    const struct rollout_memory *memory = &rollout->memory;
    const bool at_once = is_wanted_at_once(rollout);
    const bool just_failed = rollout->leaving.number != 0 && memory->stable_count > 0 &&
                             rollout_version_same(&memory->stable[0], &rollout->leaving.version);
    rollout->has_home = rollout->home_refused = false;
    rollout->cut_short = just_failed && !at_once;
    rollout->step = rollout->cut_short ? 1 : 0;
    rollout->wanted.forced = rollout->wanted.forced && !at_once; /* once is enough */
    rollout_next_first(rollout, step);
}
