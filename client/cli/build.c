/* build.c - `drover build REFERENCE`: compiles a driver into the store
 *
 * A source directory is compiled as it is; a git URL is fetched before, as the lock file has it. The work is done by
 * drover-fetch and drover-build.
 */
#include <string.h>
#include <unistd.h>

#include "client/cli/place.h"
#include "client/cli/progress.h"

struct build_options {
    struct place_options place;
    const char *interface, *sandbox;
    bool force;
};

static const struct option options[] = {
    PLACE_OPTIONS,
    {"interface", 0, OPTION_TEXT, offsetof(struct build_options, interface), "NAME",
     "the interface that it must serve (default: that of the service with this driver, else any)"},
    {"sandbox", 0, OPTION_TEXT, offsetof(struct build_options, sandbox), "POLICY",
     "required, best-effort or off (default: that of the service with this driver, else best-effort)"},
    {"force", 0, OPTION_FLAG, offsetof(struct build_options, force), NULL,
     "build again what was built, or has failed, before"},
    CLI_GLOBAL_OPTIONS,
    {0},
};

/* What is built, for whom. */
struct job {
    const struct build_options *options;
    struct place place;
    struct lock *lock;
    struct reference_resolution resolution;
    const struct config_service *service; /* or NULL */
    struct helper_result fetched;
    const char *source;
};

static const char *policy_of(const struct job *job)
{
    static const char *const words[] = {[CONFIG_SANDBOX_BEST_EFFORT] = "best-effort",
                                        [CONFIG_SANDBOX_REQUIRED] = "required",
                                        [CONFIG_SANDBOX_OFF] = "off"};

    if (job->options->sandbox != NULL)
        return job->options->sandbox;
    return job->service == NULL ? NULL : words[job->service->sandbox];
}

static int fail(const struct job *job, const struct helper_result *result, const struct drover_error *error)
{
    int exit = cli_fail(&job->options->place.globals, error);

    return result->exit != 0 ? result->exit : exit;
}

static int fetch(struct job *job)
{
    struct helper_command command;
    struct drover_error error = {0};
    const struct reference_resolution *resolution = &job->resolution;
    const struct lock_entry *entry =
        job->lock == NULL ? NULL : lock_find(job->lock, resolution->url, resolution->ref, resolution->subdir);
    int exit = EXIT_DONE;

    place_fetch_command(&job->place, resolution, &job->options->place, &command);
    helper_add_option(&command, "--commit", entry == NULL ? NULL : entry->commit);
    if (place_fetch(&job->options->place.globals, &command, &job->fetched, &error) != DROVER_OK)
        exit = fail(job, &job->fetched, &error);
    else
        job->source = helper_text(job->fetched.end, "path");
    helper_done(&command);
    return exit;
}

/* What the compiler says is shown as it comes. */
static void show_line(const char *name, const json_t *event, void *context)
{
    if (strcmp(name, "line") == 0)
        progress_line(context, helper_text(event, "line"));
}

static void print_done(const json_t *event)
{
    static const char *const keys[] = {"name", "interface", "form", "artefact", "path", "layers", "log"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (helper_text(event, keys[i])[0] != '\0')
            printf("%-9s %s\n", keys[i], helper_text(event, keys[i]));
    printf("%-9s %s%.2f s\n", "took", json_is_true(json_object_get(event, "reused")) ? "nothing to do, " : "",
           json_real_value(json_object_get(event, "seconds")));
}

/* A failed build says more than its first line. */
static void print_failure(const struct job *job, const json_t *event)
{
    const json_t *messages = json_object_get(event, "messages");
    const char *log = helper_text(event, "log");

    if (job->options->place.globals.json)
        return;
    for (size_t i = 0; i < json_array_size(messages); i++)
        fprintf(stderr, "%s\n", json_string_value(json_array_get(messages, i)));
    if (log[0] != '\0')
        fprintf(stderr, "the whole log: %s\n", log);
}

static int build(const struct job *job)
{
    const struct cli_globals *globals = &job->options->place.globals;
    struct progress progress;
    const struct helper_watcher watcher = {.event = show_line, .context = &progress};
    struct helper_command command;
    struct helper_result result = {0};
    struct drover_error error = {0};
    int exit = EXIT_DONE;

    helper_init(&command, "drover-build");
    helper_add_option(&command, "--store", job->place.store);
    helper_add_option(&command, "--source", job->source);
    helper_add_option(&command, "--name", job->resolution.name);
    helper_add_option(
        &command, "--interface",
        job->options->interface == NULL && job->service != NULL ? job->service->interface : job->options->interface);
    helper_add_option(&command, "--sandbox", policy_of(job));
    if (job->options->force)
        helper_add(&command, "--force");
    progress_init(&progress, stderr, globals->json, false);
    if (helper_run(&command, &watcher, &result, &error) != DROVER_OK) {
        print_failure(job, result.end);
        exit = fail(job, &result, &error);
    } else if (globals->json) {
        place_print_event(result.end);
    } else {
        print_done(result.end);
    }
    helper_result_done(&result);
    helper_done(&command);
    return exit;
}

static int refuse(const struct job *job)
{
    struct drover_error error = {.origin = DROVER_ORIGIN_CLIENT, .outcome = DROVER_OUTCOME_NOT_STARTED};
    const char *reason = job->resolution.reason != NULL ? job->resolution.reason : "out of memory";

    (void)drover_error_set(&error, DROVER_FAILED_PRECONDITION, "%s%s", reason,
                           job->resolution.kind == REFERENCE_REFUSED ? "" : ": there is nothing to build");
    return cli_fail(&job->options->place.globals, &error);
}

static int run(const void *given, char **words, int count)
{
    struct job job = {.options = given};
    int result = place_open(&job.options->place, &job.place);

    (void)count;
    if (result == EXIT_DONE)
        result = place_resolve(job.place.config, words[0], job.options->interface, false, &job.resolution);
    job.service = place_service(job.place.config, words[0]);
    job.source = job.resolution.target;
    if (result == EXIT_DONE && job.resolution.kind != REFERENCE_GIT && job.resolution.kind != REFERENCE_SOURCE)
        result = refuse(&job);
    if (result == EXIT_DONE && job.place.config != NULL)
        result = place_read_lock(&job.place, &job.lock);
    if (result == EXIT_DONE && job.resolution.kind == REFERENCE_GIT)
        result = fetch(&job);
    if (result == EXIT_DONE)
        result = build(&job);
    helper_result_done(&job.fetched);
    lock_free(job.lock);
    reference_resolution_done(&job.resolution);
    place_done(&job.place);
    return result;
}

const struct verb verb_build = {
    .name = "build",
    .words = "REFERENCE",
    .summary = "compile a driver into the store",
    .options = options,
    .options_size = sizeof(struct build_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
