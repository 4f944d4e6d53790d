/* testing.c - the self-test of a generation */
#include "worker/host/testing.h"

#include <stdio.h>

#include "worker/host/child.h"
#include "worker/host/event.h"
#include "worker/host/runnable.h"
#include "worker/host/wanted.h"

const struct host_self_test *testing_question(const struct generation *generation)
{
    const struct host_self_test *own = &generation->wanted->service.self_test;
    return own->method != NULL ? own : &generation->runnable->self_test;
}

void testing_begin(struct generation *generation)
{
    for (unsigned i = 0; i < generation->count; i++) {
        struct replica *replica = &generation->replicas[i];
        replica->tested = NOT_ASKED;
        if (replica->child == NULL || replica->machine.state != SUPERVISE_READY)
            continue; /* it has just died, as the rollout is about to learn, or is the next one to come */
        replica->tested = ASKED;
        event_push(&generation->service->host->events, &replica->child->probe);
    }
}

void testing_take(struct replica *replica, enum drover_status status, const char *text)
{
    struct generation *generation = replica->generation;
    const struct host_self_test *test = testing_question(generation);
    if (replica->tested != ASKED)
        return;
    replica->tested = status == test->expect ? ANSWERED_WELL : ANSWERED_BADLY;
    if (replica->tested == ANSWERED_BADLY)
        (void)snprintf(generation->why, sizeof(generation->why), "'%.64s' answered %s, not %s%s%.200s",
                       test->method != NULL ? test->method : "nothing", drover_status_name(status),
                       drover_status_name(test->expect), text[0] != '\0' ? ": " : "", text);
}

enum answer testing_judge(struct generation *generation)
{
    unsigned asked = 0, well = 0, badly = 0;
    for (unsigned i = 0; i < generation->count; i++) {
        const enum answer answer = generation->replicas[i].tested;
        asked += answer == ASKED;
        well += answer == ANSWERED_WELL;
        badly += answer == ANSWERED_BADLY;
    }
    if (badly == 0 && (asked > 0 || well == 0))
        return NOT_ASKED;
    for (unsigned i = 0; i < generation->count; i++)
        generation->replicas[i].tested = NOT_ASKED;
    return badly > 0 ? ANSWERED_BADLY : ANSWERED_WELL;
}
