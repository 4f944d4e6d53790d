/* generation.c - one artefact with one configuration, and its replicas */
#include "worker/host/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/host/replica.h"
#include "worker/host/runnable.h"
#include "worker/host/wanted.h"

#define DRAIN_LIMIT_MS UINT64_C(10000)

static struct supervise_rules rules_of(const struct host_service *options)
{
    return (struct supervise_rules){
        .restart_min_ms = options->restart_min_ms,
        .restart_max_ms = options->restart_max_ms,
        .ready_limit_ms = options->ready_limit_ms,
        .drain_limit_ms = options->drain_limit_ms != 0 ? options->drain_limit_ms : DRAIN_LIMIT_MS,
    };
}

struct generation *generation_new(struct service *service, uint64_t number, struct wanted *wanted,
                                  struct runnable *runnable)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    if (generation == NULL)
        return NULL;
    generation->service = service;
    generation->number = number;
    generation->wanted = wanted_ref(wanted);
    generation->runnable = runnable_ref(runnable);
    generation->replicas = calloc(wanted->service.replicas, sizeof(*generation->replicas));
    if (generation->replicas == NULL)
        return generation_free(generation);
    generation->count = wanted->service.replicas;
    const struct supervise_rules rules = rules_of(&wanted->service);
    for (unsigned i = 0; i < generation->count; i++) {
        generation->replicas[i].generation = generation;
        generation->replicas[i].index = i;
        supervise_init(&generation->replicas[i].machine, &rules);
    }
    return generation;
}

struct generation *generation_free(struct generation *generation)
{
    if (generation == NULL)
        return NULL;
    (void)runnable_unref(generation->runnable);
    (void)wanted_unref(generation->wanted);
    free(generation->replicas);
    free(generation);
    return NULL;
}

void generation_adopt(struct generation *generation, struct wanted *wanted)
{
    const struct supervise_rules rules = rules_of(&wanted->service);
    struct wanted *before = generation->wanted;
    generation->wanted = wanted_ref(wanted);
    (void)wanted_unref(before);
    for (unsigned i = 0; i < generation->count; i++)
        generation->replicas[i].machine.rules = rules;
}

void generation_event(struct generation *generation, enum supervise_event event, uint64_t now_ms)
{
    for (unsigned i = 0; i < generation->count; i++)
        replica_event(&generation->replicas[i], event, now_ms);
}

void generation_start_next(struct generation *generation, uint64_t now_ms)
{
    for (unsigned i = 0; i < generation->count; i++) {
        const struct supervise *machine = &generation->replicas[i].machine;
        if (machine->launches == 0 && machine->state == SUPERVISE_STOPPED) {
            replica_event(&generation->replicas[i], SUPERVISE_ON_RESTART, now_ms);
            return;
        }
        if (machine->state != SUPERVISE_READY)
            return;
    }
}

bool generation_has_ended(const struct generation *generation)
{
    for (unsigned i = 0; i < generation->count; i++)
        if (generation->replicas[i].machine.state != SUPERVISE_STOPPED)
            return false;
    return true;
}

struct census generation_census(const struct generation *generation)
{
    struct census census = {0};
    for (unsigned i = 0; i < generation->count; i++) {
        const struct supervise *machine = &generation->replicas[i].machine;
        census.ready += machine->state == SUPERVISE_READY;
        census.healthy += machine->state == SUPERVISE_READY && machine->healthy;
        census.wanted += machine->wanted;
        census.looping += machine->wanted && machine->looping;
    }
    return census;
}

void generation_note_death(struct generation *generation, enum rollout_death death, const char *why)
{
    if (generation->deaths == 0 || death > generation->death)
        generation->death = death;
    generation->deaths++;
    (void)snprintf(generation->why, sizeof(generation->why), "%s", why);
}
