/* tuning.c - new settings for a generation that serves, without a restart */
#include "worker/host/tuning.h"

#include <string.h>

#include "worker/host/child.h"
#include "worker/host/event.h"
#include "worker/host/generation.h"
#include "worker/host/note.h"
#include "worker/host/wanted.h"

bool tuning_is_possible(const struct service *service, const struct wanted *wanted)
{
    const enum rollout_state state = service->rollout.state;
    const struct generation *current = service->current;
    return current != NULL && (state == ROLLOUT_SERVING || state == ROLLOUT_PROBATION) && !service->paused &&
           service->tuning.wanted == NULL && current->wanted == service->wanted &&
           generation_census(current).ready == current->count &&
           wanted_differ_in_settings_only(current->wanted, wanted);
}

static void ask(struct generation *generation)
{
    for (unsigned i = 0; i < generation->count; i++) {
        struct replica *replica = &generation->replicas[i];
        replica->tuned = NOT_ASKED;
        if (replica->child == NULL || replica->machine.state != SUPERVISE_READY)
            continue; /* one that starts is given what the generation has */
        replica->tuned = ASKED;
        event_push(&generation->service->host->events, &replica->child->reconfigure);
    }
}

void tuning_begin(struct service *service, struct wanted *wanted, const struct rollout_hash *configuration)
{
    service->tuning = (struct tuning){.wanted = wanted_ref(wanted), .configuration = *configuration};
    ask(service->current);
}

void tuning_take(struct replica *replica, bool taken, const char *text)
{
    if (replica->tuned != ASKED)
        return;
    replica->tuned = taken ? ANSWERED_WELL : ANSWERED_BADLY;
    if (!taken && !replica->generation->service->tuning.back)
        note_tell(replica->generation->service, replica->generation->number, "not-reconfigured", "%.300s",
                  text[0] != '\0' ? text : "the driver cannot take settings as it runs");
}

void tuning_end(struct service *service)
{
    (void)wanted_unref(service->tuning.wanted);
    service->tuning = (struct tuning){0};
}

enum answer tuning_judge(struct service *service)
{
    unsigned asked = 0, well = 0;
    struct generation *current = service->current;
    if (service->tuning.wanted == NULL)
        return NOT_ASKED;
    for (unsigned i = 0; current != NULL && i < current->count; i++) {
        asked += current->replicas[i].tuned == ASKED;
        well += current->replicas[i].tuned == ANSWERED_WELL;
    }
    if (asked > 0)
        return ASKED;
    if (!service->tuning.back && current != NULL && well == current->count)
        return ANSWERED_WELL;
    if (well == 0 || service->tuning.back)
        return ANSWERED_BADLY;
    service->tuning.back = true;
    ask(current);
    return ASKED;
}
