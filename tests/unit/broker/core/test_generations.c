/* test_generations.c - which generation of a service's workers is given calls, and how each one does */
#include <criterion/criterion.h>

#include "tests/support/core_rig.h"

/* Worker 1 of generation 1 serves; worker 2 is of generation 2. */
struct scene {
    struct rig rig;
    struct rig_peer client, old, fresh;
};

static void set_scene(struct scene *scene, uint64_t concurrency)
{
    rig_new(&scene->rig);
    rig_service(&scene->rig, "echo");
    scene->client = rig_client(&scene->rig, 1);
    scene->old = rig_worker(&scene->rig, 1, "echo", concurrency);
    scene->rig.generation = 2;
    scene->fresh = rig_worker(&scene->rig, 2, "echo", concurrency);
}

static void end_scene(struct scene *scene)
{
    cr_assert_eq(rig_end(&scene->rig), (size_t)0);
}

static const struct rig_effect *given_to(struct scene *scene, const struct rig_peer *worker)
{
    return rig_take_command(&scene->rig, worker->peer, WIRE_CALL);
}

static struct core_generation_stats stats_of(struct scene *scene, uint64_t generation)
{
    struct core_generation_stats stats;
    cr_assert(core_generation_stats(scene->rig.core, "echo", generation, &stats));
    return stats;
}

Test(generations, without_a_switch_nobody_is_given_calls)
{
    struct scene scene;
    struct core_service_stats stats;
    set_scene(&scene, 1);
    rig_switch(&scene.rig, "echo", 3);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    cr_assert_null(given_to(&scene, &scene.old));
    cr_assert(core_service_stats(scene.rig.core, "echo", &stats));
    cr_assert_eq(stats.queued, UINT64_C(1));
    rig_switch(&scene.rig, "echo", 1);
    cr_assert_not_null(given_to(&scene, &scene.old));
    end_scene(&scene);
}

Test(generations, a_candidate_gets_nothing_though_it_is_idle_and_calls_wait)
{
    struct scene scene;
    set_scene(&scene, 1);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    rig_call(&scene.rig, &scene.client, 2, NULL);
    cr_assert_null(given_to(&scene, &scene.fresh));
    rig_lost(&scene.rig, 1, 1);
    rig_call(&scene.rig, &scene.client, 3, NULL);
    cr_assert_null(given_to(&scene, &scene.fresh), "not even when the old one is dead: the host decides");
    end_scene(&scene);
}

Test(generations, the_switch_gives_what_waits_and_what_comes_to_the_new_one)
{
    struct scene scene;
    set_scene(&scene, 1);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    rig_call(&scene.rig, &scene.client, 2, NULL);
    const struct rig_effect *begun = given_to(&scene, &scene.old);
    rig_switch(&scene.rig, "echo", 2);
    const struct rig_effect *waited = given_to(&scene, &scene.fresh);
    cr_assert_not_null(waited);
    rig_reply(&scene.rig, &scene.fresh, waited, 0);
    rig_call(&scene.rig, &scene.client, 3, NULL);
    cr_assert_not_null(given_to(&scene, &scene.fresh));
    rig_reply(&scene.rig, &scene.old, begun, 0);
    rig_call(&scene.rig, &scene.client, 4, NULL);
    cr_assert_null(given_to(&scene, &scene.old), "the old one is idle again, and stays so");
    end_scene(&scene);
}

/* The drain of the old one: its word is closed after the switch. */
Test(generations, what_the_old_one_has_not_started_is_answered_by_the_new_one)
{
    struct scene scene;
    set_scene(&scene, 3);
    for (uint64_t call = 1; call <= 3; call++)
        rig_call(&scene.rig, &scene.client, call, NULL);
    const struct rig_effect *begun = given_to(&scene, &scene.old);
    rig_switch(&scene.rig, "echo", 2);
    rig_closed(&scene.rig, 1, 1);
    for (uint64_t call = 2; call <= 3; call++) {
        rig_reply(&scene.rig, &scene.fresh, given_to(&scene, &scene.fresh), 0);
        cr_assert_eq(rig_take_command(&scene.rig, scene.client.peer, WIRE_REPLY)->header.call, call);
    }
    cr_assert_null(rig_event(&scene.rig, EFFECT_WORKER_DRAINED));
    rig_reply(&scene.rig, &scene.old, begun, 0);
    cr_assert_eq(rig_event(&scene.rig, EFFECT_WORKER_DRAINED)->worker, UINT64_C(1));
    cr_assert_eq(rig_take_command(&scene.rig, scene.client.peer, WIRE_REPLY)->header.call, UINT64_C(1));
    end_scene(&scene);
}

Test(generations, a_switch_back_is_a_switch)
{
    struct scene scene;
    set_scene(&scene, 1);
    rig_switch(&scene.rig, "echo", 2);
    rig_switch(&scene.rig, "echo", 1);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    cr_assert_not_null(given_to(&scene, &scene.old));
    rig_switch(&scene.rig, "none", 1);
    end_scene(&scene);
}

Test(generations, are_counted_apart)
{
    struct scene scene;
    set_scene(&scene, 1);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    rig_reply(&scene.rig, &scene.old, given_to(&scene, &scene.old), 0);
    rig_switch(&scene.rig, "echo", 2);
    rig_call(&scene.rig, &scene.client, 2, NULL);
    const struct rig_effect *given = given_to(&scene, &scene.fresh);
    rig_fail(&scene.rig, &scene.fresh, given, DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    rig_call(&scene.rig, &scene.client, 3, NULL);
    rig_lost(&scene.rig, 2, 2);
    cr_assert_eq(stats_of(&scene, 1).calls, UINT64_C(1));
    cr_assert_eq(stats_of(&scene, 1).lost, UINT64_C(0));
    cr_assert_eq(stats_of(&scene, 2).calls, UINT64_C(2));
    cr_assert_eq(stats_of(&scene, 2).lost, UINT64_C(1), "an error of the driver is an answer");
    end_scene(&scene);
}

Test(generations, count_a_call_that_is_not_answered_in_time_and_none_that_was_given_up)
{
    struct scene scene;
    set_scene(&scene, 2);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    rig_call(&scene.rig, &scene.client, 2, NULL);
    rig_say(&scene.rig, &scene.client, WIRE_CANCEL, 2);
    rig_advance(&scene.rig, 1000);
    cr_assert_eq(stats_of(&scene, 1).calls, UINT64_C(2));
    cr_assert_eq(stats_of(&scene, 1).lost, UINT64_C(1));
    end_scene(&scene);
}

Test(generations, only_the_latest_few_are_remembered)
{
    struct scene scene;
    struct core_generation_stats stats;
    set_scene(&scene, 1);
    for (uint64_t generation = 1; generation <= 6; generation++) {
        const uint64_t number = 10 + generation;
        scene.rig.generation = generation;
        const struct rig_peer worker = rig_worker(&scene.rig, number, "echo", 1);
        rig_switch(&scene.rig, "echo", generation);
        rig_closed(&scene.rig, 1, 0);
        rig_closed(&scene.rig, 2, 0);
        rig_call(&scene.rig, &scene.client, number, NULL);
        rig_reply(&scene.rig, &worker, given_to(&scene, &worker), 0);
        rig_lost(&scene.rig, number, 1);
    }
    cr_assert_not(core_generation_stats(scene.rig.core, "echo", 2, &stats));
    cr_assert_eq(stats_of(&scene, 3).calls, UINT64_C(1));
    cr_assert_eq(stats_of(&scene, 6).calls, UINT64_C(1));
    end_scene(&scene);
}
