/* plan.c - see plan.h */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/io/plan.h"
#include "common/base/text.h"
#include "common/load/load.h"

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for a plan");
}

/* `line` is taken, and may be NULL for want of memory. */
static enum drover_status add_mistake(struct plan *plan, char *line, struct drover_error *error)
{
    plan->mistakes.lines = line != NULL ? calloc(1, sizeof(*plan->mistakes.lines)) : NULL;
    if (plan->mistakes.lines == NULL) {
        free(line);
        return no_memory(error);
    }
    plan->mistakes.lines[0] = line;
    plan->mistakes.count = 1;
    return DROVER_OK;
}

/* Nobody may let the broker wait at a FIFO. */
static bool can_be_read(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || S_ISREG(about.st_mode);
}

/* ---- steps ---- */

/* `why` is copied. False when there is no memory. */
static bool add_step(struct plan *plan, const char *service, enum config_action action, const char *why)
{
    struct plan_step step = {.service = strdup(service), .action = action, .why = strdup(why != NULL ? why : "")};
    struct plan_step *steps = realloc(plan->steps, (plan->count + 1) * sizeof(*steps));
    if (steps != NULL)
        plan->steps = steps;
    if (steps == NULL || step.service == NULL || step.why == NULL) {
        free(step.service);
        free(step.why);
        return false;
    }
    plan->steps[plan->count++] = step;
    return true;
}

static bool take_steps(struct plan *plan, const struct config_diff *diff)
{
    for (size_t i = 0; i < diff->step_count; i++) {
        const struct config_step *step = &diff->steps[i];
        if (!add_step(plan, step->service, step->action, step->why))
            return false;
    }
    return true;
}

static void take_obstacles(struct plan *plan, struct config_diff *diff)
{
    plan->obstacles = diff->obstacles;
    plan->obstacle_count = diff->obstacle_count;
    diff->obstacles = NULL;
    diff->obstacle_count = 0;
}

static struct plan_step *find_step(const struct plan *plan, const char *service)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->steps[i].service, service) == 0)
            return &plan->steps[i];
    }
    return NULL;
}

/* A step from the lock file: `entry` is held to another commit than the one that its driver is at. */
static bool add_moved(struct plan *plan, const struct roster_entry *entry, const char *from)
{
    struct plan_step *step = find_step(plan, entry->service->name);
    char *why = text_format("%s%sdrover.lock: commit %.12s, not %.12s", step != NULL ? step->why : "",
                            step != NULL && step->why[0] != '\0' ? ", " : "", entry->commit, from);
    bool good = why != NULL;
    if (good && step == NULL)
        good = add_step(plan, entry->service->name, CONFIG_REPLACE, why);
    if (!good || step == NULL) {
        free(why);
        return good;
    }
    if (step->action == CONFIG_ADJUST || step->action == CONFIG_RECONFIGURE)
        step->action = CONFIG_REPLACE;
    free(step->why);
    step->why = why;
    return true;
}

static bool follow_lock(struct plan *plan, const struct roster *in_force)
{
    for (size_t i = 0; i < plan->roster.count; i++) {
        const struct roster_entry *entry = &plan->roster.entries[i];
        const struct roster_entry *before = roster_find(in_force, entry->service->name);
        const char *from = before != NULL ? roster_commit(before) : "";
        if (entry->commit[0] != '\0' && from[0] != '\0' && strcmp(entry->commit, from) != 0 &&
            !add_moved(plan, entry, from))
            return false;
    }
    return true;
}

static enum drover_status compare(struct plan *plan, const struct roster *in_force, struct drover_error *error)
{
    struct config_diff *diff = NULL;
    if (config_compare(in_force->config, plan->roster.config, &diff) != DROVER_OK)
        return no_memory(error);
    const bool good = take_steps(plan, diff) && follow_lock(plan, in_force);
    take_obstacles(plan, diff);
    config_diff_free(diff);
    return good ? DROVER_OK : no_memory(error);
}

enum drover_status plan_make(struct plan *plan, const char *path, const struct roster *in_force,
                             struct lockkeeper *keeper, struct drover_error *error)
{
    const char *place = in_force->config->path, *file = path != NULL ? path : place;
    struct config *config = NULL;
    struct drover_error mistake = {0};
    char hash[HOST_HASH_SIZE];
    *plan = (struct plan){0};
    if (!can_be_read(file))
        return add_mistake(plan, text_format("%s: it is no regular file, which is what a running broker reads", file),
                           error);
    roster_hash_file(file, hash);
    if (load_config_as(file, place, &config, &plan->mistakes) != DROVER_OK)
        return plan->mistakes.count > 0 ? DROVER_OK : no_memory(error);
    if (lockkeeper_refresh(keeper, &mistake) != DROVER_OK) {
        config_free(config);
        return add_mistake(plan, strdup(mistake.text), error);
    }
    if (roster_init(&plan->roster, &config, keeper, in_force->worker_program, error) != DROVER_OK)
        return error->status;
    memcpy(plan->roster.file_hash, hash, sizeof(hash));
    return compare(plan, in_force, error);
}

const struct plan_step *plan_find(const struct plan *plan, const char *service)
{
    return find_step(plan, service);
}

void plan_done(struct plan *plan)
{
    config_messages_done(&plan->mistakes);
    roster_done(&plan->roster);
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].service);
        free(plan->steps[i].why);
    }
    for (size_t i = 0; i < plan->obstacle_count; i++)
        free(plan->obstacles[i]);
    free(plan->steps);
    free(plan->obstacles);
    *plan = (struct plan){0};
}
