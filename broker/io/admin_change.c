/* admin_change.c - the verbs that change what runs: reload, plan, change
 *
 * The shape of their answers is a contract with drover(1).
 */
#include <stdlib.h>

#include "broker/io/admin_change.h"
#include "broker/io/reloader.h"

static void put_lines(struct drover_writer *writer, const char *key, char *const *lines, size_t count)
{
    drover_write_string(writer, key);
    drover_write_array(writer, count);
    for (size_t i = 0; i < count; i++)
        drover_write_string(writer, lines[i]);
}

static void put_steps(struct drover_writer *writer, const struct plan *plan)
{
    drover_write_string(writer, "steps");
    drover_write_array(writer, plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        drover_write_map(writer, 3);
        put_text(writer, "service", plan->steps[i].service);
        put_text(writer, "action", config_action_name(plan->steps[i].action));
        put_text(writer, "why", plan->steps[i].why);
    }
}

/* ---- reload ---- */

/* A driver from a repository may be held to another commit by now ('drover lock update'): then it is another one. */
static enum drover_status reload_service(const struct request *request)
{
    const struct admin *admin = request->admin;
    struct roster_entry *entry = NULL;
    bool changed = false, force = false;
    (void)drover_value_bool(drover_value_get(request->map, "force"), &force);
    if (request_need_service(request, &entry) != DROVER_OK ||
        lockkeeper_refresh(admin->keeper, request->error) != DROVER_OK ||
        roster_look_up(entry, admin->keeper, &changed, request->error) != DROVER_OK)
        return request->error->status;
    drover_write_map(request->writer, 0);
    const struct host_service service = roster_host_service(admin->roster, entry);
    if (changed && host_set_service(admin->host, &service, 0, request->now_ms, request->error) != DROVER_OK)
        return request->error->status;
    if (changed && !force)
        return DROVER_OK; /* it is on its way */
    return host_reload(admin->host, request->service, force, request->now_ms, request->error);
}

static enum drover_status reload_configuration(const struct request *request)
{
    const struct admin *admin = request->admin;
    struct plan plan;
    struct change_report report = {.plan = &plan};
    uint64_t number = 0;
    const enum drover_status status = reloader_read(admin->reloader, request->now_ms, &plan, &number, request->error);
    if (status == DROVER_OK) {
        (void)change_describe(admin->reloader->change, number, &report);
        drover_write_map(request->writer, 3);
        put_number(request->writer, "change", number);
        put_lines(request->writer, "mistakes", plan.mistakes.lines, plan.mistakes.count);
        put_steps(request->writer, report.plan);
    }
    plan_done(&plan);
    return status;
}

enum drover_status verb_reload(const struct request *request)
{
    return request->service != NULL ? reload_service(request) : reload_configuration(request);
}

/* ---- change ---- */

static void put_services(const struct request *request, const struct plan *plan)
{
    const struct host *host = request->admin->host;
    struct drover_writer *writer = request->writer;
    drover_write_string(writer, "services");
    drover_write_array(writer, plan != NULL ? plan->count : 0);
    for (size_t i = 0; plan != NULL && i < plan->count; i++) {
        struct host_rollout_report rollout = {.state = "none"};
        (void)host_rollout_report(host, plan->steps[i].service, &rollout);
        drover_write_map(writer, 4);
        put_text(writer, "name", plan->steps[i].service);
        put_text(writer, "action", config_action_name(plan->steps[i].action));
        put_text(writer, "rollout", rollout.state);
        put_text(writer, "progress", host_service_progress(host, plan->steps[i].service));
    }
}

enum drover_status verb_change(const struct request *request)
{
    struct change_report report;
    uint64_t number = 0;
    if (!drover_value_uint64(drover_value_get(request->map, "change"), &number))
        return drover_error_set(request->error, DROVER_INVALID_ARGUMENT, "the request names no change by its number");
    if (!change_describe(request->admin->reloader->change, number, &report))
        return drover_error_set(request->error, DROVER_NOT_FOUND, "change %llu was never begun, or is over long since",
                                (unsigned long long)number);
    drover_write_map(request->writer, 4);
    put_text(request->writer, "state", report.state);
    put_text(request->writer, "service", report.service);
    put_text(request->writer, "reason", report.reason);
    put_services(request, report.plan);
    return DROVER_OK;
}

/* ---- plan ---- */

enum drover_status verb_plan(const struct request *request)
{
    const struct admin *admin = request->admin;
    struct drover_text text = {0};
    struct plan plan;
    char *file = NULL;
    if (drover_value_text(drover_value_get(request->map, "file"), &text) && (file = drover_text_dup(text)) == NULL)
        return drover_error_set(request->error, DROVER_RESOURCE_EXHAUSTED, "no memory for a plan");
    const enum drover_status status = plan_make(&plan, file, admin->roster, admin->keeper, request->error);
    if (status == DROVER_OK) {
        drover_write_map(request->writer, 3);
        put_lines(request->writer, "mistakes", plan.mistakes.lines, plan.mistakes.count);
        put_lines(request->writer, "obstacles", plan.obstacles, plan.obstacle_count);
        put_steps(request->writer, &plan);
    }
    plan_done(&plan);
    free(file);
    return status;
}
