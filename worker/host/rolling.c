/* rolling.c - the generations of a service: the rules of worker/rollout tied to drivers and workers */
#include "worker/host/rolling.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/enact.h"
#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/note.h"
#include "worker/host/remember.h"
#include "worker/host/runnable.h"
#include "worker/host/testing.h"
#include "worker/host/versions.h"
#include "worker/host/wanted.h"

#define START_SLACK_MS UINT64_C(10000)    /* for a worker that is late to be seen dead */
#define SELF_TEST_SLACK_MS UINT64_C(1000) /* for its answer to arrive */
#define COUNT_EVERY_MS UINT64_C(500)
#define ROUNDS_MAX 64 /* of one step; what is left is done in the next */

static void apply(struct service *service, struct rollout_input *input, uint64_t now_ms)
{
    struct rollout_output output;
    input->now_ms = now_ms;
    rollout_apply(&service->rollout, input, &output);
    enact(service, &output, input->event, now_ms);
}

/* --- what is asked for ---------------------------------------------------------------------------------------------
 */

void rolling_adopt_rules(struct service *service)
{
    const struct host_service *options = &service->wanted->service;
    struct rollout_rules *rules = &service->rollout.rules;
    *rules = rollout_default_rules;
    rules->settle_ms = options->settle_ms;
    rules->probation_ms = options->probation_ms;
    rules->start_limit_ms = options->replicas * options->ready_limit_ms + START_SLACK_MS;
    rules->self_test_limit_ms = TESTING_LIMIT_MS + SELF_TEST_SLACK_MS;
}

void rolling_init(struct service *service)
{
    struct rollout_memory memory = {0};
    struct drover_error error = {0};
    if (service->host->memory != NULL &&
        remember_load(service->host->memory, service->name, &memory, &error) != DROVER_OK)
        note_tell(service, 0, "not-remembered", "%s", error.text);
    versions_forget_unstartable(service, &memory);
    rollout_init(&service->rollout, &rollout_default_rules, &memory, 0);
}

void rolling_change(struct service *service, bool forced, uint64_t group, uint64_t now_ms)
{
    const struct rollout_version version = {.source = service->source,
                                            .configuration = wanted_configuration(service->wanted)};
    struct rollout_input input = {.event = ROLLOUT_ON_CHANGE,
                                  .change = {.version = version, .forced = forced, .group = group}};
    if (service->paused && service->current != NULL && group == 0)
        return; /* the restart by hand that it waits for takes it up */
    (void)versions_keep_configuration(service, &version.configuration,
                                      service->wanted); /* without it, obtain() says so */
    apply(service, &input, now_ms);
}

void rolling_event(struct service *service, enum rollout_event event, uint64_t now_ms)
{
    struct rollout_input input = {.event = event};
    apply(service, &input, now_ms);
}

void rolling_unquarantine(struct service *service, const struct rollout_hash *artefact, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_UNQUARANTINE};
    if (artefact != NULL)
        input.artefact = *artefact;
    apply(service, &input, now_ms);
}

void rolling_forgive(struct service *service, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_UNQUARANTINE,
                                  .configuration = wanted_configuration(service->wanted)};
    apply(service, &input, now_ms);
}

void rolling_reconfigured(struct service *service, const struct rollout_hash *configuration, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_RECONFIGURED, .version = {.configuration = *configuration}};
    (void)versions_keep_configuration(service, configuration, service->current->wanted);
    apply(service, &input, now_ms);
}

void rolling_release(struct service *service, uint64_t group, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_RELEASE, .group = group};
    apply(service, &input, now_ms);
}

void rolling_abandon(struct service *service, uint64_t group, const char *reason, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_ABANDON, .group = group, .reason = reason};
    apply(service, &input, now_ms);
}

/* --- what has happened: each returns false when there is nothing to tell -------------------------------------------
 */

static bool tell_obtained(struct service *service, uint64_t now_ms)
{
    struct rollout_input input = {.version = service->version, .reason = service->news_reason};
    const enum obtain_news news = service->news;
    if (news == NO_NEWS)
        return false;
    service->news = NO_NEWS;
    input.event = news == IS_OBTAINED ? ROLLOUT_ON_OBTAINED : ROLLOUT_ON_OBTAIN_FAILED;
    apply(service, &input, now_ms);
    return true;
}

/* The rollout says itself whose version it is about. */
static const char *without_artefact(const struct generation *generation, const char *text)
{
    const char *artefact = generation->runnable->artefact;
    const size_t size = ROLLOUT_HASH_SHORT_SIZE - 1;
    const bool has = artefact[0] != '\0' && strncmp(text, artefact, size) == 0 && strncmp(text + size, ": ", 2) == 0;
    return has ? text + size + 2 : text;
}

static bool tell_deaths(struct service *service, struct generation *generation, uint64_t now_ms)
{
    if (generation == NULL || generation->deaths == 0)
        return false;
    char why[REASON_SIZE];
    (void)snprintf(why, sizeof(why), "%s", without_artefact(generation, generation->why));
    struct rollout_input input = {
        .event = ROLLOUT_ON_DIED, .generation = generation->number, .death = generation->death, .reason = why};
    note_tell(service, generation->number, "died", "%s", generation->why);
    generation->deaths--;
    apply(service, &input, now_ms);
    return true;
}

static bool tell_not_started(struct service *service, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_DIED,
                                  .generation = service->rollout.candidate.number,
                                  .death = ROLLOUT_LOOP,
                                  .reason = "it could not be started: no memory, or it is not in the store any more"};
    if (!service->not_started)
        return false;
    service->not_started = false;
    apply(service, &input, now_ms);
    return true;
}

/* Nobody waits for all replicas where nothing serves, or what does has failed. */
static bool is_ready_enough(const struct service *service, const struct generation *candidate)
{
    const struct rollout *rollout = &service->rollout;
    const unsigned ready = generation_census(candidate).ready;
    const bool urgent = rollout->purpose == ROLLOUT_FOR_ROLLBACK ||
                        (rollout->purpose == ROLLOUT_FOR_FIRST && rollout->candidate.group == 0);
    return ready == candidate->count || (urgent && ready > 0);
}

static bool tell_ready(struct service *service, uint64_t now_ms)
{
    struct generation *candidate = service->candidate;
    if (candidate == NULL || candidate->announced)
        return false;
    if (!is_ready_enough(service, candidate)) {
        if (service->rollout.purpose == ROLLOUT_FOR_CHANGE)
            generation_start_next(candidate, now_ms);
        return false;
    }
    struct rollout_input input = {.event = ROLLOUT_ON_READY, .generation = candidate->number};
    candidate->announced = true;
    note_tell(service, candidate->number, "ready", "%u of %u", generation_census(candidate).ready, candidate->count);
    apply(service, &input, now_ms);
    return true;
}

static bool tell_tested(struct service *service, struct generation *generation, uint64_t now_ms)
{
    const enum answer answer = generation != NULL ? testing_judge(generation) : NOT_ASKED;
    if (answer == NOT_ASKED)
        return false;
    struct rollout_input input = {.event = ROLLOUT_ON_SELF_TEST_OK, .generation = generation->number};
    if (answer == ANSWERED_WELL)
        note_tell(service, generation->number, "tested", "it answers as it should");
    char why[REASON_SIZE];
    (void)snprintf(why, sizeof(why), "%s", generation->why);
    if (answer == ANSWERED_BADLY) {
        input.event = ROLLOUT_ON_SELF_TEST_FAILED;
        input.reason = why;
    }
    apply(service, &input, now_ms);
    return true;
}

/* One that could not even be made has ended, too. */
static bool tell_missing(struct service *service, uint64_t now_ms)
{
    const struct generation *retired;
    struct rollout_input input = {.event = ROLLOUT_ON_DRAINED, .generation = service->rollout.leaving.number};
    LL_FOREACH (service->retired, retired) {
        if (retired->number == input.generation)
            return false;
    }
    if (input.generation == 0 || service->rollout.state == ROLLOUT_STOPPED)
        return false;
    apply(service, &input, now_ms);
    return true;
}

static bool tell_ended(struct service *service, uint64_t now_ms)
{
    struct generation **link = &service->retired;
    while (*link != NULL && !generation_has_ended(*link))
        link = &(*link)->next;
    struct generation *ended = *link;
    if (ended == NULL)
        return false;
    *link = ended->next;
    struct rollout_input input = {.event = ROLLOUT_ON_DRAINED, .generation = ended->number};
    note_tell(service, ended->number, "ended", "its last worker is gone");
    (void)generation_free(ended);
    apply(service, &input, now_ms);
    return true;
}

/* What a probation that began again has counted before does not speak against it once more. */
static bool tell_count(struct service *service, uint64_t now_ms)
{
    if (!service->counted)
        return false;
    service->counted = false;
    const struct host_tally *old = &service->previous_tally, *fresh = &service->fresh_tally;
    if (service->counted_until_ms != service->rollout.trial.until_ms)
        service->counted_before = *fresh;
    service->counted_until_ms = service->rollout.trial.until_ms;
    const struct host_tally *before = &service->counted_before;
    struct rollout_input input = {
        .event = ROLLOUT_ON_TRANSPORT,
        .generation = service->rollout.active.number,
        .old = {.calls = old->calls, .errors = old->lost},
        .fresh = {.calls = fresh->calls - before->calls, .errors = fresh->lost - before->lost}};
    apply(service, &input, now_ms);
    return true;
}

static bool tell_time(struct service *service, uint64_t now_ms)
{
    struct rollout_input input = {.event = ROLLOUT_ON_TICK};
    if (service->rollout.due_ms > now_ms)
        return false;
    apply(service, &input, now_ms);
    return service->rollout.due_ms > now_ms;
}

static bool tell_something(struct service *service, uint64_t now_ms)
{
    return tell_not_started(service, now_ms) || tell_obtained(service, now_ms) ||
           tell_deaths(service, service->current, now_ms) || tell_deaths(service, service->candidate, now_ms) ||
           tell_ready(service, now_ms) || tell_tested(service, service->candidate, now_ms) ||
           tell_tested(service, service->current, now_ms) || tell_count(service, now_ms) ||
           tell_ended(service, now_ms) || tell_missing(service, now_ms) || tell_time(service, now_ms);
}

/* As long as what serves is on trial, its calls are compared with those of the generation before it. */
static bool is_on_trial(const struct service *service)
{
    return service->rollout.trial.running && service->current != NULL && !service->paused;
}

static void ask_for_counts(struct service *service, uint64_t now_ms)
{
    if (!is_on_trial(service) || now_ms < service->count_due_ms)
        return;
    service->count_due_ms = now_ms + COUNT_EVERY_MS;
    event_push(&service->host->events, &service->count_event);
}

void rolling_step(struct service *service, uint64_t now_ms)
{
    for (unsigned round = 0; round < ROUNDS_MAX && tell_something(service, now_ms); round++)
        ;
    ask_for_counts(service, now_ms);
    versions_drop_unused(service);
}

uint64_t rolling_next_ms(const struct service *service)
{
    const uint64_t due_ms = service->rollout.due_ms;
    if (service->news != NO_NEWS || service->not_started)
        return 0;
    return is_on_trial(service) && service->count_due_ms < due_ms ? service->count_due_ms : due_ms;
}
