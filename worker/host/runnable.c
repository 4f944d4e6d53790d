/* runnable.c - an artefact as it is run */
#include "worker/host/runnable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/sys/binary.h"
#include "worker/host/question.h"
#include "worker/host/wanted.h"
#include "worker/store/store.h"

static bool copy_if(char **to, const char *text)
{
    *to = text != NULL ? strdup(text) : NULL;
    return text == NULL || *to != NULL;
}

/* Built-in drivers change with drover-worker. One that cannot be read will not start, which says why. */
static void name(struct runnable *runnable)
{
    if (rollout_hash_read(runnable->artefact, &runnable->hash))
        return;
    const char *path = runnable->program;
    crypto_hash_sha256(runnable->hash.octets, (const unsigned char *)path, strlen(path));
}

static struct runnable *make(const char *program, const char *module, const char *library_folder, const char *artefact)
{
    struct runnable *runnable = calloc(1, sizeof(*runnable));
    if (runnable == NULL)
        return NULL;
    runnable->references = 1;
    const bool good = copy_if(&runnable->program, program) && copy_if(&runnable->module, module) &&
                      copy_if(&runnable->library_folder, library_folder);
    if (!good)
        return runnable_unref(runnable);
    (void)snprintf(runnable->artefact, sizeof(runnable->artefact), "%s", artefact != NULL ? artefact : "");
    if (stat(runnable->program, &runnable->seen) != 0)
        runnable->seen = (struct stat){0}; /* starting it will say why */
    name(runnable);
    return runnable;
}

struct runnable *runnable_of_program(const struct host *host, const struct wanted *wanted)
{
    const struct host_service *options = &wanted->service;
    const char *program = options->program != NULL ? options->program : host->worker_program;
    return make(program, NULL, host->library_folder, options->artefact);
}

/* Whoever cleans the store up must not take what runs. That it cannot be held is no reason not to run it. */
static struct store_lock *hold(struct host *host, const char *artefact)
{
    struct store_lock *lock = NULL;
    struct drover_error ignored = {0};
    if (host->store == NULL && store_open(host->store_path, NULL, &host->store, &ignored) != DROVER_OK)
        return NULL;
    return store_hold(host->store, STORE_ARTEFACT, artefact, &lock, &ignored) == DROVER_OK ? lock : NULL;
}

static struct runnable *make_verified(struct host *host, const char *path, bool module, const char *library_folder,
                                      const char *artefact)
{
    struct runnable *runnable = make(module ? host->worker_program : path, module ? path : NULL,
                                     library_folder != NULL ? library_folder : host->library_folder, artefact);
    if (runnable == NULL)
        return NULL;
    runnable->verified = true;
    runnable->held = hold(host, artefact);
    return runnable;
}

struct runnable *runnable_of_finding(struct host *host, const struct finding *finding)
{
    struct runnable *runnable =
        make_verified(host, finding->path, finding->module, finding->library_folder, finding->obtained.artefact);
    if (runnable != NULL && !question_copy(&runnable->self_test, &finding->self_test))
        return runnable_unref(runnable);
    return runnable;
}

struct runnable *runnable_in_store(struct host *host, const struct rollout_hash *artefact)
{
    char text[ROLLOUT_HASH_TEXT_SIZE];
    struct drover_error ignored = {0};
    (void)rollout_hash_text(artefact, text);
    if (host->store_path == NULL ||
        (host->store == NULL && store_open(host->store_path, NULL, &host->store, &ignored) != DROVER_OK))
        return NULL;
    char *path = store_path(host->store, STORE_ARTEFACT, text);
    struct runnable *runnable = NULL;
    if (path != NULL && store_has(host->store, STORE_ARTEFACT, text))
        runnable = make_verified(host, path, binary_look_at(path) == BINARY_MODULE, NULL, text);
    free(path);
    return runnable;
}

struct runnable *runnable_ref(struct runnable *runnable)
{
    runnable->references++;
    return runnable;
}

struct runnable *runnable_unref(struct runnable *runnable)
{
    if (runnable == NULL || --runnable->references > 0)
        return NULL;
    runnable->held = store_unlock(runnable->held);
    free(runnable->program);
    free(runnable->module);
    free(runnable->library_folder);
    question_done(&runnable->self_test);
    free(runnable);
    return NULL;
}
