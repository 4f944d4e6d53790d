/* roster.c - see roster.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "broker/io/roster.h"
#include "common/base/text.h"
#include "common/sys/sys.h"

/* A restart by hand waits for calls as long as they may run: what exceeds `hang` is hung, and is killed for that. */
enum { DRAIN_GRACE_MS = 10000 };

#define CONTENT_PREFIX "sha256:"

/* ---- what is granted ---- */

/* Both lists, ended by NULL; NULL when there is no memory. */
static const char **join(char *const *first, size_t first_count, char *const *second, size_t second_count)
{
    const char **list = calloc(first_count + second_count + 1, sizeof(*list));
    for (size_t i = 0; list != NULL && i < first_count; i++)
        list[i] = first[i];
    for (size_t i = 0; list != NULL && i < second_count; i++)
        list[first_count + i] = second[i];
    return list;
}

static json_t *json_list(char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_string(items[i]));
    return list;
}

/* For drover-build, which compares it with what a manifest asks for. */
static char *write_grants(const struct config_service *service)
{
    static const char *const networks[] = {
        [CONFIG_NETWORK_NONE] = "none", [CONFIG_NETWORK_LOOPBACK] = "loopback", [CONFIG_NETWORK_OUTBOUND] = "outbound"};
    json_t *grants = json_pack("{s:s, s:o, s:o, s:I, s:I}", "network", networks[service->grant_network], "read",
                               json_list(service->grant_read, service->grant_read_count), "write",
                               json_list(service->grant_write, service->grant_write_count), "memory",
                               (json_int_t)service->grant_memory, "cpu", (json_int_t)service->grant_cpu);
    char *text = grants != NULL ? json_dumps(grants, JSON_COMPACT) : NULL;
    json_decref(grants);
    return text;
}

/* Does drover make its program itself, of what somebody else wrote? */
static bool is_foreign(enum reference_kind kind)
{
    return kind == REFERENCE_SOURCE || kind == REFERENCE_GIT;
}

static bool fill_sandbox(struct roster_entry *entry)
{
    const struct config_service *service = entry->service;
    const enum reference_kind kind = service->resolution.kind;
    entry->read =
        join(service->grant_read, service->grant_read_count, service->setting_files, service->setting_files_count);
    entry->write = join(service->grant_write, service->grant_write_count, NULL, 0);
    entry->grants = write_grants(service);
    entry->sandbox = (struct launch_sandbox){
        .policy = service->sandbox,
        .network = service->grant_network,
        .read = entry->read,
        .write = entry->write,
        .memory_bytes = service->grant_memory,
        .cpus = service->grant_cpu,
        .user = service->user,
        .foreign = is_foreign(kind),
    };
    return entry->read != NULL && entry->write != NULL && entry->grants != NULL;
}

/* ---- where drivers come from ---- */

static enum host_origin_kind origin_kind(enum reference_kind kind)
{
    if (kind == REFERENCE_GIT)
        return HOST_ORIGIN_GIT;
    if (kind == REFERENCE_SOURCE)
        return HOST_ORIGIN_SOURCE;
    return kind == REFERENCE_MODULE ? HOST_ORIGIN_MODULE : HOST_ORIGIN_EXECUTABLE;
}

static const char *policy_word(enum config_sandbox policy)
{
    if (policy == CONFIG_SANDBOX_REQUIRED)
        return "required";
    return policy == CONFIG_SANDBOX_OFF ? "off" : "best-effort";
}

static void forget_lock(struct roster_entry *entry)
{
    for (size_t i = 0; entry->built_texts != NULL && entry->built_texts[i] != NULL; i++)
        free(entry->built_texts[i]);
    free(entry->built_texts);
    free(entry->built);
    free(entry->obstacle);
    entry->built_texts = NULL;
    entry->built = NULL;
    entry->obstacle = NULL;
    entry->commit[0] = entry->content[0] = '\0';
}

static bool copy_built(struct roster_entry *entry, const struct lock_entry *locked)
{
    entry->built_texts = calloc(locked->artefact_count + 1, sizeof(*entry->built_texts));
    for (size_t i = 0; entry->built_texts != NULL && i < locked->artefact_count; i++) {
        entry->built_texts[i] = text_format("%s %s", locked->artefacts[i].key, locked->artefacts[i].sha256);
        if (entry->built_texts[i] == NULL)
            return false;
    }
    entry->built = entry->built_texts != NULL ? join(entry->built_texts, locked->artefact_count, NULL, 0) : NULL;
    return entry->built != NULL;
}

static bool copy_locked(struct roster_entry *entry, const struct lock_entry *locked)
{
    const size_t prefix =
        strncmp(locked->content, CONTENT_PREFIX, strlen(CONTENT_PREFIX)) == 0 ? strlen(CONTENT_PREFIX) : 0;
    (void)snprintf(entry->commit, sizeof(entry->commit), "%s", locked->commit);
    (void)snprintf(entry->content, sizeof(entry->content), "%s", locked->content + prefix);
    return copy_built(entry, locked);
}

/* What the lock file says of a repository. False when there is no memory. */
static bool fill_lock(struct roster_entry *entry, const struct lockkeeper *keeper)
{
    const struct reference_resolution *asked = &entry->service->resolution;
    const struct lock_entry *locked = lock_find(keeper->lock, asked->url, asked->ref, asked->subdir);
    bool good = true;
    forget_lock(entry);
    entry->origin.locked = keeper->mode != LOCKKEEPER_WRITES;
    entry->origin.offline = keeper->mode == LOCKKEEPER_FROZEN;
    if (locked != NULL)
        good = copy_locked(entry, locked);
    else if (entry->origin.locked)
        good = (entry->obstacle = lockkeeper_explain(keeper, entry->service)) != NULL;
    entry->origin.commit = locked != NULL ? entry->commit : NULL;
    entry->origin.content = locked != NULL ? entry->content : NULL;
    entry->origin.built = entry->built;
    entry->origin.obstacle = entry->obstacle;
    return good;
}

enum drover_status roster_look_up(struct roster_entry *entry, const struct lockkeeper *keeper, bool *ret_changed,
                                  struct drover_error *error)
{
    char before[HOST_COMMIT_SIZE];
    memcpy(before, entry->commit, sizeof(before));
    *ret_changed = false;
    if (entry->service->resolution.kind != REFERENCE_GIT)
        return DROVER_OK;
    if (!fill_lock(entry, keeper))
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for the lock file");
    *ret_changed = strcmp(before, entry->commit) != 0;
    return DROVER_OK;
}

static bool fill_origin(struct roster *roster, struct roster_entry *entry, const struct lockkeeper *keeper)
{
    const struct config_service *service = entry->service;
    const struct reference_resolution *resolution = &service->resolution;
    const bool is_remote = resolution->kind == REFERENCE_GIT;
    const char *path = resolution->kind == REFERENCE_BUILTIN ? roster->worker_program : resolution->target;
    entry->origin = (struct host_origin){.kind = origin_kind(resolution->kind),
                                         .path = is_remote ? NULL : path,
                                         .pin = service->sha256,
                                         .settings_name = service->settings_name,
                                         .url = resolution->url,
                                         .ref = resolution->ref,
                                         .subdir = resolution->subdir,
                                         .fetch = roster->fetch,
                                         .fetch_ms = roster->config->fetch_deadline_ms,
                                         .policy = policy_word(service->sandbox),
                                         .grants = entry->grants};
    return !is_remote || fill_lock(entry, keeper);
}

/* ---- all of them ---- */

/* What is built in is here already; pinned, drover-worker goes the way of an executable, to be compared. */
static bool has_origin(const struct config_service *service)
{
    return service->resolution.kind != REFERENCE_BUILTIN || service->sha256 != NULL;
}

static bool fill(struct roster *roster, struct roster_entry *entry, const struct config_service *service,
                 const struct lockkeeper *keeper)
{
    entry->service = service;
    entry->folder = text_format("%s/services/%s", roster->config->state_dir, service->name);
    if (entry->folder == NULL || !fill_sandbox(entry))
        return false;
    return !has_origin(service) || fill_origin(roster, entry, keeper);
}

static char *join_words(char *const *words, size_t count)
{
    char *text = strdup(count > 0 ? words[0] : "");
    for (size_t i = 1; text != NULL && i < count; i++) {
        char *longer = text_format("%s,%s", text, words[i]);
        free(text);
        text = longer;
    }
    return text;
}

/* How repositories are reached is the same for all services. */
static bool fill_fetch(struct roster *roster)
{
    const struct config *config = roster->config;
    roster->allow = join_words(config->fetch_allow, config->fetch_allow_count);
    const char *const options[][2] = {{"--allow", roster->allow},
                                      {"--key", config->fetch_key},
                                      {"--known-hosts", config->fetch_known_hosts},
                                      {"--token-file", config->fetch_token_file},
                                      {"--ca", config->fetch_ca}};
    const size_t count = sizeof(options) / sizeof(options[0]);
    size_t used = 0;
    roster->fetch = calloc(2 * count + 1, sizeof(*roster->fetch));
    for (size_t i = 0; roster->fetch != NULL && i < count; i++) {
        if (options[i][1] == NULL)
            continue;
        roster->fetch[used++] = options[i][0];
        roster->fetch[used++] = options[i][1];
    }
    return roster->allow != NULL && roster->fetch != NULL;
}

enum drover_status roster_init(struct roster *roster, struct config **config, const struct lockkeeper *keeper,
                               const char *worker_program, struct drover_error *error)
{
    *roster = (struct roster){.config = *config, .worker_program = worker_program, .count = (*config)->service_count};
    *config = NULL;
    roster->entries = calloc(roster->count + 1, sizeof(*roster->entries));
    bool good = roster->entries != NULL && fill_fetch(roster);
    for (size_t i = 0; good && i < roster->count; i++)
        good = fill(roster, &roster->entries[i], &roster->config->services[i], keeper);
    if (!good)
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "no memory for %zu services", roster->count);
    roster_hash_file(worker_program, roster->worker_artefact); /* one that cannot be read cannot be started either */
    return DROVER_OK;
}

void roster_hash_file(const char *path, char ret_hash[HOST_HASH_SIZE])
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) || sys_hash_file(path, ret_hash, NULL) != DROVER_OK)
        ret_hash[0] = '\0';
}

static void entry_done(struct roster_entry *entry)
{
    forget_lock(entry);
    free(entry->read);
    free(entry->write);
    free(entry->folder);
    free(entry->grants);
}

void roster_done(struct roster *roster)
{
    for (size_t i = 0; roster->entries != NULL && i < roster->count; i++)
        entry_done(&roster->entries[i]);
    free(roster->entries);
    free(roster->allow);
    free(roster->fetch);
    config_free(roster->config);
    *roster = (struct roster){0};
}

struct roster_entry *roster_find(const struct roster *roster, const char *service)
{
    for (size_t i = 0; i < roster->count; i++) {
        if (strcmp(roster->entries[i].service->name, service) == 0)
            return &roster->entries[i];
    }
    return NULL;
}

void roster_set_kind(struct roster *roster, struct roster_entry *entry, enum reference_kind kind)
{
    roster->config->services[entry - roster->entries].resolution.kind = kind;
    entry->origin.kind = origin_kind(kind);
    entry->sandbox.foreign = is_foreign(kind);
}

void roster_note(struct roster_entry *entry, const struct host_obtained *obtained)
{
    memcpy(entry->obtained, obtained->commit, sizeof(entry->obtained));
}

const char *roster_commit(const struct roster_entry *entry)
{
    return entry->commit[0] != '\0' ? entry->commit : entry->obtained;
}

struct host_service roster_host_service(const struct roster *roster, const struct roster_entry *entry)
{
    const struct config_service *service = entry->service;
    const bool builtin = service->resolution.kind == REFERENCE_BUILTIN;
    return (struct host_service){
        .name = service->name,
        .interface = service->interface,
        .driver = service->resolution.name,
        .kind = reference_kind_name(service->resolution.kind),
        .origin = has_origin(service) ? &entry->origin : NULL,
        .builtin = builtin ? service->resolution.target : NULL,
        .artefact = roster->worker_artefact,
        .directory = roster->config->directory,
        .folder = entry->folder,
        .sandbox = &entry->sandbox,
        .replicas = (unsigned)service->replicas,
        .restart_min_ms = service->restart_min_ms,
        .restart_max_ms = service->restart_max_ms,
        .ready_limit_ms = service->start_limit_ms,
        .drain_limit_ms = service->hang_ms + DRAIN_GRACE_MS,
        .settings = service->settings,
        .settings_size = service->settings_size,
        .by_hand = service->reload_by_hand,
        .settle_ms = service->settle_ms,
        .probation_ms = service->probation_ms,
        .debounce_ms = service->debounce_ms,
        .self_test = {.method = service->test_method,
                      .request = service->test_request,
                      .request_size = service->test_request_size,
                      .expect = service->test_expect},
    };
}
