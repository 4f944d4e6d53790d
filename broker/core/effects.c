/* effects.c - a list that grows to what one step needs and then stays; see effects.h */
#include <stdlib.h>
#include <string.h>

#include "broker/core/effects.h"

static bool grow(void **memory, size_t *capacity, size_t needed, size_t item_size)
{
    if (needed <= *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 64 : *capacity;
    while (wanted < needed)
        wanted *= 2;
    void *grown = realloc(*memory, wanted * item_size);
    if (grown == NULL)
        return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}

/* A new effect with `size` octets of room; NULL when there is no memory. */
static struct effect *add(struct effects *effects, enum effect_kind kind, size_t size)
{
    void *items = effects->items;
    void *octets = effects->octets;
    const bool grown = grow(&items, &effects->capacity, effects->count + 1, sizeof(struct effect)) &&
                       grow(&octets, &effects->room, effects->used + size, 1);
    effects->items = items;
    effects->octets = octets;
    if (!grown) {
        effects->failed = true;
        return NULL;
    }
    struct effect *effect = &effects->items[effects->count++];
    memset(effect, 0, offsetof(struct effect, body));
    effect->kind = kind;
    effect->body.present = false;
    effect->body.size = 0;
    effect->at = effects->used;
    effect->size = size;
    effects->used += size;
    return effect;
}

static void put_body(struct effect *effect, struct body *body, const struct body_ops *bodies)
{
    if (body == NULL || !body->present)
        return;
    if (effect != NULL)
        effect->body = body_take(body);
    else
        bodies->release(body);
}

void effects_send(struct effects *effects, uint64_t peer, const struct wire_header *header, struct body *body,
                  const struct body_ops *bodies)
{
    struct effect *effect = add(effects, EFFECT_SEND, wire_header_size(header));
    put_body(effect, body, bodies);
    if (effect == NULL)
        return;
    effect->peer = peer;
    effect->size = wire_header_encode(header, effects->octets + effect->at, effect->size);
}

void effects_send_copy(struct effects *effects, uint64_t peer, const struct wire_header *header, const void *data,
                       size_t size, const struct body_ops *bodies)
{
    struct body body = {.present = false};
    if (!bodies->make(&body, data, size)) {
        effects->failed = true;
        return;
    }
    effects_send(effects, peer, header, &body, bodies);
}

static void put_text(struct effects *effects, struct effect *effect, const char *text, size_t size)
{
    if (size > 0)
        memcpy(effects->octets + effect->at, text, size);
    effects->octets[effect->at + size] = '\0';
}

void effects_worker(struct effects *effects, enum effect_kind kind, uint64_t worker, const char *text)
{
    const size_t size = strlen(text);
    struct effect *effect = add(effects, kind, size + 1);
    if (effect == NULL)
        return;
    effect->worker = worker;
    put_text(effects, effect, text, size);
}

void effects_asked(struct effects *effects, enum effect_kind kind, uint64_t worker, uint64_t call,
                   struct drover_text text)
{
    struct effect *effect = add(effects, kind, text.size + 1);
    if (effect == NULL)
        return;
    effect->worker = worker;
    effect->call = call;
    put_text(effects, effect, text.data, text.size);
}

void effects_admin(struct effects *effects, uint64_t peer, uint64_t session, uint64_t call, struct drover_text verb,
                   struct body *body, const struct body_ops *bodies)
{
    struct effect *effect = add(effects, EFFECT_ADMIN, verb.size + 1);
    put_body(effect, body, bodies);
    if (effect == NULL)
        return;
    effect->peer = peer;
    effect->session = session;
    effect->call = call;
    put_text(effects, effect, verb.data, verb.size);
}

void effects_clear(struct effects *effects, const struct body_ops *bodies)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->items[i].body.present)
            bodies->release(&effects->items[i].body);
    }
    effects->count = 0;
    effects->used = 0;
}

void effects_done(struct effects *effects, const struct body_ops *bodies)
{
    effects_clear(effects, bodies);
    free(effects->items);
    free(effects->octets);
    *effects = (struct effects){0};
}
