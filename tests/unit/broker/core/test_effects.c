/* test_effects.c - the list of what is to be done: order, lifetime, bodies that nobody took */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/heap_body.h"

#include "broker/core/effects.h"

static void send(struct effects *effects, uint64_t peer, const char *method, struct body *body)
{
    const struct wire_header header = {.command = WIRE_CALL,
                                       .flags = FIELD_TARGET,
                                       .call = peer * 10,
                                       .service = {"echo", 4},
                                       .method = {method, strlen(method)}};
    effects_send(effects, peer, &header, body, &heap_bodies);
}

static void expect_call(const struct effects *effects, size_t index, uint64_t peer, const char *method)
{
    const struct effect *effect = &effects->items[index];
    struct wire_header header;
    cr_assert_eq(effect->kind, EFFECT_SEND);
    cr_assert_eq(effect->peer, peer);
    cr_assert_eq(wire_header_decode(effects_octets(effects, effect), effect->size, &header), WIRE_DECODED);
    cr_assert_eq(header.call, peer * 10);
    cr_assert(drover_text_equals(header.method, method), "method '%.*s'", (int)header.method.size, header.method.data);
}

Test(effects, come_out_in_the_order_in_which_they_were_added)
{
    struct effects effects = {0};
    for (uint64_t peer = 0; peer < 300; peer++) /* more than the first growth of the list */
        send(&effects, peer, peer % 2 == 0 ? "even" : "odd", NULL);
    cr_assert_eq(effects.count, (size_t)300);
    for (uint64_t peer = 0; peer < 300; peer++)
        expect_call(&effects, peer, peer, peer % 2 == 0 ? "even" : "odd");
    cr_assert_not(effects.failed);
    effects_done(&effects, &heap_bodies);
}

Test(effects, take_the_body_and_release_it_when_nobody_else_does)
{
    struct effects effects = {0};
    struct body body = heap_body_new("abc", 3);
    send(&effects, 1, "put", &body);
    cr_assert_not(body.present);
    cr_assert(effects.items[0].body.present);
    cr_assert_eq(heap_bodies_live(), (size_t)1);
    effects_clear(&effects, &heap_bodies);
    cr_assert_eq(heap_bodies_live(), (size_t)0);
    cr_assert_eq(effects.count, (size_t)0);
    effects_done(&effects, &heap_bodies);
}

Test(effects, leave_alone_a_body_that_was_taken)
{
    struct effects effects = {0};
    struct body body = heap_body_new("abc", 3);
    send(&effects, 1, "put", &body);
    struct body mine = body_take(&effects.items[0].body);
    effects_done(&effects, &heap_bodies);
    cr_assert_eq(heap_bodies_live(), (size_t)1);
    cr_assert_arr_eq(heap_bodies.data(&mine), "abc", 3);
    heap_bodies.release(&mine);
}

Test(effects, copy_what_is_sent_as_a_copy)
{
    struct effects effects = {0};
    char data[] = "welcome";
    const struct wire_header header = {.command = WIRE_WELCOME};
    effects_send_copy(&effects, 3, &header, data, sizeof(data), &heap_bodies);
    memset(data, 'x', sizeof(data));
    cr_assert_str_eq(heap_bodies.data(&effects.items[0].body), "welcome");
    effects_done(&effects, &heap_bodies);
    cr_assert_eq(heap_bodies_live(), (size_t)0);
}

Test(effects, about_workers_and_admin_requests_keep_their_text)
{
    struct effects effects = {0};
    struct body body = heap_body_new("{}", 2);
    effects_worker(&effects, EFFECT_WORKER_HUNG, 9, "it hung");
    effects_admin(&effects, 4, 5, 6, (struct drover_text){"statusX", 6}, &body, &heap_bodies);
    effects_worker(&effects, EFFECT_WORKER_READY, 8, "");
    cr_assert_eq(effects.items[0].kind, EFFECT_WORKER_HUNG);
    cr_assert_eq(effects.items[0].worker, UINT64_C(9));
    cr_assert_str_eq((const char *)effects_octets(&effects, &effects.items[0]), "it hung");
    const struct effect *admin = &effects.items[1];
    cr_assert_eq(admin->kind, EFFECT_ADMIN);
    cr_assert(admin->peer == 4 && admin->session == 5 && admin->call == 6);
    cr_assert_str_eq((const char *)effects_octets(&effects, admin), "status");
    cr_assert(admin->body.present);
    cr_assert_str_eq((const char *)effects_octets(&effects, &effects.items[2]), "");
    effects_done(&effects, &heap_bodies);
    cr_assert_eq(heap_bodies_live(), (size_t)0);
}

Test(effects, keep_their_memory_when_cleared)
{
    struct effects effects = {0};
    send(&effects, 1, "put", NULL);
    const size_t capacity = effects.capacity;
    const struct effect *items = effects.items;
    effects_clear(&effects, &heap_bodies);
    send(&effects, 2, "get", NULL);
    cr_assert_eq(effects.items, items);
    cr_assert_eq(effects.capacity, capacity);
    expect_call(&effects, 0, 2, "get");
    effects_done(&effects, &heap_bodies);
    cr_assert_null(effects.items);
}
