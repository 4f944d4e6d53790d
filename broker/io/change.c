/* change.c - see change.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/io/change.h"
#include "broker/io/log.h"
#include "broker/io/tell.h"
#include "common/base/text.h"

enum { OUTCOMES = 16 };

enum phase {
    AT_REST,
    STARTING, /* what is new is being started beside what serves */
    CLEARING, /* the new roster is in force: what was removed comes to its end */
    UNDOING,  /* it was given up: what was added comes to its end */
    STOPPED,  /* as is the broker */
};

struct outcome {
    uint64_t number;
    const char *state;
    char service[64];
    char reason[DROVER_ERROR_TEXT_SIZE];
};

struct change {
    struct change_options options;
    enum phase phase;
    struct plan plan; /* of the latest; its roster is what comes into force, and empty when it has been settled */
    uint64_t number;  /* of the latest */
    uint64_t
        group; /* of what is being started; 0: of a single service whose workers may take their settings as they run */
    uint64_t groups;                   /* numbers that were used */
    struct outcome outcomes[OUTCOMES]; /* by number */
};

struct change *change_new(const struct change_options *options)
{
    struct change *change = calloc(1, sizeof(*change));
    if (change != NULL)
        change->options = *options;
    return change;
}

struct change *change_free(struct change *change)
{
    if (change != NULL)
        plan_done(&change->plan);
    free(change);
    return NULL;
}

bool change_is_under_way(const struct change *change)
{
    return change->phase != AT_REST && change->phase != STOPPED;
}

void change_stop(struct change *change)
{
    change->phase = STOPPED;
}

/* ---- what becomes of it ---- */

static struct outcome *outcome_of(struct change *change)
{
    return &change->outcomes[change->number % OUTCOMES];
}

static void blame(struct change *change, const char *service, const char *reason)
{
    struct outcome *outcome = outcome_of(change);
    (void)snprintf(outcome->service, sizeof(outcome->service), "%s", service);
    (void)snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason[0] != '\0' ? reason : "it does not start");
}

static void forgive(struct change *change)
{
    struct outcome *outcome = outcome_of(change);
    outcome->service[0] = outcome->reason[0] = '\0';
}

bool change_describe(const struct change *change, uint64_t number, struct change_report *ret_report)
{
    const struct outcome *outcome = &change->outcomes[number % OUTCOMES];
    if (number == 0 || outcome->number != number)
        return false;
    *ret_report = (struct change_report){.state = outcome->state,
                                         .service = outcome->service,
                                         .reason = outcome->reason,
                                         .plan = number == change->number ? &change->plan : NULL};
    return true;
}

static void tell_begun(const struct change *change)
{
    const struct plan *plan = &change->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_step *step = &plan->steps[i];
        char *text = text_format("change %llu: %s (%s)", (unsigned long long)change->number,
                                 config_action_name(step->action), step->why);
        log_line(LOG_LEVEL_INFO, "service '%s': %s", step->service, text != NULL ? text : "a change");
        history_add(change->options.history, step->service, 0, "change-begun", text != NULL ? text : "");
        free(text);
    }
}

static void tell_end(const struct change *change, const struct outcome *outcome)
{
    const bool done = outcome->reason[0] == '\0';
    char text[sizeof(outcome->reason) + sizeof(outcome->service) + 64];
    (void)snprintf(text, sizeof(text), "change %llu%s%s%s%s", (unsigned long long)change->number,
                   done ? "" : ": service '", outcome->service, done ? "" : "': ", outcome->reason);
    log_line(done ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "the configuration %s: %s",
             done ? "file is in force" : "stays what it was", text);
    history_add(change->options.history, NULL, 0, done ? "configuration-applied" : "configuration-given-up", text);
}

/* The roster that is not in force is of no more use, the steps are for who still asks. */
static void end(struct change *change)
{
    struct outcome *outcome = outcome_of(change);
    outcome->state = outcome->reason[0] == '\0' ? "done" : "given up";
    change->phase = AT_REST;
    roster_done(&change->plan.roster);
    tell_end(change, outcome);
}

/* ---- the host is told what is wanted ---- */

/* Is something started for it? */
static bool starts(const struct plan_step *step)
{
    return step->action == CONFIG_ADD || step->action == CONFIG_REPLACE || step->action == CONFIG_RECONFIGURE;
}

static enum drover_status set_service(const struct change *change, const struct roster *roster, const char *name,
                                      uint64_t group, uint64_t now_ms, struct drover_error *error)
{
    const struct roster_entry *entry = roster_find(roster, name);
    const struct host_service service = roster_host_service(roster, entry);
    return host_set_service(change->options.host, &service, group, now_ms, error);
}

/* For what has run like that before, or runs already, and so can only fail for want of memory. */
static void set_again(const struct change *change, const char *name, uint64_t now_ms)
{
    struct drover_error error = {0};
    if (set_service(change, change->options.roster, name, 0, now_ms, &error) != DROVER_OK)
        log_line(LOG_LEVEL_ERROR, "service '%s' is not what the configuration says: %s", name, error.text);
}

static void remove_service(const struct change *change, const char *name, uint64_t now_ms)
{
    tell_removal(change->options.pair, name);
    host_remove_service(change->options.host, name, now_ms);
}

/* ---- given up ---- */

static void undo_step(const struct change *change, const struct plan_step *step, uint64_t now_ms)
{
    if (step->action == CONFIG_ADD) {
        remove_service(change, step->service, now_ms);
        return;
    }
    tell_service(change->options.pair, roster_find(change->options.roster, step->service)->service);
    set_again(change, step->service, now_ms);
}

/* The first `count` steps were begun; the blame is told already. */
static void give_up(struct change *change, size_t count, uint64_t now_ms)
{
    change->phase = UNDOING;
    for (size_t i = 0; i < count; i++) {
        if (starts(&change->plan.steps[i]))
            undo_step(change, &change->plan.steps[i], now_ms);
    }
}

/* ---- put into force ---- */

/* Drivers that stay as they are: the new roster knows of them what the old one did, and the host what the lock file
 * has noted of them since. */
static void carry_over(const struct change *change, const struct roster *before, uint64_t now_ms)
{
    const struct roster *roster = change->options.roster;
    for (size_t i = 0; i < roster->count; i++) {
        struct roster_entry *entry = &roster->entries[i];
        const struct roster_entry *old = roster_find(before, entry->service->name);
        const struct plan_step *step = plan_find(&change->plan, entry->service->name);
        if (old == NULL || (step != NULL && step->action == CONFIG_REPLACE))
            continue;
        memcpy(entry->obtained, old->obtained, sizeof(entry->obtained));
        if (step == NULL && strcmp(entry->commit, old->commit) != 0)
            set_again(change, entry->service->name, now_ms);
    }
}

static void finish_step(const struct change *change, const struct plan_step *step, uint64_t now_ms)
{
    if (step->action == CONFIG_REMOVE) {
        remove_service(change, step->service, now_ms);
        return;
    }
    tell_service(change->options.pair, roster_find(change->options.roster, step->service)->service);
    if (step->action == CONFIG_ADJUST)
        set_again(change, step->service, now_ms);
}

static void put_into_force(struct change *change, uint64_t now_ms)
{
    const struct roster before = *change->options.roster;
    *change->options.roster = change->plan.roster;
    change->plan.roster = before;
    change->phase = CLEARING;
    for (size_t i = 0; i < change->plan.count; i++)
        finish_step(change, &change->plan.steps[i], now_ms);
    carry_over(change, &change->plan.roster, now_ms);
}

/* ---- begun ---- */

static bool is_ready(const struct change *change, const char *service)
{
    enum host_service_state state = HOST_SERVICE_STOPPED;
    uint64_t generation = 0;
    const char *reason = NULL;
    return host_service_report(change->options.host, service, &state, &generation, &reason) &&
           state == HOST_SERVICE_READY;
}

/* New settings of a service that is ready, and nothing else to start: its workers may take them as they run, which
 * those of a group never do. One that is not ready has to show that it can start, and only a group waits for that. */
static bool is_tuning(const struct change *change)
{
    const struct plan_step *only = NULL;
    for (size_t i = 0; i < change->plan.count; i++) {
        if (!starts(&change->plan.steps[i]))
            continue;
        if (only != NULL)
            return false;
        only = &change->plan.steps[i];
    }
    return only != NULL && only->action == CONFIG_RECONFIGURE && is_ready(change, only->service);
}

static enum drover_status begin_step(const struct change *change, const struct plan_step *step, uint64_t now_ms,
                                     struct drover_error *error)
{
    const struct roster_entry *before = roster_find(change->options.roster, step->service);
    const struct roster_entry *after = roster_find(&change->plan.roster, step->service);
    if (before == NULL)
        tell_service(change->options.pair, after->service);
    else
        tell_interface(change->options.pair, before->service, after->service->interface);
    return set_service(change, &change->plan.roster, step->service, change->group, now_ms, error);
}

static void begin_steps(struct change *change, uint64_t now_ms)
{
    struct drover_error error = {0};
    bool begun = false;
    change->phase = STARTING;
    change->group = is_tuning(change) ? 0 : ++change->groups;
    for (size_t i = 0; i < change->plan.count; i++) {
        const struct plan_step *step = &change->plan.steps[i];
        if (!starts(step))
            continue;
        begun = true;
        if (begin_step(change, step, now_ms, &error) != DROVER_OK) {
            blame(change, step->service, error.text);
            give_up(change, i + 1, now_ms);
            return;
        }
    }
    if (!begun)
        put_into_force(change, now_ms);
}

static enum drover_status may_begin(const struct change *change, const struct plan *plan, struct drover_error *error)
{
    char lines[DROVER_ERROR_TEXT_SIZE] = "";
    if (change->phase == STOPPED)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "the broker is stopping");
    if (change->phase != AT_REST)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "a change is under way: the configuration can be read again when change %llu has ended",
                                (unsigned long long)change->number);
    for (size_t i = 0; i < plan->obstacle_count; i++) {
        const size_t used = strlen(lines);
        (void)snprintf(lines + used, sizeof(lines) - used, "%s%s", used > 0 ? "; " : "", plan->obstacles[i]);
    }
    return plan->obstacle_count > 0 ? drover_error_set(error, DROVER_FAILED_PRECONDITION, "%s", lines) : DROVER_OK;
}

enum drover_status change_begin(struct change *change, struct plan *plan, uint64_t now_ms, uint64_t *ret_number,
                                struct drover_error *error)
{
    if (may_begin(change, plan, error) != DROVER_OK) {
        plan_done(plan);
        return error->status;
    }
    plan_done(&change->plan);
    change->plan = *plan;
    *plan = (struct plan){0};
    change->number++;
    *outcome_of(change) = (struct outcome){.number = change->number, .state = "under way"};
    *ret_number = change->number;
    tell_begun(change);
    begin_steps(change, now_ms);
    return DROVER_OK;
}

/* ---- how it goes on ---- */

/* A single service outside of a group: the end of it shows in what is told of it, and that nothing more is under way.
 */
void change_told(struct change *change, const struct host_event *event)
{
    const bool single = change->phase == STARTING && change->group == 0;
    const struct plan_step *step = single ? plan_find(&change->plan, event->service) : NULL;
    if (step == NULL || !starts(step))
        return;
    if (strcmp(event->what, "given-up") == 0)
        blame(change, event->service, event->reason);
    else if (strcmp(event->what, "switched") == 0 || strcmp(event->what, "reconfigured") == 0)
        forgive(change);
}

/* All new is started, or the blame is told. */
static void conclude(struct change *change, uint64_t now_ms)
{
    if (outcome_of(change)->reason[0] == '\0')
        put_into_force(change, now_ms);
    else
        give_up(change, change->plan.count, now_ms);
}

static bool is_starting(const struct change *change)
{
    for (size_t i = 0; i < change->plan.count; i++) {
        const struct plan_step *step = &change->plan.steps[i];
        if (starts(step) && host_is_changing(change->options.host, step->service))
            return true;
    }
    return false;
}

void change_group_ended(struct change *change, const struct host_event *event, uint64_t now_ms)
{
    if (change->phase != STARTING || event->group != change->group)
        return;
    if (event->given_up)
        blame(change, event->service, event->reason);
    conclude(change, now_ms);
}

/* Are all services gone whose steps are of this kind? */
static bool are_gone(const struct change *change, enum config_action action)
{
    enum host_service_state state;
    uint64_t generation = 0;
    const char *reason = NULL;
    for (size_t i = 0; i < change->plan.count; i++) {
        const struct plan_step *step = &change->plan.steps[i];
        if (step->action == action &&
            host_service_report(change->options.host, step->service, &state, &generation, &reason))
            return false;
    }
    return true;
}

static void end_if_clear(struct change *change)
{
    if ((change->phase == CLEARING && are_gone(change, CONFIG_REMOVE)) ||
        (change->phase == UNDOING && are_gone(change, CONFIG_ADD)))
        end(change);
}

void change_turn(struct change *change, uint64_t now_ms)
{
    if (change->phase == STARTING && change->group == 0 && !is_starting(change))
        conclude(change, now_ms);
    end_if_clear(change);
}

struct roster_entry *change_find(const struct change *change, const char *service)
{
    const struct plan_step *step = change->phase == STARTING ? plan_find(&change->plan, service) : NULL;
    if (step != NULL && starts(step))
        return roster_find(&change->plan.roster, service);
    return roster_find(change->options.roster, service);
}
