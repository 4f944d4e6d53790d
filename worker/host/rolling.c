/* rolling.c - the generations of a service: the rules of worker/rollout tied to drivers and workers */
#include "worker/host/rolling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/note.h"
#include "worker/host/obtaining.h"
#include "worker/host/remember.h"
#include "worker/host/runnable.h"
#include "worker/host/testing.h"
#include "worker/host/wanted.h"

#define START_SLACK_MS UINT64_C(10000)    /* for a worker that is late to be seen dead */
#define SELF_TEST_SLACK_MS UINT64_C(1000) /* for its answer to arrive */
#define COUNT_EVERY_MS UINT64_C(500)
#define ROUNDS_MAX 64 /* of one step; what is left is done in the next */

/* --- what versions are made of -------------------------------------------------------------------------------------
 */

static struct runnable *find_runnable(const struct service *service, const struct rollout_hash *hash)
{
    struct runnable *runnable;
    LL_FOREACH (service->runnables, runnable) {
        if (rollout_hash_equal(&runnable->hash, hash))
            return runnable;
    }
    return NULL;
}

static struct configuration *find_configuration(const struct service *service, const struct rollout_hash *hash)
{
    struct configuration *configuration;
    LL_FOREACH (service->configurations, configuration) {
        if (rollout_hash_equal(&configuration->hash, hash))
            return configuration;
    }
    return NULL;
}

/* What is known already is replaced: the same bytes, but maybe made elsewhere. */
void rolling_keep(struct service *service, struct runnable *runnable)
{
    struct runnable *known = find_runnable(service, &runnable->hash);
    if (known != NULL) {
        LL_DELETE(service->runnables, known);
        (void)runnable_unref(known);
    }
    LL_PREPEND(service->runnables, runnable);
}

/* False when there is no memory. */
static bool keep_configuration(struct service *service, const struct rollout_hash *hash, struct wanted *wanted)
{
    struct configuration *configuration = find_configuration(service, hash);
    if (configuration == NULL) {
        configuration = calloc(1, sizeof(*configuration));
        if (configuration == NULL)
            return false;
        configuration->hash = *hash;
        LL_PREPEND(service->configurations, configuration);
    }
    struct wanted *before = configuration->wanted;
    configuration->wanted = wanted_ref(wanted);
    (void)wanted_unref(before);
    return true;
}

typedef bool uses_fn(const struct rollout_version *version, const struct rollout_hash *hash);

static bool uses_artefact(const struct rollout_version *version, const struct rollout_hash *hash)
{
    return rollout_hash_equal(&version->artefact, hash);
}

static bool uses_configuration(const struct rollout_version *version, const struct rollout_hash *hash)
{
    return rollout_hash_equal(&version->configuration, hash);
}

static bool is_used(const struct service *service, uses_fn *uses, const struct rollout_hash *hash)
{
    const struct rollout *rollout = &service->rollout;
    const struct rollout_version *const versions[] = {
        &rollout->active.version, &rollout->leaving.version, &rollout->candidate.version, &rollout->previous,
        &rollout->home,           &rollout->pending.version, &rollout->wanted.version,    &service->version};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (uses(versions[i], hash))
            return true;
    for (unsigned i = 0; i < rollout->memory.stable_count; i++)
        if (uses(&rollout->memory.stable[i], hash))
            return true;
    return false;
}

static void drop_unused(struct service *service)
{
    struct runnable *runnable, *next;
    struct configuration *configuration, *after;
    LL_FOREACH_SAFE(service->runnables, runnable, next)
    {
        if (is_used(service, uses_artefact, &runnable->hash))
            continue;
        LL_DELETE(service->runnables, runnable);
        (void)runnable_unref(runnable);
    }
    LL_FOREACH_SAFE(service->configurations, configuration, after)
    {
        if (is_used(service, uses_configuration, &configuration->hash) || configuration->wanted == service->wanted)
            continue;
        LL_DELETE(service->configurations, configuration);
        (void)wanted_unref(configuration->wanted);
        free(configuration);
    }
}

/* --- effects -------------------------------------------------------------------------------------------------------
 */

static const char *short_artefact(const struct rollout_version *version, char buffer[ROLLOUT_HASH_SHORT_SIZE])
{
    return rollout_hash_short(&version->artefact, buffer);
}

static void end_obtaining(struct service *service, uint64_t now_ms)
{
    service->obtaining = obtaining_free(service->obtaining, now_ms);
    event_remove(&service->host->events, &service->obtained_event);
    service->news = NO_NEWS;
    service->repairing = false;
}

/* A driver that is there needs nobody's help. */
static void obtain(struct service *service, const struct rollout_version *version, uint64_t now_ms)
{
    const struct configuration *configuration = find_configuration(service, &version->configuration);
    const bool anew = service->asked && service->obtaining != NULL && service->obtaining->machine.build_failed;
    end_obtaining(service, now_ms);
    service->asked = false;
    service->version = *version;
    (void)snprintf(service->news_reason, sizeof(service->news_reason), "no memory to start it");
    service->news = IS_NOT_OBTAINED;
    if (configuration == NULL)
        return;
    if (configuration->wanted->service.origin != NULL) {
        service->obtaining = obtaining_new(service, configuration->wanted);
        if (service->obtaining == NULL)
            return;
        service->news = NO_NEWS;
        service->obtaining->machine.build_failed = anew;
        obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
        return;
    }
    struct runnable *runnable = runnable_of_program(service->host, configuration->wanted);
    if (runnable == NULL)
        return;
    service->version.artefact = runnable->hash;
    rolling_keep(service, runnable);
    service->news = IS_OBTAINED;
}

/* One by one beside what serves; where nothing does, all at once. */
static void start(struct service *service, const struct rollout_generation *what, uint64_t now_ms)
{
    char hash[ROLLOUT_HASH_SHORT_SIZE];
    struct runnable *runnable = find_runnable(service, &what->version.artefact);
    const struct configuration *configuration = find_configuration(service, &what->version.configuration);
    if (runnable != NULL && configuration != NULL)
        service->candidate = generation_new(service, what->number, configuration->wanted, runnable);
    service->not_started = service->candidate == NULL;
    if (service->not_started)
        return;
    if (service->paused && service->rollout.purpose == ROLLOUT_FOR_FIRST)
        return; /* the restart by hand starts it */
    note_tell(service, what->number, "started", "%s", short_artefact(&what->version, hash));
    if (service->rollout.purpose == ROLLOUT_FOR_CHANGE)
        generation_start_next(service->candidate, now_ms);
    else
        generation_event(service->candidate, SUPERVISE_ON_RESTART, now_ms);
}

static void switch_over(struct service *service, uint64_t number)
{
    char hash[ROLLOUT_HASH_SHORT_SIZE];
    service->previous = service->current != NULL ? service->current->number : 0;
    if (service->current != NULL)
        LL_PREPEND(service->retired, service->current);
    service->current = service->candidate;
    service->candidate = NULL;
    service->reason[0] = '\0';
    service->restarting = service->paused = false;
    service->count_due_ms = 0;
    service->counted = false;
    service->counted_before = (struct host_tally){0};
    service->counted_until_ms = service->rollout.trial.until_ms;
    event_push(&service->host->events, &service->switch_event);
    note_tell(service, number, "switched", "calls go to %s", short_artefact(&service->rollout.active.version, hash));
}

static void retire(struct service *service, uint64_t number, uint64_t now_ms)
{
    struct generation *retired;
    if (service->candidate != NULL && service->candidate->number == number) {
        LL_PREPEND(service->retired, service->candidate);
        service->candidate = NULL;
    } else if (service->current != NULL && service->current->number == number) { /* all of it ends */
        LL_PREPEND(service->retired, service->current);
        service->current = NULL;
    }
    LL_FOREACH (service->retired, retired) {
        if (retired->number == number)
            generation_event(retired, SUPERVISE_ON_DRAIN, now_ms);
    }
}

static void save(struct service *service)
{
    struct drover_error error = {0};
    if (service->host->memory == NULL || service->removed)
        return;
    if (remember_save(service->host->memory, service->name, &service->rollout.memory, &error) != DROVER_OK)
        note_tell(service, 0, "not-saved", "what is stable is not known after a restart: %s", error.text);
}

static void tell_marks(struct service *service, const struct rollout_output *output)
{
    char hash[ROLLOUT_HASH_SHORT_SIZE];
    if (output->effects & ROLLOUT_DO_QUARANTINE)
        note_tell(service, 0, "quarantined", "%s", service->rollout.reason);
    if (output->effects & ROLLOUT_DO_MARK_STABLE)
        note_tell(service, service->rollout.active.number, "stable", "%s has proved stable",
                  short_artefact(&output->stable, hash));
}

/* What was wanted serves already: by hand, its workers are restarted at least. */
static void forget(struct service *service, enum rollout_event event, uint64_t now_ms)
{
    char hash[ROLLOUT_HASH_SHORT_SIZE];
    if (event == ROLLOUT_ON_OBTAINED)
        note_tell(service, service->rollout.active.number, "unchanged", "%s is what serves",
                  short_artefact(&service->version, hash));
    service->change_reason[0] = '\0';
    if (service->restarting && service->current != NULL)
        generation_event(service->current, SUPERVISE_ON_RESTART, now_ms);
    service->restarting = false;
}

static void give_up(struct service *service, enum rollout_event event)
{
    const char *reason = event == ROLLOUT_ON_OBTAIN_FAILED ? service->news_reason : service->rollout.reason;
    (void)snprintf(service->change_reason, sizeof(service->change_reason), "%s", reason);
    note_tell(service, 0, "given-up", "%s", reason);
    service->restarting = false; /* what runs is better than what is there now */
}

static void carry_out(struct service *service, const struct rollout_output *output, enum rollout_event event,
                      uint64_t now_ms)
{
    const unsigned effects = output->effects;
    if (effects & ROLLOUT_DO_CANCEL_OBTAIN)
        end_obtaining(service, now_ms);
    tell_marks(service, output);
    if (effects & ROLLOUT_DO_QUARANTINE)
        (void)snprintf(service->change_reason, sizeof(service->change_reason), "%s", service->rollout.reason);
    if (effects & ROLLOUT_DO_SAVE)
        save(service);
    if (effects & ROLLOUT_DO_SWITCH) {
        (void)snprintf(service->change_reason, sizeof(service->change_reason), "%s", service->rollout.reason);
        switch_over(service, output->switch_to);
    }
    for (unsigned i = 0; i < output->retire_count; i++)
        retire(service, output->retire[i], now_ms);
    if (effects & ROLLOUT_DO_FORGET)
        forget(service, event, now_ms);
    if (effects & ROLLOUT_DO_GIVE_UP)
        give_up(service, event);
    if (effects & ROLLOUT_DO_OBTAIN)
        obtain(service, &output->obtain, now_ms);
    if (effects & ROLLOUT_DO_START)
        start(service, &output->start, now_ms);
    if ((effects & ROLLOUT_DO_SELF_TEST) && service->candidate != NULL && service->candidate->number == output->test)
        testing_begin(service->candidate);
    else if ((effects & ROLLOUT_DO_SELF_TEST) && service->current != NULL && service->current->number == output->test)
        testing_begin(service->current);
}

static void apply(struct service *service, struct rollout_input *input, uint64_t now_ms)
{
    struct rollout_output output;
    input->now_ms = now_ms;
    rollout_apply(&service->rollout, input, &output);
    carry_out(service, &output, input->event, now_ms);
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

/* Can this version be started without being obtained? Its pin and its configuration are those of today, or it is not
 * what the configuration says. */
static bool is_startable(struct service *service, const struct rollout_version *version)
{
    const struct rollout_hash configuration = wanted_configuration(service->wanted);
    const struct host_origin *origin = service->wanted->service.origin;
    char artefact[ROLLOUT_HASH_TEXT_SIZE];
    (void)rollout_hash_text(&version->artefact, artefact);
    if (!rollout_hash_equal(&version->configuration, &configuration) ||
        (origin != NULL && origin->pin != NULL && strcmp(origin->pin, artefact) != 0))
        return false;
    if (find_runnable(service, &version->artefact) != NULL)
        return true;
    struct runnable *runnable = origin != NULL ? runnable_in_store(service->host, &version->artefact)
                                               : runnable_of_program(service->host, service->wanted);
    if (runnable == NULL)
        return false;
    const bool same = rollout_hash_equal(&runnable->hash, &version->artefact);
    rolling_keep(service, runnable);
    return same;
}

static void forget_unstartable(struct service *service, struct rollout_memory *memory)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < memory->stable_count; i++)
        if (is_startable(service, &memory->stable[i]))
            memory->stable[kept++] = memory->stable[i];
    memory->stable_count = kept;
}

void rolling_init(struct service *service)
{
    struct rollout_memory memory = {0};
    struct drover_error error = {0};
    if (service->host->memory != NULL &&
        remember_load(service->host->memory, service->name, &memory, &error) != DROVER_OK)
        note_tell(service, 0, "not-remembered", "%s", error.text);
    forget_unstartable(service, &memory);
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
    (void)keep_configuration(service, &version.configuration, service->wanted); /* without it, obtain() says so */
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
    (void)keep_configuration(service, configuration, service->current->wanted);
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
static void ask_for_counts(struct service *service, uint64_t now_ms)
{
    if (!service->rollout.trial.running || service->current == NULL || now_ms < service->count_due_ms)
        return;
    service->count_due_ms = now_ms + COUNT_EVERY_MS;
    event_push(&service->host->events, &service->count_event);
}

void rolling_step(struct service *service, uint64_t now_ms)
{
    for (unsigned round = 0; round < ROUNDS_MAX && tell_something(service, now_ms); round++)
        ;
    ask_for_counts(service, now_ms);
    drop_unused(service);
}

uint64_t rolling_next_ms(const struct service *service)
{
    const uint64_t due_ms = service->rollout.due_ms;
    if (service->news != NO_NEWS || service->not_started)
        return 0;
    const bool counts = service->rollout.trial.running && service->current != NULL;
    return counts && service->count_due_ms < due_ms ? service->count_due_ms : due_ms;
}
