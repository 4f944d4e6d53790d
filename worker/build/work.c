/* work.c - the build itself: stage, run the plan, take the artefact, publish (job.h)
 *
 * START: the copy of the source lies in ROOT/source. OPERATION: SDK, compiler and empty folders are put beside it and
 * given to the build's user; the steps run one after the other until one fails. END: artefact and record are published,
 * or the record alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/files.h"
#include "worker/build/job.h"
#include "worker/build/log.h"
#include "worker/build/tools.h"
#include "worker/build/trouble.h"

#define PART_ARTEFACT "artefact"
#define PART_RECORD "record"

/* --- the stage -----------------------------------------------------------------------------------------------------
 */

static bool give(const struct job *job, const char *path)
{
    const struct owner *owner = &job->sandbox.owner;
    return owner->uid == (uid_t)-1 || lchown(path, owner->uid, owner->gid) == 0;
}

/* A compiler that says as little as possible of where it ran. Its own options come first: those of a source win. */
static enum drover_status stage_compiler(const struct job *job, const char *name, struct drover_error *error)
{
    char *program = tool_find(name);
    if (!program || strchr(program, '\'')) {
        free(program);
        return DROVER_OK;
    }
    char *path = text_format("%s/bin/%s", job->root, name);
    char *text = text_format("#!/bin/sh\n"
                             "exec '%s' \"-ffile-prefix-map=$DROVER_BUILD_ROOT=" PLAN_SEEMING_ROOT "\" \"$@\"\n",
                             program);
    const enum drover_status status = path && text ? files_write(path, 0755, text, error) : trouble_memory(error);
    free(program);
    free(path);
    free(text);
    return status;
}

static enum drover_status stage_folders(const struct job *job, struct drover_error *error)
{
    /* What the build may change belongs to its user; the compiler and the SDK do not. */
    static const struct {
        const char *name;
        bool is_theirs;
    } folders[] = {{"build", true}, {"home", true}, {"tmp", true}, {"bin", false}};
    enum drover_status status = DROVER_OK;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && status == DROVER_OK; i++) {
        char *path = text_format("%s/%s", job->root, folders[i].name);
        status = path ? files_make_folder(path, 0755, error) : trouble_memory(error);
        if (status == DROVER_OK && folders[i].is_theirs && !give(job, path))
            status = trouble_errno(error, errno, "folder '%s'", path);
        free(path);
    }
    return status;
}

static enum drover_status stage(const struct job *job, struct drover_error *error)
{
    static const char *const compilers[] = {"cc", "gcc", "clang", "c++", "g++", "clang++"};
    char *sdk = text_format("%s/sdk", job->root);
    enum drover_status status = sdk ? stage_folders(job, error) : trouble_memory(error);
    if (status == DROVER_OK)
        status = sdk_stage(&job->sdk, sdk, error);
    for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]) && status == DROVER_OK; i++)
        status = stage_compiler(job, compilers[i], error);
    free(sdk);
    return status;
}

static enum drover_status make_plan(const struct job *job, struct plan *plan, struct drover_error *error)
{
    char *path = tools_path();
    const struct plan_input input = {.manifest = job->result->manifest,
                                     .system = job->system,
                                     .sources = &job->sources,
                                     .package_flags = &job->package_flags,
                                     .tools = &job->tools,
                                     .path = path ? path : ""};
    *plan = (struct plan){0};
    const enum drover_status status = path ? plan_make(&input, job->root, plan, error) : trouble_memory(error);
    free(path);
    return status;
}

/* --- the steps -----------------------------------------------------------------------------------------------------
 */

static bool take_output(const char *data, size_t size, void *context)
{
    return build_log_feed(context, data, size);
}

/* The command line for the log, as far as it goes. */
static void say_step(struct build_log *log, const struct words *step)
{
    char line[900];
    size_t used = 0;
    for (size_t i = 0; i < step->count && used + 2 < sizeof(line); i++) {
        const int size = snprintf(line + used, sizeof(line) - used, " %s", step->items[i]);
        used += size > 0 ? (size_t)size : 0;
    }
    build_log_say(log, "$%.880s", line);
}

/* What the end of a step means. */
static enum drover_status judge(struct job *job, const struct run_result *result, struct build_log *log,
                                struct drover_error *error)
{
    const char *reason = build_log_reason(log);
    build_log_break(log);
    job->is_the_source = result->end != RUN_CANCELLED;
    switch (result->end) {
    case RUN_LATE:
        return drover_error_set(error, DROVER_DEADLINE_EXCEEDED, "the build was not done in its time%s%.300s",
                                *reason ? ": " : "", reason);
    case RUN_REFUSED:
        return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "the build printed more than %zu MiB",
                                LOG_BYTES_MAX >> 20);
    case RUN_CANCELLED:
        return drover_error_set(error, DROVER_CANCELLED, "the build was cancelled");
    case RUN_SIGNALLED:
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "the build was ended by signal %d (%s)%s%.300s",
                                result->code, strsignal(result->code), *reason ? ": " : "", reason);
    case RUN_EXITED:
        break;
    }
    if (result->code == 0)
        return DROVER_OK;
    if (*reason)
        return drover_error_set(error, DROVER_FAILED_PRECONDITION, "%s", reason);
    return drover_error_set(error, DROVER_FAILED_PRECONDITION, "'%s' failed with status %d and said nothing",
                            build_system_name(job->system), result->code);
}

/* That the manifest's command cannot be run is the fault of the source. */
static enum drover_status blame_command(struct job *job, enum drover_status status, struct drover_error *error)
{
    const bool is_theirs =
        job->system == SYSTEM_COMMAND &&
        (status == DROVER_FAILED_PRECONDITION ||
         (!job->sandbox.launcher && (status == DROVER_NOT_FOUND || status == DROVER_PERMISSION_DENIED)));
    if (!is_theirs)
        return status;
    job->is_the_source = true;
    return error->status = DROVER_FAILED_PRECONDITION;
}

static enum drover_status run_steps(struct job *job, const struct plan *plan, struct build_log *log,
                                    struct drover_error *error)
{
    enum drover_status status = DROVER_OK;
    for (size_t i = 0; i < plan->step_count && status == DROVER_OK; i++) {
        struct run_result result;
        struct run run = {.environment = &plan->environment,
                          .directory = plan->directory,
                          .owner = {.uid = (uid_t)-1},
                          .limits = job->request->limits,
                          .deadline_ms = job->deadline_ms,
                          .cancel = job->request->cancel,
                          .report = -1,
                          .output = take_output,
                          .context = log};
        say_step(log, &plan->steps[i]);
        status = sandbox_run(&job->sandbox, &plan->steps[i], job->root, &run, &result, error);
        if (status == DROVER_OK)
            status = judge(job, &result, log, error);
        else
            status = blame_command(job, status, error);
    }
    return status;
}

static enum drover_status take_artefact(const struct job *job, const struct plan *plan, struct drover_error *error)
{
    const struct manifest *manifest = job->result->manifest;
    char *to = text_format("%s/" PART_ARTEFACT, store_tmp_path(job->tmp));
    const enum drover_status status =
        to ? artefact_take(plan->results, plan->artefact, manifest->name ? manifest->name : "", to,
                           &job->result->record.form, error)
           : trouble_memory(error);
    free(to);
    return status;
}

static enum drover_status build(struct job *job, struct build_log *log, struct drover_error *error)
{
    struct plan plan;
    enum drover_status status = make_plan(job, &plan, error);
    if (status == DROVER_OK)
        status = stage(job, error);
    if (status == DROVER_OK)
        status = run_steps(job, &plan, log, error);
    if (status == DROVER_OK)
        status = take_artefact(job, &plan, error);
    job->is_the_source |= status == DROVER_FAILED_PRECONDITION;
    plan_done(&plan);
    return status;
}

/* --- publish -------------------------------------------------------------------------------------------------------
 */

/* A build that was made again although it was good has failed: what was good stays. */
static bool is_good_already(const struct job *job)
{
    struct record record = {0};
    struct drover_error ignored = {0};
    char *folder = store_path(job->store, STORE_BUILD, job->result->record.key);
    char *path = folder ? text_format("%s/" RECORD_FILE, folder) : NULL;
    const bool is_good = path && record_read(path, &record, &ignored) == DROVER_OK && record.status == DROVER_OK &&
                         store_has(job->store, STORE_ARTEFACT, record.artefact);
    free(folder);
    free(path);
    return is_good;
}

/* Put the record in the place of whatever the store knew of this key. */
static enum drover_status publish_record(struct job *job, struct drover_error *error)
{
    const struct record *record = &job->result->record;
    struct drover_error ignored = {0};
    char *path = text_format("%s/" PART_RECORD "/" RECORD_FILE, store_tmp_path(job->tmp));
    enum drover_status status = path ? record_write(record, path, error) : trouble_memory(error);
    free(path);
    if (status != DROVER_OK)
        return status;
    /* Gone already, or held by somebody who reads it: then the old one stays, which is as true. */
    const enum drover_status removed = store_remove(job->store, STORE_BUILD, record->key, &ignored);
    (void)removed;
    return store_publish_named(job->store, STORE_BUILD, record->key, job->tmp, PART_RECORD, NULL, error);
}

static enum drover_status publish(struct job *job, enum drover_status status, struct drover_error *error)
{
    struct build_result *result = job->result;
    struct record *record = &result->record;
    if (status == DROVER_OK)
        status = store_publish_content(job->store, STORE_ARTEFACT, job->tmp, PART_ARTEFACT, record->artefact, error);
    if (status != DROVER_OK && (!job->is_the_source || is_good_already(job)))
        return status;
    record->status = status;
    if (status != DROVER_OK)
        text_printable(error->text, strlen(error->text), record->message, sizeof(record->message));
    (void)snprintf(record->sandbox, sizeof(record->sandbox), "%s", job->sandbox.layers);
    struct drover_error why = {0};
    const enum drover_status published = publish_record(job, &why);
    if (status == DROVER_OK && published != DROVER_OK)
        return drover_error_set(error, published, "%s", why.text);
    if (published == DROVER_OK) {
        char *folder = store_path(job->store, STORE_BUILD, record->key);
        result->log = folder ? text_format("%s/" RECORD_LOG, folder) : NULL;
        free(folder);
    }
    return status;
}

enum drover_status job_run(struct job *job, struct drover_error *error)
{
    struct record *record = &job->result->record;
    const struct build_watcher *watcher = job->watcher;
    const uint64_t start_ms = sys_now_ms();
    job->deadline_ms = start_ms + job->request->time_ms;
    struct drover_error log_error = {0};
    struct build_log *log = NULL;
    char *folder = text_format("%s/" PART_RECORD, store_tmp_path(job->tmp));
    char *path = folder ? text_format("%s/" RECORD_LOG, folder) : NULL;
    enum drover_status status = path ? files_make_folder(folder, 0755, error) : trouble_memory(error);
    if (status == DROVER_OK)
        status = build_log_new(path, job->root, watcher->line, watcher->context, &log, error);
    free(folder);
    free(path);
    if (status != DROVER_OK)
        return status;
    status = build(job, log, error);
    if (status != DROVER_OK)
        build_log_cut(log, error->text);
    if (status != DROVER_OK)
        build_log_say(log, "%s: %s", drover_status_name(status), error->text);
    build_log_say(log, "sandbox: %s", job->sandbox.layers);
    const enum drover_status logged = build_log_end(log, &log_error);
    build_log_free(log);
    if (status == DROVER_OK && logged != DROVER_OK)
        return drover_error_set(error, logged, "%s", log_error.text);
    record->made_ms = sys_wall_ms();
    record->taken_ms = sys_now_ms() - start_ms;
    return publish(job, status, error);
}
