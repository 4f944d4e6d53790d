/* build.c - decides whether there is anything to build, and lets one process build it (build.h) */
#include "worker/build/build.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/sys/sys.h"
#include "worker/build/job.h"
#include "worker/build/trouble.h"

#define LOCK_SLICE_MS 200

/* --- what the store knows ------------------------------------------------------------------------------------------
 */

static enum drover_status read_record(const struct job *job, const char *key, struct record *ret,
                                      struct drover_error *error)
{
    char *folder = store_path(job->store, STORE_BUILD, key);
    char *path = folder ? text_format("%s/" RECORD_FILE, folder) : NULL;
    const enum drover_status status = path ? record_read(path, ret, error) : trouble_memory(error);
    free(folder);
    free(path);
    return status;
}

/* Point the result to what `record` is about. */
static enum drover_status use_record(struct job *job, const struct record *record, struct drover_error *error)
{
    struct build_result *result = job->result;
    result->record = *record;
    result->reused = true;
    char *folder = store_path(job->store, STORE_BUILD, record->key);
    result->log = folder ? text_format("%s/" RECORD_LOG, folder) : NULL;
    free(folder);
    return result->log ? DROVER_OK : trouble_memory(error);
}

/* Is there a build of `key` that can be used, or a failure that still counts? Then it is the result, and the failure is
 * `*ret_status`. A damaged artefact is put into quarantine, and is none. */
static bool find_build(struct job *job, const char *key, enum drover_status *ret_status, struct drover_error *error)
{
    struct record record = {0};
    struct drover_error why = {0};
    if (read_record(job, key, &record, &why) != DROVER_OK || strcmp(record.key, key) != 0)
        return false;
    if (record.status != DROVER_OK) {
        if (!record_is_fresh_failure(&record, sys_wall_ms()))
            return false;
        *ret_status = use_record(job, &record, error);
        if (*ret_status == DROVER_OK)
            *ret_status = drover_error_set(error, record.status, "%s", record.message);
        return true;
    }
    if (store_check(job->store, STORE_ARTEFACT, record.artefact, &why) != DROVER_OK)
        return false;
    *ret_status = use_record(job, &record, error);
    return true;
}

/* The compiler is missing, so there is no key: the newest build of the same source will do. */
static bool find_by_source(struct job *job)
{
    struct store_entry *entries = NULL;
    struct record record = {0}, newest = {0};
    struct drover_error why = {0};
    size_t count = 0;
    if (store_list(job->store, &entries, &count, &why) != DROVER_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].kind == STORE_BUILD && read_record(job, entries[i].name, &record, &why) == DROVER_OK &&
            record.status == DROVER_OK && strcmp(record.source_key, job->result->record.source_key) == 0 &&
            record.made_ms >= newest.made_ms &&
            store_check(job->store, STORE_ARTEFACT, record.artefact, &why) == DROVER_OK)
            newest = record;
    }
    free(entries);
    return newest.artefact[0] != '\0' && use_record(job, &newest, &why) == DROVER_OK;
}

/* --- one of them builds --------------------------------------------------------------------------------------------
 */

static bool is_cancelled(const struct job *job)
{
    struct pollfd cancel = {.fd = job->request->cancel, .events = POLLIN};
    return poll(&cancel, 1, 0) > 0;
}

/* In slices: who cancels does not wait for another's build. */
static enum drover_status take_lock(const struct job *job, struct store_lock **ret, struct drover_error *error)
{
    char *name = text_format("build-%s", job->result->record.key);
    enum drover_status status = name ? DROVER_DEADLINE_EXCEEDED : trouble_memory(error);
    const uint64_t end = sys_now_ms() + job->request->time_ms;
    while (status == DROVER_DEADLINE_EXCEEDED) {
        const uint64_t now = sys_now_ms();
        if (is_cancelled(job))
            status = drover_error_set(error, DROVER_CANCELLED, "the build was cancelled");
        else if (now >= end)
            break;
        else
            status = store_lock(job->store, name, end - now < LOCK_SLICE_MS ? end : now + LOCK_SLICE_MS, ret, error);
    }
    if (status == DROVER_DEADLINE_EXCEEDED)
        status = drover_error_set(error, status, "another process builds this driver, and was not done in time");
    free(name);
    return status;
}

static enum drover_status build_locked(struct job *job, struct drover_error *error)
{
    enum drover_status status;
    struct store_lock *lock = NULL;
    char key[DIGEST_SIZE];
    memcpy(key, job->result->record.key, sizeof(key));
    if (!job->request->force && find_build(job, key, &status, error))
        return status;
    status = take_lock(job, &lock, error);
    if (status != DROVER_OK)
        return status;
    /* While we waited, somebody may have built it. */
    if (job->request->force || !find_build(job, key, &status, error))
        status = job_run(job, error);
    store_unlock(lock);
    return status;
}

static enum drover_status set_path(struct job *job, struct drover_error *error)
{
    job->result->path = store_path(job->store, STORE_ARTEFACT, job->result->record.artefact);
    return job->result->path ? DROVER_OK : trouble_memory(error);
}

static enum drover_status run_job(struct job *job, struct drover_error *error)
{
    const struct build_watcher *watcher = job->watcher;
    enum drover_status status = job_prepare(job, error);
    if (status == DROVER_OK) {
        if (watcher->start)
            watcher->start(job->result->record.key, watcher->context);
        status = build_locked(job, error);
    } else if (job->result->record.source_key[0] != '\0' && !job->request->force && find_by_source(job)) {
        status = DROVER_OK;
    }
    return status == DROVER_OK ? set_path(job, error) : status;
}

static void job_done(struct job *job)
{
    store_tmp_free(job->tmp);
    store_free(job->store);
    sandbox_done(&job->sandbox);
    sdk_done(&job->sdk);
    words_done(&job->sources);
    words_done(&job->package_flags);
    free(job->tools.cc);
    free(job->tools.cmake);
    free(job->tools.make);
    free(job->tools.ninja);
    free(job->tools.command);
    free(job->root);
}

enum drover_status build_driver(const struct build_request *request, const struct build_watcher *watcher,
                                struct build_result *ret, struct drover_error *error)
{
    struct job job = {.request = request, .watcher = watcher, .result = ret};
    *ret = (struct build_result){0};
    enum drover_status status = store_open(request->store, NULL, &job.store, error);
    if (status == DROVER_OK)
        status = store_sweep(job.store, NULL, error); /* what builds left that were killed */
    if (status == DROVER_OK)
        status = run_job(&job, error);
    job_done(&job);
    return status;
}

void build_result_done(struct build_result *result)
{
    manifest_free(result->manifest);
    config_messages_done(&result->messages);
    free(result->name);
    free(result->interface);
    free(result->path);
    free(result->library_folder);
    free(result->log);
    *result = (struct build_result){0};
}
