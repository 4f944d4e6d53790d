/* status_view.c - the broker's answer to `status`; see status_view.h */
#include "client/cli/status_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/rollout_view.h"
#include "common/base/text.h"

#define CELL_SIZE 512 /* a reason has to fit: hashes are long, and two of them matter */

/* The documented order of a map's keys; `inner` is the order within a key's value, or within each entry of its list. */
struct shape {
    const char *key;
    const struct shape *inner;
};

static const struct shape worker_shape[] = {{"pid", NULL},        {"host", NULL},     {"state", NULL},
                                            {"generation", NULL}, {"artefact", NULL}, {"restarts", NULL},
                                            {"in_flight", NULL},  {"sandbox", NULL},  {NULL, NULL}};
static const struct shape service_shape[] = {
    {"name", NULL},       {"interface", NULL},  {"driver", NULL},          {"kind", NULL},
    {"state", NULL},      {"generation", NULL}, {"replicas", NULL},        {"queued", NULL},
    {"calls", NULL},      {"failed", NULL},     {"workers", worker_shape}, {"progress", NULL},
    {"last_error", NULL}, {NULL, NULL}};
static const struct shape broker_shape[] = {
    {"version", NULL}, {"incarnation", NULL}, {"uptime_s", NULL}, {"pid", NULL}, {NULL, NULL}};
static const struct shape status_shape[] = {{"broker", broker_shape}, {"services", service_shape}, {NULL, NULL}};

static const struct shape *find_shape(const struct shape *shape, const struct drover_value *key)
{
    struct drover_text text;

    if (!drover_value_text(key, &text))
        return NULL;
    for (; shape->key != NULL; shape++)
        if (drover_text_equals(text, shape->key))
            return shape;
    return NULL;
}

static void copy_in_order(struct drover_writer *writer, const struct drover_value *value, const struct shape *shape);

static void copy_map(struct drover_writer *writer, const struct drover_value *map, const struct shape *shape)
{
    size_t count = drover_value_count(map);

    drover_write_map(writer, count);
    for (const struct shape *known = shape; known->key != NULL; known++)
        for (size_t i = 0; i < count; i++)
            if (find_shape(shape, drover_value_key(map, i)) == known) {
                drover_write_string(writer, known->key);
                copy_in_order(writer, drover_value_at(map, i), known->inner);
            }
    for (size_t i = 0; i < count; i++)
        if (find_shape(shape, drover_value_key(map, i)) == NULL) {
            drover_write_value(writer, drover_value_key(map, i));
            drover_write_value(writer, drover_value_at(map, i));
        }
}

static void copy_in_order(struct drover_writer *writer, const struct drover_value *value, const struct shape *shape)
{
    size_t count = drover_value_count(value);

    if (shape != NULL && drover_value_type(value) == DROVER_TYPE_MAP) {
        copy_map(writer, value, shape);
    } else if (shape != NULL && drover_value_type(value) == DROVER_TYPE_ARRAY) {
        drover_write_array(writer, count);
        for (size_t i = 0; i < count; i++)
            copy_in_order(writer, drover_value_at(value, i), shape);
    } else {
        drover_write_value(writer, value);
    }
}

void status_put_in_order(struct drover_writer *writer, const struct drover_value *status)
{
    copy_in_order(writer, status, status_shape);
}

/* What stands under `key`, as text that is safe to print; "-" for nothing. */
static const char *cell(const struct drover_value *map, const char *key, char *buffer)
{
    const struct drover_value *value = drover_value_get(map, key);
    struct drover_text text;
    uint64_t number;

    if (drover_value_text(value, &text))
        return text_printable(text.data, text.size, buffer, CELL_SIZE);
    if (drover_value_uint64(value, &number))
        snprintf(buffer, CELL_SIZE, "%" PRIu64, number);
    else
        snprintf(buffer, CELL_SIZE, "-");
    return buffer;
}

static bool has_text(const struct drover_value *map, const char *key)
{
    return drover_value_get_text(map, key, "").size > 0;
}

static int widest(const struct drover_value *services, const char *key)
{
    char buffer[CELL_SIZE];
    size_t width = strlen(key);

    for (size_t i = 0; i < drover_value_count(services); i++) {
        size_t size = strlen(cell(drover_value_at(services, i), key, buffer));
        width = size > width ? size : width;
    }
    return (int)width;
}

static const struct {
    const char *key, *title;
} columns[] = {
    {"name", "SERVICE"},  {"driver", "DRIVER"},         {"kind", "KIND"},
    {"state", "STATE"},   {"generation", "GENERATION"}, {"replicas", "REPLICAS"},
    {"queued", "QUEUED"}, {"calls", "CALLS"},           {"failed", "FAILED"},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* A worker that is stopped or waits for its next start has no process. Its generation is told where it is not `active`,
 * the service's. */
static void print_worker(FILE *out, const struct drover_value *worker, const char *active)
{
    char pid[CELL_SIZE], state[CELL_SIZE], restarts[CELL_SIZE], in_flight[CELL_SIZE], artefact[CELL_SIZE],
        sandbox[CELL_SIZE], generation[CELL_SIZE];
    bool is_other = strcmp(cell(worker, "generation", generation), active) != 0 && strcmp(generation, "-") != 0;

    (void)cell(worker, "pid", pid);
    fprintf(out, "  worker %s%s%s: %s, restarts %s, in flight %s, artefact %.12s%s%s\n",
            strcmp(pid, "0") == 0 ? "-" : pid, is_other ? " of generation " : "", is_other ? generation : "",
            cell(worker, "state", state), cell(worker, "restarts", restarts), cell(worker, "in_flight", in_flight),
            cell(worker, "artefact", artefact), has_text(worker, "sandbox") ? ", sandbox " : "",
            has_text(worker, "sandbox") ? cell(worker, "sandbox", sandbox) : "");
}

static void print_service(FILE *out, const struct drover_value *service, const int *widths)
{
    const struct drover_value *workers = drover_value_get(service, "workers");
    char buffer[CELL_SIZE], active[CELL_SIZE];

    for (size_t i = 0; i < COLUMN_COUNT; i++)
        fprintf(out, i + 1 < COLUMN_COUNT ? "%-*s  " : "%*s\n", i + 1 < COLUMN_COUNT ? widths[i] : 0,
                cell(service, columns[i].key, buffer));
    for (size_t i = 0; i < drover_value_count(workers); i++)
        print_worker(out, drover_value_at(workers, i), cell(service, "generation", active));
    rollout_print(out, service);
    if (has_text(service, "last_error"))
        fprintf(out, "  last error: %s\n", cell(service, "last_error", buffer));
}

void status_print_table(FILE *out, const struct drover_value *status)
{
    const struct drover_value *broker = drover_value_get(status, "broker");
    const struct drover_value *services = drover_value_get(status, "services");
    char version[CELL_SIZE], pid[CELL_SIZE], uptime[CELL_SIZE];
    int widths[COLUMN_COUNT];
    bool changed = false;

    fprintf(out, "broker %s, pid %s, up %s s\n", cell(broker, "version", version), cell(broker, "pid", pid),
            cell(broker, "uptime_s", uptime));
    if (drover_value_bool(drover_value_get(drover_value_get(broker, "configuration"), "changed"), &changed) && changed)
        fputs("its configuration has changed: 'drover plan' shows how, 'drover reload' puts it into force\n", out);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        int title = (int)strlen(columns[i].title), width = widest(services, columns[i].key);
        widths[i] = width > title ? width : title;
        fprintf(out, i + 1 < COLUMN_COUNT ? "%-*s  " : "%*s\n", i + 1 < COLUMN_COUNT ? widths[i] : 0, columns[i].title);
    }
    for (size_t i = 0; i < drover_value_count(services); i++)
        print_service(out, drover_value_at(services, i), widths);
}

static bool service_is_ready(const struct drover_value *service)
{
    return drover_text_equals(drover_value_get_text(service, "state", ""), "ready");
}

bool status_is_ready(const struct drover_value *status)
{
    const struct drover_value *services = drover_value_get(status, "services");

    if (drover_value_type(services) != DROVER_TYPE_ARRAY)
        return false;
    for (size_t i = 0; i < drover_value_count(services); i++)
        if (!service_is_ready(drover_value_at(services, i)))
            return false;
    return true;
}

void status_print_waiting(FILE *out, const struct drover_value *status)
{
    const struct drover_value *services = drover_value_get(status, "services");
    char name[CELL_SIZE], state[CELL_SIZE], last_error[CELL_SIZE];

    for (size_t i = 0; i < drover_value_count(services); i++) {
        const struct drover_value *service = drover_value_at(services, i);
        if (service_is_ready(service))
            continue;
        fprintf(out, "service '%s' is %s%s%s\n", cell(service, "name", name), cell(service, "state", state),
                has_text(service, "last_error") ? ": " : "",
                has_text(service, "last_error") ? cell(service, "last_error", last_error) : "");
    }
}
