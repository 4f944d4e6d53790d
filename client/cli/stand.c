/* stand.c - see stand.h */
#include "client/cli/stand.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static void read_text(const struct drover_value *map, const char *key, char *buffer, size_t size)
{
    struct drover_text text = drover_value_get_text(map, key, "");

    (void)text_printable(text.data, text.size, buffer, size);
}

void stand_read(const struct drover_value *status, struct stand *ret)
{
    const struct drover_value *service = drover_value_at(drover_value_get(status, "services"), 0);
    const struct drover_value *rollout = drover_value_get(service, "rollout");

    *ret = (struct stand){0};
    read_text(drover_value_get(status, "broker"), "incarnation", ret->incarnation, sizeof(ret->incarnation));
    read_text(rollout, "state", ret->state, sizeof(ret->state));
    read_text(rollout, "artefact", ret->artefact, sizeof(ret->artefact));
    read_text(service, "progress", ret->progress, sizeof(ret->progress));
    read_text(service, "last_error", ret->last_error, sizeof(ret->last_error));
    (void)drover_value_uint64(drover_value_get(rollout, "active"), &ret->active);
    (void)drover_value_uint64(drover_value_get(drover_value_get(status, "broker"), "events"), &ret->events);
}

bool stand_is_resting(const char *state)
{
    static const char *const resting[] = {"", "none", "serving", "probation", "stopped"};

    for (size_t i = 0; i < sizeof(resting) / sizeof(resting[0]); i++)
        if (strcmp(state, resting[i]) == 0)
            return true;
    return false;
}

/* The events of a change, one after the other. */
struct course {
    bool withdrawn;   /* what is given up is what was under way before: as it was wanted */
    bool failed;      /* the last attempt was given up */
    bool quarantined; /* what was wanted is: what is switched to from then on is something else */
    char *reason;
};

static void follow_event(struct course *course, enum stand_wish wish, const struct drover_value *event)
{
    struct drover_text what = drover_value_get_text(event, "what", "");

    if (drover_text_equals(what, "switched") && !course->quarantined) {
        course->failed = false;
    } else if (drover_text_equals(what, "given-up") && !course->withdrawn) {
        course->failed = true;
        read_text(event, "text", course->reason, STAND_REASON_SIZE);
    } else if (drover_text_equals(what, "quarantined") && wish == STAND_RELOAD) {
        course->failed = course->quarantined = true;
        read_text(event, "text", course->reason, STAND_REASON_SIZE);
    }
}

enum verdict stand_judge(enum stand_wish wish, const struct stand *before, const struct stand *after,
                         const struct drover_value *events, char *ret_reason)
{
    const struct drover_value *list = drover_value_get(events, "events");
    struct course course = {.withdrawn = wish == STAND_ROLLBACK && !stand_is_resting(before->state),
                            .reason = ret_reason};

    ret_reason[0] = '\0';
    for (size_t i = 0; i < drover_value_count(list); i++)
        follow_event(&course, wish, drover_value_at(list, i));
    if (course.failed)
        return VERDICT_GIVEN_UP;
    if (after->active == 0) {
        (void)snprintf(ret_reason, STAND_REASON_SIZE, "%s",
                       after->last_error[0] != '\0' ? after->last_error : "nothing serves");
        return VERDICT_GIVEN_UP;
    }
    ret_reason[0] = '\0';
    return after->active != before->active ? VERDICT_SWITCHED : VERDICT_UNCHANGED;
}
