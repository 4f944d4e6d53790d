/* lock.c - `drover lock`: the lock file beside the configuration, and `drover lock update`: the only way forward
 *
 * An update fetches each driver anew and writes what came out; when one of them fails, nothing is written. Without a
 * service's name all are updated, and entries that no service asks for are dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"
#include "client/cli/place.h"
#include "common/load/lockfile.h"

#define SHORT_COMMIT 12
#define CONTENT_SIZE 80

static const struct option options[] = {PLACE_OPTIONS, CLI_GLOBAL_OPTIONS, {0}};

/* What a verb works on. */
struct work {
    const struct place_options *options;
    struct place place;
    struct lock *lock;
};

static bool is_remote(const struct config_service *service)
{
    return service->resolution.kind == REFERENCE_GIT;
}

static const struct lock_entry *entry_of(const struct lock *lock, const struct config_service *service)
{
    const struct reference_resolution *resolution = &service->resolution;

    return lock_find(lock, resolution->url, resolution->ref, resolution->subdir);
}

static bool is_used(const struct config *config, const struct lock *lock, const struct lock_entry *entry)
{
    for (size_t i = 0; i < config->service_count; i++)
        if (is_remote(&config->services[i]) && entry_of(lock, &config->services[i]) == entry)
            return true;
    return false;
}

/* ---- showing ---- */

static void print_member(const char *key, const char *value)
{
    printf(", \"%s\": ", key);
    if (value == NULL)
        fputs("null", stdout);
    else
        json_write_string(stdout, value);
}

static void print_entry_json(const struct lock_entry *entry)
{
    print_member("commit", entry == NULL ? NULL : entry->commit);
    print_member("tree", entry == NULL ? NULL : entry->tree);
    print_member("content", entry == NULL ? NULL : entry->content);
    putchar('}');
}

static void print_service_json(const struct config_service *service, const struct lock_entry *entry, bool first)
{
    fputs(first ? "{\"name\": " : ", {\"name\": ", stdout);
    json_write_string(stdout, service->name);
    print_member("url", service->resolution.url);
    print_member("requested", service->resolution.ref);
    print_member("subdir", service->resolution.subdir);
    print_entry_json(entry);
}

static void show_json(const struct work *work)
{
    const struct config *config = work->place.config;
    bool first = true;

    fputs("{\"file\": ", stdout);
    json_write_string(stdout, config->lock_path);
    fputs(", \"services\": [", stdout);
    for (size_t i = 0; i < config->service_count; i++) {
        if (!is_remote(&config->services[i]))
            continue;
        print_service_json(&config->services[i], entry_of(work->lock, &config->services[i]), first);
        first = false;
    }
    fputs("], \"unused\": [", stdout);
    first = true;
    for (size_t i = 0; i < work->lock->count; i++) {
        const struct lock_entry *entry = &work->lock->entries[i];
        if (is_used(config, work->lock, entry))
            continue;
        fputs(first ? "{\"url\": " : ", {\"url\": ", stdout);
        first = false;
        json_write_string(stdout, entry->url);
        print_member("requested", entry->requested);
        print_member("subdir", entry->subdir);
        print_entry_json(entry);
    }
    puts("]}");
}

/* "URL//SUBDIR?ref=REF", as it would be written in a configuration. */
static void print_source(const char *url, const char *ref, const char *subdir)
{
    printf("%s%s%s%s%s", url, subdir != NULL ? "//" : "", subdir != NULL ? subdir : "", ref != NULL ? "?ref=" : "",
           ref != NULL ? ref : "");
}

static void show_text(const struct work *work)
{
    const struct config *config = work->place.config;
    size_t shown = 0;

    for (size_t i = 0; i < config->service_count; i++) {
        const struct config_service *service = &config->services[i];
        if (!is_remote(service))
            continue;
        const struct lock_entry *entry = entry_of(work->lock, service);
        printf("%s: %s  ", service->name, entry != NULL ? entry->commit : "not locked yet");
        print_source(service->resolution.url, service->resolution.ref, service->resolution.subdir);
        putchar('\n');
        shown++;
    }
    for (size_t i = 0; i < work->lock->count; i++) {
        const struct lock_entry *entry = &work->lock->entries[i];
        if (is_used(config, work->lock, entry))
            continue;
        printf("(no service): %s  ", entry->commit);
        print_source(entry->url, entry->requested, entry->subdir);
        putchar('\n');
        shown++;
    }
    if (shown == 0)
        printf("%s: no service has a driver from a git repository\n", config->path);
}

static int show(const struct work *work)
{
    if (work->options->globals.json)
        show_json(work);
    else
        show_text(work);
    return EXIT_DONE;
}

/* ---- updating ---- */

/* A new lock is made beside the old one: what fails leaves no trace. */
struct update {
    const struct work *work;
    struct lock *fresh;
    bool printed; /* with --json: a service was printed before */
};

/* Put what drover-fetch found into the new lock. */
static enum drover_status note(struct update *update, const struct config_service *service, const json_t *event,
                               struct drover_error *error)
{
    const struct reference_resolution *resolution = &service->resolution;
    char content[CONTENT_SIZE];

    snprintf(content, sizeof(content), "sha256:%.64s", helper_text(event, "content"));
    const struct lock_entry entry = {.url = resolution->url,
                                     .requested = resolution->ref,
                                     .subdir = resolution->subdir,
                                     .commit = (char *)(uintptr_t)helper_text(event, "commit"),
                                     .tree = (char *)(uintptr_t)helper_text(event, "tree"),
                                     .content = content};
    return lock_set(update->fresh, &entry, error);
}

static enum drover_status fetch(struct update *update, const struct config_service *service, int *ret_exit,
                                struct drover_error *error)
{
    struct helper_command command;
    struct helper_result result = {0};
    enum drover_status status;

    place_fetch_command(&update->work->place, &service->resolution, update->work->options, &command);
    helper_add(&command, "--refresh");
    status = place_fetch(&update->work->options->globals, &command, &result, error);
    *ret_exit = result.exit;
    if (status == DROVER_OK)
        status = note(update, service, result.end, error);
    helper_result_done(&result);
    helper_done(&command);
    return status;
}

static void tell_json(struct update *update, const struct config_service *service, const struct lock_entry *old,
                      const struct lock_entry *new)
{
    fputs(update->printed ? ", {\"name\": " : "{\"name\": ", stdout);
    json_write_string(stdout, service->name);
    print_member("url", new->url);
    print_member("from", old == NULL ? NULL : old->commit);
    print_member("to", new->commit);
    printf(", \"changed\": %s}", old == NULL || strcmp(old->commit, new->commit) != 0 ? "true" : "false");
    update->printed = true;
}

static void tell(struct update *update, const struct config_service *service)
{
    const struct lock_entry *old = entry_of(update->work->lock, service), *new = entry_of(update->fresh, service);

    if (update->work->options->globals.json)
        tell_json(update, service, old, new);
    else if (old == NULL)
        printf("%s: %.*s (new)\n", service->name, SHORT_COMMIT, new->commit);
    else if (strcmp(old->commit, new->commit) == 0)
        printf("%s: %.*s (as before)\n", service->name, SHORT_COMMIT, new->commit);
    else
        printf("%s: %.*s -> %.*s\n", service->name, SHORT_COMMIT, old->commit, SHORT_COMMIT, new->commit);
}

static bool is_meant(const struct config_service *service, const char *name)
{
    return is_remote(service) && (name == NULL || strcmp(service->name, name) == 0);
}

/* Entries that are not updated now: all others of the old lock when one service is named, else those of the services
 * that share a repository with one that was updated are new already. What was built of a source that stays the same
 * stays known. */
static enum drover_status keep_old(struct update *update, const char *name, struct drover_error *error)
{
    const struct work *work = update->work;
    enum drover_status status = DROVER_OK;

    for (size_t i = 0; status == DROVER_OK && i < work->lock->count; i++)
        if (name != NULL || is_used(work->place.config, work->lock, &work->lock->entries[i]))
            status = lock_set(update->fresh, &work->lock->entries[i], error);
    return status;
}

/* Fetch all that are meant; two services with one source are fetched once. */
static enum drover_status fetch_all(struct update *update, const char *name, int *ret_exit, struct drover_error *error)
{
    const struct config *config = update->work->place.config;
    enum drover_status status = DROVER_OK;

    for (size_t i = 0; status == DROVER_OK && i < config->service_count; i++) {
        bool repeated = false;
        if (!is_meant(&config->services[i], name))
            continue;
        for (size_t j = 0; j < i && !repeated; j++)
            repeated = is_meant(&config->services[j], name) &&
                       strcmp(config->services[i].resolution.target, config->services[j].resolution.target) == 0;
        if (!repeated)
            status = fetch(update, &config->services[i], ret_exit, error);
    }
    return status;
}

static void tell_all(struct update *update, const char *name)
{
    const struct config *config = update->work->place.config;
    bool json = update->work->options->globals.json;

    fputs(json ? "{\"updated\": [" : "", stdout);
    for (size_t i = 0; i < config->service_count; i++)
        if (is_meant(&config->services[i], name))
            tell(update, &config->services[i]);
    fputs(json ? "]}\n" : "", stdout);
}

static enum drover_status check_name(const struct config *config, const char *name, struct drover_error *error)
{
    for (size_t i = 0; name != NULL && i < config->service_count; i++) {
        if (strcmp(config->services[i].name, name) != 0)
            continue;
        if (is_remote(&config->services[i]))
            return DROVER_OK;
        return drover_error_set(error, DROVER_FAILED_PRECONDITION,
                                "service '%s': its driver does not come from a git repository", name);
    }
    if (name == NULL)
        return DROVER_OK;
    return drover_error_set(error, DROVER_NOT_FOUND, "service '%.64s': '%s' has none of that name", name, config->path);
}

static int update(const struct work *work, const char *name)
{
    struct update updating = {.work = work, .fresh = lock_new()};
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};
    int exit = EXIT_DONE;
    enum drover_status status = check_name(work->place.config, name, &error);

    if (status == DROVER_OK && updating.fresh == NULL)
        status = drover_error_set(&error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
    if (status == DROVER_OK)
        status = keep_old(&updating, name, &error);
    if (status == DROVER_OK)
        status = fetch_all(&updating, name, &exit, &error);
    if (status == DROVER_OK)
        status = lockfile_write(work->place.config->lock_path, updating.fresh, &error);
    if (status != DROVER_OK) {
        int other = cli_fail(&work->options->globals, &error);
        exit = exit != EXIT_DONE ? exit : other;
    } else {
        tell_all(&updating, name);
    }
    lock_free(updating.fresh);
    return exit;
}

static int run(const void *given, char **words, int count)
{
    struct work work = {.options = given};
    struct drover_error error = {0};
    struct place_options placing = *work.options;

    if (count > 0 && strcmp(words[0], "update") != 0) {
        (void)drover_error_set(&error, DROVER_INVALID_ARGUMENT, "'%.40s': only 'update' may follow 'lock'", words[0]);
        return cli_usage(&verb_lock, &error);
    }
    if (placing.config == NULL) /* a lock file belongs to a configuration, whatever store is used */
        placing.config = PLACE_CONFIG;
    int result = place_open(&placing, &work.place);
    if (result == EXIT_DONE)
        result = place_read_lock(&work.place, &work.lock);
    if (result == EXIT_DONE)
        result = count == 0 ? show(&work) : update(&work, count > 1 ? words[1] : NULL);
    lock_free(work.lock);
    place_done(&work.place);
    return result;
}

const struct verb verb_lock = {
    .name = "lock",
    .words = "[update [SERVICE]]",
    .summary = "show what drivers from git repositories are held to, or move on",
    .options = options,
    .options_size = sizeof(struct place_options),
    .words_max = 2,
    .run = run,
};
