/* config.c - checks the tree of a file against the table of keys, and makes the configuration
 *
 * Who calls it: config_parse(), its only entry. OPERATION: node.c makes the tree, secrets.c completes its values; then
 * check_map() walks the maps whose keys options.def knows, and check_services() those whose keys the user names. What
 * depends on several keys (defaults taken from other keys, missing keys, references) is looked at when all are read.
 * Nothing stops at a mistake: all go to the report, and a configuration is handed out only when there are none.
 */
#include "common/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/config/keys.h"
#include "common/config/paths.h"
#include "common/config/secrets.h"
#include "common/config/self_test.h"
#include "common/config/settings.h"
#include "common/config/values.h"

#define DEFAULT_STATE_DIR "/var/lib/drover"
#define DEFAULT_DRIVER_PATH "/usr/lib/drover/drivers"
#define SERVICES_MAX 1024

/* What is known while a file is checked. */
struct checker {
    struct config *config;
    const struct config_sources *sources;
    struct report report;
    const struct node *
        *sections; /* of each service: a map that nothing but the driver's own name can explain, or NULL */
};

/* The map that is being checked. */
struct scope {
    enum key_where where;
    void *target;                /* struct config or struct config_service */
    const char *driver_name;     /* of a service: its driver's section is called so; NULL if there is none */
    const struct node **section; /* of a service: where to leave a map with a strange name */
};

static void check_map(struct checker *checker, const struct scope *scope, const struct node *map, const char *name);
static void check_services(struct checker *checker, const struct node *map);

static void read_list(struct checker *checker, const struct key *key, const struct node *list, void *target)
{
    char ***items = (char ***)(void *)((char *)target + key->offset);
    size_t *count = (size_t *)(void *)((char *)target + key->count_offset);
    if (list->kind != NODE_LIST) {
        value_refuse(key->name, "a list such as [a, b]", list, &checker->report);
        return;
    }
    if (list->count > key->high) {
        report_mistake(&checker->report, list->place, "key '%s': at most %llu items, not %zu", key->name,
                       (unsigned long long)key->high, list->count);
        return;
    }
    if (*items) /* the key stands twice: that is in the report already */
        return;
    *items = calloc(list->count + 1, sizeof **items);
    if (!*items) {
        checker->report.no_memory = true;
        return;
    }
    for (const struct node *item = list->child; item; item = item->next) {
        value_read(key, item, checker->config->directory, &checker->report, &(*items)[*count]);
        if ((*items)[*count])
            (*count)++;
    }
}

static void read_settings(struct checker *checker, struct config_service *service, const struct node *node)
{
    if (node->kind == NODE_SCALAR && node_is_null(node))
        return;
    if (node->kind != NODE_MAP) {
        char quote[REPORT_QUOTE_SIZE];
        value_refuse(report_quote(node->key->text, node->key->size, quote), "a map of settings", node,
                     &checker->report);
        return;
    }
    if (service->settings) {
        report_mistake(&checker->report, node->key->place,
                       "service '%s' has two sections of settings: keep 'config' or the one named after the driver",
                       service->name);
        return;
    }
    settings_pack(node, &checker->report, &service->settings, &service->settings_size);
}

static void read_request(struct checker *checker, struct config_service *service, const struct node *node)
{
    self_test_read_request(node, &checker->report, &service->test_request, &service->test_request_size);
}

static void report_unknown(struct checker *checker, const struct scope *scope, const struct node *key)
{
    char quote[REPORT_QUOTE_SIZE];
    report_quote(key->text, key->size, quote);
    const char *nearest = key_nearest(scope->where, key->text, scope->driver_name);
    if (nearest)
        report_mistake(&checker->report, key->place, "key '%s': unknown (nearest: '%s')", quote, nearest);
    else if (scope->driver_name)
        report_mistake(&checker->report, key->place,
                       "key '%s': unknown (the driver's settings are in '%s' or 'config')", quote, scope->driver_name);
    else
        report_mistake(&checker->report, key->place, "key '%s': unknown", quote);
}

static void read_key(struct checker *checker, const struct scope *scope, const struct key *key,
                     const struct node *value)
{
    struct scope inner = {.where = key->inner, .target = scope->target};
    char *member = (char *)scope->target + key->offset;
    if (key->kind == KIND_PLANNED)
        report_mistake(&checker->report, value->key->place,
                       "key '%s' is planned, but not implemented in this version: remove it", key->name);
    else if (key->kind == KIND_MAP)
        check_map(checker, &inner, value, key->name);
    else if (key->kind == KIND_SERVICES)
        check_services(checker, value);
    else if (key->kind == KIND_SETTINGS)
        read_settings(checker, scope->target, value);
    else if (key->kind == KIND_REQUEST)
        read_request(checker, scope->target, value);
    else if (key->is_list)
        read_list(checker, key, value, scope->target);
    else
        value_read(key, value, checker->config->directory, &checker->report, member);
}

/* Can it be the settings of a driver whose name is in its manifest? The first such map is left for later. */
static bool leave_section(const struct scope *scope, const struct node *value)
{
    if (!scope->section || *scope->section || value->kind != NODE_MAP || !value_is_name(value->key->text) ||
        key_nearest(scope->where, value->key->text, scope->driver_name))
        return false;
    *scope->section = value;
    return true;
}

/* A map that is empty, or was left out behind its key, is a map without keys. */
static bool is_map(struct checker *checker, const struct node *node, const char *name)
{
    if (node->kind == NODE_MAP)
        return true;
    if (node->kind != NODE_SCALAR || !node_is_null(node))
        value_refuse(name, "a map of keys", node, &checker->report);
    return false;
}

static void check_map(struct checker *checker, const struct scope *scope, const struct node *map, const char *name)
{
    if (!is_map(checker, map, name))
        return;
    for (const struct node *value = map->child; value; value = value->next) {
        const struct key *key = key_find(scope->where, value->key);
        if (key)
            read_key(checker, scope, key, value);
        else if (scope->driver_name && node_is(value->key, scope->driver_name))
            read_settings(checker, scope->target, value);
        else if (!leave_section(scope, value))
            report_unknown(checker, scope, value->key);
    }
}

static char *copy_text(struct checker *checker, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        checker->report.no_memory = true;
    return copy;
}

/* What follows from several keys of a self-test. `test` is its map, or NULL. */
static void complete_self_test(struct checker *checker, const struct config_service *service, const struct node *test)
{
    const struct node *request = node_get(test, "request");
    self_test_check(test, &checker->report);
    if (request && service->test_request_size > service->max_body)
        report_mistake(&checker->report, request->place,
                       "key 'request': %zu bytes as msgpack, but 'max_body' allows only %llu",
                       service->test_request_size, (unsigned long long)service->max_body);
}

/* What follows from several keys of a service. `node` is its map. */
static void complete_service(struct checker *checker, struct config_service *service, const struct node *node)
{
    const struct node *driver = node_get(node, "driver");
    struct place place = driver ? driver->place : node->key->place;
    service->line = place.line;
    service->column = place.column;
    if (!driver && node->kind != NODE_BROKEN)
        report_mistake(&checker->report, place,
                       "service '%s': key 'driver' is missing: write 'driver: NAME' (or a path) below it",
                       service->name);
    if (!service->interface && !node_get(node, "interface"))
        service->interface = copy_text(checker, service->name);
    if (service->hang_ms == 0)
        service->hang_ms = service->deadline_ms;
    complete_self_test(checker, service, node_get(node, "self_test"));
    if (service->restart_min_ms > service->restart_max_ms) {
        const struct node *restart = node_get(node, "restart");
        report_mistake(&checker->report, restart ? restart->place : place,
                       "key 'restart': 'min' (%llu ms) must not be above 'max' (%llu ms)",
                       (unsigned long long)service->restart_min_ms, (unsigned long long)service->restart_max_ms);
    }
}

static void check_service(struct checker *checker, struct config_service *service, const struct node *node,
                          const struct node **section)
{
    char quote[REPORT_QUOTE_SIZE];
    report_quote(node->key->text, node->key->size, quote);
    service->name = copy_text(checker, quote);
    if (strlen(node->key->text) != node->key->size || !value_is_name(node->key->text))
        report_mistake(&checker->report, node->key->place, "service '%s': its name must be " VALUE_NAME_RULE, quote);
    if (!service->name)
        return;
    keys_set_defaults(WHERE_service, service);
    keys_set_defaults(WHERE_queue, service);
    keys_set_defaults(WHERE_restart, service);
    keys_set_defaults(WHERE_grants, service);
    keys_set_defaults(WHERE_self_test, service);
    const struct node *driver = node_get(node, "driver");
    bool has_name = driver && driver->kind == NODE_SCALAR && !node_is_null(driver);
    char *driver_name = NULL;
    if (has_name && !reference_driver_name(driver->text, &driver_name))
        checker->report.no_memory = true;
    struct scope scope = {.where = WHERE_service, .target = service, .driver_name = driver_name, .section = section};
    check_map(checker, &scope, node, service->name);
    complete_service(checker, service, node);
    free(driver_name);
}

static void check_services(struct checker *checker, const struct node *map)
{
    struct config *config = checker->config;
    if (!is_map(checker, map, "services") || config->services)
        return;
    if (map->count > SERVICES_MAX) {
        report_mistake(&checker->report, map->place, "key 'services': at most %d services, not %zu", SERVICES_MAX,
                       map->count);
        return;
    }
    config->services = calloc(map->count + 1, sizeof *config->services);
    checker->sections = calloc(map->count + 1, sizeof(*checker->sections));
    if (!config->services || !checker->sections) {
        checker->report.no_memory = true;
        return;
    }
    for (const struct node *node = map->child; node; node = node->next) {
        size_t index = config->service_count++;
        check_service(checker, &config->services[index], node, &checker->sections[index]);
    }
}

/* Two sockets on one address could not both be bound. */
static void check_repeated(struct checker *checker, const struct node *listen)
{
    const struct config *config = checker->config;
    for (size_t i = 0; i < config->listen_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(config->listen[i], config->listen[j]) == 0)
                report_mistake(&checker->report, listen->place, "key 'listen': '%s' stands in it twice",
                               config->listen[i]);
}

static void check_listen(struct checker *checker, const struct node *root)
{
    const struct node *broker = node_get(root, "broker"), *listen = node_get(broker, "listen");
    struct place place = broker ? broker->key->place : root->place;
    if (!listen || (listen->kind == NODE_LIST && listen->count == 0))
        report_mistake(&checker->report, listen ? listen->place : place,
                       "key 'broker.listen': at least one endpoint is needed, such as "
                       "listen: [\"ipc:///run/drover/broker.sock\"]");
    else
        check_repeated(checker, listen);
}

/* Fill in a list that the file does not have; `texts` ends with NULL. */
static void default_list(struct checker *checker, const char *const *texts, char ***list, size_t *count)
{
    size_t room = 1;
    while (texts[room - 1])
        room++;
    if (*list)
        return;
    *list = calloc(room, sizeof **list);
    if (!*list)
        checker->report.no_memory = true;
    for (; *list && *texts; texts++)
        if (((*list)[*count] = copy_text(checker, *texts)))
            (*count)++;
}

/* What the keys stand for that the file does not have. */
static void set_defaults(struct checker *checker)
{
    static const char *const driver_path[] = {DEFAULT_DRIVER_PATH, NULL};
    static const char *const allow[] = {"https", "ssh", NULL};
    struct config *config = checker->config;
    if (!config->state_dir)
        config->state_dir = copy_text(checker, DEFAULT_STATE_DIR);
    default_list(checker, driver_path, &config->driver_path, &config->driver_path_count);
    default_list(checker, allow, &config->fetch_allow, &config->fetch_allow_count);
}

static void resolve_driver(struct checker *checker, struct config_service *service)
{
    const struct config *config = checker->config;
    struct reference_setting setting = {.interface = service->interface,
                                        .directory = config->directory,
                                        .plugins = config->plugins,
                                        .driver_path = config->driver_path,
                                        .driver_path_count = config->driver_path_count,
                                        .fetch_allow = config->fetch_allow,
                                        .fetch_allow_count = config->fetch_allow_count,
                                        .lenient = checker->sources->lenient};
    const struct reference_resolution *resolution = &service->resolution;
    if (!service->driver || !service->interface)
        return;
    reference_resolve(service->driver, &setting, checker->sources->disk, &service->resolution);
    if (!resolution->reason)
        checker->report.no_memory = true;
    else if (resolution->kind == REFERENCE_REFUSED || resolution->obstacle)
        report_mistake(&checker->report, (struct place){service->line, service->column}, "service '%s': %s",
                       service->name, resolution->obstacle ? resolution->obstacle : resolution->reason);
    if (resolution->obstacle)
        report_pass_over(&checker->report);
}

/* A section with a strange name belongs to a driver whose name is not known before it is there, or to nobody. Of what
 * is not there only a source directory could explain it. */
static void settle_section(struct checker *checker, struct config_service *service, const struct node *section)
{
    enum reference_kind *kind = &service->resolution.kind;
    const bool passed_over = service->resolution.obstacle && *kind != REFERENCE_MODULE;
    char *driver_name = NULL;
    if (!section)
        return;
    if (passed_over)
        *kind = REFERENCE_SOURCE;
    if (*kind == REFERENCE_SOURCE || *kind == REFERENCE_GIT) {
        read_settings(checker, service, section);
        service->settings_name = copy_text(checker, section->key->text);
    }
    if (service->settings_name && !passed_over)
        return;
    if (service->driver && !reference_driver_name(service->driver, &driver_name))
        checker->report.no_memory = true;
    report_unknown(checker, &(struct scope){.where = WHERE_service, .driver_name = driver_name}, section->key);
    if (passed_over)
        report_pass_over(&checker->report);
    free(driver_name);
}

/* What follows from several keys of the file: done last, as keys come in any order. */
static void complete(struct checker *checker, const struct node *root)
{
    struct config *config = checker->config;
    check_listen(checker, root);
    if (!node_get(root, "services"))
        report_mistake(&checker->report, root->place, "key 'services' is missing (write 'services: {}' for none)");
    set_defaults(checker);
    for (size_t i = 0; checker->sections && i < config->service_count; i++) {
        if (checker->sources && checker->sources->disk)
            resolve_driver(checker, &config->services[i]);
        settle_section(checker, &config->services[i], checker->sections[i]);
    }
}

static void check_file(struct checker *checker, const char *text, size_t size)
{
    struct config *config = checker->config;
    struct place top = {1, 1};
    if (size > CONFIG_SIZE_MAX) {
        report_mistake(&checker->report, top, "the file has %zu bytes; at most %u are read", size, CONFIG_SIZE_MAX);
        return;
    }
    struct node *root = node_parse(text, size, &checker->report);
    if (root) {
        struct scope scope = {.where = WHERE_root, .target = config};
        secrets_expand(root, checker->sources, config->directory, &checker->report);
        keys_set_defaults(WHERE_root, config);
        keys_set_defaults(WHERE_broker, config);
        keys_set_defaults(WHERE_fetch, config);
        if (root->kind == NODE_MAP) {
            check_map(checker, &scope, root, "");
            complete(checker, root);
        } else if (root->kind == NODE_SCALAR && node_is_null(root)) {
            root = node_free(root);
        } else if (root->kind != NODE_BROKEN) {
            report_mistake(&checker->report, root->place,
                           "the file must be a map with the keys 'broker' and 'services'");
        }
    }
    if (!root && report_is_clean(&checker->report))
        report_mistake(&checker->report, top, "the file holds no configuration: it needs 'broker' and 'services'");
    node_free(root);
}

static struct config *config_new(const char *path, const char *directory)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return NULL;
    config->path = strdup(path);
    config->directory = strdup(directory);
    config->lock_path = path_resolve(directory, "drover.lock");
    return config->path && config->directory && config->lock_path ? config : config_free(config);
}

/* NOLINTNEXTLINE(readability-function-size): two of the parameters are one buffer, two are results */
enum drover_status config_parse(const char *text, size_t size, const char *path, const char *directory,
                                const struct config_sources *sources, struct config **ret_config,
                                struct config_messages *ret_messages)
{
    *ret_messages = (struct config_messages){0};
    struct checker checker = {.config = config_new(path, directory), .sources = sources};
    if (!checker.config)
        return DROVER_RESOURCE_EXHAUSTED;
    check_file(&checker, text, size);
    enum drover_status status = report_is_clean(&checker.report) ? DROVER_OK : DROVER_INVALID_ARGUMENT;
    report_list(&checker.report, path, ret_messages);
    if (checker.report.no_memory) {
        config_messages_done(ret_messages);
        status = DROVER_RESOURCE_EXHAUSTED;
    }
    report_done(&checker.report);
    free(checker.sections);
    if (status == DROVER_OK)
        *ret_config = checker.config;
    else
        config_free(checker.config);
    return status;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static void service_done(struct config_service *service)
{
    free(service->name);
    free(service->interface);
    free(service->driver);
    free(service->settings);
    free(service->settings_name);
    free(service->sha256);
    free(service->user);
    free(service->test_method);
    free(service->test_request);
    free_texts(service->grant_read, service->grant_read_count);
    free_texts(service->grant_write, service->grant_write_count);
    free_texts(service->setting_files, service->setting_files_count);
    reference_resolution_done(&service->resolution);
}

struct config *config_free(struct config *config)
{
    if (!config)
        return NULL;
    for (size_t i = 0; i < config->service_count; i++)
        service_done(&config->services[i]);
    free(config->services);
    free_texts(config->listen, config->listen_count);
    free_texts(config->driver_path, config->driver_path_count);
    free(config->path);
    free(config->directory);
    free(config->group);
    free(config->state_dir);
    free_texts(config->fetch_allow, config->fetch_allow_count);
    free(config->fetch_key);
    free(config->fetch_known_hosts);
    free(config->fetch_token_file);
    free(config->fetch_ca);
    free(config->lock_path);
    free(config);
    return NULL;
}
