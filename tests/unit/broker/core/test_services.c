/* test_services.c - services that are removed, and what becomes of their calls and workers */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/core_rig.h"

/* A service with one worker; call 1 is leased to it and begun, call 2 leased and not begun, call 3 waits. */
struct scene {
    struct rig rig;
    struct rig_peer client, worker;
    const struct rig_effect *begun;
};

static void set_scene(struct scene *scene)
{
    rig_new(&scene->rig);
    rig_service(&scene->rig, "echo");
    scene->client = rig_client(&scene->rig, 1);
    scene->worker = rig_worker(&scene->rig, 1, "echo", 2);
    for (uint64_t call = 1; call <= 3; call++)
        rig_call(&scene->rig, &scene->client, call, NULL);
    scene->begun = rig_take_command(&scene->rig, scene->worker.peer, WIRE_CALL);
}

static void end_scene(struct scene *scene)
{
    cr_assert_eq(rig_end(&scene->rig), (size_t)0);
}

static void expect_error(struct scene *scene, uint64_t call, enum drover_status status, enum drover_outcome outcome)
{
    const struct rig_effect *error = rig_take_command(&scene->rig, scene->client.peer, WIRE_ERROR);
    cr_assert_not_null(error, "call %llu", (unsigned long long)call);
    cr_expect_eq(error->header.call, call);
    cr_expect_eq(error->header.status, status);
    cr_expect_eq(error->header.outcome, outcome);
}

Test(services, that_are_removed_are_not_found)
{
    struct scene scene;
    struct core_service_stats stats;
    struct core_generation_stats generation;
    set_scene(&scene);
    rig_remove(&scene.rig, "echo");
    rig_drop(&scene.rig);
    rig_call(&scene.rig, &scene.client, 4, NULL);
    expect_error(&scene, 4, DROVER_NOT_FOUND, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_not(core_service_stats(scene.rig.core, "echo", &stats));
    cr_expect_not(core_generation_stats(scene.rig.core, "echo", 1, &generation));
    cr_expect_eq(core_list_services(scene.rig.core, &stats, 1), (size_t)0);
    rig_remove(&scene.rig, "echo");
    rig_remove(&scene.rig, "none");
    end_scene(&scene);
}

Test(services, tell_what_waits_when_they_are_removed_and_let_the_rest_go_on)
{
    struct scene scene;
    set_scene(&scene);
    rig_remove(&scene.rig, "echo");
    expect_error(&scene, 3, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    cr_expect_null(rig_take_command(&scene.rig, scene.client.peer, WIRE_ERROR));
    rig_closed(&scene.rig, 1, 1);
    expect_error(&scene, 2, DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    rig_reply(&scene.rig, &scene.worker, scene.begun, 0);
    cr_expect_eq(rig_take_command(&scene.rig, scene.client.peer, WIRE_REPLY)->header.call, UINT64_C(1));
    cr_expect_not_null(rig_event(&scene.rig, EFFECT_WORKER_DRAINED));
    rig_lost(&scene.rig, 1, 1);
    end_scene(&scene);
}

Test(services, that_are_removed_do_not_repeat_what_their_workers_lose)
{
    struct scene scene;
    const struct rig_request idempotent = {.idempotent = true};
    set_scene(&scene);
    rig_reply(&scene.rig, &scene.worker, scene.begun, 0);
    rig_reply(&scene.rig, &scene.worker, rig_take_command(&scene.rig, scene.worker.peer, WIRE_CALL), 0);
    rig_reply(&scene.rig, &scene.worker, rig_take_command(&scene.rig, scene.worker.peer, WIRE_CALL), 0);
    rig_call(&scene.rig, &scene.client, 4, &idempotent);
    rig_remove(&scene.rig, "echo");
    rig_lost(&scene.rig, 1, 4);
    expect_error(&scene, 4, DROVER_UNAVAILABLE, DROVER_OUTCOME_UNKNOWN);
    end_scene(&scene);
}

Test(services, of_the_same_name_as_a_removed_one_know_nothing_of_it)
{
    struct scene scene;
    struct core_service_stats stats;
    set_scene(&scene);
    rig_remove(&scene.rig, "echo");
    rig_service(&scene.rig, "echo");
    rig_drop(&scene.rig);
    cr_assert(core_service_stats(scene.rig.core, "echo", &stats));
    cr_expect_eq(stats.calls, UINT64_C(0));
    cr_expect_eq(stats.generation, UINT64_C(0));
    cr_expect_eq(stats.workers_ready, UINT64_C(0));
    rig_call(&scene.rig, &scene.client, 4, NULL);
    rig_switch(&scene.rig, "echo", 1);
    cr_expect_null(rig_take_command(&scene.rig, scene.worker.peer, WIRE_CALL), "its generation 1 is another");
    rig_expect(&scene.rig, 2, "echo");
    const struct rig_peer fresh = rig_hello_worker(&scene.rig, RIG_WORKER_PEERS + 2, 2, "echo", 1);
    rig_say(&scene.rig, &fresh, WIRE_READY, 0);
    cr_expect_not_null(rig_take_command(&scene.rig, fresh.peer, WIRE_CALL));
    rig_reply(&scene.rig, &scene.worker, scene.begun, 0);
    cr_expect_eq(rig_take_command(&scene.rig, scene.client.peer, WIRE_REPLY)->header.call, UINT64_C(1));
    rig_lost(&scene.rig, 1, 1);
    end_scene(&scene);
}

Test(services, count_in_the_sum_of_all_outcomes_though_they_are_removed)
{
    struct scene scene;
    struct core_stats stats;
    set_scene(&scene);
    rig_remove(&scene.rig, "echo");
    core_stats(scene.rig.core, &stats);
    cr_expect_eq(stats.calls, UINT64_C(1));
    rig_lost(&scene.rig, 1, 1);
    core_stats(scene.rig.core, &stats);
    cr_expect_eq(stats.calls, UINT64_C(3));
    cr_expect_eq(stats.calls_open, UINT64_C(0));
    end_scene(&scene);
}

Test(services, may_be_removed_before_they_have_a_worker_and_while_one_is_on_its_way)
{
    struct rig rig;
    rig_new(&rig);
    rig_service(&rig, "empty");
    rig_remove(&rig, "empty");
    rig_service(&rig, "echo");
    rig_expect(&rig, 1, "echo");
    rig_remove(&rig, "echo");
    const struct rig_peer worker = rig_hello_worker(&rig, RIG_WORKER_PEERS + 1, 1, "echo", 1);
    rig_say(&rig, &worker, WIRE_READY, 0);
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_READY), "its host knows what to do with it");
    rig_lost(&rig, 1, 0);
    cr_assert_eq(rig_end(&rig), (size_t)0);
}

Test(services, take_the_interface_that_was_set_last)
{
    struct rig rig;
    struct core_service service = rig_service_like("echo");
    struct drover_error error = {0};
    rig_new(&rig);
    rig_service(&rig, "echo");
    service.interface = "sound";
    cr_assert_eq(core_set_service(rig.core, &service, &error), DROVER_OK);
    rig_expect(&rig, 1, "echo");
    cr_assert_eq(rig_hello_worker(&rig, 7, 1, "echo", 1).session, UINT64_C(0));
    cr_assert_not_null(rig_event(&rig, EFFECT_WORKER_CONFIG_ERROR));
    cr_assert_neq(rig_hello_worker(&rig, 8, 1, "sound", 1).session, UINT64_C(0));
    cr_assert_eq(rig_end(&rig), (size_t)0);
}
