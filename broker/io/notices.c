/* notices.c - see notices.h */
#include <stdlib.h>
#include <string.h>

#include "broker/io/notices.h"
#include "broker/io/zbody.h"

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

static void take_figures(const struct core *core, struct figures *figures)
{
    core_stats(core, &figures->core);
    figures->service_count = core_list_services(core, NULL, 0);
    figures->worker_count = core_list_workers(core, NULL, 0);
    figures->services = calloc(figures->service_count + 1, sizeof(*figures->services));
    figures->names = calloc(figures->service_count + 1, sizeof(*figures->names));
    figures->workers = calloc(figures->worker_count + 1, sizeof(*figures->workers));
    if (figures->services == NULL || figures->names == NULL || figures->workers == NULL)
        abort();
    core_list_services(core, figures->services, figures->service_count);
    core_list_workers(core, figures->workers, figures->worker_count);
    for (size_t i = 0; i < figures->service_count; i++) {
        figures->names[i] = copy_text(figures->services[i].name);
        figures->services[i].name = NULL;
    }
}

static enum notice_kind kind_of(enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_WORKER_READY:
        return NOTICE_WORKER_READY;
    case EFFECT_WORKER_CONFIG_ERROR:
        return NOTICE_WORKER_CONFIG_ERROR;
    case EFFECT_WORKER_HUNG:
        return NOTICE_WORKER_HUNG;
    case EFFECT_WORKER_DRAINED:
        return NOTICE_WORKER_DRAINED;
    case EFFECT_PROBED:
        return NOTICE_PROBED;
    case EFFECT_RECONFIGURED:
        return NOTICE_RECONFIGURED;
    case EFFECT_ADMIN:
        return NOTICE_ADMIN;
    case EFFECT_SEND:
        break;
    }
    return NOTICE_FAILED;
}

struct notice *notice_of_effect(const struct core *core, const struct effects *effects, const struct effect *effect)
{
    struct notice *notice = notice_new(kind_of(effect->kind));
    notice->text = copy_text((const char *)effects_octets(effects, effect));
    notice->worker = effect->worker;
    notice->peer = effect->peer;
    notice->session = effect->session;
    notice->call = effect->call;
    if (effect->kind == EFFECT_ADMIN)
        take_figures(core, &notice->figures);
    if (effect->body.present) {
        notice->size = effect->body.size;
        notice->data = malloc(notice->size + 1);
        if (notice->data == NULL)
            abort();
        memcpy(notice->data, zbody_ops.data(&effect->body), notice->size);
    }
    return notice;
}

struct notice *notice_of_count(const struct core *core, const struct order *order)
{
    struct notice *notice = notice_new(NOTICE_COUNTED);
    notice->service = copy_text(order->service);
    notice->generation = order->generation;
    (void)core_generation_stats(core, order->service, order->started, &notice->previous);
    (void)core_generation_stats(core, order->service, order->generation, &notice->fresh);
    return notice;
}
