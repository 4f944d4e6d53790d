/* grouping.c - services of a host that switch together */
#include "worker/host/grouping.h"

#include <stdio.h>
#include <stdlib.h>

#include <utlist.h>

#include "worker/host/note.h"
#include "worker/host/rolling.h"
#include "worker/rollout/group.h"

static struct group *find(const struct host *host, uint64_t number)
{
    struct group *group;
    LL_FOREACH (host->groups, group) {
        if (group->number == number)
            return group;
    }
    return NULL;
}

/* The note of its end is made with it, so that nobody waits for a group in vain. */
static struct group *add(struct host *host, uint64_t number)
{
    struct group *group = calloc(1, sizeof(*group));
    struct note *note = note_new(HOST_GROUP, NULL);
    if (group == NULL || note == NULL) {
        (void)note_free(note);
        free(group);
        return NULL;
    }
    group->number = note->group = number;
    group->note = note;
    LL_PREPEND(host->groups, group);
    return group;
}

static void drop(struct host *host, struct group *group)
{
    LL_DELETE(host->groups, group);
    (void)note_free(group->note);
    free(group->members);
    free(group);
}

bool groups_reserve(struct host *host, uint64_t number)
{
    struct group *group = find(host, number);
    if (group == NULL)
        group = add(host, number);
    if (group == NULL)
        return false;
    struct service **members = realloc(group->members, (group->count + 1) * sizeof(*members));
    if (members != NULL)
        group->members = members;
    return members != NULL;
}

void groups_join(struct host *host, uint64_t number, struct service *service)
{
    struct group *group = find(host, number);
    if (group != NULL && service != NULL)
        group->members[group->count++] = service;
}

static void blame(struct group *group, const char *service, const char *reason)
{
    group->note->given_up = true;
    (void)snprintf(group->note->service, sizeof(group->note->service), "%s", service);
    (void)snprintf(group->note->text, sizeof(group->note->text), "%s", reason);
}

void groups_leave(struct host *host, const struct service *service)
{
    struct group *group;
    LL_FOREACH (host->groups, group) {
        for (size_t i = 0; i < group->count; i++) {
            if (group->members[i] != service)
                continue;
            group->members[i] = group->members[--group->count];
            blame(group, service->name, "it was taken away");
            group->broken = true;
            i--;
        }
    }
}

uint64_t groups_of(const struct service *service)
{
    const struct group *group;
    LL_FOREACH (service->host->groups, group) {
        for (size_t i = 0; i < group->count; i++)
            if (group->members[i] == service)
                return group->number;
    }
    return 0;
}

/* What was to wait for the group is done now; after one that was given up all are set anew, which looks for it. */
static void take_up(struct service *service, bool given_up, uint64_t now_ms)
{
    if (service->source_waits && !given_up)
        rolling_change(service, false, 0, now_ms);
    service->source_waits = false;
}

static void finish(struct host *host, struct group *group, uint64_t now_ms)
{
    struct note *note = group->note;
    for (size_t i = 0; i < group->count; i++)
        take_up(group->members[i], note->given_up, now_ms);
    group->note = NULL;
    note_push(host, note);
    drop(host, group);
}

static enum rollout_verdict judge(const struct group *group, size_t *ret_culprit)
{
    const struct rollout **rollouts = calloc(group->count + 1, sizeof(const struct rollout *));
    if (rollouts == NULL)
        return ROLLOUT_GROUP_WAIT; /* the next step may have memory */
    for (size_t i = 0; i < group->count; i++)
        rollouts[i] = &group->members[i]->rollout;
    const enum rollout_verdict verdict = rollout_group_judge(rollouts, group->count, group->number, ret_culprit);
    free(rollouts);
    return verdict;
}

/* The note says because of whom. */
static void abandon(struct host *host, struct group *group, uint64_t now_ms)
{
    char reason[REASON_SIZE];
    (void)snprintf(reason, sizeof(reason), "service '%.64s' cannot change", group->note->service);
    for (size_t i = 0; i < group->count; i++)
        rolling_abandon(group->members[i], group->number, reason, now_ms);
    finish(host, group, now_ms);
}

static bool step(struct host *host, struct group *group, uint64_t now_ms)
{
    size_t index = 0;
    if (group->broken) {
        abandon(host, group, now_ms);
        return true;
    }
    if (group->count == 0) { /* its first service could not be set: whoever did was told */
        drop(host, group);
        return false;
    }
    const struct service *culprit = NULL;
    switch (judge(group, &index)) {
    case ROLLOUT_GROUP_WAIT:
        return false;
    case ROLLOUT_GROUP_RELEASE:
        for (size_t i = 0; i < group->count; i++)
            rolling_release(group->members[i], group->number, now_ms);
        return true;
    case ROLLOUT_GROUP_ABANDON:
        culprit = group->members[index];
        blame(group, culprit->name,
              culprit->change_reason[0] != '\0' ? culprit->change_reason : "it was changed once more");
        abandon(host, group, now_ms);
        return true;
    case ROLLOUT_GROUP_DONE:
        finish(host, group, now_ms);
        return true;
    }
    return false;
}

bool groups_step(struct host *host, uint64_t now_ms)
{
    struct group *group, *next;
    bool told = false;
    LL_FOREACH_SAFE(host->groups, group, next)
    {
        told |= step(host, group, now_ms);
    }
    return told;
}

void groups_free(struct host *host)
{
    while (host->groups != NULL)
        drop(host, host->groups);
}
