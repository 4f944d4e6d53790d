/* main.c - drover-fetch: brings a driver's source from a git repository into the store
 *
 * START: the command line is read and judged, the store opened, a private home made, the clock of the deadline started.
 * OPERATION: with the lock of the URL, the mirror is opened and brought up to date, unless the commit that is wanted is
 * there or the network may not be used; the commit is found and its files written to a folder in tmp/. A mirror that
 * turns out to be damaged is put into quarantine and made anew, once. END: the folder is published by its content, and
 * the last line says where.
 *
 * One process, one fetch: it is started by the broker, by drover-worker and by `drover fetch`, and may crash, hang or
 * be killed without harm to them or to the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "worker/fetch/deadline.h"
#include "worker/fetch/export.h"
#include "worker/fetch/home.h"
#include "worker/fetch/library.h"
#include "worker/fetch/mirror.h"
#include "worker/fetch/report.h"
#include "worker/fetch/resolve.h"

#define EXIT_USAGE 2

struct fetch {
    const struct request *request;
    struct report *report;
    struct store *store;
    struct store_tmp *tmp; /* home/ and tree/ */
    struct credentials credentials;
};

static enum drover_status no_memory(struct drover_error *error)
{
    return drover_error_set(error, DROVER_RESOURCE_EXHAUSTED, "out of memory");
}

/* Publish tree/ and tell. */
static enum drover_status publish(const struct fetch *fetch, const struct target *target, const git_oid *tree,
                                  struct drover_error *error)
{
    char content[STORE_NAME_SIZE], commit_id[GIT_OID_HEXSZ + 1], tree_id[GIT_OID_HEXSZ + 1];
    deadline_stage("publishing the source");
    enum drover_status status = store_publish_content(fetch->store, STORE_SRC, fetch->tmp, "tree", content, error);
    if (status != DROVER_OK)
        return status;
    char *path = store_path(fetch->store, STORE_SRC, content);
    if (!path)
        return no_memory(error);
    git_oid_tostr(commit_id, sizeof commit_id, &target->commit);
    git_oid_tostr(tree_id, sizeof tree_id, tree);
    const struct report_result result = {.url = fetch->request->shown,
                                         .ref = target->ref,
                                         .commit = commit_id,
                                         .subdir = fetch->request->subdir,
                                         .tree = tree_id,
                                         .content = content,
                                         .path = path};
    report_done(fetch->report, &result);
    free(path);
    return DROVER_OK;
}

/* From an open mirror to a folder tree/. */
static enum drover_status use_mirror(struct fetch *fetch, struct mirror *mirror, struct target *target, git_oid *tree,
                                     struct drover_error *error)
{
    const struct request *request = fetch->request;
    enum drover_status status = DROVER_OK;
    char *path = text_format("%s/tree", store_tmp_path(fetch->tmp));
    if (!path)
        return no_memory(error);
    if (!request->offline && (request->refresh || !resolve_is_here(mirror->repository, request)))
        status = mirror_fetch(mirror, &fetch->credentials, error);
    deadline_stage("writing the source");
    if (status == DROVER_OK)
        status = resolve_target(mirror->repository, request, target, error);
    if (status == DROVER_OK)
        status = export_commit(mirror->repository, request, &target->commit, path, tree, error);
    free(path);
    return status;
}

static enum drover_status fetch_once(struct fetch *fetch, struct drover_error *error)
{
    struct mirror mirror;
    struct target target = {0};
    git_oid tree;
    enum drover_status status = mirror_open(&mirror, fetch->store, fetch->request, fetch->report, error);
    if (status == DROVER_OK)
        status = use_mirror(fetch, &mirror, &target, &tree, error);
    if (status == DROVER_OK)
        status = publish(fetch, &target, &tree, error);
    target_done(&target);
    mirror_close(&mirror);
    return status;
}

/* A new folder in tmp/ with a home in it. */
static enum drover_status make_tmp(struct fetch *fetch, struct drover_error *error)
{
    store_tmp_free(fetch->tmp);
    fetch->tmp = NULL;
    return store_tmp_new(fetch->store, "fetch", &fetch->tmp, error);
}

static enum drover_status fetch_with_lock(struct fetch *fetch, struct drover_error *error)
{
    char name[80];
    struct store_lock *lock = NULL;
    snprintf(name, sizeof name, "git-%s", fetch->request->name);
    deadline_stage("another fetch of the same repository is under way");
    enum drover_status status = store_lock(fetch->store, name, STORE_NO_DEADLINE, &lock, error);
    if (status == DROVER_OK)
        status = fetch_once(fetch, error);
    if (status == DROVER_DATA_LOSS && !fetch->request->offline) {
        struct drover_error why = *error;
        status = store_quarantine(fetch->store, STORE_GIT, fetch->request->name, NULL, error);
        if (status == DROVER_OK)
            status = make_tmp(fetch, error);
        if (status == DROVER_OK)
            status = fetch_once(fetch, error);
        else
            *error = why;
    }
    store_unlock(lock);
    return status;
}

static enum drover_status run(struct fetch *fetch, struct drover_error *error)
{
    struct store_tmp *home = NULL;
    const struct request *request = fetch->request;
    enum drover_status status = deadline_start(fetch->report, request->shown, request->deadline_ms, error);
    if (status == DROVER_OK)
        status = store_open(request->store, NULL, &fetch->store, error);
    if (status == DROVER_OK)
        status = store_sweep(fetch->store, NULL, error); /* what fetches left that were killed */
    if (status == DROVER_OK)
        status = credentials_init(&fetch->credentials, request, fetch->report, error);
    if (status == DROVER_OK)
        status = store_tmp_new(fetch->store, "home", &home, error);
    if (status == DROVER_OK)
        status = home_make(request, store_tmp_path(home), error);
    if (status == DROVER_OK)
        status = library_start(request, store_tmp_path(home), error);
    if (status == DROVER_OK)
        status = make_tmp(fetch, error);
    if (status == DROVER_OK)
        status = fetch_with_lock(fetch, error);
    store_tmp_free(fetch->tmp);
    store_tmp_free(home);
    credentials_done(&fetch->credentials);
    store_free(fetch->store);
    library_stop();
    return status;
}

static int print_help(void)
{
    char *help = request_help();
    if (!help)
        return EXIT_FAILURE;
    fputs(help, stdout);
    free(help);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct request request = {0};
    struct report report;
    struct drover_error error = {0};
    report_init(&report);
    if (request_parse(argc, argv, &request, &error) != DROVER_OK) {
        fprintf(stderr, "drover-fetch: %s (see --help)\n", error.text);
        return EXIT_USAGE;
    }
    if (request.help)
        return print_help();
    if (request.version) {
        puts("drover-fetch " DROVER_VERSION);
        return EXIT_SUCCESS;
    }
    struct fetch fetch = {.request = &request, .report = &report};
    enum drover_status status = request_check(&request, &error);
    if (status == DROVER_OK)
        status = run(&fetch, &error);
    if (status != DROVER_OK)
        report_error(&report, &error);
    request_done(&request);
    report_finish(&report);
    return report_exit_status(status);
}
