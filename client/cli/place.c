/* place.c - see place.h */
#include "client/cli/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/progress.h"
#include "common/base/text.h"
#include "common/load/load.h"
#include "common/load/lockfile.h"
#include "common/sys/sys.h"

static const struct {
    const char *interface, *name;
} builtins[] = {
#define BUILTIN(interface, name, symbol) {#interface, #name},
#include "common/config/builtins.def"
#undef BUILTIN
};

/* Tell about a file that is wrong, or about the lack of memory. */
static int tell_messages(const struct config_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        fprintf(stderr, "%s\n", messages->lines[i]);
    if (messages->count == 0)
        fputs("drover: out of memory\n", stderr);
    return messages->count > 0 ? EX_CONFIG : EX_SOFTWARE;
}

static int read_config(const char *path, struct config **ret)
{
    struct config_messages messages = {0};
    int result = EXIT_DONE;
    enum drover_status status = load_config(path, ret, &messages);

    if (status != DROVER_OK)
        result = tell_messages(&messages);
    if (status == DROVER_NOT_FOUND)
        fputs("drover: name the configuration with --config FILE\n", stderr);
    config_messages_done(&messages);
    return result;
}

/* The folder is the broker's: what this user put there could not be used by it. */
static int check_state_folder(const struct cli_globals *globals, const char *path)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};
    struct stat about;

    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || stat(path, &about) != 0) {
        (void)drover_error_set(&error, errno == EACCES ? DROVER_PERMISSION_DENIED : DROVER_FAILED_PRECONDITION,
                               "state_dir '%s': %s", path, strerror(errno));
        return cli_fail(globals, &error);
    }
    if (about.st_uid == geteuid())
        return EXIT_DONE;
    (void)drover_error_set(
        &error, DROVER_PERMISSION_DENIED,
        "state_dir '%s' belongs to the user with the number %u: run this as that user, as its broker "
        "runs (or use another store: --store DIR)",
        path, (unsigned)about.st_uid);
    return cli_fail(globals, &error);
}

int place_open(const struct place_options *options, struct place *ret)
{
    int result = EXIT_DONE;

    *ret = (struct place){0};
    if (options->config != NULL || options->store == NULL)
        result = read_config(options->config != NULL ? options->config : PLACE_CONFIG, &ret->config);
    if (result == EXIT_DONE && options->store == NULL)
        result = check_state_folder(&options->globals, ret->config->state_dir);
    if (result != EXIT_DONE)
        return result;
    ret->store =
        options->store != NULL ? sys_absolute_path(options->store) : text_format("%s/store", ret->config->state_dir);
    if (ret->store != NULL)
        return EXIT_DONE;
    fputs("drover: out of memory\n", stderr);
    return EX_SOFTWARE;
}

void place_done(struct place *place)
{
    config_free(place->config);
    free(place->store);
    *place = (struct place){0};
}

int place_read_lock(const struct place *place, struct lock **ret)
{
    struct config_messages messages = {0};
    int result = EXIT_DONE;

    if (lockfile_read(place->config->lock_path, ret, &messages) != DROVER_OK)
        result = tell_messages(&messages);
    config_messages_done(&messages);
    return result;
}

const struct config_service *place_service(const struct config *config, const char *reference)
{
    for (size_t i = 0; config != NULL && i < config->service_count; i++)
        if (strcmp(config->services[i].driver, reference) == 0)
            return &config->services[i];
    return NULL;
}

const char *place_interface(const struct config *config, const char *reference)
{
    const struct config_service *service = place_service(config, reference);

    if (service != NULL)
        return service->interface;
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strcmp(builtins[i].name, reference) == 0)
            return builtins[i].interface;
    return builtins[0].interface;
}

int place_resolve(const struct config *config, const char *reference, const char *interface, bool plugins,
                  struct reference_resolution *ret)
{
    char *here = config == NULL ? sys_absolute_path(".") : NULL;
    struct reference_setting setting = {.interface = interface != NULL ? interface : place_interface(config, reference),
                                        .directory = here,
                                        .plugins = plugins};

    if (config != NULL) {
        setting.directory = config->directory;
        setting.plugins = plugins || config->plugins;
        setting.driver_path = config->driver_path;
        setting.driver_path_count = config->driver_path_count;
        setting.fetch_allow = config->fetch_allow;
        setting.fetch_allow_count = config->fetch_allow_count;
    }
    *ret = (struct reference_resolution){0};
    if (setting.directory == NULL) {
        fputs("drover: there is no working directory\n", stderr);
        return EX_SOFTWARE;
    }
    reference_resolve(reference, &setting, &load_disk, ret);
    free(here);
    return EXIT_DONE;
}

/* ---- fetching ---- */

/* "https,ssh", for the caller to free(). */
static char *join(char *const *words, size_t count)
{
    size_t size = 1;
    char *text, *end;

    for (size_t i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    text = end = calloc(1, size);
    for (size_t i = 0; text != NULL && i < count; i++) {
        if (i > 0)
            *end++ = ',';
        end = stpcpy(end, words[i]);
    }
    return text;
}

static void add_config(const struct config *config, struct helper_command *command)
{
    helper_add_text(command, "--allow", join(config->fetch_allow, config->fetch_allow_count));
    helper_add_option(command, "--key", config->fetch_key);
    helper_add_option(command, "--known-hosts", config->fetch_known_hosts);
    helper_add_option(command, "--token-file", config->fetch_token_file);
    helper_add_option(command, "--ca", config->fetch_ca);
}

void place_fetch_command(const struct place *place, const struct reference_resolution *resolution,
                         const struct place_options *options, struct helper_command *ret)
{
    uint64_t deadline_ms = options->globals.timeout_ms;

    helper_init(ret, "drover-fetch");
    helper_add_option(ret, "--store", place->store);
    helper_add_option(ret, "--url", resolution->url);
    helper_add_option(ret, "--ref", resolution->ref);
    helper_add_option(ret, "--subdir", resolution->subdir);
    if (place->config != NULL) {
        add_config(place->config, ret);
        if (deadline_ms == 0)
            deadline_ms = place->config->fetch_deadline_ms;
    }
    if (deadline_ms > 0)
        helper_add_text(ret, "--deadline", text_format("%" PRIu64 "ms", deadline_ms));
}

static uint64_t number_of(const json_t *event, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(event, key));

    return value < 0 ? 0 : (uint64_t)value;
}

static void show_progress(const char *name, const json_t *event, void *context)
{
    if (strcmp(name, "progress") != 0)
        return;
    const struct progress_state state = {.percent = (unsigned)number_of(event, "percent"),
                                         .objects = number_of(event, "objects"),
                                         .total_objects = number_of(event, "total_objects"),
                                         .bytes = number_of(event, "bytes")};
    progress_show(context, &state);
}

enum drover_status place_fetch(const struct cli_globals *globals, struct helper_command *command,
                               struct helper_result *ret, struct drover_error *error)
{
    struct progress progress;
    const struct helper_watcher watcher = {.event = show_progress, .context = &progress};
    enum drover_status status;

    progress_init(&progress, stderr, globals->json, isatty(STDERR_FILENO) == 1);
    status = helper_run(command, &watcher, ret, error);
    progress_done(&progress);
    return status;
}

void place_print_event(const json_t *event)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)event);
    char *text = NULL;

    (void)json_object_del(copy, "event");
    if (copy != NULL)
        text = json_dumps(copy, JSON_REAL_PRECISION(6));
    puts(text != NULL ? text : "{}");
    free(text);
    json_decref(copy);
}
