/* diff.c - compares two configurations key by key; see diff.h
 *
 * OPERATION: each service of the new file is looked for in the old one; if it is there, all keys of options.def are
 * compared, then what is not a key: what its reference is resolved to, and what surrounds it (the table `besides`).
 * Each difference is put down with its name and with what it takes; the greatest of these is the step. The broker's
 * keys are compared once: some are obstacles, some adjust the services that depend on them.
 */
#include "common/config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/keys.h"

#define NAME_SIZE 128

struct comparison {
    const struct config *before, *after;
    struct config_diff *diff;
    bool no_memory;
};

/* One service in both files, and what was found to be different. */
struct pair {
    const struct config_service *before, *after;
    bool differs;
    enum config_action action;
    char *why; /* NULL: nothing yet */
};

static bool texts_differ(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0);
}

static bool bytes_differ(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (a == NULL) != (b == NULL) || a_size != b_size || (a && memcmp(a, b, a_size) != 0);
}

static bool holds(char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

/* No list of the file means another thing in another order, but for `driver_path`, of which nothing depends here. */
static bool lists_differ(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        if (!holds(b, b_count, a[i]))
            return true;
    for (size_t i = 0; i < b_count; i++)
        if (!holds(a, a_count, b[i]))
            return true;
    return false;
}

/* Where a reference is resolved to the same, it does not matter here how it is written. */
static bool references_differ(const struct config_service *before, const struct config_service *after)
{
    const struct reference_resolution *a = &before->resolution, *b = &after->resolution;
    if (!a->reason || !b->reason) /* there was no disk to ask */
        return texts_differ(before->driver, after->driver);
    return a->kind != b->kind || texts_differ(a->target, b->target);
}

/* Of a service: what no generic rule can compare. */
static bool services_differ(const struct key *key, const struct config_service *before,
                            const struct config_service *after)
{
    if (key->kind == KIND_REFERENCE)
        return references_differ(before, after);
    if (key->kind == KIND_SETTINGS)
        return bytes_differ(before->settings, before->settings_size, after->settings, after->settings_size);
    if (key->kind == KIND_REQUEST)
        return bytes_differ(before->test_request, before->test_request_size, after->test_request,
                            after->test_request_size);
    return false;
}

/* Does `key` have different values in two structs of its owner? */
static bool values_differ(const struct key *key, const void *before, const void *after)
{
    const void *a = (const char *)before + key->offset, *b = (const char *)after + key->offset;
    if (key->is_list)
        return lists_differ(*(char *const *const *)a, *(const size_t *)((const char *)before + key->count_offset),
                            *(char *const *const *)b, *(const size_t *)((const char *)after + key->count_offset));
    if (key_is_switch(key))
        return *(const bool *)a != *(const bool *)b;
    if (key_is_choice(key))
        return *(const unsigned *)a != *(const unsigned *)b;
    if (key_is_number(key))
        return *(const uint64_t *)a != *(const uint64_t *)b;
    if (key->kind < KIND_END && key->kind != KIND_REFERENCE)
        return texts_differ(*(char *const *)a, *(char *const *)b);
    return key->owner == OF_config_service && services_differ(key, before, after);
}

/* ---- one service ---- */

/* Put down that `name` differs, and what that takes. */
static void put_down(struct comparison *comparison, struct pair *pair, enum config_action action, const char *name)
{
    char *why = pair->why ? text_format("%s, %s", pair->why, name) : strdup(name);
    if (!why)
        comparison->no_memory = true;
    free(pair->why);
    pair->why = why;
    pair->action = pair->differs && pair->action > action ? pair->action : action;
    pair->differs = true;
}

static const char *name_of(const struct key *key, char *buffer)
{
    return key->kind == KIND_SETTINGS ? "settings" : key_path(key, buffer, NAME_SIZE);
}

static void compare_keys(struct comparison *comparison, struct pair *pair)
{
    static const enum config_action actions[] = {
        [CHANGE_ADJUST] = CONFIG_ADJUST,
        [CHANGE_RECONFIGURE] = CONFIG_RECONFIGURE,
        [CHANGE_REPLACE] = CONFIG_REPLACE,
    };
    const struct key *key;
    char name[NAME_SIZE];
    for (size_t i = 0; (key = key_at(i)); i++)
        if (key->owner == OF_config_service && key->change != CHANGE_NOTHING &&
            values_differ(key, pair->before, pair->after))
            put_down(comparison, pair, actions[key->change], name_of(key, name));
}

/* How drivers are fetched matters to those that are. */
static void compare_fetching(struct comparison *comparison, struct pair *pair)
{
    const struct key *key;
    char name[NAME_SIZE];
    if (pair->after->resolution.kind != REFERENCE_GIT)
        return;
    for (size_t i = 0; (key = key_at(i)); i++)
        if (key->change == CHANGE_FETCHED && values_differ(key, comparison->before, comparison->after))
            put_down(comparison, pair, CONFIG_ADJUST, name_of(key, name));
}

/* `drover status` shows the reference as it is written. */
static bool is_only_written_differently(const struct comparison *comparison, const struct pair *pair)
{
    (void)comparison;
    return texts_differ(pair->before->driver, pair->after->driver) && !references_differ(pair->before, pair->after);
}

/* The driver must turn out to be called so. */
static bool is_called_differently(const struct comparison *comparison, const struct pair *pair)
{
    (void)comparison;
    return texts_differ(pair->before->settings_name, pair->after->settings_name);
}

static bool reads_other_files(const struct comparison *comparison, const struct pair *pair)
{
    (void)comparison;
    return lists_differ(pair->before->setting_files, pair->before->setting_files_count, pair->after->setting_files,
                        pair->after->setting_files_count);
}

static bool runs_elsewhere(const struct comparison *comparison, const struct pair *pair)
{
    (void)pair;
    return texts_differ(comparison->before->directory, comparison->after->directory);
}

/* What no key says alone. */
static const struct {
    const char *name;
    enum config_action action;
    bool (*differs)(const struct comparison *comparison, const struct pair *pair);
} besides[] = {
    {"driver (the same, written differently)", CONFIG_ADJUST, is_only_written_differently},
    {"name of the settings' section", CONFIG_REPLACE, is_called_differently},
    {"files that the settings name", CONFIG_REPLACE, reads_other_files},
    {"folder of the configuration file", CONFIG_REPLACE, runs_elsewhere},
};

/* Takes what `why` is in the pair. */
static void add_step(struct comparison *comparison, const struct pair *pair)
{
    struct config_diff *diff = comparison->diff;
    diff->steps[diff->step_count++] = (struct config_step){
        .service = pair->after ? pair->after->name : pair->before->name,
        .before = pair->before,
        .after = pair->after,
        .action = pair->action,
        .why = pair->why,
    };
}

static void compare_service(struct comparison *comparison, struct pair *pair)
{
    compare_keys(comparison, pair);
    compare_fetching(comparison, pair);
    for (size_t i = 0; i < sizeof besides / sizeof *besides; i++)
        if (besides[i].differs(comparison, pair))
            put_down(comparison, pair, besides[i].action, besides[i].name);
}

/* ---- the whole ---- */

static const struct config_service *find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (strcmp(config->services[i].name, name) == 0)
            return &config->services[i];
    return NULL;
}

static void compare_services(struct comparison *comparison)
{
    const struct config *before = comparison->before, *after = comparison->after;
    for (size_t i = 0; i < after->service_count; i++) {
        struct pair pair = {.after = &after->services[i]};
        pair.before = find(before, pair.after->name);
        if (!pair.before)
            put_down(comparison, &pair, CONFIG_ADD, "not in the configuration that is in force");
        else
            compare_service(comparison, &pair);
        if (pair.differs)
            add_step(comparison, &pair);
    }
    for (size_t i = 0; i < before->service_count; i++) {
        struct pair pair = {.before = &before->services[i]};
        if (find(after, pair.before->name))
            continue;
        put_down(comparison, &pair, CONFIG_REMOVE, "no longer in the configuration");
        add_step(comparison, &pair);
    }
}

static void find_obstacles(struct comparison *comparison)
{
    struct config_diff *diff = comparison->diff;
    const struct key *key;
    char name[NAME_SIZE];
    for (size_t i = 0; (key = key_at(i)); i++) {
        if (key->change != CHANGE_RESTART || !values_differ(key, comparison->before, comparison->after))
            continue;
        char *line =
            text_format("key '%s': a running broker cannot change it: restart the broker, or leave it as it was",
                        name_of(key, name));
        if (line)
            diff->obstacles[diff->obstacle_count++] = line;
        else
            comparison->no_memory = true;
    }
}

static size_t count_keys(void)
{
    size_t count = 0;
    while (key_at(count))
        count++;
    return count;
}

static struct config_diff *diff_new(const struct config *before, const struct config *after)
{
    struct config_diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        return NULL;
    diff->steps = calloc(before->service_count + after->service_count + 1, sizeof *diff->steps);
    diff->obstacles = calloc(count_keys() + 1, sizeof *diff->obstacles);
    return diff->steps && diff->obstacles ? diff : config_diff_free(diff);
}

enum drover_status config_compare(const struct config *before, const struct config *after,
                                  struct config_diff **ret_diff)
{
    struct comparison comparison = {.before = before, .after = after, .diff = diff_new(before, after)};
    if (!comparison.diff)
        return DROVER_RESOURCE_EXHAUSTED;
    compare_services(&comparison);
    find_obstacles(&comparison);
    if (comparison.no_memory) {
        config_diff_free(comparison.diff);
        return DROVER_RESOURCE_EXHAUSTED;
    }
    *ret_diff = comparison.diff;
    return DROVER_OK;
}

struct config_diff *config_diff_free(struct config_diff *diff)
{
    if (!diff)
        return NULL;
    for (size_t i = 0; i < diff->step_count; i++)
        free(diff->steps[i].why);
    for (size_t i = 0; i < diff->obstacle_count; i++)
        free(diff->obstacles[i]);
    free(diff->steps);
    free(diff->obstacles);
    free(diff);
    return NULL;
}

const char *config_action_name(enum config_action action)
{
    static const char *const names[CONFIG_ACTION_END] = {
        [CONFIG_ADJUST] = "adjust", [CONFIG_RECONFIGURE] = "reconfigure", [CONFIG_REPLACE] = "replace",
        [CONFIG_ADD] = "add",       [CONFIG_REMOVE] = "remove",
    };
    return names[action];
}
