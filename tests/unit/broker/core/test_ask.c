/* test_ask.c - what the host asks workers: a place among the calls, and always one outcome */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/core_rig.h"

/* Worker 1 of generation 1 serves; worker 2 is of generation 2, and takes new settings. */
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
    scene->rig.reconfigures = true;
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

static void expect_outcome(struct scene *scene, enum effect_kind kind, uint64_t worker, uint64_t call)
{
    const struct rig_effect *outcome = rig_event(&scene->rig, kind);
    cr_assert_not_null(outcome);
    cr_expect_eq(outcome->worker, worker);
    cr_expect_eq(outcome->call, call);
    rig_advance(&scene->rig, 100000);
    cr_expect_null(rig_event(&scene->rig, kind), "told once");
}

/* ---- self-tests ---- */

Test(ask, reaches_a_worker_that_does_not_serve)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    const struct rig_effect *given = given_to(&scene, &scene.fresh);
    cr_assert(drover_text_equals(given->header.method, "get"));
    rig_reply(&scene.rig, &scene.fresh, given, 10);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_OK);
    end_scene(&scene);
}

Test(ask, tells_the_drivers_error)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_fail(&scene.rig, &scene.fresh, given_to(&scene, &scene.fresh), DROVER_NOT_FOUND, DROVER_OUTCOME_ANSWERED);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_NOT_FOUND);
    end_scene(&scene);
}

Test(ask, takes_any_answer_when_it_asks_for_nothing)
{
    static const char *const nothing[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        struct scene scene;
        set_scene(&scene, 1);
        cr_assert_eq(rig_probe(&scene.rig, 2, nothing[i], 500), DROVER_OK);
        const struct rig_effect *given = given_to(&scene, &scene.fresh);
        cr_assert(drover_text_equals(given->header.method, "."));
        rig_fail(&scene.rig, &scene.fresh, given, DROVER_UNIMPLEMENTED, DROVER_OUTCOME_ANSWERED);
        expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_OK);
        end_scene(&scene);
    }
}

Test(ask, wants_an_answer_also_when_it_asks_for_nothing)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, NULL, 500), DROVER_OK);
    rig_advance(&scene.rig, 500);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_DEADLINE_EXCEEDED);
    end_scene(&scene);
}

Test(ask, a_question_that_is_not_answered_ends_at_its_deadline_and_then_counts_as_hung)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_advance(&scene.rig, 499);
    cr_assert_null(rig_event(&scene.rig, EFFECT_PROBED));
    rig_advance(&scene.rig, 1);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_DEADLINE_EXCEEDED);
    cr_assert_eq(rig_event(&scene.rig, EFFECT_WORKER_HUNG)->worker, UINT64_C(2));
    end_scene(&scene);
}

Test(ask, a_question_ends_with_its_worker)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_lost(&scene.rig, 2, 1);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_UNAVAILABLE);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_NOT_FOUND);
    end_scene(&scene);
}

Test(ask, a_question_that_was_not_begun_ends_when_the_word_is_closed)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_closed(&scene.rig, 2, 0);
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_UNAVAILABLE);
    cr_assert_not_null(rig_event(&scene.rig, EFFECT_WORKER_DRAINED));
    end_scene(&scene);
}

Test(ask, a_question_that_was_begun_is_waited_for_when_the_word_is_closed)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_closed(&scene.rig, 2, 1);
    cr_assert_null(rig_event(&scene.rig, EFFECT_PROBED));
    cr_assert_null(rig_event(&scene.rig, EFFECT_WORKER_DRAINED));
    rig_reply(&scene.rig, &scene.fresh, given_to(&scene, &scene.fresh), 0);
    cr_assert_not_null(rig_event(&scene.rig, EFFECT_WORKER_DRAINED));
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_OK);
    end_scene(&scene);
}

Test(ask, a_question_that_is_given_back_goes_to_no_other_worker)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, NULL, 500), DROVER_OK);
    rig_fail(&scene.rig, &scene.fresh, given_to(&scene, &scene.fresh), DROVER_UNAVAILABLE, DROVER_OUTCOME_NOT_STARTED);
    cr_assert_null(given_to(&scene, &scene.old));
    expect_outcome(&scene, EFFECT_PROBED, 2, DROVER_UNAVAILABLE);
    end_scene(&scene);
}

Test(ask, is_counted_for_no_generation_and_no_client)
{
    struct scene scene;
    struct core_generation_stats stats;
    struct core_service_stats service;
    set_scene(&scene, 1);
    cr_assert_eq(rig_probe(&scene.rig, 2, "get", 500), DROVER_OK);
    rig_advance(&scene.rig, 500);
    rig_lost(&scene.rig, 2, 1);
    cr_assert_not(core_generation_stats(scene.rig.core, "echo", 2, &stats));
    cr_assert(core_service_stats(scene.rig.core, "echo", &service));
    cr_assert_eq(service.calls, UINT64_C(0));
    end_scene(&scene);
}

/* ---- new settings ---- */

static const struct rig_effect *settings_for(struct scene *scene, const struct rig_peer *worker)
{
    return rig_take_command(&scene->rig, worker->peer, WIRE_RECONFIGURE);
}

Test(ask, settings_have_their_place_among_the_calls)
{
    struct scene scene;
    set_scene(&scene, 2);
    rig_switch(&scene.rig, "echo", 2);
    rig_call(&scene.rig, &scene.client, 1, NULL);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 5, 500), DROVER_OK);
    const struct rig_effect *call = given_to(&scene, &scene.fresh);
    const struct rig_effect *settings = settings_for(&scene, &scene.fresh);
    cr_assert_not_null(settings);
    cr_expect_eq(settings->header.sequence, call->header.sequence + 1);
    cr_expect_eq(settings->header.deadline_ms, UINT32_C(500));
    cr_expect_eq(settings->body_size, (size_t)5);
    rig_reply(&scene.rig, &scene.fresh, settings, 1);
    expect_outcome(&scene, EFFECT_RECONFIGURED, 2, 1);
    end_scene(&scene);
}

Test(ask, settings_that_are_refused_are_not_taken_and_it_is_said_why)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 1, 500), DROVER_OK);
    rig_fail(&scene.rig, &scene.fresh, settings_for(&scene, &scene.fresh), DROVER_INVALID_ARGUMENT,
             DROVER_OUTCOME_ANSWERED);
    const struct rig_effect *outcome = rig_event(&scene.rig, EFFECT_RECONFIGURED);
    cr_expect_eq(outcome->call, UINT64_C(0));
    cr_expect_str_eq(outcome->octets, "said the worker");
    end_scene(&scene);
}

Test(ask, settings_that_are_not_answered_are_not_taken)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 1, 0), DROVER_OK);
    rig_advance(&scene.rig, 9999);
    cr_assert_null(rig_event(&scene.rig, EFFECT_RECONFIGURED), "10 s, where nothing else was said");
    rig_advance(&scene.rig, 1);
    expect_outcome(&scene, EFFECT_RECONFIGURED, 2, 0);
    end_scene(&scene);
}

Test(ask, settings_end_with_their_worker)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 1, 500), DROVER_OK);
    rig_lost(&scene.rig, 2, 0);
    expect_outcome(&scene, EFFECT_RECONFIGURED, 2, 0);
    end_scene(&scene);
}

Test(ask, a_worker_that_has_not_said_that_it_takes_settings_is_sent_none)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_reconfigure(&scene.rig, 1, 1, 500), DROVER_UNIMPLEMENTED);
    cr_assert_null(settings_for(&scene, &scene.old));
    cr_assert_eq(rig_reconfigure(&scene.rig, 3, 1, 500), DROVER_NOT_FOUND);
    rig_closed(&scene.rig, 2, 0);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 1, 500), DROVER_NOT_FOUND);
    cr_assert_null(rig_event(&scene.rig, EFFECT_RECONFIGURED));
    end_scene(&scene);
}

Test(ask, without_settings_an_empty_map_is_sent)
{
    struct scene scene;
    set_scene(&scene, 1);
    cr_assert_eq(rig_reconfigure(&scene.rig, 2, 0, 500), DROVER_OK);
    const struct rig_effect *settings = settings_for(&scene, &scene.fresh);
    cr_assert_eq(settings->body_size, (size_t)1);
    cr_assert_eq(settings->body[0], (char)0x80);
    end_scene(&scene);
}
