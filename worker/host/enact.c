/* enact.c - what the rollout machine says is to be done is done: drivers obtained, generations started, switched, ended
 */
#include "worker/host/enact.h"

#include <stdio.h>

#include <utlist.h>

#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/note.h"
#include "worker/host/obtaining.h"
#include "worker/host/remember.h"
#include "worker/host/runnable.h"
#include "worker/host/testing.h"
#include "worker/host/versions.h"
#include "worker/host/wanted.h"

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
    struct wanted *wanted = versions_wanted(service, &version->configuration);
    const bool anew = service->asked && service->obtaining != NULL && service->obtaining->machine.build_failed;
    end_obtaining(service, now_ms);
    service->asked = false;
    service->version = *version;
    (void)snprintf(service->news_reason, sizeof(service->news_reason), "no memory to start it");
    service->news = IS_NOT_OBTAINED;
    if (wanted == NULL)
        return;
    if (wanted->service.origin != NULL) {
        service->obtaining = obtaining_new(service, wanted);
        if (service->obtaining == NULL)
            return;
        service->news = NO_NEWS;
        service->obtaining->machine.build_failed = anew;
        obtaining_event(service->obtaining, OBTAIN_ON_BEGIN, now_ms);
        return;
    }
    struct runnable *runnable = runnable_of_program(service->host, wanted);
    if (runnable == NULL)
        return;
    service->version.artefact = runnable->hash;
    versions_keep(service, runnable);
    service->news = IS_OBTAINED;
}

/* One by one beside what serves; where nothing does, all at once. */
static void start(struct service *service, const struct rollout_generation *what, uint64_t now_ms)
{
    char hash[ROLLOUT_HASH_SHORT_SIZE];
    struct runnable *runnable = versions_runnable(service, &what->version.artefact);
    struct wanted *wanted = versions_wanted(service, &what->version.configuration);
    if (runnable != NULL && wanted != NULL)
        service->candidate = generation_new(service, what->number, wanted, runnable);
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

static void test(const struct service *service, uint64_t number)
{
    struct generation *const some[] = {service->candidate, service->current};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        if (some[i] != NULL && some[i]->number == number)
            testing_begin(some[i]);
}

void enact(struct service *service, const struct rollout_output *output, enum rollout_event event, uint64_t now_ms)
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
    if (effects & ROLLOUT_DO_SELF_TEST)
        test(service, output->test);
}
